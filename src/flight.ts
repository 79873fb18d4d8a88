// SPDX-License-Identifier: MIT
//
// One flight: the calls of `getOrSet` of one handle for one key that get what one run of a factory gives.
//
//   asking    finds out who runs: `beginLease`
//   waiting   another does, whose lease has to end: `WaitQueue`
//   running   the factory of the first caller does, under the key's lease
//   over      the callers know
//
// What a run has computed is not stored if its lease was lost: its key was set, deleted or cleared after
// the factory began, or it took longer than `lease`. Then only the call whose factory it was gets it, for the
// others may have begun after that; they look again, in a flight of their own.

import { LEASE, LEASE_END, NOTED, SET_MODE } from "./abi.ts";
import { closed, FastCacheError, invalid } from "./errors.ts";
import type { FlightOptions } from "./flight_options.ts";
import { beginLease, endLease, type Lease, type WaitQueue } from "./lease.ts";
import { isOver, parseTtl } from "./options.ts";
import { read } from "./read.ts";
import type { Handle } from "./segment.ts";
import type { Factory, FactoryContext, Key } from "./types.ts";
import { keyName } from "./wire/key.ts";
import { Copies, type Plain, toPlain } from "./wire/value.ts";
import { storePlain } from "./write.ts";

/** For so long all may run the factory whose result was not to be stored. */
const UNCACHEABLE_MS = 10_000;
/** After so many runs in a row that were of no use to those who waited, each of these runs its own. */
const FENCED_MAX = 2;
/** What was stored meanwhile may be gone when it is read: then that is tried again, so often. */
const VANISHED_MAX = 3;
/** The lease counts whole milliseconds of another clock. */
const LATE_BY_MS = 3;
/** The token of a run without a lease, which stores nothing. */
const NO_TOKEN = 0;

/** Where flights belong to. */
export interface Field {
  readonly handle: Handle;
  readonly queue: WaitQueue;
  /** Counts one of `NOTED`. */
  note(what: number): void;
  /** A new flight of these callers, after so many in a row that were of no use. */
  begin(key: Key, id: string, callers: readonly Caller[], fenced: number): void;
  /** Nobody is to join it any more; and it is over. */
  leave(flight: Flight): void;
  forget(flight: Flight): void;
  /** No line is free for its lease: it looks again when one may be. False if none has come free for long. */
  waitForRoom(flight: Flight): boolean;
  /** Runs a factory so that it may not ask for its own key. */
  run<T>(id: string, factory: () => T): T;
  /** The factory failed here, and is not to be run for so long. */
  keepError(id: string, error: unknown, ms: number): void;
  /** Why it is not run: the error that was kept, or one with the text that another process left. */
  errorOf(key: Key, id: string, text: string): unknown;
}

/** A call of `getOrSet` that has no answer yet. */
export class Caller {
  readonly factory: Factory<unknown>;
  readonly options: FlightOptions;
  flight: Flight | undefined;

  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: unknown) => void;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #abort = () => this.#leave(this.options.signal?.reason, true);

  constructor(
    key: Key,
    factory: Factory<unknown>,
    options: FlightOptions,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.factory = factory;
    this.options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    options.signal?.addEventListener("abort", this.#abort, { once: true });
    const { hardTimeout } = options;
    if (hardTimeout === undefined) return;
    this.#timer = setTimeout(() => this.#leave(timedOut(key, hardTimeout), false), hardTimeout);
  }

  #leave(error: unknown, isAborted: boolean): void {
    this.reject(error);
    this.flight?.remove(this, isAborted);
  }

  resolve(value: unknown): void {
    this.#stop();
    this.#resolve(value);
  }

  /** With what `make` returns, or throws: user code, perhaps. */
  settle(make: () => unknown): void {
    try {
      this.resolve(make());
    } catch (error) {
      this.reject(error);
    }
  }

  reject(error: unknown): void {
    this.#stop();
    this.#reject(error);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.options.signal?.removeEventListener("abort", this.#abort);
  }
}

function timedOut(key: Key, ms: number): FastCacheError {
  return new FastCacheError(
    "ERR_FASTCACHE_TIMEOUT",
    `${keyName(key)} had no value within its \`hardTimeout\` of ${ms} ms; the factory goes on, and what it returns is stored`,
  );
}

/** See the head of this file. */
export class Flight {
  readonly key: Key;
  readonly id: string;
  /** The lease's, while waiting. */
  kind = 0;

  readonly #field: Field;
  readonly #callers = new Set<Caller>();
  readonly #controller = new AbortController();
  readonly #fenced: number;
  #force = false;
  #token = NO_TOKEN; // while running
  #hasLooked: boolean;
  #isRunning = false;
  #isHeld = false;
  #isOver = false;
  #isWanted = false; // also if nobody waits any more
  #waitsFor = NO_TOKEN;
  #patientUntil = 0;

  /** `hasLooked`: the callers know that there is no value. `fenced` runs in a row were of no use to them. */
  constructor(field: Field, key: Key, id: string, hasLooked: boolean, fenced: number) {
    this.#field = field;
    this.#hasLooked = hasLooked;
    this.key = key;
    this.id = id;
    this.#fenced = fenced;
  }

  /** It is of one call, and runs its own factory. */
  get isAlone(): boolean {
    return this.#fenced >= FENCED_MAX;
  }

  join(caller: Caller): void {
    caller.flight = this;
    this.#callers.add(caller);
    if (caller.options.forceFresh) this.#force = true;
  }

  /** A caller has left: by itself, or because its time was over, which leaves its wish for the value. */
  remove(caller: Caller, isAborted: boolean): void {
    this.#callers.delete(caller);
    if (!isAborted) this.#isWanted = true;
    if (this.#callers.size > 0 || this.#isOver) return;
    if (!this.#isRunning) this.#end();
    else if (!this.#isWanted) this.#controller.abort(caller.options.signal?.reason);
  }

  /** The handle is about to be closed. */
  close(): void {
    if (this.#isRunning) this.#endLease(LEASE_END.PASS, 0);
    this.#controller.abort(closed());
    this.#rejectAll(closed());
  }

  #end(): void {
    this.#isOver = true;
    this.#isRunning = false;
    this.#field.queue.delete(this);
    this.#field.forget(this);
  }

  #rejectAll(error: unknown): void {
    this.#end();
    for (const caller of this.#callers) caller.reject(error);
  }

  /* ------------------------------------------------------- asking and waiting */

  /** Finds out whose turn it is. */
  lookAgain(): void {
    try {
      this.#ask();
    } catch (error) {
      this.#rejectAll(error);
    }
  }

  #ask(): void {
    let attempts = this.isAlone && !this.#force ? 0 : VANISHED_MAX;
    for (; attempts > 0; attempts--) {
      const value = this.#hasLooked || this.#force ? undefined : read(this.#field.handle, this.key, 0);
      this.#hasLooked = false;
      if (value !== undefined) this.#found(value);
      if (value !== undefined || !this.#askOnce()) return;
    }
    this.#run(NO_TOKEN);
  }

  /** True if a value was stored meanwhile. */
  #askOnce(): boolean {
    const { lease: ms } = this.#first.options;
    const isLate = this.#waitsFor !== NO_TOKEN && performance.now() >= this.#patientUntil;
    const lease = this.#beginLease(ms, this.#force || isLate);
    switch (lease?.result) {
      case undefined: // what the factory returns cannot be stored either
        this.#field.note(NOTED.STORE_FAILURE);
        this.#run(NO_TOKEN);
        return false;
      case LEASE.FRESH:
        return true;
      case LEASE.HELD:
        if (lease.fenced >= FENCED_MAX) this.#run(NO_TOKEN);
        else this.#waitFor(lease.token, lease.kind, ms);
        return false;
      case LEASE.FAILED:
        this.#rejectAll(this.#field.errorOf(this.key, this.id, lease.text));
        return false;
      case LEASE.TAKEN:
        this.#run(lease?.token ?? NO_TOKEN, true);
        return false;
      case LEASE.SHARED:
        this.#run(lease?.token ?? NO_TOKEN);
        return false;
      default:
        if (this.#field.waitForRoom(this)) return false;
        this.#field.note(NOTED.REFUSED);
        this.#run(NO_TOKEN);
        return false;
    }
  }

  /** `undefined` if the shard is busy: another process holds it, and is stopped. */
  #beginLease(ms: number, force: boolean): Lease | undefined {
    try {
      return beginLease(this.#field.handle, this.key, ms, force);
    } catch (error) {
      if (error instanceof FastCacheError && error.code === "ERR_FASTCACHE_BUSY") return undefined;
      throw error;
    }
  }

  get #first(): Caller {
    const [first] = this.#callers;
    return first as Caller;
  }

  #waitFor(token: number, kind: number, ms: number): void {
    if (this.#waitsFor === NO_TOKEN) for (const _ of this.#callers) this.#field.note(NOTED.WAIT);
    if (this.#waitsFor !== token) this.#patientUntil = performance.now() + ms;
    this.#waitsFor = token;
    this.kind = kind;
    this.#field.queue.add(this);
  }

  /** The value is in the cache: each caller gets it from there, so that no two share it. */
  #found(value: unknown): void {
    this.#end();
    let isFirst = true;
    for (const caller of this.#callers) {
      try {
        const own = isFirst ? value : read(this.#field.handle, this.key, 0);
        // What is not there any more is looked for anew.
        if (own === undefined) this.#field.begin(this.key, this.id, [caller], 0);
        else caller.resolve(own);
      } catch (error) {
        caller.reject(error); // of the codec
      }
      isFirst = false;
    }
  }

  /* ------------------------------------------------------------------ running */

  /**
   * Only who holds the lease knows whether the key was changed since the factory began: a flight that `isHeld` may be
   * joined meanwhile, others are of those who are in it now.
   */
  #run(token: number, isHeld: boolean = false): void {
    const { factory, options } = this.#first;
    if (!isHeld) this.#field.leave(this);
    this.#isHeld = isHeld;
    let ttl = options.ttl;
    let isSkipped = false;
    const context: FactoryContext = {
      key: this.key,
      signal: this.#controller.signal,
      setTtl: (ms) => {
        ttl = parseTtl(ms);
      },
      skip: () => {
        isSkipped = true;
      },
    };
    this.#isRunning = true;
    this.#token = token;
    this.#field.note(NOTED.FLIGHT);
    const late = setTimeout(() => this.#late(options.lease), options.lease + LATE_BY_MS);
    void this.#field
      .run(this.id, async () => factory(context))
      .then(
        (value) => this.#finish(value, isSkipped || isOver(ttl), ttl),
        (error) => this.#fail(error, options.errorTtl),
      )
      .finally(() => clearTimeout(late));
  }

  /** The lease's time is over: others may run now, so nobody waits for this run any more. */
  #late(ms: number): void {
    this.#controller.abort(
      invalid(`the factory of ${keyName(this.key)} took longer than its \`lease\` of ${ms} ms`),
    );
    this.#moveTo(this.#fenced, [...this.#callers]);
  }

  #moveTo(fenced: number, callers: readonly Caller[]): void {
    this.#field.leave(this);
    for (const caller of callers) this.#callers.delete(caller);
    const groups = fenced < FENCED_MAX ? [callers] : callers.map((caller) => [caller]);
    for (const group of groups) if (group.length > 0) this.#field.begin(this.key, this.id, group, fenced);
  }

  /** False if it was lost, which is known of one that is held only. */
  #endLease(how: number, ms: number, text?: string): boolean {
    if (!this.#isHeld) return true;
    return endLease(this.#field.handle, this.key, this.#token, how, ms, text);
  }

  #finish(value: unknown, isSkipped: boolean, ttl: number): void {
    if (this.#isOver) return; // the handle was closed
    try {
      const { handle } = this.#field;
      const plain = value === undefined ? undefined : toPlain(value, handle.codec);
      const copies = plain === undefined ? undefined : new Copies(handle.request, plain);
      const isGood = isSkipped || plain === undefined ? this.#skip() : this.#store(plain, ttl);
      const callers = [...this.#callers];
      if (!isGood) this.#moveTo(this.#fenced + 1, callers.slice(1));
      this.#end();
      for (const caller of isGood ? callers : callers.slice(0, 1)) {
        caller.settle(() => copies?.next(handle.pool, handle.codec));
      }
    } catch (error) {
      this.#fail(error, 0);
    }
  }

  #skip(): boolean {
    return this.#endLease(LEASE_END.GIVE_UP, UNCACHEABLE_MS);
  }

  /** False if the lease was lost. What cannot be stored is of use to all who wait here. */
  #store(plain: Plain, ttl: number): boolean {
    if (this.#token === NO_TOKEN) return true;
    try {
      const isStored = storePlain(this.#field.handle, this.key, plain, ttl, SET_MODE.LEASE, this.#token);
      return isStored || !this.#isHeld;
    } catch {
      // Too large, or the shard is busy.
      this.#field.note(NOTED.STORE_FAILURE);
      return this.#skip();
    }
  }

  #fail(error: unknown, errorTtl: number): void {
    if (this.#isOver) return;
    if (errorTtl > 0) {
      this.#endLease(LEASE_END.FAIL, errorTtl, error instanceof Error ? error.message : String(error));
      this.#field.keepError(this.id, error, errorTtl);
    } else {
      this.#endLease(LEASE_END.PASS, 0);
    }
    this.#rejectAll(error);
  }
}
