// SPDX-License-Identifier: MIT
//
// The stored form of values that JSON does not hold as they are (`FC_TYPE_ANNOTATED`), and how they are
// put together again:
//
//   | length of the text, u32 | text: [data, notes] as JSON in UTF-8 | pad | bytes | pad | bytes ...
//
// Each byte array begins at the next multiple of 8; their lengths are in their notes, whose order is
// theirs. So bytes are copied, never encoded. What is in the data is never taken for a note, whatever it
// is, and a key `__proto__` is a key like any other.
//
// Bytes in a segment may be damaged: a note leads only to what is there of its own.

import { corrupt, type FastCacheError } from "../errors.ts";
import { type Annotated, LEVELS_MAX } from "./annotate.ts";
import { alignUp, lengthOf, type Memory } from "./memory.ts";
import type { ReadPool } from "./pool.ts";

const HEADER_SIZE = 4;
const UNIT = 8;

/** A map takes two steps of a path for a level. */
const STEPS_MAX = 2 * LEVELS_MAX;

/** The stored form, in memory of its own. */
export function pack({ data, notes, bytes }: Annotated): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify([data, notes]));
  const begin = HEADER_SIZE + text.length;
  const size = bytes.reduce((end, part) => alignUp(end, UNIT) + lengthOf(part), begin);
  const packed = new Uint8Array(size);
  new DataView(packed.buffer).setUint32(0, text.length, true);
  packed.set(text, HEADER_SIZE);
  let offset = begin;
  for (const part of bytes) {
    offset = alignUp(offset, UNIT);
    const length = lengthOf(part);
    if (length > 0) packed.set(part, offset);
    offset += length;
  }
  return packed;
}

/**
 * The value of `length` bytes at `offset` of `memory`, a multiple of 8; `undefined` if there is a kind of
 * thing in it that only a later release knows.
 *
 * @throws FastCacheError `CORRUPT`
 */
export function unpack(memory: Memory, offset: number, length: number, pool: ReadPool): unknown {
  const textLength = length < HEADER_SIZE ? Number.NaN : (memory.words[offset >> 2] as number);
  if (!(textLength <= length - HEADER_SIZE)) throw damaged();
  const begin = offset + HEADER_SIZE;
  const root = parse(memory.text.utf8Slice(begin, begin + textLength));
  let place = begin + textLength;
  const path: unknown[] = [];
  for (const note of root[1] as unknown[]) {
    if (!Array.isArray(note)) throw damaged();
    const [kind, shared, steps, size] = note as unknown[];
    if (!Array.isArray(steps) || !isWithin(shared, path.length)) throw damaged();
    if (!isWithin((shared as number) + steps.length, STEPS_MAX)) throw damaged();
    path.length = shared as number;
    path.push(...steps);
    const [holder, key] = find(root, path);
    if (kind === "bytes") {
      place = alignUp(place, UNIT);
      if (!isWithin(size, offset + length - place)) throw damaged();
      holder[key] = pool.take(memory, place, size as number);
      place += size as number;
      continue;
    }
    const revive = REVIVERS[String(kind)];
    if (revive === undefined) return undefined;
    holder[key] = revived(revive, holder[key]);
  }
  return root[0];
}

function isWithin(number: unknown, limit: number): boolean {
  return Number.isInteger(number) && (number as number) >= 0 && (number as number) <= limit;
}

function parse(text: string): unknown[] {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (cause) {
    throw damaged(cause);
  }
  if (Array.isArray(root) && root.length === 2 && Array.isArray(root[1])) return root;
  throw damaged();
}

type Holder = Record<string | number, unknown>;

/** The object whose property a note is about, and its key. */
function find(root: unknown[], path: readonly unknown[]): [Holder, string | number] {
  let holder = root as unknown as Holder;
  let key: string | number = 0;
  for (const step of path) {
    const next = holder[key];
    if (typeof step !== "string" && typeof step !== "number") throw damaged();
    if (typeof next !== "object" || next === null || !Object.hasOwn(next, step)) throw damaged();
    holder = next as Holder;
    key = step;
  }
  return [holder, key];
}

type Revive = (data: never) => unknown;

const REVIVERS: Record<string, Revive | undefined> = {
  __proto__: null as never, // no kind is found that is not in the list
  date: (time: number | null) => new Date(time ?? Number.NaN),
  map: (entries: [unknown, unknown][]) => new Map(entries),
  set: (items: unknown[]) => new Set(items),
  bigint: (digits: string) => BigInt(digits),
  number: (text: string) => Number(text),
  undefined: () => undefined,
};

function revived(revive: Revive, data: unknown): unknown {
  try {
    return revive(data as never);
  } catch (cause) {
    throw damaged(cause);
  }
}

function damaged(cause?: unknown): FastCacheError {
  return corrupt("an entry whose notes do not fit its data", cause);
}
