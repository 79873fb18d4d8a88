// SPDX-License-Identifier: MIT
//
// Writes of one entry, and `clear`. User code (codec, toJSON, getters) runs before the key is written.
//
// Values that might not fit into the request region are not copied there, nor are bytes where their
// address costs less than a copy: native code reads them where they are. If another thread changes such
// bytes meanwhile, what is stored may be half changed; its length never is.

import { CONSTANTS, DOUBLE, STATUS, TYPE, WORD } from "./abi.ts";
import type { Handle } from "./segment.ts";
import type { Key } from "./types.ts";
import { passKey } from "./wire/key.ts";
import { isHashed } from "./wire/long_key.ts";
import { alignUp, isBytes, lengthOf } from "./wire/memory.ts";
import { REQUEST_SIZE } from "./wire/request.ts";
import {
  type Plain,
  passValue,
  toBytes,
  toLongKeyed,
  toPlain,
  valueTooLarge,
  writeValue,
} from "./wire/value.ts";

const { FC_IO_KEY, FC_IO_VALUE, FC_PACKED_ENTRY_UNIT, FC_TAGGED } = CONSTANTS;

/**
 * Stores `value` if the condition of `mode` (an `fc_set_mode`, with or without `FC_KEEP_TTL`) is met:
 * true if stored. `ttl` as `parseTtl` gives it, `tags` as `packTags`.
 */
export function store(
  handle: Handle,
  key: Key,
  value: unknown,
  ttl: number,
  mode: number,
  version: number = 0,
  tags?: Uint8Array,
): boolean {
  const plain = toPlain(value, handle.codec);
  if (tags !== undefined) return storeTagged(handle, key, plain, ttl, mode, version, tags);
  return storePlain(handle, key, plain, ttl, mode, version);
}

/** As `store`, for a value whose user code has run. */
export function storePlain(
  handle: Handle,
  key: Key,
  plain: Plain,
  ttl: number,
  mode: number,
  version: number,
): boolean {
  const { request, native } = handle;
  const passed = passKey(request, key);
  const stored = isHashed(key, passed) ? toLongKeyed(request, key, plain) : plain;
  const isPassed = isBytes(stored);
  let length = isPassed ? -1 : passValue(request, stored);
  request.words[WORD.mode] = mode;
  request.doubles[DOUBLE.version] = version;
  request.doubles[DOUBLE.ttl_ms] = ttl;
  let status: number;
  if (typeof length === "string" || length >= 0) {
    request.words[WORD.type] = request.type;
    status = native.fc_io_set(handle.id, passed, length);
  } else {
    const bytes = isPassed ? stored : toBytes(request, stored);
    length = lengthOf(bytes);
    const limit = handle.info.maxValueSize;
    if (length > limit) throw valueTooLarge(length, limit);
    request.words[WORD.type] = isPassed ? TYPE.BYTES : request.type;
    status = native.fc_io_set_from(handle.id, passed, bytes, length);
  }
  if (status === STATUS.VALUE_TOO_LARGE) {
    if (typeof length === "string") length = toBytes(request, stored).length;
    throw valueTooLarge(length, handle.info.maxValueSize);
  }
  return handle.isHit(status, key);
}

/** As `storePlain`, with tags, which lie behind the value, or in its place where it crosses by its address. */
export function storeTagged(
  handle: Handle,
  key: Key,
  plain: Plain,
  ttl: number,
  mode: number,
  version: number,
  tags: Uint8Array,
): boolean {
  const { request, native } = handle;
  const passed = passKey(request, key);
  const stored = isHashed(key, passed) ? toLongKeyed(request, key, plain) : plain;
  let length = isBytes(stored) ? -1 : writeValue(request, stored, FC_IO_VALUE);
  const place = FC_IO_VALUE + alignUp(Math.max(length, 0), FC_PACKED_ENTRY_UNIT);
  const fits = length >= 0 && place + tags.length <= REQUEST_SIZE;
  request.words[WORD.mode] = mode | FC_TAGGED;
  request.doubles[DOUBLE.version] = version;
  request.doubles[DOUBLE.ttl_ms] = ttl;
  let status: number;
  if (fits) {
    request.bytes.set(tags, place);
    request.words[WORD.type] = request.type;
    status = native.fc_io_set(handle.id, passed, length);
  } else {
    const bytes = isBytes(stored) ? stored : toBytes(request, stored);
    length = lengthOf(bytes);
    request.bytes.set(tags, FC_IO_VALUE);
    request.words[WORD.type] = isBytes(stored) ? TYPE.BYTES : request.type;
    if (length > handle.info.maxValueSize) throw valueTooLarge(length, handle.info.maxValueSize);
    status = native.fc_io_set_from(handle.id, passed, bytes, length);
  }
  if (status === STATUS.VALUE_TOO_LARGE) throw valueTooLarge(length, handle.info.maxValueSize);
  return handle.isHit(status, key);
}

/** Removes every entry that has the tag, as `encodeTag` gives it. */
export function invalidate(handle: Handle, tag: Uint8Array): void {
  handle.request.bytes.set(tag, FC_IO_KEY);
  const status = handle.native.fc_io_delete_by_tag(handle.id, tag.length);
  if (status < 0) throw handle.failure(status);
}

/** Removes an entry: true if there was one. */
export function remove(handle: Handle, key: Key): boolean {
  return handle.isHit(handle.native.fc_io_delete(handle.id, passKey(handle.request, key)), key);
}

/** Gives an entry a new deadline, or removes it: true if there was one. `ttl` as `parseTtl` gives it. */
export function touch(handle: Handle, key: Key, ttl: number): boolean {
  return handle.isHit(handle.native.fc_io_touch(handle.id, passKey(handle.request, key), ttl), key);
}

/** Removes every entry, shard by shard. */
export function clear(handle: Handle): void {
  const status = handle.native.fc_clear(handle.id);
  if (status < 0) throw handle.failure(status);
}
