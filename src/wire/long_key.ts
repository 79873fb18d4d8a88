// SPDX-License-Identifier: MIT
//
// Keys over the core's limit, where the handle asks for them: the entry lies under 0xFF and the key's SHA-256, and
// the key beside the value. No string is stored under such bytes, since UTF-8 has no 0xFF.
//
//   | key length, 4 | type, 4 | key, padded to 8 | value |
//
// Whoever reads the value compares the key; a hash alone says whether there is an entry, and changes or removes it.

import { CONSTANTS } from "../abi.ts";
import type { Key } from "../types.ts";
import { alignUp, isBytes, lengthOf } from "./memory.ts";
import { UTF8_BYTES_MAX } from "./request.ts";

const KEY_LEN_MAX = CONSTANTS.FC_KEY_LEN_MAX;
const MARK = 0xff;
const HEAD_SIZE = 8;

/** Bytes of the key that the entry of a long one is stored under. */
export const HASHED_LEN = 33;

/** What lies before a value of a long key; offsets from the beginning of the record. */
export interface LongHead {
  readonly keyStart: number;
  readonly keyLength: number;
  readonly type: number;
  readonly valueStart: number;
}

/** True for a key with more bytes than the core takes. A string with lone surrogates counts as if UTF-8 had them. */
export function isLong(key: Key): boolean {
  if (typeof key !== "string") return lengthOf(key) > KEY_LEN_MAX;
  if (key.length * UTF8_BYTES_MAX <= KEY_LEN_MAX) return false;
  return key.length > KEY_LEN_MAX || Buffer.byteLength(key) > KEY_LEN_MAX;
}

/** True if `key`, which was written in `written` bytes or passed as it is, is stored under its hash. */
export function isHashed(key: Key, written: number | string): boolean {
  return written === HASHED_LEN && key.length > HASHED_LEN;
}

/** True for a key of an iteration that may stand for a long one. */
export function maybeHashed(key: Key): key is Uint8Array {
  return typeof key !== "string" && key.length === HASHED_LEN && key[0] === MARK;
}

/** Writes what `key`'s entry is stored under at `offset`, and returns its length. */
export function writeHash(bytes: Uint8Array, key: Key, offset: number): number {
  const { createHash } = process.getBuiltinModule("node:crypto");
  bytes[offset] = MARK;
  bytes.set(createHash("sha256").update(key).digest(), offset + 1);
  return HASHED_LEN;
}

/** The record of a long key and a value of `type`, whose bytes are `content`. */
export function besideValue(key: Key, type: number, content: Uint8Array): Uint8Array {
  const name = keyBytes(key);
  const valueStart = HEAD_SIZE + alignUp(name.length, 8);
  const record = new Uint8Array(valueStart + lengthOf(content));
  const head = new DataView(record.buffer);
  head.setUint32(0, name.length, true);
  head.setUint32(4, type, true);
  record.set(name, HEAD_SIZE);
  record.set(content, valueStart);
  return record;
}

/** The head of the record that lies in `bytes` from `start` to `end`; `undefined` if none can have been stored so. */
export function readHead(bytes: Uint8Array, start: number, end: number): LongHead | undefined {
  if (end - start < HEAD_SIZE) return undefined;
  const head = new DataView(bytes.buffer, bytes.byteOffset + start, HEAD_SIZE);
  const keyLength = head.getUint32(0, true);
  if (keyLength > end - start - HEAD_SIZE) return undefined;
  const valueStart = start + HEAD_SIZE + alignUp(keyLength, 8);
  if (valueStart > end) return undefined;
  return { keyStart: start + HEAD_SIZE, keyLength, type: head.getUint32(4, true), valueStart };
}

/** True if both are the same bytes: a string is what it is in UTF-8. */
export function isSameKey(a: Key, b: Key): boolean {
  if (typeof a === "string" && typeof b === "string") return a === b;
  return Buffer.compare(keyBytes(a), keyBytes(b)) === 0;
}

function keyBytes(key: Key): Uint8Array {
  return isBytes(key) ? key : Buffer.from(key);
}
