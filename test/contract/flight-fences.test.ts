// SPDX-License-Identifier: MIT
//
// getOrSet: what was computed from old data, or too late, is not stored, and not given to those who came later.

import { setTimeout as sleep } from "node:timers/promises";
import type { Factory, FastCache } from "fastcache";
import { describe, expect, test } from "vitest";
import { controlled, openTwo } from "../support/flights.ts";
import { randomBelow } from "../support/values.ts";
import { until } from "../support/wait.ts";

describe("what getOrSet does not store", () => {
  test("lets another start when a factory takes longer than its lease, and does not store the late one", async () => {
    const [first, second] = openTwo();
    const { factory, runs } = controlled();
    const options = { lease: 20 };
    const calls = [first, second, first].map((cache) => cache.getOrSet("key", factory, options));
    await until(() => runs.length === 2);
    expect(runs[0]?.signal.aborted).toBe(true);
    runs[1]?.resolve("in time");
    await until(() => first.has("key"));
    runs[0]?.resolve("late");
    expect(await Promise.all(calls)).toEqual(["in time", "in time", "in time"]);
    await sleep(0);
    expect(first.get("key")).toBe("in time");
    expect(first.stats().leasesTakenOver).toBe(1);
  });

  test("runs anew with forceFresh, and does not store what began before", async () => {
    const [first, second] = openTwo();
    const { factory, runs } = controlled();
    first.set("key", "cached");
    const forced = first.getOrSet("key", factory, { forceFresh: true });
    const more = second.getOrSet("key", factory, { forceFresh: true });
    runs[1]?.resolve("newest");
    expect(await more).toBe("newest");
    runs[0]?.resolve("older");
    expect(await forced).toBe("older");
    expect(first.get("key")).toBe("newest");
  });

  const changes: [string, (cache: FastCache) => void, unknown][] = [
    ["set", (cache) => cache.set("key", "theirs"), "theirs"],
    ["deleted", (cache) => cache.delete("key"), undefined],
    ["cleared", (cache) => cache.clear(), undefined],
    ["counted up", (cache) => cache.increment("key"), 1],
    ["set among many", (cache) => cache.setMany([["key", "many"]]), "many"],
  ];
  test.each(changes)("does not store what began before its key was %s", async (_, change, left) => {
    for (const of of [0, 1]) {
      const caches = openTwo();
      const [first] = caches;
      const { factory, runs } = controlled();
      const own = first.getOrSet("key", factory);
      const joined = first.getOrSet("key", factory);
      change(caches[of] as FastCache);
      const afterwards = first.getOrSet("key", factory);
      runs[0]?.resolve("from before");
      expect(await own).toBe("from before");
      if (left === undefined) {
        await until(() => runs.length === 2);
        runs[1]?.resolve("from after");
      }
      expect(await joined).toBe(left ?? "from after");
      expect(await afterwards).toBe(left ?? "from after");
      expect(first.get("key")).toBe(left ?? "from after");
      expect(first.stats().leasesFenced).toBe(1);
    }
  });

  test("lets those run their own who have waited for two runs in vain", async () => {
    const [first, second] = openTwo();
    const { factory, runs } = controlled();
    const calls = [
      first.getOrSet("key", factory),
      second.getOrSet("key", factory),
      second.getOrSet("key", factory),
    ];
    for (let round = 0; round < 2; round++) {
      await until(() => runs.length === round + 1);
      await sleep(5);
      first.delete("key");
      runs[round]?.resolve(round);
    }
    await until(() => runs.length >= 3);
    for (const run of runs) run.resolve("own");
    expect(await Promise.all(calls)).toEqual([0, 1, "own"]);
  });

  test("never returns what was computed before a delete that had returned when the call began", async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const below = randomBelow(seed);
      const caches = openTwo();
      const cache = () => caches[below(2)] as FastCache;
      const source = Array<number>(6).fill(0);
      const pending: Promise<void>[] = [];
      for (let step = 0; step < 300; step++) {
        const key = below(source.length);
        const kind = below(10);
        if (kind === 0) {
          source[key] = step;
          cache().delete(`${key}`);
        } else if (kind === 1 && below(5) === 0) {
          source.fill(step);
          cache().clear();
        } else {
          const least = source[key] as number;
          const factory: Factory<unknown> = async (context) => {
            const value = source[key];
            for (let turn = below(4); turn > 0; turn--) await sleep(0);
            if (below(8) === 0) context.skip();
            if (below(20) === 0) throw new Error("failed");
            return value;
          };
          const call = cache().getOrSet(
            `${key}`,
            factory,
            below(10) === 0 ? { forceFresh: true } : undefined,
          );
          pending.push(
            call.then(
              (value) => expect(value, `seed ${seed}, step ${step}`).toBeGreaterThanOrEqual(least),
              (error: Error) => expect(error.message).toBe("failed"),
            ),
          );
        }
        if (below(3) === 0) await sleep(0);
      }
      await Promise.all(pending);
    }
  });
});
