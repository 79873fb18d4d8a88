// SPDX-License-Identifier: MIT
//
// What `fastcache top` shows, of samples of a segment's counters: rates between the last two, and over the last minute.
// As lines for a terminal of 40 columns or more, as one line for a file, and as an object. Nothing here waits or writes.

import type { Stats } from "../types.ts";
import { bytes, count, printable, share } from "./output.ts";

/** So far back the slower rates look. */
const WINDOW_MS = 60_000;

/** The counters at a moment, in ms of a clock that only goes forward. */
export interface Sample {
  readonly at: number;
  readonly stats: Stats;
}

/** Samples of one segment, the oldest first; those that are of no use any more are dropped. */
export class Samples {
  #samples: Sample[] = [];

  add(sample: Sample): void {
    this.#samples.push(sample);
    while ((this.#samples[1]?.at ?? Infinity) <= sample.at - WINDOW_MS) this.#samples.shift();
  }

  /** Rates since the sample before. */
  get now(): Rates {
    return ratesOf(this.#samples.at(-2), this.#samples.at(-1));
  }

  /** Rates of the last minute, or of as much of it as was seen. */
  get minute(): Rates {
    return ratesOf(this.#samples[0], this.#samples.at(-1));
  }

  get last(): Stats | undefined {
    return this.#samples.at(-1)?.stats;
  }
}

/** Per second, but for `hitRatio`; NaN where too little was seen to tell. */
export interface Rates {
  readonly gets: number;
  readonly hitRatio: number;
  readonly sets: number;
  readonly deletes: number;
  readonly evictions: number;
  readonly expirations: number;
  readonly lockWaits: number;
}

function ratesOf(first: Sample | undefined, last: Sample | undefined): Rates {
  const seconds = first === undefined || last === undefined ? 0 : (last.at - first.at) / 1000;
  const grown = (name: keyof Stats) => Number(last?.stats[name] ?? 0) - Number(first?.stats[name] ?? 0);
  const rate = (...names: (keyof Stats)[]) =>
    seconds > 0 ? names.reduce((sum, name) => sum + grown(name), 0) / seconds : Number.NaN;
  return {
    gets: rate("hits", "misses"),
    hitRatio: grown("hits") / (grown("hits") + grown("misses")),
    sets: rate("sets"),
    deletes: rate("deletes"),
    evictions: rate("evictions"),
    expirations: rate("expirations"),
    lockWaits: rate("lockWaits"),
  };
}

const RATES = [
  ["gets/s", "gets"],
  ["hit ratio", "hitRatio"],
  ["sets/s", "sets"],
  ["deletes/s", "deletes"],
  ["evictions/s", "evictions"],
  ["expirations/s", "expirations"],
  ["lock waits/s", "lockWaits"],
] as const satisfies [string, keyof Rates][];

const LABEL = 14;
const CELL = 12;

/** The lines for a terminal, none longer than `width`, at most `height` of them. */
export function frame(
  name: string,
  size: number,
  samples: Samples,
  note: string,
  width: number,
  height: number,
): string[] {
  const { now, minute, last } = samples;
  const row = (label: string, ...cells: string[]) =>
    label.padEnd(LABEL) + cells.map((cell) => cell.padStart(CELL)).join("");
  const lines = [
    `${printable(name)}, ${bytes(size)}`,
    row("", "now", "last minute"),
    ...RATES.map(([label, rate]) => row(label, shown(rate, now[rate]), shown(rate, minute[rate]))),
    row("entries", count(last?.entries ?? 0)),
    row("fill", share(last?.bytesUsed ?? 0, last?.capacityBytes ?? 0)),
    row("processes", count((last?.processes ?? 1) - 1)),
    note === "" ? "q ends" : note,
  ];
  return lines.slice(0, Math.max(height, 1)).map((line) => cut(line, width));
}

function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, Math.max(width - 1, 0))}…`;
}

function shown(rate: keyof Rates, value: number): string {
  if (Number.isNaN(value)) return "–";
  return rate === "hitRatio" ? `${(100 * value).toFixed(1)} %` : count(value);
}

const LINE_CELLS = [
  "GETS/S",
  "HIT RATIO",
  "SETS/S",
  "DELETES/S",
  "EVICT/S",
  "EXPIRE/S",
  "WAITS/S",
  "ENTRIES",
  "FILL",
  "PROCESSES",
];

/** The names above the lines for a file. */
export const LINE_HEAD = lineOf(LINE_CELLS);

/** A line for a file. */
export function plainLine({ now, last }: Samples): string {
  return lineOf([
    ...RATES.map(([, rate]) => shown(rate, now[rate])),
    count(last?.entries ?? 0),
    share(last?.bytesUsed ?? 0, last?.capacityBytes ?? 0),
    count((last?.processes ?? 1) - 1),
  ]);
}

function lineOf(cells: readonly string[]): string {
  return cells.map((cell) => cell.padStart(10)).join(" ");
}

/** For programs: rates as `Rates` has them, then what is there now. */
export function jsonOf({ now, last }: Samples): object {
  const rates = Object.fromEntries(
    Object.entries(now).map(([name, value]) => [name, Number.isNaN(value) ? null : value]),
  );
  const { entries = 0, bytesUsed = 0, capacityBytes = 0, processes = 1 } = last ?? {};
  return { ...rates, entries, bytesUsed, capacityBytes, processes: processes - 1 };
}
