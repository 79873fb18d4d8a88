// SPDX-License-Identifier: MIT
//
// The C interface as data: the only copy on the TypeScript side of what
// core/include/fastcache.h says. Each runtime's binding is derived from it, and
// test/boundary compares it with the header, name by name and byte by byte.
//
// Struct offsets are those of LP64, little-endian: the only targets we build for.

/** `FC_ABI_VERSION`; compared with `fc_abi_version()` when the library is loaded. */
export const ABI_VERSION = 5;

/** `FC_STATUS_TABLE`: results below zero. The error codes derive from the names. */
export const STATUS = {
  OK: 0,
  INVALID_ARGUMENT: -1,
  KEY_TOO_LONG: -2,
  VALUE_TOO_LARGE: -3,
  NOT_FOUND: -4,
  EXISTS: -5,
  NO_SPACE: -6,
  LAYOUT_MISMATCH: -7,
  CORRUPT: -8,
  PERMISSION: -9,
  BUSY: -10,
  CLOSED: -11,
  MISS: -12,
  BUFFER_TOO_SMALL: -13,
  TOO_MANY_PROCESSES: -14,
} as const;

/** `fc_type`: what the bytes of a value are. */
export const TYPE = {
  BYTES: 0,
  UTF8: 1,
  ASCII: 2,
  UTF16: 3,
  NUMBER: 4,
  BIGINT: 5,
  FALSE: 6,
  TRUE: 7,
  NULL: 8,
  JSON: 9,
  CODEC: 10,
  ANNOTATED: 11,
  LONG_KEYED: 12,
} as const;

/** `fc_kind`. */
export const KIND = { SHM: 0, FILE: 1, PRIVATE: 2, FD: 3 } as const;

/** `fc_create`. */
export const CREATE = { ATTACH: 0, CREATE_OR_ATTACH: 1, CREATE_EXCLUSIVE: 2 } as const;

/** `fc_on_mismatch`. */
export const ON_MISMATCH = { ERROR: 0, ATTACH: 1, REPLACE: 2 } as const;

/** `fc_eviction`. */
export const EVICTION = { DEFAULT: 0, LRU: 1, S3FIFO: 2 } as const;

/** `fc_set_mode`, without its prefix `SET_IF_`. */
export const SET_MODE = { ALWAYS: 0, ABSENT: 1, PRESENT: 2, VERSION: 3, LEASE: 4 } as const;

/** `fc_lease_result`. */
export const LEASE = { TAKEN: 0, HELD: 1, FRESH: 2, FAILED: 3, SHARED: 4, REFUSED: 5 } as const;

/** `fc_lease_how`. */
export const LEASE_END = { PASS: 0, FAIL: 1, GIVE_UP: 2 } as const;

/** `fc_noted`. */
export const NOTED = { FLIGHT: 0, WAIT: 1, STALE: 2, REFUSED: 3, STORE_FAILURE: 4 } as const;

/** The plain `#define`s that both sides must agree on. */
export const CONSTANTS = {
  FC_KEY_LEN_MAX: 1024,
  FC_TYPE_MAX: 255,
  FC_NAME_LEN_MAX: 200,
  FC_TAGS_MAX: 16,
  FC_TAG_LEN_MAX: 256,
  FC_SIZE_MIN: 1_048_576,
  FC_SHARDS_MAX: 1024,
  FC_TTL_MS_MAX: 281_474_976_710_655,
  FC_MESSAGE_LEN_MAX: 1007,
  FC_PEEK: 1,
  FC_NO_VALUE: 2,
  FC_KEEP_TTL: 16,
  FC_LEASE_TEXT_MAX: 200,
  FC_LEASE_MS_MAX: 86_400_000,
  FC_LEASE_FORCE: 1,
  FC_TAGGED: 32,
  FC_PACKED_KEY_UNIT: 4,
  FC_PACKED_ENTRY_UNIT: 8,
  FC_PACKED_ANSWER_UNIT: 8,
  FC_ITERATE_CAPACITY_MIN: 131_072,
  FC_IO_KEY: 64,
  FC_IO_VALUE: 1088,
  FC_REGION_REQUEST: 0,
  FC_REGION_RESPONSE: 1,
} as const;

/**
 * How an argument crosses: an integer below 2^32, a double, or the address of a
 * `Uint8Array` (its memory must not move: see wire/memory.ts). The length of a key or value in the request
 * region may be the string itself, which native code then writes there, where the runtime's `passesText` says so.
 */
export type ArgumentType = "u32" | "f64" | "buffer" | "u32 or text" | "f64 or text";

/** The functions that we call. Every one of them returns `int32_t`. */
export const FUNCTIONS = {
  fc_abi_version: [],
  fc_open: ["buffer", "buffer", "u32", "buffer"],
  fc_close: ["u32"],
  fc_destroy: ["u32", "buffer", "u32", "buffer"],
  fc_list: ["buffer", "u32"],
  fc_info: ["u32", "buffer"],
  fc_stats: ["u32", "buffer"],
  fc_clear: ["u32"],
  fc_size: ["u32", "buffer"],
  fc_iterate: ["u32", "buffer", "buffer", "u32", "buffer"],
  fc_bind: ["u32", "u32", "buffer", "u32"],
  fc_io_get: ["f64", "f64 or text", "f64"],
  fc_io_peek: ["f64", "f64 or text", "f64"],
  fc_io_get_into: ["u32", "u32 or text", "buffer", "u32", "u32"],
  fc_io_set: ["f64", "f64 or text", "f64 or text"],
  fc_io_set_from: ["u32", "u32 or text", "buffer", "u32"],
  fc_io_delete: ["f64", "f64 or text"],
  fc_io_delete_by_tag: ["f64", "f64"],
  fc_io_has: ["f64", "f64 or text"],
  fc_io_increment: ["f64", "f64 or text", "f64"],
  fc_io_touch: ["f64", "f64 or text", "f64"],
  fc_io_ttl: ["f64", "f64 or text"],
  fc_io_lease_begin: ["u32", "u32", "f64", "u32", "buffer"],
  fc_io_lease_end: ["u32", "u32", "u32", "buffer", "u32"],
  fc_wake: ["u32"],
  fc_note: ["u32", "u32"],
  fc_io_get_many: ["u32", "u32", "u32", "u32", "u32"],
  fc_io_set_many: ["u32", "u32", "u32"],
  fc_io_delete_many: ["u32", "u32", "u32"],
} as const satisfies Record<string, readonly ArgumentType[]>;

/** `fc_options`: byte offset of each field. */
export const OPTIONS = {
  struct_size: 0,
  kind: 4,
  create: 8,
  shards: 12,
  eviction: 16,
  fd: 20,
  lock_wait_ms: 24,
  on_mismatch: 28,
  size_bytes: 32,
  max_entries: 40,
  value_len_max: 48,
} as const;
export const OPTIONS_SIZE = 56;

/** `fc_report`. */
export const REPORT = { status: 0, handle: 4, created: 8, message_len: 12, message: 16 } as const;
export const REPORT_SIZE = 1024;

/** `fc_control`: the first 64 bytes of the request region. */
export const CONTROL = {
  type: 0,
  mode: 4,
  value_len: 8,
  done: 12,
  removed: 16,
  reserved: 20,
  version: 24,
  ttl_ms: 32,
  initial: 40,
  sum: 48,
  entries: 56,
} as const;
export const CONTROL_SIZE = 64;

/** The integers of `fc_control` as indexes into the words of the request region. */
export const WORD = {
  type: CONTROL.type / 4,
  mode: CONTROL.mode / 4,
  value_len: CONTROL.value_len / 4,
  done: CONTROL.done / 4,
  removed: CONTROL.removed / 4,
} as const;

/** The doubles of `fc_control` as indexes into the doubles of the request region. */
export const DOUBLE = {
  version: CONTROL.version / 8,
  ttl_ms: CONTROL.ttl_ms / 8,
  initial: CONTROL.initial / 8,
  sum: CONTROL.sum / 8,
  entries: CONTROL.entries / 8,
} as const;

/**
 * `fc_packed_key`, the header of a packed record: behind it lies the key, and the next record
 * begins at the next multiple of `FC_PACKED_KEY_UNIT`. The others likewise.
 */
export const PACKED_KEY = { key_len: 0 } as const;
export const PACKED_KEY_SIZE = 4;

/** `fc_packed_entry`: behind it the key, then the value. */
export const PACKED_ENTRY = { key_len: 0, value_len: 4, type: 8, flags: 12, ttl_ms: 16 } as const;
export const PACKED_ENTRY_SIZE = 24;

/** `fc_tags`: behind it as many packed keys, each of them a tag. */
export const TAGS = { count: 0 } as const;
export const TAGS_SIZE = 4;

/** `fc_packed_answer`: behind it the value. */
export const PACKED_ANSWER = { length: 0, type: 4, version: 8 } as const;
export const PACKED_ANSWER_SIZE = 16;

/** `fc_lease`. */
export const LEASE_FIELDS = {
  token: 0,
  left_ms: 8,
  kind: 16,
  fenced: 20,
  text_len: 24,
  reserved: 28,
  text: 32,
} as const;
export const LEASE_SIZE = 232;

/** `fc_cursor`: 32 bytes that only native code understands. */
export const CURSOR_SIZE = 32;

/** `fc_info_fields` in order; each is a `uint64_t`. */
export const INFO_FIELDS = [
  "kind",
  "size_bytes",
  "shards",
  "max_entries",
  "value_len_max",
  "key_len_max",
  "eviction",
  "layout_version",
  "data_bytes",
  "extent_bytes",
  "processes_max",
  "fd",
] as const;

/** `FC_FD_NONE`, `UINT64_MAX`, as a double. */
export const FD_NONE = 2 ** 64;

/** `fc_stats_fields` in order; each is a `uint64_t`. */
export const STATS_FIELDS = [
  "hits",
  "misses",
  "sets",
  "deletes",
  "evictions",
  "expirations",
  "entries",
  "bytes_used",
  "capacity_bytes",
  "processes",
  "lock_waits",
  "takeovers",
  "replaced",
  "flights",
  "flight_waits",
  "stale_served",
  "leases_refused",
  "store_failures",
  "leases_taken_over",
  "leases_fenced",
  "invalidations",
  "tag_slots_looked",
  "tag_slots_raised",
] as const;
