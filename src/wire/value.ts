// SPDX-License-Identifier: MIT
//
// Values to bytes and back. What was set is what comes back, with the same type, in any
// runtime; what cannot come back so is refused. The type is stored beside the bytes.
//
//   string      ASCII, UTF8, or UTF16 where a lone surrogate rules UTF-8 out
//   number      NUMBER: the double, so NaN, -0 and the infinities too
//   bigint      BIGINT: decimal digits
//   boolean, null   no bytes
//   Uint8Array  BYTES
//   of a long key   LONG_KEYED: the key, then the value in one of the other forms
//   other objects   JSON, where that holds them as they are, else ANNOTATED; CODEC if the handle has one

import { CONSTANTS, TYPE } from "../abi.ts";
import { corrupt, FastCacheError, invalid, nameOf } from "../errors.ts";
import type { Codec, Key } from "../types.ts";
import { annotate } from "./annotate.ts";
import { pack, unpack } from "./annotated.ts";
import { isJson } from "./json.ts";
import { readKey } from "./key.ts";
import { besideValue, isSameKey, readHead } from "./long_key.ts";
import { bufferOf, isBytes, lengthOf, Memory } from "./memory.ts";
import type { ReadPool } from "./pool.ts";
import { type Request, UTF8_BYTES_MAX, writeUtf16 } from "./request.ts";

/** An object after encoding; a string holds well-formed UTF-16. */
export class Encoded {
  readonly type: number;
  readonly content: string | Uint8Array;

  constructor(type: number, content: string | Uint8Array) {
    this.type = type;
    this.content = content;
  }
}

/** A value whose writing runs no user code. */
export type Plain = string | number | bigint | boolean | null | Uint8Array | Encoded;

/**
 * Runs whatever user code the encoding of `value` takes (codec, `toJSON`, getters) and
 * refuses what cannot be stored.
 *
 * @throws FastCacheError `INVALID_ARGUMENT`
 */
export function toPlain(value: unknown, codec: Codec<unknown> | undefined): Plain {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
    case "boolean":
      return value;
    case "object":
      if (value === null || isBytes(value)) return value;
      if (codec === undefined) return encodeData(value);
      return new Encoded(TYPE.CODEC, encode(value, codec));
    default:
      throw invalid(`${nameOf(value)} cannot be stored: ${remedyFor(value)}`);
  }
}

function remedyFor(value: unknown): string {
  return value === undefined ? "use null, or delete() the entry" : "store data instead";
}

function encode(value: object, codec: Codec<unknown>): Uint8Array {
  let bytes: unknown;
  try {
    bytes = codec.encode(value);
  } catch (cause) {
    throw invalid(`codec.encode failed for ${nameOf(value)}: ${messageOf(cause)}`, cause);
  }
  if (isBytes(bytes)) return bytes;
  throw invalid(`codec.encode has to return a Uint8Array, not ${nameOf(bytes)}`);
}

/** JSON for what JSON holds as it is, notes beside it for what it does not. */
function encodeData(value: object): Encoded {
  try {
    if (isJson(value)) {
      // A `toJSON` that is not enumerable may still have made something else of it.
      const json = JSON.stringify(value) as string | undefined;
      if (json?.[0] === "{" || json?.[0] === "[") return new Encoded(TYPE.JSON, json);
    }
    const annotated = annotate(value);
    if (annotated.notes.length > 0) return new Encoded(TYPE.ANNOTATED, pack(annotated));
    return new Encoded(TYPE.JSON, JSON.stringify(annotated.data));
  } catch (cause) {
    if (cause instanceof FastCacheError) throw cause;
    // A getter or `toJSON` threw, or the stack was used up.
    const why = cause instanceof RangeError ? "is nested too deeply, or threw" : "threw";
    throw invalid(`${nameOf(value)} cannot be stored: it ${why}: ${messageOf(cause)}`, cause);
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/**
 * Writes a value at `offset` of the request region, its type to `request.type`, and returns its
 * length; or -1, with nothing written, if it might not fit there: see `toBytes`.
 */
export function writeValue(request: Request, value: Plain, offset: number): number {
  switch (typeof value) {
    case "string":
      return writeString(request, value, offset);
    case "number":
      request.type = TYPE.NUMBER;
      if (offset + 8 > request.size) return -1;
      if ((offset & 7) === 0) request.doubles[offset >> 3] = value;
      else request.text.writeDoubleLE(value, offset);
      return 8;
    case "bigint":
      request.type = TYPE.BIGINT;
      return writeText(request, value.toString(), offset);
    case "boolean":
      request.type = value ? TYPE.TRUE : TYPE.FALSE;
      return 0;
  }
  if (value === null) {
    request.type = TYPE.NULL;
    return 0;
  }
  if (!(value instanceof Encoded)) {
    request.type = TYPE.BYTES;
    return writeBytes(request, value, offset);
  }
  request.type = value.type;
  return typeof value.content === "string"
    ? writeText(request, value.content, offset)
    : writeBytes(request, value.content, offset);
}

/**
 * What native code takes for a value, its type to `request.type`: its length, written at FC_IO_VALUE; or a text
 * itself where that is as good (if it is the value, native code notes which of the types of text it is); or -1 as
 * of `writeValue`.
 */
export function passValue(request: Request, value: Plain): number | string {
  const { FC_IO_VALUE } = CONSTANTS;
  const text = value instanceof Encoded ? value.content : value;
  if (typeof text !== "string" || !request.passesText) return writeValue(request, value, FC_IO_VALUE);
  request.type = value instanceof Encoded ? value.type : TYPE.UTF8;
  return text.length * UTF8_BYTES_MAX < request.size - FC_IO_VALUE ? text : -1;
}

function writeString(request: Request, text: string, offset: number): number {
  const length = writeText(request, text, offset);
  if (length === text.length) {
    request.type = TYPE.ASCII;
  } else if (length < 0 || text.isWellFormed()) {
    request.type = TYPE.UTF8;
  } else {
    request.type = TYPE.UTF16;
    return request.writeUtf16(text, offset);
  }
  return length;
}

function writeText(request: Request, text: string, offset: number): number {
  if (text.length * UTF8_BYTES_MAX > request.size - offset) return -1;
  return request.writeText(text, offset);
}

function writeBytes(request: Request, bytes: Uint8Array, offset: number): number {
  const length = lengthOf(bytes);
  if (length > request.size - offset) return -1;
  if (length > 0) request.bytes.set(bytes, offset); // `set` would refuse detached bytes, of which there are none
  return length;
}

/**
 * The bytes of a value for which `writeValue` answered -1, its type to `request.type`. User
 * bytes are not copied, unless other threads could change them under the native call.
 */
export function toBytes(request: Request, value: Plain): Uint8Array {
  const content = value instanceof Encoded ? value.content : value;
  if (isBytes(content)) {
    const shared = !(bufferOf(content) instanceof ArrayBuffer);
    return shared ? new Uint8Array(content) : content;
  }
  const text = String(content);
  if (typeof value === "string") {
    if (!text.isWellFormed()) {
      request.type = TYPE.UTF16;
      const bytes = new Uint8Array(text.length * 2);
      writeUtf16(text, bytes, 0);
      return bytes;
    }
  }
  const bytes = new TextEncoder().encode(text);
  if (typeof value === "string") {
    request.type = bytes.length === text.length ? TYPE.ASCII : TYPE.UTF8;
  }
  return bytes;
}

/** What is stored for a value of a long key. Writes to the request region, where a value lies alone. */
export function toLongKeyed(request: Request, key: Key, value: Plain): Encoded {
  if (value instanceof Encoded && value.type === TYPE.LONG_KEYED) return value; // of a batch
  const start = CONSTANTS.FC_IO_VALUE;
  const length = writeValue(request, value, start);
  const content = length < 0 ? toBytes(request, value) : request.bytes.subarray(start, start + length);
  const type = isBytes(value) ? TYPE.BYTES : request.type;
  return new Encoded(TYPE.LONG_KEYED, besideValue(key, type, content));
}

/** A value as it was read, with the long key that it belongs to. */
export class LongKeyed extends Encoded {
  readonly key: Key;
  readonly value: unknown;

  constructor(key: Key, value: unknown) {
    super(TYPE.LONG_KEYED, "");
    this.key = key;
    this.value = value;
  }
}

function readLongKeyed(memory: Memory, offset: number, length: number, pool: ReadPool): LongKeyed {
  const end = offset + length;
  const head = readHead(memory.bytes, offset, end);
  if (head === undefined) throw corrupt(`an entry of a long key with ${length} bytes`);
  const { keyStart, keyLength, type, valueStart } = head;
  // One in another is stored by nobody.
  const value =
    type === TYPE.LONG_KEYED ? undefined : readOrUnreadable(memory, valueStart, end - valueStart, type, pool);
  return new LongKeyed(readKey(memory, keyStart, keyLength), value);
}

/**
 * The value of `type` that lies at `offset` of `memory`, a multiple of 8, with its bytes as `pool.take`
 * gives them; those of a codec are left to `decode`. `undefined` for a type that only a later release
 * knows: a miss for us, since whoever stored it is not damaged.
 *
 * @throws FastCacheError `CORRUPT` for what no `set` can have stored
 */
export function readValue(
  memory: Memory,
  offset: number,
  length: number,
  type: number,
  pool: ReadPool,
): unknown {
  const end = offset + length;
  switch (type) {
    case TYPE.BYTES:
      return pool.take(memory, offset, length);
    case TYPE.ASCII:
      return memory.text.latin1Slice(offset, end);
    case TYPE.UTF8:
      return memory.text.utf8Slice(offset, end);
    case TYPE.NUMBER:
      if (length !== 8) break;
      return memory.doubles[offset >> 3];
    case TYPE.FALSE:
      return false;
    case TYPE.TRUE:
      return true;
    case TYPE.NULL:
      return null;
    case TYPE.UTF16:
      if (length % 2 !== 0) break;
      return memory.text.ucs2Slice(offset, end);
    case TYPE.JSON:
      return parse(JSON.parse, memory.text.utf8Slice(offset, end), "JSON");
    case TYPE.ANNOTATED:
      return unpack(memory, offset, length, pool);
    case TYPE.BIGINT:
      return parse(BigInt, memory.text.latin1Slice(offset, end), "digits");
    case TYPE.CODEC:
      return new Encoded(TYPE.CODEC, pool.take(memory, offset, length));
    case TYPE.LONG_KEYED:
      return readLongKeyed(memory, offset, length, pool);
  }
  if (type > TYPE.LONG_KEYED) return undefined;
  throw corrupt(`an entry of type ${type} with ${length} bytes`);
}

function parse<T>(parser: (text: string) => T, text: string, what: string): T {
  try {
    return parser(text);
  } catch (cause) {
    throw corrupt(`an entry whose ${what} cannot be read`, cause);
  }
}

/** A value of a batch that `readValue` has thrown an error for. */
class Unreadable extends Encoded {
  readonly error: unknown;

  constructor(error: unknown) {
    super(-1, "");
    this.error = error;
  }
}

/** As `readValue`, for one of several values: an error is thrown when that one is decoded. */
export function readOrUnreadable(...args: Parameters<typeof readValue>): unknown {
  try {
    return readValue(...args);
  } catch (error) {
    return new Unreadable(error);
  }
}

/**
 * Finishes `readValue` by running the user's codec, where the entry needs it; the value of a long key is not of any
 * other. Apart, because the codec may call the cache again, which reuses the memory that values are read from.
 */
export function decode(value: unknown, codec: Codec<unknown> | undefined): unknown {
  if (!(value instanceof Encoded)) return value;
  if (value instanceof LongKeyed) return undefined;
  if (value instanceof Unreadable) throw value.error;
  if (codec === undefined) {
    throw invalid("the entry was stored with a codec: open the cache with that `codec`, or use getBytes()");
  }
  try {
    return codec.decode(value.content as Uint8Array);
  } catch (cause) {
    throw invalid(`codec.decode failed: ${messageOf(cause)}`, cause);
  }
}

/** As `decode`, for a key that is stored under its hash: `undefined` if the entry is not that key's. */
export function decodeLong(value: unknown, codec: Codec<unknown> | undefined, key: Key): unknown {
  const isOurs = value instanceof LongKeyed && isSameKey(value.key, key);
  return isOurs ? decode(value.value, codec) : undefined;
}

/** A value as it would be stored, to be read as often as it is asked for: no two results share anything. */
export class Copies {
  readonly #bytes: Uint8Array;
  readonly #type: number;

  /** Writes to the request region. */
  constructor(request: Request, value: Plain) {
    const start = CONSTANTS.FC_IO_VALUE;
    const length = writeValue(request, value, start);
    this.#bytes = length < 0 ? toBytes(request, value).slice() : request.bytes.slice(start, start + length);
    this.#type = isBytes(value) ? TYPE.BYTES : request.type;
  }

  next(pool: ReadPool, codec: Codec<unknown> | undefined): unknown {
    const { length } = this.#bytes;
    const memory = new Memory(length);
    memory.bytes.set(this.#bytes);
    return decode(readValue(memory, 0, length, this.#type, pool), codec);
  }
}

/** The error for a value over the limit. */
export function valueTooLarge(length: number, limit: number): FastCacheError {
  return new FastCacheError(
    "ERR_FASTCACHE_VALUE_TOO_LARGE",
    `the value has ${length} bytes, the segment's limit is ${limit}: ` +
      "split it, or create the segment with a larger `maxValueSize`",
  );
}
