// SPDX-License-Identifier: MIT
//
// What users pass to `open`, `destroy` and the storing methods, checked. An option that
// is misspelt, of the wrong kind or out of range is refused by name, never ignored. An
// option that is `undefined` is one that is not there.

import { CONSTANTS, CREATE, EVICTION, KIND, ON_MISMATCH } from "./abi.ts";
import { type FastCacheError, invalid, nameOf } from "./errors.ts";
import type { Codec, IncrementOptions, OpenOptions, SegmentTarget, SetOptions } from "./types.ts";
import { dateTime, isDate } from "./wire/kind.ts";
import { packTags } from "./wire/tags.ts";

const { FC_KEEP_TTL, FC_NAME_LEN_MAX, FC_SHARDS_MAX, FC_SIZE_MIN, FC_TTL_MS_MAX } = CONSTANTS;

/** Times to live as native code wants them, beside numbers above 0: no deadline, and over at once. */
const TTL_NONE = 0;
const TTL_PAST = -1;

/** `OpenOptions` as native code wants them; 0 means "not given". */
export interface Opening {
  readonly kind: number;
  readonly create: number;
  readonly onMismatch: number;
  /** The name or path; empty for the kinds that have none. */
  readonly target: string;
  readonly fd: number;
  readonly size: number;
  readonly shards: number;
  readonly maxEntries: number;
  readonly maxValueSize: number;
  readonly eviction: number;
  /** As `parseTtl` gives it. */
  readonly ttl: number;
  readonly codec: Codec<unknown> | undefined;
  /** Keys over the limit are stored under their hash. */
  readonly longKeys: boolean;
  /** Path of the native library, if given. */
  readonly library: string | undefined;
}

const OPEN_OPTIONS = {
  name: true,
  path: true,
  fd: true,
  size: true,
  create: true,
  onMismatch: true,
  shards: true,
  maxEntries: true,
  maxValueSize: true,
  eviction: true,
  ttl: true,
  codec: true,
  longKeys: true,
  library: true,
} as const satisfies Record<keyof OpenOptions, true>;

/** @throws FastCacheError `INVALID_ARGUMENT` */
export function parseOpenOptions<V>(options: OpenOptions<V>): Opening {
  checkNames(options, OPEN_OPTIONS, "open");
  const opening = {
    ...parseWhere(options),
    create: parseCreate(options.create),
    onMismatch: parseOnMismatch(options.onMismatch),
    size: parseSize("size", options.size, FC_SIZE_MIN),
    shards: parseShards(options.shards),
    maxEntries: parseInteger("maxEntries", options.maxEntries, 1, Number.MAX_SAFE_INTEGER),
    maxValueSize: parseSize("maxValueSize", options.maxValueSize, 1),
    eviction: parseEviction(options.eviction),
    ttl: parseDefaultTtl(options.ttl),
    codec: parseCodec(options.codec),
    longKeys: parseLongKeys(options.longKeys),
    library: parseLibrary(options.library),
  };
  return checkTogether(opening);
}

/** True if keys over the limit are stored under their hash. */
function parseLongKeys(longKeys: unknown): boolean {
  if (longKeys === undefined || longKeys === "error") return false;
  if (longKeys === "hash") return true;
  throw invalid(`longKeys is "error" or "hash", not ${nameOf(longKeys)}`);
}

function parseLibrary(library: unknown): string | undefined {
  if (library === undefined || (typeof library === "string" && library !== "")) return library;
  throw invalid(`library is the path of the native library, not ${nameOf(library)}`);
}

function checkTogether(opening: Opening): Opening {
  const { kind, create, onMismatch, size } = opening;
  const exclusive = create === CREATE.CREATE_EXCLUSIVE;
  if (onMismatch === ON_MISMATCH.REPLACE) {
    if (kind === KIND.FD) {
      throw invalid(
        'onMismatch: "replace" creates a segment under a name: that takes a `name` or `path`, not an `fd`',
      );
    }
    if (create === CREATE.ATTACH) {
      throw invalid(
        'onMismatch: "replace" creates a segment, which `create: false` forbids: leave one of them out',
      );
    }
    if (size === 0) throw invalid('onMismatch: "replace" creates a segment, which takes a `size`');
  }
  if (kind === KIND.FD) {
    if (!exclusive) return { ...opening, create: CREATE.ATTACH };
    throw invalid('a segment behind an `fd` exists already: create: "exclusive" cannot be met');
  }
  if (kind === KIND.PRIVATE && create === CREATE.ATTACH) {
    throw invalid("create: false attaches to a segment: say which with `name`, `path` or `fd`");
  }
  if (size === 0 && (kind === KIND.PRIVATE || exclusive)) {
    throw invalid('creating a segment takes a `size`, such as "64MB"');
  }
  return opening;
}

type Where = Pick<Opening, "kind" | "target" | "fd">;

function parseWhere(options: Pick<OpenOptions, "name" | "path" | "fd">): Where {
  const { name, path, fd } = options;
  const given = [name, path, fd].filter((value) => value !== undefined).length;
  if (given > 1) throw invalid("`name`, `path` and `fd` exclude each other: give at most one");
  if (name !== undefined) return { kind: KIND.SHM, target: checkName(name), fd: -1 };
  if (path !== undefined) return { kind: KIND.FILE, target: checkPath(path), fd: -1 };
  if (fd === undefined) return { kind: KIND.PRIVATE, target: "", fd: -1 };
  if (!Number.isInteger(fd) || fd < 0 || fd > 0x7fff_ffff) {
    throw wrong("fd", fd, "a file descriptor: an integer from 0");
  }
  return { kind: KIND.FD, target: "", fd };
}

function checkName(name: unknown): string {
  if (typeof name !== "string" || !/^[A-Za-z0-9._-]+$/.test(name)) {
    throw wrong("name", name, "a string of letters, digits, '.', '_' and '-'");
  }
  if (name.length <= FC_NAME_LEN_MAX) return name;
  throw invalid(`\`name\` has ${name.length} characters, the limit is ${FC_NAME_LEN_MAX}`);
}

function checkPath(path: unknown): string {
  if (typeof path !== "string" || path === "") throw wrong("path", path, "a path that is not empty");
  if (path.includes("\0") || !path.isWellFormed()) {
    throw invalid("`path` has a NUL character or a lone surrogate, which no file name can have");
  }
  return path;
}

function parseCreate(create: unknown): number {
  if (create === undefined || create === true) return CREATE.CREATE_OR_ATTACH;
  if (create === false) return CREATE.ATTACH;
  if (create === "exclusive") return CREATE.CREATE_EXCLUSIVE;
  throw wrong("create", create, 'true, false or "exclusive"');
}

function parseOnMismatch(onMismatch: unknown): number {
  if (onMismatch === undefined || onMismatch === "error") return ON_MISMATCH.ERROR;
  if (onMismatch === "attach") return ON_MISMATCH.ATTACH;
  if (onMismatch === "replace") return ON_MISMATCH.REPLACE;
  throw wrong("onMismatch", onMismatch, '"error", "attach" or "replace"');
}

function parseShards(shards: unknown): number {
  const count = parseInteger("shards", shards, 1, FC_SHARDS_MAX);
  if ((count & (count - 1)) === 0) return count;
  throw wrong("shards", shards, `a power of two from 1 to ${FC_SHARDS_MAX}`);
}

function parseEviction(eviction: unknown): number {
  if (eviction === undefined) return EVICTION.DEFAULT;
  if (eviction === "lru") return EVICTION.LRU;
  if (eviction === "s3-fifo") return EVICTION.S3FIFO;
  throw wrong("eviction", eviction, '"lru" or "s3-fifo"');
}

function parseCodec(codec: unknown): Codec<unknown> | undefined {
  if (codec === undefined) return undefined;
  const { encode, decode } = (codec ?? {}) as Partial<Codec>;
  if (typeof encode === "function" && typeof decode === "function") return codec as Codec<unknown>;
  throw wrong("codec", codec, "an object with the functions encode and decode");
}

function parseInteger(option: string, value: unknown, min: number, max: number): number {
  if (value === undefined) return 0;
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) {
    return value as number;
  }
  throw wrong(option, value, `an integer from ${min} to ${max}`);
}

const UNITS: Record<string, number> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  k: 2 ** 10,
  kib: 2 ** 10,
  m: 2 ** 20,
  mib: 2 ** 20,
  g: 2 ** 30,
  gib: 2 ** 30,
  t: 2 ** 40,
  tib: 2 ** 40,
};

/** Bytes of a size such as `65536`, `"64MB"` or `"1.5GiB"`; 0 for `undefined`. */
export function parseSize(option: string, value: unknown, min: number): number {
  if (value === undefined) return 0;
  const bytes = typeof value === "string" ? bytesOf(value) : value;
  if (!Number.isSafeInteger(bytes)) {
    throw wrong(option, value, 'a whole number of bytes, or a string such as "64MB" or "1GiB"');
  }
  if ((bytes as number) >= min) return bytes as number;
  throw invalid(`\`${option}\` is ${String(bytes)} bytes, the least is ${min}`);
}

function bytesOf(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text);
  const unit = UNITS[(match?.[2] ?? "?").toLowerCase()];
  return unit === undefined ? Number.NaN : Math.floor(Number(match?.[1]) * unit);
}

function parseDefaultTtl(ttl: unknown): number {
  if (ttl === undefined) return TTL_NONE;
  const parsed = parseTtl(ttl);
  if (parsed !== TTL_PAST) return parsed;
  throw wrong("ttl", ttl, "above 0: milliseconds, or Infinity for no deadline");
}

/**
 * A time to live in ms, as native code wants it: `Infinity` is no deadline, 0 and less are over at
 * once. Fractions are rounded up there.
 *
 * @throws FastCacheError `INVALID_ARGUMENT`
 */
export function parseTtl(ttl: unknown): number {
  if (typeof ttl === "number" && ttl <= FC_TTL_MS_MAX) return ttl > 0 ? ttl : TTL_PAST;
  if (ttl === Infinity) return TTL_NONE;
  throw wrong("ttl", ttl, `a number of milliseconds up to ${FC_TTL_MS_MAX}, or Infinity for no deadline`);
}

/** True for a time to live, as `parseTtl` gives it, of what is over at once. */
export function isOver(ttl: number): boolean {
  return ttl === TTL_PAST;
}

/** The only place where the calendar meets a time to live. */
function parseExpiresAt(expiresAt: unknown): number {
  const time = isDate(expiresAt) ? dateTime(expiresAt) : expiresAt;
  if (typeof time !== "number" || Number.isNaN(time)) {
    throw wrong("expiresAt", expiresAt, "a valid Date, or a number of milliseconds since 1970");
  }
  if (time === Infinity) return TTL_NONE;
  const ttl = time - Date.now();
  if (ttl <= FC_TTL_MS_MAX) return ttl > 0 ? ttl : TTL_PAST;
  throw invalid(
    `\`expiresAt\` is ${ttl} ms away, the limit is ${FC_TTL_MS_MAX}: use Infinity for no deadline`,
  );
}

const SET_OPTIONS = {
  ttl: true,
  expiresAt: true,
  keepTtl: true,
  tags: true,
} as const satisfies Record<keyof SetOptions, true>;

/**
 * The time to live that a storing method's options ask for, as native code wants it; the handle's
 * where they do not, or leave it to `keepTtl`.
 *
 * @throws FastCacheError `INVALID_ARGUMENT`
 */
export function ttlOf(options: SetOptions | undefined, fallback: number, method: string): number {
  return options === undefined ? fallback : givenTtl(options, fallback, method);
}

// Apart, so that the other, which is all that most calls need, is small enough to be inlined.
function givenTtl(options: SetOptions, fallback: number, method: string): number {
  const { ttl, expiresAt, keepTtl } = checkNames(options, SET_OPTIONS, method);
  checkBoolean("keepTtl", keepTtl);
  const ways = Number(ttl !== undefined) + Number(expiresAt !== undefined) + Number(keepTtl === true);
  if (ways > 1) throw invalid("`ttl`, `expiresAt` and `keepTtl` exclude each other: give at most one");
  if (ttl !== undefined) return parseTtl(ttl);
  return expiresAt === undefined ? fallback : parseExpiresAt(expiresAt);
}

/** A mode of storing with what checked options add to it: `FC_KEEP_TTL` or nothing. */
export function modeOf(mode: number, options: SetOptions | undefined): number {
  if (options === undefined) return mode;
  return options.keepTtl === true ? mode | FC_KEEP_TTL : mode;
}

/** Refuses what is no array. */
export function checkTags(tags: readonly unknown[]): readonly unknown[] {
  if (Array.isArray(tags)) return tags;
  throw invalid(`deleteByTag() takes a string or an array of strings, not ${nameOf(tags)}`);
}

/** The tags of checked options, packed; `undefined` if there are none. @throws FastCacheError `INVALID_ARGUMENT` */
export function tagsOf(options: SetOptions | undefined): Uint8Array | undefined {
  return options === undefined ? undefined : packTags(options.tags);
}

const INCREMENT_OPTIONS = {
  initial: true,
  ttl: true,
  ifPresent: true,
} as const satisfies Record<keyof IncrementOptions, true>;

/** The options of `increment`; `initial` is NaN if an absent entry is to stay absent. */
export function parseIncrement(
  options: IncrementOptions | undefined,
  fallbackTtl: number,
): { initial: number; ttl: number } {
  if (options === undefined) return { initial: 0, ttl: fallbackTtl };
  const { initial = 0, ttl, ifPresent } = checkNames(options, INCREMENT_OPTIONS, "increment");
  const checked = checkFinite("initial", initial);
  return {
    initial: checkBoolean("ifPresent", ifPresent) ? Number.NaN : checked,
    ttl: ttl === undefined ? fallbackTtl : parseTtl(ttl),
  };
}

/** @throws FastCacheError `INVALID_ARGUMENT` */
export function checkBoolean(option: string, value: unknown): boolean {
  if (value === undefined || typeof value === "boolean") return value === true;
  throw wrong(option, value, "true or false");
}

/** @throws FastCacheError `INVALID_ARGUMENT` */
export function checkFinite(what: string, value: unknown): number {
  if (Number.isFinite(value)) return value as number;
  throw wrong(what, value, "a finite number");
}

/** What `FastCache.destroy` removes: a string with a '/' is a path, any other a name. */
export function parseTarget(target: unknown): { kind: number; target: string } {
  if (typeof target === "string") {
    return parseWhere(target.includes("/") ? { path: target } : { name: target });
  }
  const where = parseWhere(checkNames(target as SegmentTarget, { name: true, path: true }, "destroy"));
  if (where.kind !== KIND.PRIVATE) return where;
  throw wrong("target", target, "a name, a path, { name } or { path }");
}

/** Refuses options that there are not, by name. */
export function checkNames<T extends object>(options: T, known: Record<string, true>, method: string): T {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw invalid(`the options of ${method}() are an object, not ${nameOf(options)}`);
  }
  for (const name in options) {
    if (Object.hasOwn(known, name)) continue;
    const names = Object.keys(known).join(", ");
    throw invalid(`${method}() has no option ${JSON.stringify(name)}: the options are ${names}`);
  }
  return options;
}

/** The error for an option of the wrong kind or range. */
export function wrong(option: string, value: unknown, expected: string): FastCacheError {
  return invalid(`\`${option}\` has to be ${expected}, not ${nameOf(value)}`);
}
