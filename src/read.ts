// SPDX-License-Identifier: MIT
//
// The reads that the straight path in cache.ts leaves: bytes of any kind, also into the caller's
// memory, and values that do not fit behind the pool's offset, which get memory of their own.

import { CONSTANTS, STATUS, WORD } from "./binding/symbols.ts";
import { corrupt, type FastCacheError, invalid } from "./errors.ts";
import type { Handle } from "./handle.ts";
import { keyName, writeKey } from "./key.ts";
import { bufferOf, lengthOf, Memory } from "./memory.ts";
import type { Key } from "./types.ts";
import { readValue } from "./value.ts";

const { FC_IO_KEY } = CONSTANTS;

const setBytes = Uint8Array.prototype.set;

/** Other processes may replace the value by a larger one between two attempts: so often at most. */
const ATTEMPTS_MAX = 16;

/** The stored bytes of a value of any kind, the caller's to keep, or `undefined`. */
export function readBytes(handle: Handle, key: Key): Uint8Array | undefined {
  const { pool } = handle;
  const place = pool.place();
  const keyLength = writeKey(handle.request, key, FC_IO_KEY);
  const length = handle.native.fc_io_get(handle.id, keyLength, place);
  if (length >= 0) return pool.take(pool.memory, place, length);
  const found = fetchLarge(handle, length, key, keyLength, 0);
  return found?.memory.bytes.subarray(0, found.length);
}

/**
 * The stored bytes to the beginning of `buffer`: their number, or -1 for a miss. Native code writes
 * them there itself, except into memory that is empty or detached, and where the address of a buffer
 * costs more than a copy out of the pool.
 */
export function readInto(handle: Handle, key: Key, buffer: Uint8Array): number {
  const capacity = lengthOf(buffer);
  if (capacity === 0 || !handle.passesBuffers) return copyInto(handle, key, buffer, capacity);
  return fetchInto(handle, key, writeKey(handle.request, key, FC_IO_KEY), buffer, capacity);
}

function copyInto(handle: Handle, key: Key, buffer: Uint8Array, capacity: number): number {
  const { pool } = handle;
  let start = pool.place();
  let { memory } = pool;
  const keyLength = writeKey(handle.request, key, FC_IO_KEY);
  let length = handle.native.fc_io_get(handle.id, keyLength, start);
  if (length < 0) {
    // Memory that is shared with other threads cannot be passed in Node.
    const isPassable = capacity > 0 && bufferOf(buffer) instanceof ArrayBuffer;
    if (isPassable && length === STATUS.BUFFER_TOO_SMALL)
      return fetchInto(handle, key, keyLength, buffer, capacity);
    const found = fetchLarge(handle, length, key, keyLength, 0);
    if (found === undefined) return -1;
    memory = found.memory;
    start = 0;
    length = found.length;
  }
  if (length > capacity) throw bufferTooSmall(key, length, capacity);
  if (length > 0 && memory.text.copy(buffer, 0, start, start + length) < length) {
    // A subclass has lied about its length.
    setBytes.call(buffer, memory.bytes.subarray(start, start + length));
  }
  return length;
}

/** The key lies in the request region. */
function fetchInto(
  handle: Handle,
  key: Key,
  keyLength: number,
  buffer: Uint8Array,
  capacity: number,
): number {
  const length = handle.native.fc_io_get_into(handle.id, keyLength, buffer, capacity, 0);
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

/**
 * The value of a key that lies in the request region, after `fc_io_get` answered `status`:
 * `undefined` for a miss; the value, if it only was too large for the pool. Not yet decoded.
 */
export function readLarge(
  handle: Handle,
  status: number,
  key: Key | undefined,
  keyLength: number,
  flags: number,
): unknown {
  const found = fetchLarge(handle, status, key, keyLength, flags);
  if (found === undefined) return undefined;
  const { memory, length, type } = found;
  return readValue(memory, 0, length, type, handle.pool);
}

interface Found {
  readonly memory: Memory;
  readonly length: number;
  readonly type: number;
}

function fetchLarge(
  handle: Handle,
  first: number,
  key: Key | undefined,
  keyLength: number,
  flags: number,
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
    status = native.fc_io_get_into(handle.id, keyLength, memory.bytes, memory.size, flags);
    if (status >= 0) return { memory, length: status, type: request.words[WORD.type] as number };
  }
  throw corrupt("an entry whose length never fits");
}
