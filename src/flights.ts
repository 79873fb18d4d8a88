// SPDX-License-Identifier: MIT
//
// `getOrSet` and `wrap`: which flight a call belongs to.
//
// Calls of one handle for one key share a flight while it can be of use to them: not one whose lease is over,
// nor, with `forceFresh`, one that began before. A factory that asks for its own key, straight or through
// other keys' factories, would wait for itself: it gets an error.

import type { AsyncLocalStorage } from "node:async_hooks";
import { NOTED } from "./abi.ts";
import { FastCacheError, invalid, nameOf } from "./errors.ts";
import { Caller, type Field, Flight } from "./flight.ts";
import { flightOptions } from "./flight_options.ts";
import { WaitQueue } from "./lease.ts";
import { read } from "./read.ts";
import type { Anchor, Handle } from "./segment.ts";
import type { Factory, GetOrSetOptions, Key, WrapOptions } from "./types.ts";
import { isJson } from "./wire/json.ts";
import { keyName } from "./wire/key.ts";
import { isBytes } from "./wire/memory.ts";

/** The keys whose factories the present code runs in. */
interface Inside {
  readonly flights: Flights;
  readonly id: string;
  readonly outer: Inside | undefined;
}

let storage: AsyncLocalStorage<Inside> | undefined;

/** Made when it is first needed: promises cost more where there is one. */
function insides(): AsyncLocalStorage<Inside> {
  if (storage === undefined) {
    const { AsyncLocalStorage } = process.getBuiltinModule("node:async_hooks");
    storage = new AsyncLocalStorage<Inside>();
  }
  return storage;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** One string for each key: bytes that are UTF-8 are the same key as their text. */
function idOf(key: Key): string {
  if (typeof key === "string") return key;
  try {
    return decoder.decode(key);
  } catch {
    return `\uD800${Buffer.from(key).toString("latin1")}`; // no text that is a key begins so
  }
}

/** How often flights without a line look again, how many at a time, and how often in vain. */
const ROOM_TICK_MS = 2;
const ROOM_TICK_FLIGHTS = 128;
const ROOM_TICKS_MAX = 120;

/** The flights of one handle. */
export class Flights implements Field {
  readonly queue: WaitQueue;
  readonly #anchor: Anchor; // so that the handle stays open until they are over
  readonly #ttl: number;
  readonly #joinable = new Map<string, Flight>();
  readonly #all = new Set<Flight>();
  readonly #errors = new Map<string, { error: unknown; until: number }>();
  /** Those that wait for a line, the longest first. */
  readonly #crowd = new Set<Flight>();
  #isTrying = false;
  #crowdTimer: ReturnType<typeof setTimeout> | undefined;
  #vainTicks = 0; // since a flight ended

  constructor(anchor: Anchor, ttl: number) {
    this.#anchor = anchor;
    this.queue = new WaitQueue(anchor.handle);
    this.#ttl = ttl;
  }

  get handle(): Handle {
    return this.#anchor.handle;
  }

  /**
   * As `getOrSet`. Without options the caller has looked for the value.
   *
   * @throws FastCacheError `INVALID_ARGUMENT`, `KEY_TOO_LONG`, `CLOSED`
   */
  get(key: Key, factory: Factory<unknown>, given: GetOrSetOptions | undefined): Promise<unknown> {
    if (typeof factory !== "function") {
      throw invalid(`the factory of getOrSet() has to be a function, not ${nameOf(factory)}`);
    }
    const options = flightOptions(given, this.#ttl);
    this.handle.assertOpen();
    options.signal?.throwIfAborted();
    const hasLooked = given === undefined || options.forceFresh;
    const value = hasLooked ? undefined : read(this.handle, key, 0);
    if (value !== undefined) return Promise.resolve(value);
    const id = idOf(key);
    this.#refuseOwn(key, id);
    return new Promise((resolve, reject) => {
      const caller = new Caller(key, factory, options, resolve, reject);
      const flight = options.forceFresh ? undefined : this.#joinable.get(id);
      if (flight === undefined) return this.#begin(isBytes(key) ? key.slice() : key, id, [caller], true, 0);
      this.note(NOTED.WAIT);
      flight.join(caller);
    });
  }

  #refuseOwn(key: Key, id: string): void {
    for (let at = storage?.getStore(); at !== undefined; at = at.outer) {
      if (at.flights !== this || at.id !== id) continue;
      throw invalid(
        `the factory of ${keyName(key)} asks for ${keyName(key)} itself, and would wait for ever`,
      );
    }
  }

  begin(key: Key, id: string, callers: readonly Caller[], fenced: number): void {
    this.#begin(key, id, callers, false, fenced);
  }

  #begin(key: Key, id: string, callers: readonly Caller[], hasLooked: boolean, fenced: number): void {
    const flight = new Flight(this, key, id, hasLooked, fenced);
    this.#all.add(flight);
    if (!flight.isAlone) this.#joinable.set(id, flight);
    for (const caller of callers) flight.join(caller);
    flight.lookAgain();
  }

  leave(flight: Flight): void {
    if (this.#joinable.get(flight.id) === flight) this.#joinable.delete(flight.id);
  }

  forget(flight: Flight): void {
    this.leave(flight);
    this.#all.delete(flight);
    this.#crowd.delete(flight);
    this.#vainTicks = 0;
  }

  waitForRoom(flight: Flight): boolean {
    if (this.#isTrying && this.#vainTicks > ROOM_TICKS_MAX) return false;
    this.#crowd.add(flight);
    this.#crowdTimer ??= setTimeout(() => this.#tryForRoom(), ROOM_TICK_MS);
    return true;
  }

  /** Who gets no line goes to the end. */
  #tryForRoom(): void {
    this.#crowdTimer = undefined;
    this.#isTrying = true;
    this.#vainTicks++;
    for (const flight of [...this.#crowd].slice(0, ROOM_TICK_FLIGHTS)) {
      if (this.#crowd.delete(flight)) flight.lookAgain();
    }
    this.#isTrying = false;
    if (this.#crowd.size > 0) this.#crowdTimer ??= setTimeout(() => this.#tryForRoom(), ROOM_TICK_MS);
  }

  note(what: number): void {
    this.handle.native.fc_note(this.handle.id, what);
  }

  run<T>(id: string, factory: () => T): T {
    const outer = storage?.getStore();
    return insides().run({ flights: this, id, outer }, factory);
  }

  keepError(id: string, error: unknown, ms: number): void {
    const now = performance.now();
    for (const [other, { until }] of this.#errors) if (until <= now) this.#errors.delete(other);
    this.#errors.set(id, { error, until: now + ms });
  }

  errorOf(key: Key, id: string, text: string): unknown {
    const own = this.#errors.get(id);
    if (own !== undefined && own.until > performance.now()) return own.error;
    return new FastCacheError(
      "ERR_FASTCACHE_FACTORY_FAILED",
      `the factory of ${keyName(key)} failed, and is not run again yet: ${text}`,
    );
  }

  /** Before the handle is closed: callers get `CLOSED`, and others may run. */
  close(): void {
    for (const flight of [...this.#all]) flight.close();
  }
}

/** See `FastCache.wrap`. */
export function wrapped<A extends readonly unknown[]>(
  cache: { getOrSet(key: Key, factory: Factory<never>, options: GetOrSetOptions): Promise<unknown> },
  name: string,
  fn: (...args: A) => unknown,
  { key, ...options }: WrapOptions<A>,
): (...args: A) => Promise<unknown> {
  return async (...args) => {
    const own = key === undefined ? `${name}${jsonOf(name, args)}` : `${name}:${key(...args)}`;
    return cache.getOrSet(own, () => fn(...args) as never, options);
  };
}

function jsonOf(name: string, args: readonly unknown[]): string {
  if (isJson(args)) return JSON.stringify(args);
  throw invalid(
    `the arguments of ${name}() are not all of what JSON holds as it is: give wrap() a \`key\` that makes one of them`,
  );
}
