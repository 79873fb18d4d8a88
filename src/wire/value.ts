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
//   other objects   JSON, or CODEC if the handle has one

import { TYPE } from "../abi.ts";
import { corrupt, FastCacheError, invalid, nameOf } from "../errors.ts";
import type { Codec } from "../types.ts";
import { bufferOf, isBytes, lengthOf, type Memory } from "./memory.ts";
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
      if (codec === undefined) return new Encoded(TYPE.JSON, toJson(value));
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
    throw invalid(`codec.encode failed for ${nameOf(value)}`, cause);
  }
  if (isBytes(bytes)) return bytes;
  throw invalid(`codec.encode has to return a Uint8Array, not ${nameOf(bytes)}`);
}

function toJson(value: object): string {
  const json = stringify(value);
  const first = json?.[0];
  // A Date's toJSON gives a string: it would come back as one.
  if (json !== undefined && (first === "{" || first === "[")) return json;
  const becomes = json === undefined ? "nothing" : json.slice(0, 40);
  throw invalid(
    `${nameOf(value)} becomes ${becomes} in JSON and would not come back as it is: ` +
      "store that yourself, or open the cache with a codec",
  );
}

function stringify(value: object): string | undefined {
  if (!isPlainObject(value) && typeof (value as { toJSON?: unknown }).toJSON !== "function") {
    throw invalid(
      `JSON cannot hold ${nameOf(value)}: store a plain object, an array or a Uint8Array, ` +
        "or open the cache with a codec",
    );
  }
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw invalid(`JSON cannot hold ${nameOf(value)} as it is: ${messageOf(cause)}`, cause);
  }
}

/** True for arrays and for objects of no class, of this realm or another. */
function isPlainObject(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
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

/**
 * The value of `type` that lies in `memory` (8-aligned if a number). Bytes are taken from the pool
 * if `memory` is the pool's, else copied; those of a codec are decoded.
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
    case TYPE.BIGINT:
      return parse(BigInt, memory.text.latin1Slice(offset, end), "digits");
    case TYPE.CODEC:
      return new Encoded(TYPE.CODEC, pool.take(memory, offset, length));
  }
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
 * Finishes `readValue` by running the user's codec, where the entry needs it. Apart, because
 * the codec may call the cache again, which reuses the memory that values are read from.
 */
export function decode(value: unknown, codec: Codec<unknown> | undefined): unknown {
  if (!(value instanceof Encoded)) return value;
  if (value instanceof Unreadable) throw value.error;
  if (codec === undefined) {
    throw invalid("the entry was stored with a codec: open the cache with that `codec`, or use getBytes()");
  }
  try {
    return codec.decode(value.content as Uint8Array);
  } catch (cause) {
    throw invalid("codec.decode failed", cause);
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
