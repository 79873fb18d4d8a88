// SPDX-License-Identifier: MIT
/// <reference lib="esnext.disposable" preserve="true" />
//
// What the package exports. The reference is for programs that are compiled with an older `lib`. Nothing here or below runs native code at import.

export { FastCache } from "./cache.ts";
export { FastCacheError, type FastCacheErrorCode } from "./errors.ts";
export type {
  BatchEntry,
  Bytes,
  Codec,
  EntryIterator,
  Eviction,
  Factory,
  FactoryContext,
  GetOrSetOptions,
  IncrementOptions,
  Info,
  Key,
  OpenOptions,
  SegmentTarget,
  SetOptions,
  Signal,
  Stats,
  Versioned,
  WrapOptions,
} from "./types.ts";
