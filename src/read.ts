// SPDX-License-Identifier: MIT
//
// Reads of one entry: its value, its bytes whatever their kind, whether it is there and for how long.
// Values come by the pool, one that does not fit behind the pool's offset by memory of its own.
// The user's codec runs last: it may call the cache again, which reuses the memory that values are read from.

import { CONSTANTS, DOUBLE, STATUS, TYPE, WORD } from "./abi.ts";
import { corrupt, type FastCacheError, invalid } from "./errors.ts";
import type { Handle } from "./segment.ts";
import type { Bytes, Key, Versioned } from "./types.ts";
import { keyName, passKey, writeKey } from "./wire/key.ts";
import { HASHED_LEN, isHashed, isSameKey, maybeHashed, readHead } from "./wire/long_key.ts";
import { lengthOf, Memory } from "./wire/memory.ts";
import { decode, decodeLong, LongKeyed, readValue } from "./wire/value.ts";

const { FC_IO_KEY, FC_PEEK } = CONSTANTS;

/** Stands for memory without an address: nothing is written to it. */
const NOWHERE = new Memory(8).bytes;

/** Other processes may replace the value by a larger one between two attempts: so often at most. */
const ATTEMPTS_MAX = 16;

/** The value of `key`, or `undefined`. `flags` is 0 or `FC_PEEK`. */
export function read(handle: Handle, key: Key, flags: number): unknown {
  const passed = passKey(handle.request, key);
  const raw = readPassed(handle, passed, flags, key);
  return isHashed(key, passed) ? decodeLong(raw, handle.codec, key) : decode(raw, handle.codec);
}

/** As `read`, for a key of an iteration: with the long key that it stands for, if it stands for one. */
export function readFound(handle: Handle, key: Key): [Key, unknown] | undefined {
  const raw = peekFound(handle, key);
  const isLong = raw instanceof LongKeyed;
  const value = decode(isLong ? raw.value : raw, handle.codec);
  return value === undefined ? undefined : [isLong ? raw.key : key, value];
}

/** A key of an iteration, or the long key that it stands for; `undefined` if its entry has gone. */
export function keyOfFound(handle: Handle, key: Key): Key | undefined {
  if (!maybeHashed(key)) return has(handle, key) ? key : undefined;
  const raw = peekFound(handle, key);
  if (raw === undefined) return undefined;
  return raw instanceof LongKeyed ? raw.key : key;
}

function peekFound(handle: Handle, key: Key): unknown {
  return readPassed(handle, passKey(handle.request, key), FC_PEEK, key);
}

/** The value of `key` with its version, or `undefined`. */
export function readVersioned(handle: Handle, key: Key): Versioned | undefined {
  const passed = passKey(handle.request, key);
  const raw = readPassed(handle, passed, 0, key);
  if (raw === undefined) return undefined;
  const version = handle.request.doubles[DOUBLE.version] as number; // before the codec can read another entry
  const { codec } = handle;
  const value = isHashed(key, passed) ? decodeLong(raw, codec, key) : decode(raw, codec);
  return value === undefined ? undefined : { value, version };
}

/**
 * The value, not yet decoded, of a key that `passKey` gave, or of the one of that length in the request region;
 * `undefined` for a miss. `key` is for messages.
 */
export function readPassed(handle: Handle, passed: number | string, flags: number, key?: Key): unknown {
  const { id, native, pool, request } = handle;
  const place = pool.place();
  // Two call sites: V8 calls native code directly only from where it has seen one function.
  const length = flags === 0 ? native.fc_io_get(id, passed, place) : native.fc_io_peek(id, passed, place);
  if (typeof length === "string") return length;
  if (length === STATUS.MISS) return undefined;
  if (length >= 0) {
    return readValue(pool.memory, place, length, request.words[WORD.type] as number, pool);
  }
  const found = fetchLarge(handle, length, passed, flags, key);
  return found && readValue(found.memory, 0, found.length, found.type, pool);
}

/** The stored bytes of a value of any kind, the caller's to keep, or `undefined`. */
export function readBytes(handle: Handle, key: Key): Bytes | undefined {
  const { pool } = handle;
  const place = pool.place();
  const keyLength = writeKey(handle.request, key, FC_IO_KEY);
  if (isHashed(key, keyLength)) return readBytesOfLong(handle, key, keyLength);
  const length = handle.native.fc_io_get(handle.id, keyLength, place) as number; // no text was passed
  if (length >= 0) return pool.take(pool.memory, place, length);
  const found = fetchLarge(handle, length, keyLength, 0, key);
  return found && pool.take(found.memory, 0, found.length);
}

/** As `readBytes`, for a key that is stored under its hash. */
function readBytesOfLong(handle: Handle, key: Key, keyLength: number): Bytes | undefined {
  const { native, pool, request } = handle;
  const place = pool.place();
  const first = native.fc_io_get(handle.id, keyLength, place) as number; // no text was passed
  const found = first >= 0 ? undefined : fetchLarge(handle, first, keyLength, 0, key);
  if (first < 0 && found === undefined) return undefined;
  if (request.words[WORD.type] !== TYPE.LONG_KEYED) return undefined;
  const start = found === undefined ? place : 0;
  const end = start + (found?.length ?? first);
  const { bytes } = found?.memory ?? pool.memory;
  const head = readHead(bytes, start, end);
  if (head === undefined) throw corrupt(keyName(key));
  if (!isSameKey(bytes.subarray(head.keyStart, head.keyStart + head.keyLength), key)) return undefined;
  return bytes.slice(head.valueStart, end);
}

/**
 * The stored bytes to the beginning of `buffer`: their number, or -1 for a miss. Native code writes
 * them there itself; memory that is empty or detached has no address, and stays as it is.
 */
export function readInto(handle: Handle, key: Key, buffer: Uint8Array): number {
  const capacity = lengthOf(buffer);
  const passed = passKey(handle.request, key);
  if (isHashed(key, passed)) {
    const bytes = readBytesOfLong(handle, key, HASHED_LEN);
    if (bytes === undefined) return -1;
    if (bytes.length > capacity) throw bufferTooSmall(key, bytes.length, capacity);
    if (bytes.length > 0) buffer.set(bytes);
    return bytes.length;
  }
  return fetchInto(handle, key, passed, capacity === 0 ? NOWHERE : buffer, capacity);
}

function fetchInto(
  handle: Handle,
  key: Key,
  passed: number | string,
  buffer: Uint8Array,
  capacity: number,
): number {
  const length = handle.native.fc_io_get_into(handle.id, passed, buffer, capacity, 0);
  if (length >= 0) return length;
  if (length === STATUS.MISS) return -1;
  if (length !== STATUS.BUFFER_TOO_SMALL) throw handle.failure(length, key);
  throw bufferTooSmall(key, handle.request.words[WORD.value_len] as number, capacity);
}

/** The error for a buffer that cannot take the value. */
function bufferTooSmall(key: Key, needed: number, capacity: number): FastCacheError {
  return invalid(
    `the value of ${keyName(key)} has ${needed} bytes, the buffer ${capacity}: pass a larger one`,
  );
}

interface Found {
  readonly memory: Memory;
  readonly length: number;
  readonly type: number;
}

/**
 * The value of a key as `readPassed` takes it, in memory of its own, after `fc_io_get`
 * or `fc_io_peek` answered `first`, a status below zero; `undefined` for a miss.
 */
function fetchLarge(
  handle: Handle,
  first: number,
  passed: number | string,
  flags: number,
  key: Key | undefined,
): Found | undefined {
  const { request, native } = handle;
  let status = first;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (status === STATUS.MISS) return undefined;
    if (status !== STATUS.BUFFER_TOO_SMALL) throw handle.failure(status, key);
    // The last attempt takes what any value of this segment takes.
    const needed = request.words[WORD.value_len] as number;
    const limit = handle.info.maxValueSize;
    if (needed > limit) throw corrupt(`an entry of ${needed} bytes, over the limit of ${limit}`);
    const memory = new Memory(attempt < ATTEMPTS_MAX - 2 ? needed : limit);
    status = native.fc_io_get_into(handle.id, passed, memory.bytes, memory.size, flags);
    if (status >= 0) return { memory, length: status, type: request.words[WORD.type] as number };
  }
  throw corrupt("an entry whose length never fits");
}

/** True if there is an entry. */
export function has(handle: Handle, key: Key): boolean {
  const passed = passKey(handle.request, key);
  return handle.isHit(handle.native.fc_io_has(handle.id, passed), key);
}

/** Remaining time in ms, `Infinity` for no deadline, `undefined` if there is no entry. */
export function ttl(handle: Handle, key: Key): number | undefined {
  const passed = passKey(handle.request, key);
  const hit = handle.isHit(handle.native.fc_io_ttl(handle.id, passed), key);
  return hit ? (handle.request.doubles[DOUBLE.ttl_ms] as number) : undefined;
}
