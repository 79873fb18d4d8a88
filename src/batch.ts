// SPDX-License-Identifier: MIT
//
// Batches: many keys or entries packed behind FC_IO_VALUE of the request region, one native
// call for as many as fit, answers in the read pool.
//
// User code (iterators, codecs, toJSON) never runs while a batch is being packed or its
// answers are being read: elements are pulled first, codecs decode last.

import {
  CONSTANTS,
  PACKED_ANSWER,
  PACKED_ANSWER_SIZE,
  PACKED_ENTRY,
  PACKED_ENTRY_SIZE,
  PACKED_KEY,
  PACKED_KEY_SIZE,
  SET_MODE,
  STATUS,
  WORD,
} from "./abi.ts";
import { FastCacheError, invalid, nameOf } from "./errors.ts";
import { modeOf, tagsOf, ttlOf } from "./options.ts";
import { readPassed } from "./read.ts";
import type { Handle } from "./segment.ts";
import type { BatchEntry, Key, SetOptions } from "./types.ts";
import { KEY_ROOM, writeKey } from "./wire/key.ts";
import { isLong } from "./wire/long_key.ts";
import { alignUp, isBytes } from "./wire/memory.ts";
import { REQUEST_SIZE } from "./wire/request.ts";
import {
  decode,
  decodeLong,
  Encoded,
  type Plain,
  readOrUnreadable,
  toLongKeyed,
  toPlain,
  writeValue,
} from "./wire/value.ts";
import { storePlain, storeTagged } from "./write.ts";

const { FC_IO_KEY, FC_IO_VALUE, FC_NO_VALUE, FC_PEEK, FC_TAGGED } = CONSTANTS;
const { FC_PACKED_ANSWER_UNIT, FC_PACKED_ENTRY_UNIT, FC_PACKED_KEY_UNIT } = CONSTANTS;

/** Entries pulled from the user's iterator before they are packed. */
const PULLED_MAX = 256;

/** The values of `keys`, in their order; `undefined` where there is no entry. */
export function getMany(handle: Handle, keys: Iterable<Key>): unknown[] {
  handle.assertOpen();
  const list = listOf(keys, "getMany");
  const values: unknown[] = [];
  while (values.length < list.length) {
    const packed = packKeys(handle, list, values.length);
    lookUp(handle, packed, values, 0);
  }
  const { codec, request } = handle;
  return values.map((value, index) => {
    const key = list[index] as Key;
    return request.longKeys && isLong(key) ? decodeLong(value, codec, key) : decode(value, codec);
  });
}

/** Whether there is an entry of each of `keys`, in their order. */
export function hasMany(handle: Handle, keys: Iterable<Key>): boolean[] {
  handle.assertOpen();
  const list = listOf(keys, "hasMany");
  const found: unknown[] = [];
  while (found.length < list.length) {
    lookUp(handle, packKeys(handle, list, found.length), found, FC_PEEK | FC_NO_VALUE);
  }
  return found.map((value) => value !== undefined);
}

/** Keys that lie packed behind FC_IO_VALUE. */
interface Packed {
  readonly count: number;
  readonly length: number;
}

/** Packs as many keys as fit. A bad key ends the batch before it; the error is thrown when it is the first. */
function packKeys(handle: Handle, list: readonly Key[], from: number): Packed {
  const { request } = handle;
  let offset: number = FC_IO_VALUE;
  let index = from;
  while (index < list.length && offset + PACKED_KEY_SIZE + KEY_ROOM <= REQUEST_SIZE) {
    let length: number;
    try {
      length = writeKey(request, list[index] as Key, offset + PACKED_KEY_SIZE);
    } catch (error) {
      if (index === from) throw inBatch(error, `key ${index}`);
      break;
    }
    request.words[(offset + PACKED_KEY.key_len) >> 2] = length;
    offset = alignUp(offset + PACKED_KEY_SIZE + length, FC_PACKED_KEY_UNIT);
    index++;
  }
  return { count: index - from, length: offset - FC_IO_VALUE };
}

/** Looks up the packed keys and appends their values, not yet decoded. */
function lookUp(handle: Handle, packed: Packed, values: unknown[], flags: number): void {
  const { request } = handle;
  let { count, length } = packed;
  for (;;) {
    const answered = lookUpSome(handle, { count, length }, values, flags);
    if (answered === count) return;
    const rest = skipKeys(request.words, answered);
    request.bytes.copyWithin(FC_IO_VALUE, rest, FC_IO_VALUE + length);
    length -= rest - FC_IO_VALUE;
    count -= answered;
  }
}

/**
 * Looks up as many of the packed keys as have room for their values in the pool, or the first one,
 * appends their values, not yet decoded, and returns their number.
 */
function lookUpSome(handle: Handle, packed: Packed, values: unknown[], flags: number): number {
  const place = handle.pool.placeBatch();
  const answered = handle.native.fc_io_get_many(handle.id, packed.count, packed.length, place, flags);
  if (answered === STATUS.BUFFER_TOO_SMALL) {
    values.push(readFirst(handle, flags));
    return 1;
  }
  if (answered <= 0) throw handle.failure(answered);
  readAnswers(handle, place, answered, values, flags);
  return answered;
}

/** The value of the first packed key, which is too large for the pool; leaves the keys packed. */
function readFirst(handle: Handle, flags: number): unknown {
  const { bytes, words } = handle.request;
  const length = words[(FC_IO_VALUE + PACKED_KEY.key_len) >> 2] as number;
  const start = FC_IO_VALUE + PACKED_KEY_SIZE;
  bytes.copyWithin(FC_IO_KEY, start, start + length);
  return readPassed(handle, length, flags);
}

/** The offset behind `count` packed keys. */
function skipKeys(words: Uint32Array, count: number): number {
  let offset: number = FC_IO_VALUE;
  for (let index = 0; index < count; index++) {
    const length = words[(offset + PACKED_KEY.key_len) >> 2] as number;
    offset = alignUp(offset + PACKED_KEY_SIZE + length, FC_PACKED_KEY_UNIT);
  }
  return offset;
}

function readAnswers(handle: Handle, place: number, count: number, values: unknown[], flags: number): void {
  const { pool } = handle;
  const { memory } = pool;
  let offset = place;
  for (let index = 0; index < count; index++) {
    const length = (memory.words[(offset + PACKED_ANSWER.length) >> 2] as number) | 0; // an int32_t
    const type = memory.words[(offset + PACKED_ANSWER.type) >> 2] as number;
    const start = offset + PACKED_ANSWER_SIZE;
    if (length < 0 && length !== STATUS.MISS) throw handle.failure(length);
    if (length < 0) values.push(undefined);
    else if (flags & FC_NO_VALUE) values.push(true);
    else values.push(readOrUnreadable(memory, start, length, type, pool));
    offset = alignUp(start + Math.max(length, 0), FC_PACKED_ANSWER_UNIT);
  }
}

/** Removes `keys`, in order, and returns how many were there; those before a failing one are removed. */
export function deleteMany(handle: Handle, keys: Iterable<Key>): number {
  handle.assertOpen();
  const list = listOf(keys, "deleteMany");
  const { request, native } = handle;
  let removed = 0;
  let next = 0;
  while (next < list.length) {
    const { count, length } = packKeys(handle, list, next);
    request.words[WORD.done] = 0;
    request.words[WORD.removed] = 0;
    const status = native.fc_io_delete_many(handle.id, count, length);
    removed += request.words[WORD.removed] as number;
    if (status < 0) {
      const index = next + (request.words[WORD.done] as number);
      throw inBatch(handle.failure(status, list[index]), `key ${index}`);
    }
    next += count;
  }
  return removed;
}

interface Pulled {
  readonly key: Key;
  readonly value: Plain;
  readonly ttl: number;
  /** `FC_KEEP_TTL` or 0, as a mode of storing: `SET_MODE.ALWAYS`. */
  readonly flags: number;
  readonly tags: Uint8Array | undefined;
}

/** Stores `entries` in order, those without options with `shared`; those before a failing one are stored. */
export function setMany(
  handle: Handle,
  entries: Iterable<BatchEntry<unknown>>,
  shared: SetOptions | undefined,
  defaultTtl: number,
): void {
  handle.assertOpen();
  ttlOf(shared, defaultTtl, "setMany"); // also where every entry has options of its own
  const sharedTags = tagsOf(shared);
  checkIterable(entries, "setMany");
  const isArray = Array.isArray(entries);
  let pulled: Pulled[] = [];
  let stored = 0;
  let bytes = 0;
  const storeAll = (): void => {
    const batch = pulled;
    pulled = [];
    bytes = 0;
    stored = storePulled(handle, batch, stored);
  };
  try {
    for (const entry of entries) {
      let next: Pulled;
      try {
        next = prepare(handle, entry, shared, sharedTags, defaultTtl, !isArray);
      } catch (error) {
        storeAll();
        throw failedEntry(error, stored);
      }
      pulled.push(next);
      bytes += sizeOf(next.value);
      if (pulled.length >= PULLED_MAX || bytes >= REQUEST_SIZE) storeAll();
    }
  } catch (error) {
    // What an iterator gave before it threw is stored; if that fails too, both are told.
    try {
      storeAll();
    } catch (second) {
      throw new AggregateError([error, second], "the entries ended in an error, and so did storing them");
    }
    throw error;
  }
  storeAll();
}

/** Runs an entry's user code. */
function prepare(
  handle: Handle,
  entry: unknown,
  shared: SetOptions | undefined,
  sharedTags: Uint8Array | undefined,
  defaultTtl: number,
  copies: boolean,
): Pulled {
  if (!Array.isArray(entry) || entry.length < 2 || entry.length > 3) {
    throw invalid(`it has to be [key, value] or [key, value, options], not ${nameOf(entry)}`);
  }
  const [key, value, options = shared] = entry as readonly unknown[] as BatchEntry<unknown>;
  const ttl = ttlOf(options, defaultTtl, "setMany");
  const flags = modeOf(SET_MODE.ALWAYS, options);
  const tags = options === shared ? sharedTags : tagsOf(options);
  let plain = toPlain(value, handle.codec);
  if (handle.request.longKeys && (typeof key === "string" || isBytes(key)) && isLong(key))
    plain = toLongKeyed(handle.request, key, plain);
  // A codec may encode into one buffer again and again.
  if (plain instanceof Encoded) {
    return { key, value: new Encoded(plain.type, ownCopy(plain.content)), ttl, flags, tags };
  }
  return copies
    ? { key: ownCopy(key), value: ownCopy(plain), ttl, flags, tags }
    : { key, value: plain, ttl, flags, tags };
}

function sizeOf(value: Plain): number {
  if (value instanceof Encoded) return sizeOf(value.content);
  return typeof value === "string" || isBytes(value) ? value.length : 0;
}

/** Stores what was pulled; `before` entries of the batch are stored already. Returns their sum. */
function storePulled(handle: Handle, pulled: readonly Pulled[], before: number): number {
  let next = 0;
  while (next < pulled.length) {
    let packed: Packed;
    try {
      packed = packEntries(handle, pulled, next);
      if (packed.count === 0) {
        const { key, value, ttl, flags, tags } = pulled[next] as Pulled;
        if (tags === undefined) storePlain(handle, key, value, ttl, flags, 0);
        else storeTagged(handle, key, value, ttl, flags, 0, tags);
        next++;
        continue;
      }
    } catch (error) {
      throw failedEntry(error, before + next);
    }
    const { request, native } = handle;
    request.words[WORD.done] = 0;
    const status = native.fc_io_set_many(handle.id, packed.count, packed.length);
    if (status < 0) {
      next += request.words[WORD.done] as number;
      throw failedEntry(handle.failure(status, pulled[next]?.key), before + next);
    }
    next += packed.count;
  }
  return before + next;
}

/**
 * Packs as many entries as fit. An entry with a bad key ends the batch before it; the error is
 * thrown when it is the first.
 */
function packEntries(handle: Handle, pulled: readonly Pulled[], from: number): Packed {
  const { request } = handle;
  let offset: number = FC_IO_VALUE;
  let index = from;
  for (; index < pulled.length; index++) {
    const { key, value, ttl, flags, tags } = pulled[index] as Pulled;
    const keyOffset = offset + PACKED_ENTRY_SIZE;
    if (keyOffset + KEY_ROOM > REQUEST_SIZE) break;
    let keyLength: number;
    try {
      keyLength = writeKey(request, key, keyOffset);
    } catch (error) {
      if (index === from) throw error;
      break;
    }
    const valueLength = writeValue(request, value, keyOffset + keyLength);
    if (valueLength < 0 || valueLength > handle.info.maxValueSize) break;
    let end = alignUp(keyOffset + keyLength + valueLength, FC_PACKED_ENTRY_UNIT);
    if (tags !== undefined) {
      if (end + tags.length > REQUEST_SIZE) break;
      request.bytes.set(tags, end);
      end = alignUp(end + tags.length, FC_PACKED_ENTRY_UNIT);
    }
    request.words[(offset + PACKED_ENTRY.key_len) >> 2] = keyLength;
    request.words[(offset + PACKED_ENTRY.value_len) >> 2] = valueLength;
    request.words[(offset + PACKED_ENTRY.type) >> 2] = request.type;
    request.words[(offset + PACKED_ENTRY.flags) >> 2] = tags === undefined ? flags : flags | FC_TAGGED;
    request.doubles[(offset + PACKED_ENTRY.ttl_ms) >> 3] = ttl;
    offset = end;
  }
  return { count: index - from, length: offset - FC_IO_VALUE };
}

function failedEntry(error: unknown, stored: number): unknown {
  return inBatch(error, `entry ${stored}`, ` (the ${stored} before it are stored)`);
}

/** What the single call would have thrown, and for which element. */
function inBatch(error: unknown, element: string, remark = ""): unknown {
  if (!(error instanceof FastCacheError)) return error;
  const message = `${element} of the batch: ${error.message}${remark}`;
  return new FastCacheError(error.code, message, { cause: error });
}

/** What cannot change any more when the iterator goes on or a codec runs again. */
function ownCopy<T>(value: T): T {
  return isBytes(value) ? (new Uint8Array(value) as T & Uint8Array) : value;
}

function listOf(keys: Iterable<Key>, method: string): Key[] {
  checkIterable(keys, method);
  // A generator may yield one buffer again and again.
  return Array.isArray(keys) ? keys : Array.from(keys, ownCopy);
}

/** Refuses what is no iterable, and the two that would be iterated by mistake. */
function checkIterable(value: unknown, method: string): void {
  const iterable = value as Partial<Iterable<unknown>> | null | undefined;
  const mistaken = typeof value === "string" || ArrayBuffer.isView(value);
  if (!mistaken && typeof iterable?.[Symbol.iterator] === "function") return;
  throw invalid(`${method}() takes an array or another iterable, not ${nameOf(value)}`);
}
