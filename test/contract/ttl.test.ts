// SPDX-License-Identifier: MIT
//
// Time to live: per entry, by default, changed, and over.

import { expect, test } from "vitest";
import { failure } from "../support/errors.ts";
import { MIB, open, openPrivate, uniqueName } from "../support/segments.ts";
import { until } from "../support/wait.ts";

test("an entry without a ttl has no deadline, an absent one has no ttl", () => {
  const cache = openPrivate();
  cache.set("key", 1);
  expect(cache.ttl("key")).toBe(Infinity);
  expect(cache.ttl("none")).toBeUndefined();
});

test("ttl tells the remaining milliseconds, which become fewer", async () => {
  const cache = openPrivate();
  cache.set("key", 1, { ttl: 60_000 });
  const first = cache.ttl("key") as number;
  expect(first).toBeGreaterThan(50_000);
  expect(first).toBeLessThanOrEqual(60_000);
  await until(() => (cache.ttl("key") as number) < first);
  expect(cache.get("key")).toBe(1);
});

test("an entry is there before its deadline and a miss for every method after it", async () => {
  const cache = openPrivate();
  cache.set("other", 1);
  cache.set("key", "value", { ttl: 50 });
  await until(() => !cache.has("key"));
  expect(cache.get("key")).toBeUndefined();
  expect(cache.peek("key")).toBeUndefined();
  expect(cache.getBytes("key")).toBeUndefined();
  expect(cache.getInto("key", new Uint8Array(10))).toBe(-1);
  expect(cache.getWithVersion("key")).toBeUndefined();
  expect(cache.ttl("key")).toBeUndefined();
  expect(cache.getMany(["key", "other"])).toEqual([undefined, 1]);
  expect([...cache.keys()]).toEqual(["other"]);
  expect([...cache.entries()]).toEqual([["other", 1]]);
  expect(cache.touch("key", 1000)).toBe(false);
  expect(cache.replace("key", 2)).toBe(false);
  expect(cache.delete("key")).toBe(false);
  expect(cache.size).toBe(1);
  expect(cache.add("key", 3)).toBe(true);
  expect(cache.get("key")).toBe(3);
});

test("an entry does not expire before its time", async () => {
  const cache = openPrivate();
  const begun = performance.now();
  cache.set("key", 1, { ttl: 80 });
  await until(() => cache.get("key") === undefined);
  // The two clocks may differ by the rounding of each.
  expect(performance.now() - begun).toBeGreaterThanOrEqual(78);
});

test("set, add, replace, compareAndSet and setMany take a ttl", () => {
  const cache = openPrivate();
  cache.set("set", 1, { ttl: 60_000 });
  cache.add("add", 1, { ttl: 60_000 });
  cache.set("replace", 1).replace("replace", 2, { ttl: 60_000 });
  cache.set("compare", 1);
  cache.compareAndSet("compare", cache.getWithVersion("compare")?.version as number, 2, { ttl: 60_000 });
  cache.setMany([["many", 1, { ttl: 60_000 }]]);
  for (const key of ["set", "add", "replace", "compare", "many"]) {
    expect(cache.ttl(key), key).toBeLessThanOrEqual(60_000);
    expect(cache.ttl(key), key).toBeGreaterThan(50_000);
  }
});

test("storing again replaces the deadline: with none, there is none", () => {
  const cache = openPrivate();
  cache.set("key", 1, { ttl: 60_000 }).set("key", 2);
  expect(cache.ttl("key")).toBe(Infinity);
});

test("the handle's ttl is the default; an entry's own overrides it, Infinity for none", () => {
  const cache = openPrivate({ ttl: 60_000 });
  cache.set("default", 1).set("longer", 1, { ttl: 600_000 }).set("none", 1, { ttl: Infinity });
  cache.set("undefined", 1, { ttl: undefined }).set("empty", 1, {});
  cache.add("add", 1);
  cache.increment("increment");
  for (const key of ["default", "undefined", "empty", "add", "increment"]) {
    expect(cache.ttl(key), key).toBeLessThanOrEqual(60_000);
  }
  expect(cache.ttl("longer")).toBeGreaterThan(500_000);
  expect(cache.ttl("none")).toBe(Infinity);
});

test("the default belongs to the handle, not to the segment", () => {
  const name = uniqueName();
  open({ name, size: MIB, ttl: 60_000 }).set("mortal", 1);
  const other = open({ name });
  other.set("immortal", 1);
  expect(other.ttl("mortal")).toBeLessThanOrEqual(60_000);
  expect(other.ttl("immortal")).toBe(Infinity);
});

test("increment gives a ttl to a new entry only", () => {
  const cache = openPrivate();
  cache.increment("new", 1, { ttl: 60_000 });
  expect(cache.ttl("new")).toBeLessThanOrEqual(60_000);
  cache.increment("new", 1, { ttl: 600_000 });
  expect(cache.ttl("new")).toBeLessThanOrEqual(60_000);
  cache.set("old", 1).increment("old", 1, { ttl: 60_000 });
  expect(cache.ttl("old")).toBe(Infinity);
});

test("a counter begins anew after its deadline", async () => {
  const cache = openPrivate();
  cache.increment("hits", 5, { ttl: 30 });
  await until(() => !cache.has("hits"));
  expect(cache.increment("hits", 1, { initial: 10 })).toBe(11);
});

test("touch gives a new deadline, or with Infinity none, and keeps the value", () => {
  const cache = openPrivate();
  cache.set("key", "value");
  expect(cache.touch("key", 60_000)).toBe(true);
  expect(cache.ttl("key")).toBeLessThanOrEqual(60_000);
  expect(cache.touch("key", 600_000)).toBe(true);
  expect(cache.ttl("key")).toBeGreaterThan(500_000);
  expect(cache.touch("key", Infinity)).toBe(true);
  expect(cache.ttl("key")).toBe(Infinity);
  expect(cache.get("key")).toBe("value");
  expect(cache.touch("none", 60_000)).toBe(false);
});

test("touch saves an entry from its old deadline", async () => {
  const cache = openPrivate();
  cache.set("kept", 1, { ttl: 60 }).set("lost", 1, { ttl: 60 });
  cache.touch("kept", 60_000);
  await until(() => !cache.has("lost"));
  expect(cache.get("kept")).toBe(1);
});

test("a fraction of a millisecond counts as a whole one, and the longest ttl is thousands of years", () => {
  const cache = openPrivate();
  cache.set("fraction", 1, { ttl: 60_000.25 }).set("longest", 1, { ttl: 2 ** 48 - 1 });
  expect(cache.ttl("fraction")).toBeLessThanOrEqual(60_001);
  expect(cache.ttl("longest")).toBeGreaterThan(2 ** 47);
  expect(cache.ttl("longest")).toBeLessThan(Infinity);
});

test.each([[Number.NaN], [2 ** 48], [Number.MAX_VALUE], ["1000"], [10n], [null], [true], [{}], [new Date()]])(
  "a ttl of %s is refused everywhere",
  (value) => {
    const cache = openPrivate();
    const ttl = value as number;
    cache.set("key", 1);
    const calls = [
      () => open({ size: MIB, ttl }),
      () => cache.set("key", 2, { ttl }),
      () => cache.add("new", 2, { ttl }),
      () => cache.replace("key", 2, { ttl }),
      () => cache.compareAndSet("key", 1, 2, { ttl }),
      () => cache.increment("key", 1, { ttl }),
      () => cache.setMany([["key", 2, { ttl }]]),
      () => cache.touch("key", ttl),
    ];
    for (const call of calls) failure("INVALID_ARGUMENT", call, /`ttl`/, /milliseconds.*Infinity/);
    expect(cache.get("key")).toBe(1);
    expect(cache.ttl("key")).toBe(Infinity);
  },
);

test("touch without a ttl is refused", () => {
  const cache = openPrivate();
  failure("INVALID_ARGUMENT", () => cache.touch("key", undefined as never), /`ttl`/);
});

test("expired entries are counted, and their space is used again without anyone reading them", async () => {
  const cache = openPrivate({ size: MIB, shards: 1 });
  const value = new Uint8Array(1000);
  let stored = 0;
  while (stored < 400) cache.set(`mortal-${stored++}`, value, { ttl: 20 });
  await until(() => cache.size === 0);
  expect(cache.stats().expirations).toBeGreaterThan(0);
  const before = cache.stats().evictions;
  for (let index = 0; index < 700; index++) cache.set(`next-${index}`, value);
  expect(cache.stats().evictions).toBe(before);
  expect(cache.size).toBe(700);
});
