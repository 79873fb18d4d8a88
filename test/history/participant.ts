// A process of a history, the same in Bun, Deno and Node: does operations as fast as it can, and writes each into its
// journal, until its time is over or it is killed. Prints "ready" when it begins.
//
//   participant.ts OPTIONS      (JSON: see `Options`)
//
// Keys are `<round>:<number>`: all processes are in the same round, as their common clock says, so that no key's history
// grows long. Within a round most operations go to one key for some milliseconds, then to another. When a round ends, the
// keys of the one before are removed.

import type { FastCache } from "fastcache";
import { randomFrom } from "../crash/crowd.mjs";
import { clockFrom } from "./clock.ts";
import { Journal } from "./journal.ts";
import { type Drawn, operations, removal, type Source } from "./operations.ts";

export interface Options {
  /** The module that has FastCache: "fastcache", or a file that stands for it. */
  readonly module: string;
  readonly segment: string;
  readonly journal: string;
  /** Of the clock, in s after the boot. */
  readonly origin: number;
  /** When to stop, in ns of the clock. */
  readonly until: number;
  readonly seed: number;
  /** Different from that of any other participant of the history, from 0. */
  readonly number: number;
  /** Bytes of what is stored in between, unchecked, to use up space. */
  readonly fillerBytes: number;
  /** How many keys that goes to. */
  readonly fillers: number;
}

const KEYS = 12;
const ROUND_NS = 100e6;
const HOT_NS = 2e6;
/** Of 8 operations, those that go to the hot key. */
const HOT_SHARE = 6;
/** Operations between two fillers. */
const FILLER_EVERY = 5;
/** Fillers between two that change the size of the index, by as many keys. */
const SWELL_EVERY = 8;
const SWELL_KEYS = 100;
const UNIQUE_PER_PARTICIPANT = 2 ** 22;

const options = JSON.parse(process.argv[2] ?? "{}") as Options;
const { FastCache: Class } = (await import(options.module)) as { FastCache: typeof FastCache };
const cache = Class.open({ name: options.segment, create: false });
const below: (limit: number) => number = randomFrom(options.seed);
const now = clockFrom(options.origin);
const journal = new Journal(options.journal, now);
const filler = new Uint8Array(options.fillerBytes);
const swell = Array.from({ length: SWELL_KEYS }, (_, i) => `swell:${i}`);
const versions = new Map<string, number>();
let round = 0;
let hot = 0;
let count = 0;

const source: Source = {
  cache,
  below,
  versions,
  key: () => `${round}:${below(8) < HOT_SHARE ? hot : below(KEYS)}`,
  keys(wanted) {
    const first = below(KEYS);
    const numbers = Array.from({ length: Math.min(wanted, KEYS) }, (_, i) => (first + i) % KEYS);
    return [...new Set([hot, ...numbers])].slice(0, wanted).map((number) => `${round}:${number}`);
  },
  unique() {
    if (++count === UNIQUE_PER_PARTICIPANT) throw new Error("a participant has run out of values");
    return options.number * UNIQUE_PER_PARTICIPANT + count;
  },
};

const WEIGHT_UNITS = 10;
const drawn = Object.entries(operations).flatMap(([name, { weight }]) =>
  Array.from({ length: Math.round(weight * WEIGHT_UNITS) }, () => name),
);

function perform(method: string, { steps, run }: Drawn): void {
  journal.record(method, steps, run);
}

/** Everybody is told the same by the clock. */
function lookAtTheClock(time: number): void {
  hot = (Math.floor(time / HOT_NS) * 7) % KEYS;
  const present = Math.floor(time / ROUND_NS);
  if (present === round) return;
  const old = Array.from({ length: KEYS }, (_, i) => `${round - 1}:${i}`);
  if (round > 0) perform("deleteMany", removal(cache, old));
  versions.clear();
  round = present;
}

/** What is not checked: uses up space, and now and then makes the index grow and shrink. */
function fill(): void {
  try {
    if (below(SWELL_EVERY) > 0) cache.set(`filler:${below(options.fillers)}`, filler);
    else if (below(2) > 0) cache.setMany(swell.map((key) => [key, 0] as const));
    else cache.deleteMany(swell);
  } catch (error) {
    if ((error as { code?: string }).code !== "ERR_FASTCACHE_BUSY") throw error;
  }
}

console.log("ready");
for (let operation = 0, time = now(); time < options.until; time = now(), operation++) {
  lookAtTheClock(time);
  const method = drawn[below(drawn.length)] as string;
  perform(method, (operations[method] as (typeof operations)[string]).draw(source));
  if (operation % FILLER_EVERY === 0) fill();
}
journal.close();
cache.close();
