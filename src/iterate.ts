// SPDX-License-Identifier: MIT
//
// Iterators over a segment. Each has its own cursor and page, so that any number of them, and
// any other calls, may interleave. A page is keys only, and only says where to look: each is looked up
// when it is asked for, so that what an iterator yields is there, and its value is of that moment.
// An iterator keeps its cache open.

import { CONSTANTS, CURSOR_SIZE, PACKED_KEY, PACKED_KEY_SIZE, STATUS } from "./abi.ts";
import { corrupt } from "./errors.ts";
import { keyOfFound, readFound } from "./read.ts";
import type { Anchor, Handle } from "./segment.ts";
import type { Key } from "./types.ts";
import { readKey } from "./wire/key.ts";
import { alignUp, Memory } from "./wire/memory.ts";

const { FC_ITERATE_CAPACITY_MIN, FC_PACKED_KEY_UNIT } = CONSTANTS;

/** All keys. */
export function* keys(anchor: Anchor): Generator<Key, void, undefined> {
  for (const candidate of candidates(anchor)) {
    const key = keyOfFound(anchor.handle, candidate);
    if (key !== undefined) yield key;
  }
}

/** All keys with their values. Not a generator, which would end with its first error. */
export class Entries {
  readonly #anchor: Anchor;
  readonly #candidates: Generator<Key, void, undefined>;

  constructor(anchor: Anchor) {
    this.#anchor = anchor;
    this.#candidates = candidates(anchor);
  }

  /** Throws for an entry whose value cannot be had; the next call goes on behind it. */
  next(): IteratorResult<[Key, unknown], undefined> {
    for (;;) {
      const { done, value: key } = this.#candidates.next();
      if (done) return { done: true, value: undefined };
      const found = readFound(this.#anchor.handle, key as Key);
      if (found !== undefined) return { done: false, value: found };
    }
  }

  return(): IteratorResult<[Key, unknown], undefined> {
    this.#candidates.return();
    return { done: true, value: undefined };
  }
}

// What every iterator of the language has: itself as an iterable, and the helpers where there are any.
Object.setPrototypeOf(
  Entries.prototype,
  Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object,
);

/** The keys of entries that were there when their page was read. */
function* candidates(anchor: Anchor): Generator<Key, void, undefined> {
  for (const page of pages(anchor)) {
    for (const start of places(page)) yield readKey(page.memory, start, lengthAt(page, start));
  }
}

/** Keys, packed, as native code wrote them; valid until the next page is asked for. */
export interface Page {
  readonly memory: Memory;
  readonly count: number;
  readonly used: number;
}

/** All keys by the page. */
export function* pages(anchor: { readonly handle: Handle }): Generator<Page, void, undefined> {
  const memory = new Memory(FC_ITERATE_CAPACITY_MIN);
  const state = new Memory(CURSOR_SIZE + 4); // the cursor, then the bytes written to the page
  const cursor = state.bytes.subarray(0, CURSOR_SIZE);
  const usedOut = state.bytes.subarray(CURSOR_SIZE);
  for (;;) {
    const { handle } = anchor;
    const { id, native } = handle;
    const count = native.fc_iterate(id, cursor, memory.bytes, memory.size, usedOut);
    if (count === STATUS.MISS) return;
    if (count < 0) throw handle.failure(count);
    yield { memory, count, used: state.words[CURSOR_SIZE / 4] as number };
  }
}

/** Where in a page each key begins. */
export function* places({ memory, count, used }: Page): Generator<number, void, undefined> {
  let offset = 0;
  for (let index = 0; index < count; index++) {
    const length = memory.words[(offset + PACKED_KEY.key_len) >> 2] as number;
    const start = offset + PACKED_KEY_SIZE;
    if (start + length > used || used > memory.size) throw corrupt("a page of keys");
    yield start;
    offset = alignUp(start + length, FC_PACKED_KEY_UNIT);
  }
}

/** The length of the key that begins at `start`. */
export function lengthAt({ memory }: Page, start: number): number {
  return memory.words[(start - PACKED_KEY_SIZE + PACKED_KEY.key_len) >> 2] as number;
}
