// The operations of a history: what a participant may do, and how it is told to the checker.
//
// To add one: a row of `operations` below, which draws its arguments, names its steps (one for each key) and turns what the
// call returned into an outcome for each step; and, unless a primitive that is there describes it, a row of the table in
// checker/primitives.go, which says what the step does to the state of a key. All else (recording, deaths, falsified
// histories, printing) follows from these two.

import type { FastCache } from "fastcache";
import type { Outcome, Step } from "./journal.ts";
import { decodeValue, known, type Value } from "./values.ts";

const BATCH = 8;

/** What the operations of one participant draw from. */
export interface Source {
  readonly cache: FastCache;
  /** An integer from 0 to below `limit`. */
  readonly below: (limit: number) => number;
  /** A key of the present time, mostly the one that everybody works on. */
  readonly key: () => string;
  /** As many keys of the present time, each once; fewer if there are not so many. */
  readonly keys: (count: number) => string[];
  /** For a value that no other process stores. */
  readonly unique: () => number;
  /** The last version that was seen of a key. */
  readonly versions: Map<string, number>;
}

/** One drawn operation. `run` gives an outcome for each of `steps`. */
export interface Drawn {
  readonly steps: readonly Step[];
  readonly run: () => readonly Outcome[];
}

interface Operation {
  /** How often it is drawn, beside the others. */
  readonly weight: number;
  readonly draw: (source: Source) => Drawn;
}

export const operations: Record<string, Operation> = {
  get: reading("get", 8, (cache, key) => found(key, cache.get(key))),
  peek: reading("get", 4, (cache, key) => found(key, cache.peek(key))),
  getInto: reading("get", 3, (cache, key) => {
    const length = cache.getInto(key, buffer);
    return length < 0 ? "-" : found(key, decodeValue(key, buffer.subarray(0, length)));
  }),
  has: reading("has", 4, (cache, key) => yesOrNo(cache.has(key))),
  ttl: reading("ttl", 4, (cache, key) => {
    const remaining = cache.ttl(key);
    return remaining === undefined ? "-" : `+,${remaining === Infinity ? 0 : remaining}`;
  }),
  getMany: {
    weight: 2,
    draw({ cache, keys }) {
      const list = keys(BATCH);
      return {
        steps: list.map((key) => step("get", key)),
        run: () => cache.getMany(list).map((value, i) => found(list[i] as string, value)),
      };
    },
  },
  getWithVersion: {
    weight: 4,
    draw: ({ cache, key, versions }) => one("version", key(), [], (key) => look(cache, key, versions)),
  },
  compareAndSet: {
    weight: 6,
    draw({ cache, key: drawKey, versions, ...source }) {
      const key = drawKey();
      const version = versions.get(key);
      if (version === undefined) return one("version", key, [], () => look(cache, key, versions));
      const { stored, value, ttl } = drawValue(key, source);
      return one("cas", key, [stored, ttl, version], () =>
        yesOrNo(cache.compareAndSet(key, version, value, lifetime(ttl))),
      );
    },
  },
  set: storing("set", 8, (cache, key, value, options) => {
    cache.set(key, value, options);
    return "+";
  }),
  add: storing("add", 5, (cache, key, value, options) => yesOrNo(cache.add(key, value, options))),
  replace: storing("replace", 5, (cache, key, value, options) => yesOrNo(cache.replace(key, value, options))),
  delete: reading("delete", 5, (cache, key) => yesOrNo(cache.delete(key))),
  increment: {
    weight: 10,
    draw({ cache, key: drawKey, unique, below }) {
      const key = drawKey();
      const by = 1 + below(9);
      const initial = numberFrom(unique());
      const ttl = drawTtl(key, below);
      return one("increment", key, [by, initial, ttl], () => {
        try {
          return `+,${cache.increment(key, by, { initial, ...lifetime(ttl) })}`;
        } catch (error) {
          if ((error as { code?: string }).code === "ERR_FASTCACHE_INVALID_ARGUMENT") return "-"; // no number
          throw error;
        }
      });
    },
  },
  touch: {
    weight: 4,
    draw({ cache, key: drawKey, below }) {
      const key = drawKey();
      if (!mayExpire(key)) return one("has", key, [], () => yesOrNo(cache.has(key)));
      const ttl = 1 + below(TTL_MS_MAX);
      return one("touch", key, [ttl], () => yesOrNo(cache.touch(key, ttl)));
    },
  },
  setMany: {
    weight: 3,
    draw({ cache, keys, ...source }) {
      const entries = keys(BATCH).map((key) => ({ key, ...drawValue(key, source) }));
      return {
        steps: entries.map(({ key, stored, ttl }) => step("set", key, stored, ttl)),
        run() {
          const stored = storedOf(() => {
            cache.setMany(entries.map(({ key, value, ttl }) => [key, value, lifetime(ttl)] as const));
          });
          return entries.map((_, i) => (stored === undefined || i < stored ? "+" : "busy"));
        },
      };
    },
  },
  deleteMany: {
    weight: 1,
    draw: ({ cache, keys }) => removal(cache, keys(BATCH)),
  },
  clear: {
    weight: 0.2,
    draw: ({ cache }) => ({
      steps: [step("clear", "*")],
      run: () =>
        unlessBusy(["?"], () => {
          cache.clear();
          return ["+"];
        }),
    }),
  },
};

const TTL_MS_MAX = 30;
const buffer = new Uint8Array(1 << 16);

/** Removes keys in one call, which tells their number alone. */
export function removal(cache: FastCache, keys: readonly string[]): Drawn {
  return {
    steps: keys.map((key) => step("delete", key)),
    run: () =>
      unlessBusy(
        keys.map((): Outcome => "?"),
        () => {
          const removed = cache.deleteMany(keys);
          const each = removed === keys.length ? "+" : removed === 0 ? "-" : "~";
          return keys.map((): Outcome => each);
        },
      ),
  };
}

function step(primitive: string, key: string, ...rest: number[]): Step {
  return { primitive, key, arguments: rest };
}

/** An operation on one key; if it is refused as BUSY, nothing has changed. */
function one(primitive: string, key: string, rest: number[], run: (key: string) => Outcome): Drawn {
  return { steps: [step(primitive, key, ...rest)], run: () => unlessBusy(["busy"], () => [run(key)]) };
}

/** One whose only argument is the key. */
function reading(
  primitive: string,
  weight: number,
  run: (cache: FastCache, key: string) => Outcome,
): Operation {
  return { weight, draw: ({ cache, key }) => one(primitive, key(), [], (key) => run(cache, key)) };
}

function storing(
  primitive: string,
  weight: number,
  run: (cache: FastCache, key: string, value: Value, options: { ttl?: number }) => Outcome,
): Operation {
  return {
    weight,
    draw({ cache, key: drawKey, ...source }) {
      const key = drawKey();
      const { stored, value, ttl } = drawValue(key, source);
      return one(primitive, key, [stored, ttl], () => run(cache, key, value, lifetime(ttl)));
    },
  };
}

/** A value for the key, as it is told (`stored`) and as it is; and its time to live in ms, 0 for none. */
function drawValue(key: string, { below, unique }: Pick<Source, "below" | "unique">) {
  const isNumber = holdsNumbers(key) ? below(8) > 0 : below(8) === 0;
  const { stored, value } = isNumber ? known.number(numberFrom(unique())) : known.text(key, unique());
  return { stored, value, ttl: drawTtl(key, below) };
}

/** Far from the others, whatever is added to them. */
function numberFrom(unique: number): number {
  return unique * 1000;
}

function drawTtl(key: string, below: Source["below"]): number {
  return mayExpire(key) && below(2) === 0 ? 1 + below(TTL_MS_MAX) : 0;
}

function lifetime(ttl: number): { ttl?: number } {
  return ttl === 0 ? {} : { ttl };
}

// A key ends in its number: every third is for counters, every second is never given a time to live, so that a miss there
// has no excuse.

function holdsNumbers(key: string): boolean {
  return Number(key.split(":")[1]) % 3 === 0;
}

function mayExpire(key: string): boolean {
  return Number(key.split(":")[1]) % 2 === 1;
}

function look(cache: FastCache, key: string, versions: Map<string, number>): Outcome {
  const versioned = cache.getWithVersion(key);
  if (versioned === undefined) return "-";
  versions.set(key, versioned.version);
  const outcome = found(key, versioned.value);
  return outcome === "torn" ? outcome : (`${outcome},${versioned.version}` as Outcome);
}

function found(key: string, value: unknown): Outcome {
  if (value === undefined) return "-";
  const stored = known.stored(key, value);
  return stored === undefined ? "torn" : `+,${stored}`;
}

function yesOrNo(answer: boolean): Outcome {
  return answer ? "+" : "-";
}

function isBusy(error: unknown): boolean {
  return (error as { code?: string }).code === "ERR_FASTCACHE_BUSY";
}

function unlessBusy(busy: readonly Outcome[], run: () => readonly Outcome[]): readonly Outcome[] {
  try {
    return run();
  } catch (error) {
    if (isBusy(error)) return busy;
    throw error;
  }
}

/** How many entries a batch stored before it was refused as BUSY, as its message says; `undefined` for all. */
function storedOf(store: () => void): number | undefined {
  try {
    store();
    return undefined;
  } catch (error) {
    const count = /\(the (\d+) before it are stored\)/.exec((error as Error).message)?.[1];
    if (!isBusy(error) || count === undefined) throw error;
    return Number(count);
  }
}
