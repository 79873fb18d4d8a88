// SPDX-License-Identifier: MIT
//
// Reads the two native tables of 64-bit numbers into plain objects.

import type { NativeFunctions } from "./binding/binding.ts";
import { EVICTION, FD_NONE, INFO_FIELDS, KIND, STATS_FIELDS } from "./binding/symbols.ts";
import { statusError } from "./errors.ts";
import type { Info, Stats } from "./types.ts";

type Call = (handle: number, out: Uint8Array) => number;

/** The counters of an open segment. */
export function readStats(native: NativeFunctions, handle: number): Stats {
  const raw = readFields(native.fc_stats, handle, STATS_FIELDS);
  return {
    hits: raw.hits,
    misses: raw.misses,
    sets: raw.sets,
    deletes: raw.deletes,
    evictions: raw.evictions,
    expirations: raw.expirations,
    entries: raw.entries,
    bytesUsed: raw.bytes_used,
    capacityBytes: raw.capacity_bytes,
    processes: raw.processes,
    lockWaits: raw.lock_waits,
    takeovers: raw.takeovers,
  };
}

/** The geometry of an open segment; `target` is the name or path that it was opened by. */
export function readInfo(
  native: NativeFunctions,
  handle: number,
  target: string | undefined,
  created: boolean,
): Info {
  const raw = readFields(native.fc_info, handle, INFO_FIELDS);
  return Object.freeze({
    kind: kindName(raw.kind),
    ...(raw.kind === KIND.SHM && target !== undefined ? { name: target } : {}),
    ...(raw.kind === KIND.FILE && target !== undefined ? { path: target } : {}),
    size: raw.size_bytes,
    shards: raw.shards,
    maxEntries: raw.max_entries,
    maxKeySize: raw.key_len_max,
    maxValueSize: raw.value_len_max,
    eviction: raw.eviction === EVICTION.S3FIFO ? "s3-fifo" : "lru",
    layoutVersion: raw.layout_version,
    dataSize: raw.data_bytes,
    extentSize: raw.extent_bytes,
    maxProcesses: raw.processes_max,
    fd: raw.fd === FD_NONE ? -1 : raw.fd,
    created,
  });
}

function kindName(kind: number): Info["kind"] {
  if (kind === KIND.SHM) return "shm";
  if (kind === KIND.FILE) return "file";
  return kind === KIND.PRIVATE ? "private" : "fd";
}

function readFields<const Names extends readonly string[]>(
  call: Call,
  handle: number,
  names: Names,
): Record<Names[number], number> {
  const memory = new ArrayBuffer(names.length * 8);
  const status = call(handle, new Uint8Array(memory));
  if (status < 0) throw statusError(status);
  const numbers = new BigUint64Array(memory);
  const entries = names.map((name, index) => [name, Number(numbers[index])]);
  return Object.fromEntries(entries) as Record<Names[number], number>;
}
