// SPDX-License-Identifier: MIT
//
// `fastcache ls`: a line for each of the user's segments in shared memory. One that cannot be opened has its reason on
// standard error, and the others are listed all the same.

import { FastCacheError } from "../errors.ts";
import { listSegments } from "../segment.ts";
import { readStats } from "../stats.ts";
import { Refusal } from "./errors.ts";
import { bytes, count, paint, printable, share, table, write, writeJson } from "./output.ts";
import { attach } from "./target.ts";

/** What is told of a segment. `processes` are those besides this program. */
interface Row {
  readonly name: string;
  readonly size?: number;
  readonly entries?: number;
  readonly bytesUsed?: number;
  readonly capacityBytes?: number;
  readonly hits?: number;
  readonly misses?: number;
  readonly processes?: number;
  readonly error?: string;
}

/** Lists the segments. */
export async function ls(json: boolean): Promise<void> {
  const rows = listSegments().map(look);
  await (json ? writeJson(rows) : writeTable(rows.filter(({ error }) => error === undefined)));
  const errors = rows.flatMap(({ name, error }) => (error === undefined ? [] : [`${name}: ${error}`]));
  if (errors.length > 0) throw new Refusal(errors.join("\n"));
}

function look(name: string): Row {
  try {
    const handle = attach(name);
    try {
      const { entries, bytesUsed, capacityBytes, hits, misses, processes } = readStats(handle);
      const { size } = handle.info;
      return { name, size, entries, bytesUsed, capacityBytes, hits, misses, processes: processes - 1 };
    } finally {
      handle.close();
    }
  } catch (error) {
    if (!(error instanceof FastCacheError)) throw error;
    return { name, error: error.message };
  }
}

async function writeTable(rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  const cells = rows.map((row) => [
    printable(row.name),
    bytes(row.size ?? 0),
    count(row.entries ?? 0),
    share(row.bytesUsed ?? 0, row.capacityBytes ?? 0),
    share(row.hits ?? 0, (row.hits ?? 0) + (row.misses ?? 0)),
    count(row.processes ?? 0),
  ]);
  const [head = "", ...lines] = table(
    [["NAME", "SIZE", "ENTRIES", "FILL", "HIT RATIO", "PROCESSES"], ...cells],
    [1, 2, 3, 4, 5],
  );
  await write(`${[paint("bold", head), ...lines].join("\n")}\n`);
}
