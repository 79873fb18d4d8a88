// SPDX-License-Identifier: MIT
//
// Keys: checked, written into the request region, read from native answers, named in messages.
// A key that UTF-8 cannot hold (a lone surrogate) is refused, never silently changed.

import { CONSTANTS } from "../abi.ts";
import { FastCacheError, invalid, nameOf, SHOWN_LENGTH } from "../errors.ts";
import type { Key } from "../types.ts";
import { isLong, writeHash } from "./long_key.ts";
import { isBytes, lengthOf, type Memory } from "./memory.ts";
import { type Request, UTF8_BYTES_MAX } from "./request.ts";

const KEY_LEN_MAX = CONSTANTS.FC_KEY_LEN_MAX;

/** Bytes that `writeKey` may touch behind its offset. */
export const KEY_ROOM = KEY_LEN_MAX * 3;

/**
 * Writes a key at `offset`, behind which `KEY_ROOM` bytes are free, and returns its length: of a long key, the
 * bytes that its entry is stored under.
 *
 * @throws FastCacheError `INVALID_ARGUMENT`, `KEY_TOO_LONG`
 */
export function writeKey(request: Request, key: Key, offset: number): number {
  if (typeof key !== "string") return writeBytes(request, key, offset);
  const units = key.length;
  if (units === 0 || units > KEY_LEN_MAX) return writeLong(request, key, offset);
  const length = request.writeText(key, offset);
  if (length !== units && (length > KEY_LEN_MAX || !key.isWellFormed()))
    return writeLong(request, key, offset);
  return length;
}

/** Characters of a key that surely fits, whatever they are. */
const PASSED_MAX = Math.floor(KEY_LEN_MAX / UTF8_BYTES_MAX);

/**
 * What native code takes for the key of a call: its length, written to the request region, or the key itself
 * where that is as good. Native code answers one that is no good with `KEY_TOO_LONG`: see `badKey`.
 */
export function passKey(request: Request, key: Key): number | string {
  const passes = request.passesText && typeof key === "string" && key.length <= PASSED_MAX && key.length > 0;
  return passes ? key : writeKey(request, key, CONSTANTS.FC_IO_KEY);
}

function writeBytes(request: Request, key: unknown, offset: number): number {
  if (!isBytes(key)) {
    throw invalid(`a key is a string or a Uint8Array, not ${nameOf(key)}`);
  }
  const length = lengthOf(key);
  if (length === 0 || length > KEY_LEN_MAX) return writeLong(request, key, offset);
  request.bytes.set(key, offset);
  return length;
}

/** A key that is no good as it is: the hash of a long one, where the handle was opened so. */
function writeLong(request: Request, key: Key, offset: number): number {
  if (!request.longKeys || !isLong(key) || (typeof key === "string" && !key.isWellFormed()))
    throw badKey(key);
  return writeHash(request.bytes, key, offset);
}

/** The error for a key that cannot be one. */
export function badKey(key: Key): FastCacheError {
  if (key.length === 0) return invalid("the key is empty: a key has 1 to 1024 bytes");
  if (typeof key === "string" && !key.isWellFormed()) {
    return invalid(`${keyName(key)} has a lone surrogate, which UTF-8 cannot hold: use a Uint8Array instead`);
  }
  const length = typeof key === "string" ? new TextEncoder().encode(key).length : key.length;
  const which = typeof key === "string" ? keyName(key) : "the key";
  return new FastCacheError(
    "ERR_FASTCACHE_KEY_TOO_LONG",
    `${which} has ${length} bytes, the limit is ${KEY_LEN_MAX}: ` +
      'use a shorter one, or open the cache with `longKeys: "hash"`',
  );
}

/** A key for a message: quoted, and cut if long. */
export function keyName(key: unknown): string {
  if (isBytes(key)) return `the key of ${key.length} bytes`;
  if (typeof key !== "string") return `the key ${nameOf(key)}`;
  if (key.length <= SHOWN_LENGTH) return `the key ${JSON.stringify(key)}`;
  return `the key ${JSON.stringify(key.slice(0, SHOWN_LENGTH))}…`;
}

let decoder: TextDecoder | undefined;

/** The key of `length` bytes at `offset`: a string if they are valid UTF-8, else a copy of them. */
export function readKey(memory: Memory, offset: number, length: number): Key {
  const end = offset + length;
  if (isAscii(memory.bytes, offset, end)) return memory.text.latin1Slice(offset, end);
  decoder ??= new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const bytes = memory.bytes.slice(offset, end);
  try {
    return decoder.decode(bytes);
  } catch {
    return bytes;
  }
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    if ((bytes[index] as number) > 127) return false;
  }
  return true;
}
