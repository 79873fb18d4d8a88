// SPDX-License-Identifier: MIT
//
// Leases of keys: one native call each; and waiting for those that others hold. Each handle has one
// wait under way at most, and none if nobody waits.

import { CONSTANTS, DOUBLE, LEASE_FIELDS, LEASE_SIZE, STATUS } from "./abi.ts";
import type { Handle } from "./segment.ts";
import type { Key } from "./types.ts";
import { writeKey } from "./wire/key.ts";
import { Memory } from "./wire/memory.ts";

const { FC_IO_KEY, FC_LEASE_FORCE, FC_LEASE_TEXT_MAX } = CONSTANTS;

/** How often everybody who waits looks again, though nobody has told him to: whoever was about to may have died. */
const LOOK_AGAIN_MS = 100;

/** What `fc_lease_begin` answers: `result` is of `LEASE`, the others as in `fc_lease`. */
export interface Lease {
  readonly result: number;
  readonly token: number;
  readonly kind: number;
  readonly fenced: number;
  /** Why the last run failed. */
  readonly text: string;
}

const memory = new Memory(LEASE_SIZE);

/**
 * Asks for the lease of a key that has no value, for `ms`; or, by `force`, whatever it has and whoever holds it.
 *
 * @throws FastCacheError `BUSY`, `CLOSED`, `CORRUPT`
 */
export function beginLease(handle: Handle, key: Key, ms: number, force: boolean): Lease {
  const keyLength = writeKey(handle.request, key, FC_IO_KEY);
  handle.request.doubles[DOUBLE.version] = force ? -1 : 0;
  const flags = force ? FC_LEASE_FORCE : 0;
  const result = handle.native.fc_io_lease_begin(handle.id, keyLength, ms, flags, memory.bytes);
  if (result < 0) throw handle.failure(result, key);
  const length = Math.min(memory.words[LEASE_FIELDS.text_len / 4] as number, FC_LEASE_TEXT_MAX);
  return {
    result,
    token: memory.doubles[LEASE_FIELDS.token / 8] as number,
    kind: memory.words[LEASE_FIELDS.kind / 4] as number,
    fenced: memory.words[LEASE_FIELDS.fenced / 4] as number,
    text: memory.text.utf8Slice(LEASE_FIELDS.text, LEASE_FIELDS.text + length),
  };
}

/**
 * Ends a lease as `how`, of `LEASE_END`, says, for `ms`. False if it was lost already, or the segment cannot be
 * written to: then others take it over when its time is over.
 */
export function endLease(
  handle: Handle,
  key: Key,
  token: number,
  how: number,
  ms: number,
  text = "",
): boolean {
  const bytes = new Uint8Array(FC_LEASE_TEXT_MAX);
  const { written } = new TextEncoder().encodeInto(text, bytes);
  const keyLength = writeKey(handle.request, key, FC_IO_KEY);
  handle.request.doubles[DOUBLE.version] = token;
  handle.request.doubles[DOUBLE.ttl_ms] = ms;
  return handle.native.fc_io_lease_end(handle.id, keyLength, how, bytes, written) === STATUS.OK;
}

/** Somebody who waits for a lease: `kind` is the lease's. */
export interface Waiting {
  readonly kind: number;
  /** The lease may have changed hands. */
  lookAgain(): void;
}

/** All who wait in this thread: handles on one segment share what they are woken by. */
const queues = new Set<WaitQueue>();

/** Those who wait by one handle. */
export class WaitQueue {
  readonly #handle: Handle;
  readonly #waiting = new Set<Waiting>();
  #isWaiting = false;

  constructor(handle: Handle) {
    this.#handle = handle;
  }

  add(one: Waiting): void {
    this.#waiting.add(one);
    queues.add(this);
    this.#wait();
  }

  delete(one: Waiting): void {
    if (!this.#waiting.delete(one) || this.#waiting.size > 0) return;
    queues.delete(this);
    if (this.#isWaiting) this.#handle.native.fc_wake(this.#handle.id);
  }

  #wait(): void {
    if (this.#isWaiting || this.#waiting.size === 0) return;
    this.#isWaiting = true;
    this.#handle.wait(this.#handle.id, LOOK_AGAIN_MS, (kinds) => this.#woken(kinds));
  }

  #woken(kinds: number): void {
    this.#isWaiting = false;
    if (kinds > STATUS.OK) for (const queue of queues) queue.#tell(kinds);
    else this.#tell(-1); // all of them
    this.#wait();
  }

  /** Those who look again leave the queue first, and come back if they have to. */
  #tell(kinds: number): void {
    for (const one of [...this.#waiting]) {
      if ((one.kind & kinds) === 0 || !this.#waiting.delete(one)) continue;
      one.lookAgain();
    }
    if (this.#waiting.size === 0) queues.delete(this);
  }
}
