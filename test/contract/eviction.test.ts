// SPDX-License-Identifier: MIT
//
// What leaves when the segment is full, and that nothing leaves before.

import { describe, expect, test } from "vitest";
import { MIB, openPrivate } from "../support/segments.ts";

const POLICIES = ["lru", "s3-fifo"] as const;

describe.each(POLICIES)("with eviction %s", (eviction) => {
  test("info tells the policy", () => {
    expect(openPrivate({ eviction }).info.eviction).toBe(eviction);
  });

  test("nothing leaves while live bytes are under 90 % of the data space", () => {
    const cache = openPrivate({ size: 4 * MIB, shards: 1, eviction });
    const value = new Uint8Array(200);
    let count = 0;
    while (cache.stats().bytesUsed < cache.info.dataSize * 0.88) cache.set(`key-${count++}`, value);
    expect(cache.stats().evictions).toBe(0);
    expect(cache.size).toBe(count);
    const missing = Array.from({ length: count }, (_, index) => `key-${index}`).filter(
      (key) => !cache.has(key),
    );
    expect(missing).toEqual([]);
  });

  test("many small entries are all kept while there is room", () => {
    const cache = openPrivate({ size: 64 * MIB, eviction });
    const count = 60_000;
    cache.setMany(Array.from({ length: count }, (_, index) => [`key-${index}`, index]));
    expect(cache.size).toBe(count);
    expect(cache.stats().evictions).toBe(0);
  });

  test("the space of overwritten and deleted entries is used again before anything live leaves", () => {
    const cache = openPrivate({ size: 4 * MIB, shards: 1, eviction });
    for (let index = 0; index < 100; index++) cache.set(`stay-${index}`, index);
    const value = new Uint8Array(2000);
    for (let turn = 0; turn < 10_000; turn++) {
      cache.set(`key-${turn % 500}`, value);
      if (turn % 3 === 0) cache.delete(`key-${turn % 500}`);
    }
    expect(cache.stats().evictions).toBe(0);
    const kept = Array.from({ length: 100 }, (_, index) => cache.get(`stay-${index}`));
    expect(kept).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  test("a full cache takes new entries, drops others, and counts them", () => {
    const cache = openPrivate({ size: 2 * MIB, shards: 1, eviction });
    const value = new Uint8Array(1000);
    const count = 10_000;
    for (let index = 0; index < count; index++) {
      cache.set(`key-${index}`, value);
      if (cache.get(`key-${index}`) === undefined) throw new Error(`key-${index} left at once`);
    }
    const { evictions, entries, bytesUsed, capacityBytes } = cache.stats();
    expect(entries).toBe(cache.size);
    expect(evictions).toBe(count - entries);
    expect(entries).toBeGreaterThan(1000);
    expect(bytesUsed).toBeLessThanOrEqual(capacityBytes);
    const present = Array.from({ length: count }, (_, index) => `key-${index}`).filter((key) =>
      cache.has(key),
    );
    expect(present.length).toBe(entries);
  });

  test("entries in use are nearly always there while others pass through", () => {
    const cache = openPrivate({ size: 2 * MIB, shards: 1, eviction });
    const value = new Uint8Array(1000);
    let misses = 0;
    for (let turn = 0; turn < 20_000; turn++) {
      const key = `hot-${turn % 100}`;
      if (cache.get(key) === undefined) {
        misses++;
        cache.set(key, value);
      }
      cache.set(`passing-${turn}`, value);
    }
    // The first 100 are misses by nature; the rest is what the policies' approximations may cost.
    expect(misses - 100).toBeLessThan(400);
  });

  test("values of every size share a full cache", () => {
    const cache = openPrivate({ size: 8 * MIB, eviction });
    const limit = cache.info.maxValueSize;
    for (let turn = 0; turn < 3000; turn++) {
      const length = turn % 50 === 0 ? limit : (turn * 97) % 20_000;
      cache.set(`key-${turn}`, new Uint8Array(length).fill(turn));
      const value = cache.get(`key-${turn}`) as Uint8Array | undefined;
      expect(value?.length).toBe(length);
      if (value?.some((byte) => byte !== (turn & 255))) throw new Error(`turn ${turn} has foreign bytes`);
    }
    expect(cache.stats().evictions).toBeGreaterThan(0);
  });

  test("maxEntries is kept, give or take the shards' equal parts", () => {
    const cache = openPrivate({ size: 8 * MIB, shards: 1, maxEntries: 100, eviction });
    for (let index = 0; index < 1000; index++) cache.set(`key-${index}`, index);
    expect(cache.size).toBeLessThanOrEqual(100);
    expect(cache.size).toBeGreaterThanOrEqual(90);
    expect(cache.get("key-999")).toBe(999);
    expect(cache.stats().evictions).toBe(1000 - cache.size);
  });
});

describe("the least recently used leave first", () => {
  /** Fills a cache so that about half of what was there first has to leave. */
  function survivors(use: (cache: ReturnType<typeof openPrivate>, key: string) => unknown): number {
    const cache = openPrivate({ size: 2 * MIB, shards: 1 });
    const value = new Uint8Array(1000);
    const early = Array.from({ length: 400 }, (_, index) => `early-${index}`);
    for (const key of early) cache.set(key, value);
    for (let turn = 0; turn < 6; turn++) {
      for (const key of early) use(cache, key);
      for (let index = 0; index < 500; index++) cache.set(`late-${turn}-${index}`, value);
    }
    return early.filter((key) => cache.has(key)).length;
  }

  test.each<[string, (cache: ReturnType<typeof openPrivate>, key: string) => unknown]>([
    ["get", (cache, key) => cache.get(key)],
    ["getBytes", (cache, key) => cache.getBytes(key)],
    ["getInto", (cache, key) => cache.getInto(key, new Uint8Array(1000))],
    ["getMany", (cache, key) => cache.getMany([key])],
    ["getWithVersion", (cache, key) => cache.getWithVersion(key)],
    ["touch", (cache, key) => cache.touch(key, Infinity)],
  ])("%s is a use", (_, use) => {
    // The order is approximate: see "Eviction" in the README. Unused, none of them stays.
    expect(survivors(use)).toBeGreaterThan(300);
  });

  test.each<[string, (cache: ReturnType<typeof openPrivate>, key: string) => unknown]>([
    ["nothing", () => undefined],
    ["peek", (cache, key) => cache.peek(key)],
    ["has", (cache, key) => cache.has(key)],
    ["ttl", (cache, key) => cache.ttl(key)],
    ["keys", (cache, key) => key === "early-0" && [...cache.keys()]],
    ["entries", (cache, key) => key === "early-0" && [...cache.entries()]],
  ])("%s is none", (_, use) => {
    expect(survivors(use)).toBe(0);
  });
});
