// SPDX-License-Identifier: MIT
//
// Segments: a native handle on an open one, with the memory bound to it; removing and listing them.
//
// A handle's `id` is 0 after close, which native code answers with CLOSED, so that no method has to
// ask first. Memory that is bound stays alive until the handle is closed, which happens by `close`, when
// nobody holds the cache any more, or when the thread ends (native code sees to that).

import {
  CONSTANTS,
  CONTROL,
  EVICTION,
  FD_NONE,
  INFO_FIELDS,
  KIND,
  OPTIONS,
  OPTIONS_SIZE,
  REPORT,
  REPORT_SIZE,
  STATUS,
} from "./abi.ts";
import type { NativeFunctions } from "./binding/binding.ts";
import { loadBinding } from "./binding/library.ts";
import type { Wait } from "./binding/waiting.ts";
import { closed, corrupt, type FastCacheError, reportedError, statusError } from "./errors.ts";
import type { Opening } from "./options.ts";
import type { Codec, Info, Key } from "./types.ts";
import { badKey, keyName } from "./wire/key.ts";
import { Memory } from "./wire/memory.ts";
import { ReadPool } from "./wire/pool.ts";
import { Request } from "./wire/request.ts";

/** Where this realm keeps its one registry of dropped caches; see `Anchor`. */
const REGISTRY = Symbol.for("fastcache.dropped");

type Registry = FinalizationRegistry<{ close(): void }>;

/**
 * The registry is the realm's, not this module's: a module that is evaluated anew (`bun --hot`) takes
 * its own variables with it, and what a registry has left to do ends with the registry.
 */
function registry(): Registry {
  const realm = globalThis as { [REGISTRY]?: Registry };
  if (realm[REGISTRY] === undefined) {
    const value = new FinalizationRegistry<{ close(): void }>((handle) => handle.close());
    Object.defineProperty(realm, REGISTRY, { value });
  }
  return realm[REGISTRY] as Registry;
}

/**
 * What users hold of a handle, by a cache or an iterator. When nobody does any more, the handle is
 * closed. Until then the registry keeps it alive, and so the memory whose address native code has.
 */
export class Anchor {
  readonly handle: Handle;

  constructor(handle: Handle) {
    this.handle = handle;
    registry().register(this, handle, handle);
  }
}

/** A native handle on an open segment, and what it takes to call native code with it. */
export class Handle {
  /** The native handle, 0 when closed. */
  id: number;
  readonly native: NativeFunctions;
  readonly wait: Wait;
  readonly request: Request;
  readonly pool: ReadPool;
  readonly codec: Codec<unknown> | undefined;
  readonly info: Info;
  /** Where `fc_size` writes to: `control.entries`. */
  readonly entriesOut: Uint8Array;

  /** @throws FastCacheError what `FastCache.open` throws */
  constructor(opening: Opening) {
    const binding = loadBinding(opening.library);
    const { id, created } = openSegment(binding.native, opening);
    this.id = id;
    this.native = binding.native;
    this.wait = binding.wait;
    this.codec = opening.codec;
    try {
      this.request = new Request(binding.traits, opening.longKeys);
      this.entriesOut = this.request.bytes.subarray(CONTROL.entries, CONTROL.entries + 8);
      this.pool = new ReadPool(binding, id);
      this.#bindRequest();
      this.info = readInfo(this, opening.target || undefined, created);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #bindRequest(): void {
    const { bytes, size } = this.request;
    const status = this.native.fc_bind(this.id, CONSTANTS.FC_REGION_REQUEST, bytes, size);
    if (status < 0) throw statusError(status);
  }

  /** Detaches; does nothing the second time. */
  close(): void {
    const id = this.id;
    this.id = 0;
    if (id === 0) return;
    this.native.fc_close(id);
    registry().unregister(this);
  }

  /** @throws FastCacheError `CLOSED`; for the calls that might not reach native code */
  assertOpen(): void {
    if (this.id === 0) throw closed();
  }

  /** True if a call about `key` was done, false for a miss. Throws what any other `status` says. */
  isHit(status: number, key: unknown): boolean {
    if (status >= 0) return true;
    if (status === STATUS.MISS) return false;
    throw this.failure(status, key);
  }

  /** The error for a status below zero of a call about `key`. */
  failure(status: number, key?: unknown): FastCacheError {
    if (this.id === 0 || status === STATUS.CLOSED) return closed();
    if (status === STATUS.KEY_TOO_LONG && key !== undefined) return badKey(key as Key);
    if (status === STATUS.CORRUPT) return corrupt(key === undefined ? "the call" : keyName(key));
    return statusError(status, key === undefined ? undefined : keyName(key));
  }
}

function openSegment(native: NativeFunctions, opening: Opening): { id: number; created: boolean } {
  const options = new DataView(new ArrayBuffer(OPTIONS_SIZE));
  options.setUint32(OPTIONS.struct_size, OPTIONS_SIZE, true);
  options.setUint32(OPTIONS.kind, opening.kind, true);
  options.setUint32(OPTIONS.create, opening.create, true);
  options.setUint32(OPTIONS.shards, opening.shards, true);
  options.setUint32(OPTIONS.eviction, opening.eviction, true);
  options.setInt32(OPTIONS.fd, opening.fd, true);
  options.setUint32(OPTIONS.on_mismatch, opening.onMismatch, true);
  options.setBigUint64(OPTIONS.size_bytes, BigInt(opening.size), true);
  options.setBigUint64(OPTIONS.max_entries, BigInt(opening.maxEntries), true);
  options.setBigUint64(OPTIONS.value_len_max, BigInt(opening.maxValueSize), true);
  const target = targetMemory(opening.target);
  const report = new Memory(REPORT_SIZE);
  const status = native.fc_open(new Uint8Array(options.buffer), target.bytes, target.length, report.bytes);
  if (status < 0) throw reportedError(status, messageOf(report), `cannot open ${segmentName(opening)}`);
  return {
    id: report.words[REPORT.handle / 4] as number,
    created: report.words[REPORT.created / 4] === 1,
  };
}

function segmentName(opening: Opening): string {
  if (opening.target !== "") return `the segment ${JSON.stringify(opening.target)}`;
  return opening.fd < 0 ? "a private segment" : `the segment behind descriptor ${opening.fd}`;
}

/** The geometry of an open segment; `target` is the name or path that it was opened by. */
function readInfo(handle: Handle, target: string | undefined, created: boolean): Info {
  const raw = readFields(handle, handle.native.fc_info, INFO_FIELDS);
  return Object.freeze({
    kind: kindName(raw.kind),
    ...(raw.kind === KIND.SHM && target !== undefined ? { name: target } : {}),
    ...(raw.kind === KIND.FILE && target !== undefined ? { path: target } : {}),
    size: raw.size_bytes,
    shards: raw.shards,
    ...(raw.max_entries > 0 ? { maxEntries: raw.max_entries } : {}),
    maxKeySize: raw.key_len_max,
    maxValueSize: raw.value_len_max,
    eviction: raw.eviction === EVICTION.S3FIFO ? "s3-fifo" : "lru",
    layoutVersion: raw.layout_version,
    dataSize: raw.data_bytes,
    extentSize: raw.extent_bytes,
    maxProcesses: raw.processes_max,
    fd: raw.fd === FD_NONE ? -1 : raw.fd,
    created,
    recovered: !created,
  });
}

function kindName(kind: number): Info["kind"] {
  if (kind === KIND.SHM) return "shm";
  if (kind === KIND.FILE) return "file";
  return kind === KIND.PRIVATE ? "private" : "fd";
}

/** What `call` tells about the segment: a table of 64-bit numbers with these `names`, in their order. */
export function readFields<const Names extends readonly string[]>(
  handle: Handle,
  call: (handle: number, out: Uint8Array) => number,
  names: Names,
): Record<Names[number], number> {
  const memory = new ArrayBuffer(names.length * 8);
  const status = call(handle.id, new Uint8Array(memory));
  if (status < 0) throw handle.failure(status);
  const numbers = new BigUint64Array(memory);
  const entries = names.map((name, index) => [name, Number(numbers[index])]);
  return Object.fromEntries(entries) as Record<Names[number], number>;
}

/**
 * Removes a segment. False if there was none.
 *
 * @throws FastCacheError `FFI_UNAVAILABLE`, `PERMISSION`, `CORRUPT`
 */
export function destroySegment(kind: number, target: string): boolean {
  const { native } = loadBinding();
  const report = new Memory(REPORT_SIZE);
  const name = targetMemory(target);
  const status = native.fc_destroy(kind, name.bytes, name.length, report.bytes);
  if (status === STATUS.NOT_FOUND) return false;
  if (status < 0) {
    throw reportedError(status, messageOf(report), `cannot destroy ${JSON.stringify(target)}`);
  }
  return true;
}

/** The names of this user's shared-memory segments. */
export function listSegments(): string[] {
  const { native } = loadBinding();
  let memory = new Memory(4096);
  for (;;) {
    const length = native.fc_list(memory.bytes, memory.size);
    if (length < 0) throw statusError(length);
    if (length <= memory.size) {
      const names = memory.text.utf8Slice(0, length).split("\n");
      return names.filter((name) => name !== "").sort();
    }
    memory = new Memory(length * 2); // others may add some meanwhile
  }
}

function targetMemory(target: string): { bytes: Uint8Array; length: number } {
  const encoded = new TextEncoder().encode(target);
  const { bytes } = new Memory(encoded.length + 1);
  bytes.set(encoded);
  return { bytes, length: encoded.length };
}

function messageOf(report: Memory): string {
  const length = Math.min(report.words[REPORT.message_len / 4] as number, CONSTANTS.FC_MESSAGE_LEN_MAX);
  return report.text.utf8Slice(REPORT.message, REPORT.message + length);
}
