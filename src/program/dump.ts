// SPDX-License-Identifier: MIT
//
// `fastcache dump NAME FILE`: the entries of a live segment, into a file. The file has its name only when it is whole
// and on the disk; until then it lies beside, and is removed if anything goes wrong. Weakly consistent, as any
// iteration is: each entry as it was at some moment.

import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import type { Handle } from "../segment.ts";
import { DumpWriter } from "./dump_format.ts";
import { Refusal } from "./errors.ts";
import { bytes, entries, printable, write, writeJson } from "./output.ts";
import { RawReader, rawKeys } from "./raw.ts";

/** Entries between two looks at whether somebody wants to stop. */
const ENTRIES_BETWEEN = 4096;

/** What is to happen with a file that is there. */
export interface DumpOptions {
  readonly force: boolean;
  readonly json: boolean;
}

/** Writes the file. @throws Refusal if it is there already, or `signal` stops it */
export async function dump(
  handle: Handle,
  path: string,
  { force, json }: DumpOptions,
  signal: AbortSignal,
): Promise<void> {
  if (!force && existsSync(path)) throw new Refusal(`${path} exists: --force replaces it`);
  const partial = `${path}.partial-${process.pid}`;
  const file = openSync(partial, "wx", 0o600);
  try {
    const writer = await writeEntries(handle, file, signal);
    fsyncSync(file);
    renameSync(partial, path);
    const done = { entries: writer.records, bytes: writer.bytes };
    const text = `${entries(done.entries)}, ${bytes(done.bytes)}, in ${printable(path)}\n`;
    await (json ? writeJson({ ...done, file: path }) : write(text));
  } finally {
    closeSync(file);
    rmSync(partial, { force: true });
  }
}

async function writeEntries(handle: Handle, file: number, signal: AbortSignal): Promise<DumpWriter> {
  const { size, maxValueSize, maxEntries = 0, shards, eviction } = handle.info;
  const header = { writtenAt: Date.now(), size, maxValueSize, maxEntries, shards, eviction };
  const writer = new DumpWriter(header, (part) => writeAll(file, part));
  const reader = new RawReader(handle);
  for (const key of rawKeys(handle)) {
    const entry = reader.entry(key);
    if (entry === undefined) continue; // gone meanwhile
    writer.add({ ...entry, key, deadline: Date.now() + entry.ttl });
    if (writer.records % ENTRIES_BETWEEN === 0) await pause(signal);
  }
  writer.end();
  return writer;
}

function writeAll(file: number, part: Uint8Array): void {
  for (let done = 0; done < part.length; ) done += writeSync(file, part, done);
}

/** Lets signals come through. @throws Refusal if one wants the command to stop */
export async function pause(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  if (signal.aborted) throw new Refusal("stopped");
}
