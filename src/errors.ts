// SPDX-License-Identifier: MIT
//
// The one error class, its codes, and the words of its messages: sentences for statuses of native
// calls, names for values. Nothing else of the package is known here but the status table. Codes
// derive from the status table; a miss is never an error, and "buffer too small" is
// an answer that the callers here handle, so neither has a code.

import { STATUS } from "./abi.ts";

type StatusName = keyof typeof STATUS;
type ErrorName =
  | Exclude<StatusName, "OK" | "MISS" | "BUFFER_TOO_SMALL">
  | "FFI_UNAVAILABLE"
  | "TIMEOUT"
  | "FACTORY_FAILED";

/** The stable codes of {@link FastCacheError}. */
export type FastCacheErrorCode = `ERR_FASTCACHE_${ErrorName}`;

/**
 * What every call of this package throws. `code` is stable and made to be compared; the
 * message says what was wrong, the actual number, the limit, and what to do.
 */
export class FastCacheError extends Error {
  /** One of the codes below; see the table in the README. */
  readonly code: FastCacheErrorCode;

  constructor(code: FastCacheErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "FastCacheError";
    this.code = code;
  }
}

/** An `INVALID_ARGUMENT` error. */
export function invalid(message: string, cause?: unknown): FastCacheError {
  const options = cause === undefined ? undefined : { cause };
  return new FastCacheError("ERR_FASTCACHE_INVALID_ARGUMENT", message, options);
}

/** A `CORRUPT` error for bytes that no `set` can have stored. */
export function corrupt(what: string, cause?: unknown): FastCacheError {
  const message = `${what}: the segment is damaged. ${SENTENCES.CORRUPT}`;
  const options = cause === undefined ? undefined : { cause };
  return new FastCacheError("ERR_FASTCACHE_CORRUPT", message, options);
}

/** A `CLOSED` error. */
export function closed(): FastCacheError {
  return new FastCacheError("ERR_FASTCACHE_CLOSED", SENTENCES.CLOSED);
}

/** The error for a status below zero, where native code gave no message of its own. */
export function statusError(status: number, what?: string): FastCacheError {
  const name = errorName(status);
  const sentence = SENTENCES[name] ?? `unexpected status ${status}`;
  const message = what === undefined ? sentence : `${what}: ${sentence}`;
  return new FastCacheError(`ERR_FASTCACHE_${name}`, message);
}

/** The error for a status below zero and the message that native code gave with it. */
export function reportedError(status: number, message: string, what: string): FastCacheError {
  if (message === "") return statusError(status, what);
  return new FastCacheError(`ERR_FASTCACHE_${errorName(status)}`, message);
}

function errorName(status: number): ErrorName {
  for (const name of Object.keys(STATUS) as StatusName[]) {
    if (STATUS[name] !== status) continue;
    if (name === "OK" || name === "MISS" || name === "BUFFER_TOO_SMALL") break;
    return name;
  }
  return "CORRUPT"; // an answer outside the table
}

const SENTENCES: Partial<Record<ErrorName, string>> & Record<"CORRUPT" | "CLOSED", string> = {
  INVALID_ARGUMENT: "the native library refused an argument",
  KEY_TOO_LONG: "the key is longer than 1024 bytes",
  VALUE_TOO_LARGE: "the value is larger than the segment takes",
  NOT_FOUND: "there is no such segment",
  EXISTS: "the segment exists already",
  NO_SPACE: "the system or the segment has no room for it: use a larger `size`, or fewer and smaller entries",
  LAYOUT_MISMATCH: "the segment has another layout or geometry",
  PERMISSION: "the segment belongs to another user",
  CORRUPT: "Close it, remove it with FastCache.destroy(), and open a new one",
  BUSY:
    "another process holds this part of the segment and, though alive, did not let go in time. " +
    "Nothing was changed: try again later, and look for a stopped process",
  TOO_MANY_PROCESSES: "all slots of the segment are taken: end some of the processes or workers that use it",
  CLOSED: "this cache was closed: open it again with FastCache.open()",
};

/** Characters of a string that a message shows. */
export const SHOWN_LENGTH = 40;

/** What a value of the wrong kind is, for a message. */
export function nameOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "object") {
    const name = (value as { constructor?: { name?: unknown } }).constructor?.name;
    return typeof name === "string" && name !== "" && name !== "Object"
      ? `an instance of ${name}`
      : "an object";
  }
  if (typeof value === "function") return "a function";
  if (typeof value === "undefined") return "undefined";
  if (typeof value === "string") return `the string ${JSON.stringify(value.slice(0, SHOWN_LENGTH))}`;
  return `the ${typeof value} ${String(value)}`;
}
