// SPDX-License-Identifier: MIT
//
// stats: the counters of all processes, and the state of the segment.

import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { MIB, open, openPrivate, uniqueName } from "../support/segments.ts";

describe("stats", () => {
  test("count what happened, and say what is there", () => {
    const cache = openPrivate();
    cache.set("a", 1).set("b", "x".repeat(1000)).set("a", 2);
    cache.get("a");
    cache.get("none");
    cache.peek("b");
    cache.delete("b");
    cache.delete("none");
    const stats = cache.stats();
    expect(stats).toMatchObject({
      sets: 3,
      deletes: 1,
      evictions: 0,
      expirations: 0,
      entries: 1,
      processes: 1,
    });
    expect(stats.hits).toBeGreaterThanOrEqual(1);
    expect(stats.misses).toBeGreaterThanOrEqual(1);
    expect(stats.lockWaits).toBe(0);
    expect(stats.takeovers).toBe(0);
    expect(stats.bytesUsed).toBeGreaterThan(0);
    expect(stats.bytesUsed).toBeLessThan(1000);
    expect(stats.capacityBytes).toBeGreaterThan(stats.bytesUsed);
    expect(stats.capacityBytes).toBeLessThanOrEqual(cache.info.size);
  });

  test("count one hit or one miss for a read, however the value comes", () => {
    const cache = openPrivate();
    const small = new Uint8Array(10);
    const large = new Uint8Array(200_000);
    const shared = new Uint8Array(new SharedArrayBuffer(10));
    cache.set("small", small).set("large", large);
    const reads = [
      (key: string) => cache.get(key),
      (key: string) => cache.getBytes(key),
      (key: string) => cache.getInto(key, key === "large" ? large : small),
      (key: string) => cache.getInto(key, key === "large" ? large : shared),
    ];
    for (const read of reads) {
      const before = cache.stats();
      for (const key of ["small", "large", "none"]) read(key);
      const after = cache.stats();
      expect(after.hits - before.hits).toBe(2);
      expect(after.misses - before.misses).toBe(1);
    }
  });

  test("count batches entry by entry", () => {
    const cache = openPrivate();
    cache.setMany([
      ["a", 1],
      ["b", 2],
    ]);
    cache.getMany(["a", "b", "c"]);
    cache.deleteMany(["a", "c"]);
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 1, sets: 2, deletes: 1, entries: 1 });
  });

  test("count each entry that clear removes", () => {
    const cache = openPrivate();
    for (let index = 0; index < 1000; index++) cache.set(`key-${index}`, index);
    cache.delete("key-0");
    cache.clear();
    expect(cache.stats()).toMatchObject({ sets: 1000, deletes: 1000, evictions: 0, entries: 0 });
    cache.clear();
    expect(cache.stats().deletes).toBe(1000);
  });

  test("sum over all handles, also closed ones", () => {
    const name = uniqueName();
    const first = open({ name, size: MIB });
    const second = open({ name });
    first.set("a", 1);
    second.set("b", 2);
    second.get("a");
    second.close();
    expect(first.stats()).toMatchObject({ sets: 2, hits: 1, entries: 2, processes: 1 });
  });

  test("are a fresh plain object each time", () => {
    const cache = openPrivate();
    const before = cache.stats();
    cache.set("a", 1);
    expect(Object.getPrototypeOf(before)).toBe(Object.prototype);
    expect(before.sets).toBe(0);
    expect(cache.stats().sets).toBe(1);
    const { replaced, ...numbers } = before;
    expect(replaced).toBe(false);
    expect(Object.values(numbers).every((value) => Number.isFinite(value))).toBe(true);
  });
});

test("a read of a large value counts once, a peek not at all", () => {
  const cache = openPrivate();
  cache.set("large", new Uint8Array(100_000));
  cache.peek("large");
  expect(cache.stats().hits).toBe(0);
  cache.get("large");
  expect(cache.stats().hits).toBe(1);
});

test("size does a bounded share of what a mass expiry has left to do, and comes to 0", async () => {
  const cache = openPrivate({ size: 64 * MIB, shards: 1 });
  const count = 300_000;
  for (let index = 0; index < count; index++) cache.set(`key-${index}`, index, { ttl: 500 });
  await setTimeout(600);
  // 4 MiB of records, and as much again for extents that are begun; a record has 40 bytes or more.
  const sharePerCall = (8 * MIB) / 40;
  let before = cache.size; // sets have dropped what was over while they went on
  for (let calls = 0; before > 0 && calls < 1000; calls++) {
    const { size } = cache;
    expect(before - size).toBeLessThanOrEqual(sharePerCall);
    before = size;
  }
  expect(before).toBe(0);
  expect(cache.stats()).toMatchObject({ expirations: count, evictions: 0 });
});
