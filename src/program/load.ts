// SPDX-License-Identifier: MIT
//
// `fastcache load FILE NAME`: the entries of a file that `dump` wrote, into a segment; one is made where there is none.
// The whole file is checked first, so that one that is torn, damaged or made up loads nothing. Then it is read again,
// from the same descriptor; should it have changed in between, that is told. Entries whose time was over in the file
// are left out; entries of the segment with other keys stay.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { CONSTANTS } from "../abi.ts";
import { FastCacheError } from "../errors.ts";
import { parseOpenOptions } from "../options.ts";
import { Handle } from "../segment.ts";
import { readStats } from "../stats.ts";
import { destroyNamed } from "./change.ts";
import { pause } from "./dump.ts";
import { type DumpHeader, DumpReader } from "./dump_format.ts";
import { Refusal } from "./errors.ts";
import { count, entries, printable, write, writeJson } from "./output.ts";
import { RawWriter } from "./raw.ts";
import { attach, whereIs } from "./target.ts";

const RECORDS_BETWEEN = 4096;

/** How large a segment is made, where there is none. */
export interface LoadOptions {
  readonly size: string | undefined;
  readonly json: boolean;
}

/** Loads a file. */
export async function load(
  path: string,
  name: string,
  options: LoadOptions,
  signal: AbortSignal,
): Promise<void> {
  const file = openFile(path);
  try {
    const checked = await check(file, signal);
    const handle = attachOrCreate(name, checked.header, options.size);
    try {
      const limit = handle.info.maxValueSize;
      if (checked.largest > limit) {
        if (handle.info.created) destroyNamed(name);
        throw new Refusal(
          `a value has ${checked.largest} bytes, the limit of ${printable(name)} is ${limit}`,
        );
      }
      const before = readStats(handle).evictions;
      const done = await store(file, handle, checked.digest, signal);
      const evicted = readStats(handle).evictions - before;
      await (options.json ? writeJson({ ...done, evicted }) : write(summary(done, evicted)));
    } finally {
      handle.close();
    }
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(`${path}: ${error.message}`) : error;
  } finally {
    closeSync(file);
  }
}

interface Loaded {
  readonly loaded: number;
  /** Entries whose time was over. */
  readonly expired: number;
}

function summary({ loaded, expired }: Loaded, evicted: number): string {
  const lines = [`${entries(loaded)} loaded`];
  if (expired > 0) lines.push(`${count(expired)} left out: their time was over`);
  if (evicted > 0) lines.push(`${entries(evicted)} evicted meanwhile: the segment is full`);
  return `${lines.join("\n")}\n`;
}

function openFile(path: string): number {
  const file = openSync(path, "r");
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw new Refusal(`${path} is not a file`);
}

/** Reads from the file's beginning on. */
function readerOf(file: number): DumpReader {
  let position = 0;
  const read = (into: Uint8Array): number => {
    const length = readSync(file, into, 0, into.length, position);
    position += length;
    return length;
  };
  return new DumpReader(read, fstatSync(file).size);
}

interface Checked {
  readonly header: DumpHeader;
  readonly largest: number;
  readonly digest: Uint8Array;
}

/** Reads all of the file, and stores nothing. */
async function check(file: number, signal: AbortSignal): Promise<Checked> {
  const reader = readerOf(file);
  let largest = 0;
  let records = 0;
  for (const { value } of reader.records()) {
    if (value.length > largest) largest = value.length;
    if (++records % RECORDS_BETWEEN === 0) await pause(signal);
  }
  return { header: reader.header, largest, digest: reader.digest };
}

async function store(file: number, handle: Handle, digest: Uint8Array, signal: AbortSignal): Promise<Loaded> {
  const reader = readerOf(file);
  const writer = new RawWriter(handle);
  let records = 0;
  let expired = 0;
  try {
    for (const { key, value, type, deadline } of reader.records()) {
      if (++records % RECORDS_BETWEEN === 0) await pause(signal);
      const ttl = Math.min(deadline - Date.now(), CONSTANTS.FC_TTL_MS_MAX);
      if (ttl > 0) writer.add({ key, value, type, ttl: deadline === Infinity ? Infinity : ttl });
      else expired++;
    }
    writer.flush();
    if (Buffer.compare(reader.digest, digest) !== 0) throw new Refusal("it was changed while it was read");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal(`${why} (${entries(writer.stored)} loaded before)`);
  }
  return { loaded: writer.stored, expired };
}

function attachOrCreate(name: string, header: DumpHeader, size: string | undefined): Handle {
  try {
    return attach(name);
  } catch (error) {
    if (!(error instanceof FastCacheError) || error.code !== "ERR_FASTCACHE_NOT_FOUND") throw error;
  }
  const { maxValueSize, maxEntries, shards, eviction } = header;
  const like = { maxValueSize, shards, eviction, ...(maxEntries > 0 ? { maxEntries } : {}) };
  const options = size === undefined ? { ...like, size: header.size } : { size, eviction };
  return new Handle(parseOpenOptions({ ...whereIs(name), ...options, create: "exclusive" }));
}
