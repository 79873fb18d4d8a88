// SPDX-License-Identifier: MIT
//
// Iterators over a segment. Each has its own cursor and page, so that any number of them, and
// any other calls, may interleave. Nothing of a page is in shared use while user code runs:
// what an iterator yields was read into JavaScript values before.

import { CONSTANTS, CURSOR_SIZE, PACKED_KEY, PACKED_KEY_SIZE, STATUS } from "./abi.ts";
import { lookUp } from "./batch.ts";
import { corrupt } from "./errors.ts";
import type { Handle } from "./segment.ts";
import type { Key } from "./types.ts";
import { readKey } from "./wire/key.ts";
import { alignUp, Memory } from "./wire/memory.ts";
import { decode } from "./wire/value.ts";

const { FC_IO_VALUE, FC_ITERATE_CAPACITY_MIN, FC_PACKED_KEY_UNIT, FC_PEEK } = CONSTANTS;

/** Values read at a time: they are held until they are yielded. */
const GROUP_SIZE = 32;

/** The keys of a page and where the record of each ends in `memory`. */
interface Page {
  readonly memory: Memory;
  readonly keys: Key[];
  readonly ends: number[];
}

/** All keys, page by page. */
export function* keys(handle: Handle): Generator<Key, void, undefined> {
  for (const page of pages(handle)) yield* page.keys;
}

/** All keys with their values, page by page; entries that went in between are left out. */
export function* entries(handle: Handle): Generator<[Key, unknown], void, undefined> {
  for (const page of pages(handle)) {
    for (let from = 0; from < page.keys.length; from += GROUP_SIZE) {
      const values = readGroup(handle, page, from);
      for (const [index, value] of values.entries()) {
        if (value === undefined) continue;
        yield [page.keys[from + index] as Key, decode(value, handle.codec)];
      }
    }
  }
}

/** The values of up to GROUP_SIZE keys of a page, whose records are packed as a batch wants them. */
function readGroup(handle: Handle, page: Page, from: number): unknown[] {
  handle.assertOpen();
  const count = Math.min(GROUP_SIZE, page.keys.length - from);
  const start = from === 0 ? 0 : (page.ends[from - 1] as number);
  const end = page.ends[from + count - 1] as number;
  handle.request.bytes.set(page.memory.bytes.subarray(start, end), FC_IO_VALUE);
  const values: unknown[] = [];
  lookUp(handle, { count, length: end - start }, values, FC_PEEK);
  return values;
}

function* pages(handle: Handle): Generator<Page, void, undefined> {
  const memory = new Memory(FC_ITERATE_CAPACITY_MIN);
  const state = new Memory(CURSOR_SIZE + 4); // the cursor, then the bytes written to the page
  const cursor = state.bytes.subarray(0, CURSOR_SIZE);
  const usedOut = state.bytes.subarray(CURSOR_SIZE);
  for (;;) {
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
