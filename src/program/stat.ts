// SPDX-License-Identifier: MIT
//
// `fastcache stat NAME`: the geometry of a segment and its counters since it was created.

import type { Handle } from "../segment.ts";
import { readStats } from "../stats.ts";
import type { Info, Stats } from "../types.ts";
import { bytes, count, paint, printable, share, table, write, writeJson } from "./output.ts";

/** Shows one segment. */
export async function stat(name: string, handle: Handle, json: boolean): Promise<void> {
  const { info } = handle;
  const stats = readStats(handle);
  if (json) return writeJson({ info: shownInfo(info), stats });
  const sections = [geometry(info), content(stats), operations(stats), sharing(stats, info)];
  const lines = table(sections.flat());
  const text = [paint("bold", printable(name)), "", ...lines.map((line) => `  ${line}`), ""];
  await write(text.join("\n"));
}

/** Without the fields that are about this program's handle alone. */
function shownInfo(info: Info): Partial<Info> {
  const { fd, created, recovered, ...rest } = info;
  return rest;
}

type Rows = [label: string, value: string, remark: string][];

function geometry(info: Info): Rows {
  const most = info.maxEntries === undefined ? "as many as fit" : count(info.maxEntries);
  return [
    [
      "size",
      bytes(info.size),
      `${count(info.shards)} shards of ${bytes(info.dataSize / info.shards)} of data`,
    ],
    ["kind", info.kind === "file" ? "file" : "shared memory", `layout ${info.layoutVersion}`],
    ["eviction", info.eviction, ""],
    ["largest value", bytes(info.maxValueSize), `keys: ${bytes(info.maxKeySize)}`],
    ["most entries", most, ""],
  ];
}

function content(stats: Stats): Rows {
  return [
    ["entries", count(stats.entries), ""],
    [
      "fill",
      share(stats.bytesUsed, stats.capacityBytes),
      `${bytes(stats.bytesUsed)} of ${bytes(stats.capacityBytes)}`,
    ],
  ];
}

function operations(stats: Stats): Rows {
  const { hits, misses } = stats;
  return [
    ["hit ratio", share(hits, hits + misses), `${count(hits)} hits, ${count(misses)} misses`],
    ["sets", count(stats.sets), ""],
    ["deletes", count(stats.deletes), ""],
    ["evictions", count(stats.evictions), "left to make room"],
    ["expirations", count(stats.expirations), "their time was over"],
  ];
}

function sharing(stats: Stats, info: Info): Rows {
  return [
    ["processes", count(stats.processes - 1), `besides this one; ${count(info.maxProcesses)} slots`],
    ["lock waits", count(stats.lockWaits), "writes that waited for another process"],
    ["take-overs", count(stats.takeovers), "of locks, from processes that had died"],
    ["factory runs", count(stats.factoryRuns), `${count(stats.coalescedWaits)} calls waited for another's`],
    ["stale served", count(stats.staleServed), ""],
    [
      "leases",
      `${count(stats.leasesTakenOver)} taken over`,
      `${count(stats.leasesFenced)} lost to a change, ${count(stats.leasesRefused)} refused`,
    ],
    ["not stored", count(stats.storeFailures), "results of factories"],
  ];
}
