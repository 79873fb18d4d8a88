// SPDX-License-Identifier: MIT
//
// Storing one value. Values that might not fit into the request region are not copied there, nor are
// bytes where their address costs less than a copy: native code reads them where they are. If another thread
// changes such bytes meanwhile, what is stored may be half changed; its length never is.

import { CONSTANTS, DOUBLE, STATUS, TYPE, WORD } from "./binding/symbols.ts";
import type { Handle } from "./handle.ts";
import { writeKey } from "./key.ts";
import { isBytes, lengthOf } from "./memory.ts";
import type { Key } from "./types.ts";
import { type Plain, toBytes, toPlain, valueTooLarge, writeValue } from "./value.ts";

const { FC_IO_KEY, FC_IO_VALUE } = CONSTANTS;

/** Stores `value` if the condition of `mode` (an `fc_set_mode`) is met: true if stored. */
export function store(
  handle: Handle,
  key: Key,
  value: unknown,
  ttl: number,
  mode: number,
  version: number = 0,
): boolean {
  const plain = toPlain(value, handle.codec);
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
  const keyLength = writeKey(request, key, FC_IO_KEY);
  const isPassed = handle.passesBuffers && isBytes(plain);
  let length = isPassed ? -1 : writeValue(request, plain, FC_IO_VALUE);
  request.words[WORD.mode] = mode;
  request.doubles[DOUBLE.version] = version;
  request.doubles[DOUBLE.ttl_ms] = ttl;
  let status: number;
  if (length >= 0) {
    request.words[WORD.type] = request.type;
    status = native.fc_io_set(handle.id, keyLength, length);
  } else {
    const bytes = isPassed ? plain : toBytes(request, plain);
    const type = isPassed ? TYPE.BYTES : request.type;
    length = lengthOf(bytes);
    const limit = handle.info.maxValueSize;
    if (length > limit) throw valueTooLarge(length, limit);
    request.words[WORD.type] = type;
    status = native.fc_io_set_from(handle.id, keyLength, bytes, length);
  }
  if (status >= 0) return true;
  if (status === STATUS.MISS) return false;
  if (status === STATUS.VALUE_TOO_LARGE) throw valueTooLarge(length, handle.info.maxValueSize);
  throw handle.failure(status, key);
}
