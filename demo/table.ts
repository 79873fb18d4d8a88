// What the demonstration shows: a table that is drawn again and again on a terminal, one line a second elsewhere.

import { type Status, type Writer, writers } from "./shop.ts";

/** One look at the running demonstration. */
export interface Moment {
  seconds: number;
  entries: number;
  hitRatio: number;
  bytesUsed: number;
  processes: Record<Writer, { status: Status; operationsPerSecond: number }>;
}

const titles: Record<Writer, string> = { bun: "Bun", deno: "Deno", node: "Node" };
const roles: Record<Writer, string> = { bun: "pages, by HTTP", deno: "reviews", node: "prices" };

export function table(moment: Moment): string {
  const head = [
    "process",
    "writes",
    "sets",
    "gets",
    "hits",
    "requests",
    "ops/s",
    "read from Bun",
    "Deno",
    "Node",
  ];
  const rows = writers.map((writer) => {
    const { status, operationsPerSecond } = moment.processes[writer];
    return [
      titles[writer],
      roles[writer],
      ...[status.sets, status.gets].map(count),
      percent(status.hits, status.gets),
      ...[status.requests, operationsPerSecond].map(count),
      ...writers.map((from) => count(status.readFrom[from])),
    ];
  });
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length), 7));
  const lines = [head, ...rows].map((row) =>
    row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
  );
  return [`fastcache: one segment, three runtimes · ${summary(moment)}`, "", ...lines].join("\n");
}

export function line(moment: Moment): string {
  const rates = writers.map(
    (writer) => `${titles[writer]} ${count(moment.processes[writer].operationsPerSecond)} ops/s`,
  );
  return `${summary(moment)} · ${rates.join(" · ")}`;
}

function summary({ seconds, entries, hitRatio, bytesUsed }: Moment): string {
  const megabytes = (bytesUsed / 1e6).toFixed(1);
  return `${seconds.toFixed(0)} s · ${count(entries)} entries, ${megabytes} MB · ${percent(hitRatio, 1)} hits`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "–" : `${((100 * part) / whole).toFixed(1)} %`;
}

function count(number: number): string {
  return Math.round(number).toLocaleString("en-US");
}
