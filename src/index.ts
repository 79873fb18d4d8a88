// SPDX-License-Identifier: MIT
//
// What the package exports. Nothing here or below runs native code at import.

export { FastCache } from "./cache.ts";
export { FastCacheError, type FastCacheErrorCode } from "./errors.ts";
export type {
  BatchEntry,
  Codec,
  Eviction,
  IncrementOptions,
  Info,
  Key,
  OpenOptions,
  SegmentTarget,
  SetOptions,
  Stats,
  Versioned,
} from "./types.ts";
