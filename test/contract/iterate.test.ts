// SPDX-License-Identifier: MIT
//
// keys, entries and the iteration of a cache itself.

import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { failure } from "../support/errors.ts";
import { MIB, open, openPrivate, uniqueName } from "../support/segments.ts";
import { randomBelow } from "../support/values.ts";

test("an empty cache has no keys and no entries", () => {
  const cache = openPrivate();
  expect([...cache.keys()]).toEqual([]);
  expect([...cache.entries()]).toEqual([]);
});

test("keys gives each key once, entries each key with its value, as does the cache", () => {
  const cache = openPrivate();
  const content: [string, unknown][] = [
    ["a", 1],
    ["b", "two"],
    ["ü", { three: 3 }],
  ];
  cache.setMany(content);
  expect([...cache.keys()].toSorted()).toEqual(["a", "b", "ü"]);
  expect([...cache.entries()].toSorted()).toEqual(content);
  expect([...cache].toSorted()).toEqual(content);
  expect(new Map(cache)).toEqual(new Map(content));
});

test("thousands of entries are each seen exactly once", () => {
  const cache = openPrivate({ size: 64 * MIB });
  const keys = Array.from({ length: 10_000 }, (_, index) => `key-${index}`);
  cache.setMany(keys.map((key, index) => [key, index]));
  const seen = [...cache.keys()];
  expect(seen.length).toBe(10_000);
  expect(new Set(seen)).toEqual(new Set(keys));
  const entries = [...cache.entries()];
  expect(entries.length).toBe(10_000);
  expect(entries.filter(([key, value]) => key !== `key-${value}`)).toEqual([]);
});

test("a key is a string if its bytes are valid UTF-8, else bytes", () => {
  const cache = openPrivate();
  cache.set(new Uint8Array([104, 105]), "text").set(new Uint8Array([255, 0, 128]), "bytes");
  cache.set("\ufeffmark", "mark").set("x".repeat(1024), "long");
  const found = new Map([...cache.entries()].map(([key, value]) => [value, key]));
  expect(found.get("text")).toBe("hi");
  expect(found.get("bytes")).toStrictEqual(new Uint8Array([255, 0, 128]));
  expect(found.get("mark")).toBe("\ufeffmark");
  expect(found.get("long")).toBe("x".repeat(1024));
});

test("entries that are there throughout are seen once while others come and go", () => {
  const cache = openPrivate({ size: 64 * MIB });
  const staying = Array.from({ length: 3000 }, (_, index) => `stay-${index}`);
  cache.setMany(staying.map((key) => [key, 1]));
  for (let index = 0; index < 1000; index++) cache.set(`go-${index}`, 1);
  const seen = new Map<string, number>();
  let turn = 0;
  for (const key of cache.keys()) {
    seen.set(key as string, (seen.get(key as string) ?? 0) + 1);
    cache.delete(`go-${turn}`);
    cache.set(`new-${turn}`, 1);
    cache.set(staying[(turn * 7) % staying.length] as string, turn);
    turn++;
  }
  expect(staying.filter((key) => seen.get(key) !== 1)).toEqual([]);
  expect([...seen.values()].filter((times) => times !== 1)).toEqual([]);
});

test("several iterators and other calls interleave without disturbing each other", () => {
  const cache = openPrivate({ size: 16 * MIB });
  const keys = Array.from({ length: 2500 }, (_, index) => `key-${index}`);
  cache.setMany(keys.map((key, index) => [key, new Uint8Array(20).fill(index)]));
  const first = cache.keys();
  const second = cache.entries();
  const third = cache.keys();
  const seen: [unknown[], unknown[], unknown[]] = [[], [], []];
  for (let turn = 0; turn < keys.length; turn++) {
    seen[0].push(first.next().value);
    seen[1].push(second.next().value?.[0]);
    if (turn % 2 === 0) seen[2].push(third.next().value, third.next().value);
    cache.get(`key-${turn}`);
    cache.getMany(["key-1", "key-2"]);
  }
  for (const list of seen) expect(new Set(list)).toEqual(new Set(keys));
  expect([first.next().done, second.next().done, third.next().done]).toEqual([true, true, true]);
});

test("the bytes that entries gives are the caller's to keep", () => {
  const cache = openPrivate({ size: 16 * MIB });
  for (let index = 0; index < 2000; index++) cache.set(`key-${index}`, new Uint8Array(64).fill(index));
  const entries = [...cache.entries()] as [string, Uint8Array][];
  cache.clear();
  for (let index = 0; index < 2000; index++) cache.set(`key-${index}`, new Uint8Array(64).fill(0xee));
  for (let index = 0; index < 2000; index++) cache.get(`key-${index}`);
  const whole = entries.filter(([key, bytes]) => {
    const index = Number(key.slice(4));
    return bytes.length === 64 && bytes.every((byte) => byte === (index & 255));
  });
  expect(whole.length).toBe(2000);
});

test("entries gives values larger than a page", () => {
  const cache = openPrivate({ size: 64 * MIB });
  const sizes = [10, 5000, 70_000, 300_000, MIB];
  for (const size of sizes) cache.set(`size-${size}`, "x".repeat(size));
  const found = [...cache.entries()].map(([, value]) => (value as string).length);
  expect(found.toSorted((a, b) => a - b)).toEqual(sizes);
});

test("entries goes on past what it cannot decode, which it names by throwing", () => {
  const name = uniqueName();
  const broken = { encode: () => new Uint8Array(1), decode: () => expect.fail("cannot be decoded") };
  const writer = open<unknown>({ name, size: 4 * MIB, codec: broken });
  const plain = Array.from({ length: 200 }, (_, index) => `plain-${index}`);
  for (const key of plain) writer.set(key, key);
  for (let index = 0; index < 50; index++) writer.set(`object-${index}`, { index });
  for (const codec of [undefined, broken]) {
    const cache = open<unknown>({ name, codec });
    const seen: unknown[] = [];
    let failures = 0;
    const entries = cache.entries();
    for (;;) {
      try {
        const { done, value } = entries.next();
        if (done) break;
        expect(value[1]).toBe(value[0]);
        seen.push(value[0]);
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_FASTCACHE_INVALID_ARGUMENT" });
        failures++;
      }
    }
    expect(seen.toSorted()).toEqual(plain.toSorted());
    expect(failures).toBe(50);
    expect(entries.next().done).toBe(true);
  }
});

test.each([[1], [2], [3]])(
  "an iterator gives nothing that is gone, and the value of the moment (seed %i)",
  (seed) => {
    const below = randomBelow(seed);
    const cache = openPrivate({ size: 64 * MIB });
    const keys = Array.from({ length: 3000 }, (_, index) => `key-${index}`);
    const model = new Map<string, unknown>();
    const store = (key: string): void => {
      const value = "x".repeat(below(10) === 0 ? 20_000 : 10) + model.size + below(1e9);
      cache.set(key, value);
      model.set(key, value);
    };
    for (const key of keys) store(key);
    /** What other code does meanwhile: to a few keys, or to many at once. */
    const disturb = (): void => {
      for (let count = below(20) === 0 ? 500 : below(3); count > 0; count--) {
        const key = keys[below(keys.length)] as string;
        const what = below(4);
        if (what === 0) cache.delete(key);
        if (what === 1) cache.touch(key, 0);
        if (what === 2) cache.set(key, "over", { ttl: 0 });
        if (what === 3) store(key);
        else model.delete(key);
      }
    };
    const entries = cache.entries();
    const names = cache.keys();
    for (let turn = 0; turn < 2000; turn++) {
      const { done, value: entry } = entries.next();
      if (!done) expect(model.get(entry[0] as string)).toBe(entry[1]);
      const name = names.next();
      if (!name.done) expect(model.has(name.value as string)).toBe(true);
      disturb();
    }
    cache.clear();
    expect([...entries, ...names]).toEqual([]);
  },
);

test("an entry whose deadline passes while an iterator waits is not given", async () => {
  const cache = openPrivate();
  for (let index = 0; index < 100; index++) cache.set(`short-${index}`, index, { ttl: 60 });
  const entries = cache.entries();
  const keys = cache.keys();
  entries.next();
  keys.next();
  await sleep(80);
  expect([...entries, ...keys]).toEqual([]);
});

test("iterators are those of the language: they may be spread, taken apart and left", () => {
  const cache = openPrivate();
  cache.setMany([
    ["a", 1],
    ["b", 2],
    ["c", 3],
  ]);
  const entries = cache.entries();
  expect(entries[Symbol.iterator]()).toBe(entries);
  const [first] = entries;
  expect(["a", "b", "c"]).toContain(first?.[0]);
  expect([...entries]).toEqual([]); // taking it apart has left it
  expect(new Map(cache).size).toBe(3);
});

test("an iterator can be left early", () => {
  const cache = openPrivate();
  for (let index = 0; index < 100; index++) cache.set(`key-${index}`, index);
  let turns = 0;
  for (const _ of cache) {
    turns++;
    if (turns === 3) break;
  }
  expect(turns).toBe(3);
  expect(cache.size).toBe(100);
});

test("a cache that is closed meanwhile ends the iteration with CLOSED", () => {
  const cache = openPrivate();
  const keys = cache.keys();
  const entries = cache.entries();
  cache.set("key", 1).close();
  failure("CLOSED", () => keys.next());
  failure("CLOSED", () => entries.next());
  failure("CLOSED", () => cache.keys());
  failure("CLOSED", () => cache.entries());
  failure("CLOSED", () => cache[Symbol.iterator]());
});
