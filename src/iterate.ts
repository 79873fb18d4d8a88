// SPDX-License-Identifier: MIT
//
// Iterators over a segment. Each has its own cursor and page, so that any number of them, and
// any other calls, may interleave. Nothing of a page is in shared use while user code runs:
// what an iterator yields was read into JavaScript values before. An iterator keeps its cache open.

import { CONSTANTS, CURSOR_SIZE, PACKED_KEY, PACKED_KEY_SIZE, STATUS } from "./abi.ts";
import { lookUpSome } from "./batch.ts";
import { corrupt } from "./errors.ts";
import type { Anchor } from "./segment.ts";
import type { Key } from "./types.ts";
import { readKey } from "./wire/key.ts";
import { alignUp, Memory } from "./wire/memory.ts";
import { decode } from "./wire/value.ts";

const { FC_IO_VALUE, FC_ITERATE_CAPACITY_MIN, FC_PACKED_KEY_UNIT, FC_PEEK } = CONSTANTS;

/** Values read at a time at most: they are held until they are yielded. */
const GROUP_SIZE = 32;

/** The keys of a page and where the record of each ends in `memory`. */
interface Page {
  readonly memory: Memory;
  readonly keys: Key[];
  readonly ends: number[];
}

/** All keys, page by page. */
export function* keys(anchor: Anchor): Generator<Key, void, undefined> {
  for (const page of pages(anchor)) yield* page.keys;
}

/**
 * All keys with their values, page by page; entries that went in between are left out. Not a
 * generator, which would end with its first error.
 */
export class Entries {
  readonly #anchor: Anchor;
  readonly #pages: Iterator<Page, void>;
  #page: Page | undefined;
  /** The next key of the page whose value has not been read yet. */
  #next = 0;
  /** Values that were read ahead, of the keys before `#next`: what the pool has room for, or one. */
  #values: unknown[] = [];
  #taken = 0;

  constructor(anchor: Anchor) {
    this.#anchor = anchor;
    this.#pages = pages(anchor);
  }

  /** Throws for an entry whose value cannot be had; the next call goes on behind it. */
  next(): IteratorResult<[Key, unknown], undefined> {
    for (;;) {
      while (this.#taken < this.#values.length) {
        const key = this.#page?.keys[this.#next - this.#values.length + this.#taken] as Key;
        const value = this.#values[this.#taken];
        this.#values[this.#taken++] = undefined;
        if (value !== undefined)
          return { done: false, value: [key, decode(value, this.#anchor.handle.codec)] };
      }
      if (!this.#readAhead()) return this.return();
    }
  }

  return(): IteratorResult<[Key, unknown], undefined> {
    this.#pages.return?.();
    this.#page = undefined;
    this.#values = [];
    this.#taken = 0;
    return { done: true, value: undefined };
  }

  /** False at the end. The keys of a page lie packed as a batch wants them. */
  #readAhead(): boolean {
    if (this.#page === undefined || this.#next === this.#page.keys.length) {
      this.#page = this.#pages.next().value ?? undefined;
      this.#next = 0;
    }
    const page = this.#page;
    if (page === undefined) return false;
    const { handle } = this.#anchor;
    handle.assertOpen();
    const count = Math.min(GROUP_SIZE, page.keys.length - this.#next);
    const start = this.#next === 0 ? 0 : (page.ends[this.#next - 1] as number);
    const end = page.ends[this.#next + count - 1] as number;
    handle.request.bytes.set(page.memory.bytes.subarray(start, end), FC_IO_VALUE);
    this.#values = [];
    this.#taken = 0;
    this.#next += lookUpSome(handle, { count, length: end - start }, this.#values, FC_PEEK);
    return true;
  }
}

// What every iterator of the language has: itself as an iterable, and the helpers where there are any.
Object.setPrototypeOf(
  Entries.prototype,
  Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object,
);

function* pages(anchor: Anchor): Generator<Page, void, undefined> {
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
    yield readPage(memory, count, state.words[CURSOR_SIZE / 4] as number);
  }
}

function readPage(memory: Memory, count: number, used: number): Page {
  const keys: Key[] = [];
  const ends: number[] = [];
  let offset = 0;
  for (let index = 0; index < count; index++) {
    const length = memory.words[(offset + PACKED_KEY.key_len) >> 2] as number;
    const start = offset + PACKED_KEY_SIZE;
    if (start + length > used || used > memory.size) throw corrupt("a page of keys");
    keys.push(readKey(memory, start, length));
    offset = alignUp(start + length, FC_PACKED_KEY_UNIT);
    ends.push(offset);
  }
  return { memory, keys, ends };
}
