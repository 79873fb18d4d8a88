// SPDX-License-Identifier: MIT
//
// Tags: what is stored with one, on whatever way, is gone at once, in all handles, when it is deleted; nothing else is.

import type { FastCache, SetOptions } from "fastcache";
import { expect, test } from "vitest";
import { failure } from "../support/errors.ts";
import { MIB, open, openPrivate, uniqueName, uniquePath } from "../support/segments.ts";
import { randomBelow } from "../support/values.ts";

const NAMES = [
  "a",
  "user:1",
  "é",
  "日本語",
  "😀",
  "x".repeat(256),
  "é".repeat(128),
  "\0",
  " ",
  "A",
  "0",
  "-",
];

/** So large that these tags do not collide. */
const SIZE = 16 * MIB;

test.each([[1], [2], [3], [4], [5], [6]])("a random mix of tags ends as a model says (seed %i)", (seed) => {
  const name = uniqueName();
  const below = randomBelow(seed * 7919);
  const eviction = seed % 2 === 0 ? "lru" : "s3-fifo";
  const caches = [
    open({ name, size: SIZE, eviction, longKeys: "hash" }),
    open({ name, longKeys: "hash" }),
  ] as const;
  const model = new Map<string, { value: unknown; tags: Set<string> }>();
  const randomTags = (): string[] =>
    Array.from({ length: below(6) }, () => NAMES[below(NAMES.length)] as string);
  let invalidations = 0;

  for (let step = 0; step < 3000; step++) {
    const cache = caches[below(2) as 0 | 1] as FastCache;
    const key = below(30) === 0 ? `${"long".repeat(300)}${below(3)}` : `key ${below(60)}`;
    const before = model.get(key);
    const tags = randomTags();
    const kinds = [step, `text ${step}`, new Uint8Array(below(3000)), { step }];
    const value = below(20) === 0 ? "é".repeat(below(300_000)) : kinds[below(4)];
    const options: SetOptions = tags.length > 0 || below(2) === 0 ? { tags } : {};
    const keeps = below(4) === 0;
    if (keeps) options.keepTtl = true;
    const stored = (): void => {
      const kept = keeps && tags.length === 0 && before !== undefined;
      model.set(key, { value, tags: kept ? before.tags : new Set(tags) });
    };
    switch (below(12)) {
      case 0:
      case 1:
        cache.set(key, value, options);
        stored();
        break;
      case 2:
        expect(cache.add(key, value, options)).toBe(before === undefined);
        if (before === undefined) stored();
        break;
      case 3:
        expect(cache.replace(key, value, options)).toBe(before !== undefined);
        if (before !== undefined) stored();
        break;
      case 4: {
        const version = cache.getWithVersion(key)?.version ?? 0;
        expect(cache.compareAndSet(key, version, value, options)).toBe(before !== undefined);
        if (before !== undefined) stored();
        break;
      }
      case 5: {
        const others = Array.from({ length: 3 }, (_, index) => `many ${below(20)} ${index}`);
        cache.setMany([...others.map((other) => [other, step] as const), [key, value, options]], {
          tags: ["a", "a"],
        });
        for (const other of others) model.set(other, { value: step, tags: new Set(["a"]) });
        stored();
        break;
      }
      case 6: {
        const counter = `counter ${below(5)}`;
        const entry = model.get(counter);
        const sum = ((entry?.value as number | undefined) ?? 100) + 1;
        expect(cache.increment(counter, 1, { initial: 100 })).toBe(sum);
        model.set(counter, { value: sum, tags: entry?.tags ?? new Set() });
        if (below(3) > 0) break;
        cache.set(counter, 7, { tags });
        model.set(counter, { value: 7, tags: new Set(tags) });
        break;
      }
      case 7:
        expect(cache.touch(key, 10_000_000)).toBe(before !== undefined);
        break;
      case 8:
        expect(cache.delete(key)).toBe(before !== undefined);
        model.delete(key);
        break;
      case 9: {
        const gone = Array.from({ length: 1 + below(2) }, () => NAMES[below(NAMES.length)] as string);
        cache.deleteByTag(gone.length === 1 ? (gone[0] as string) : gone);
        invalidations += gone.length;
        for (const [one, { tags: its }] of model) if (gone.some((tag) => its.has(tag))) model.delete(one);
        break;
      }
      default:
        expect(cache.get(key)).toEqual(before?.value);
        expect(cache.has(key)).toBe(before !== undefined);
    }
    if (step % 500 > 0) continue;
    const all = [...model.keys()];
    expect(cache.getMany(all)).toEqual([...model.values()].map((one) => one.value));
    expect([...cache.keys()].filter((one) => typeof one === "string").toSorted()).toEqual(all.toSorted());
    expect(cache.size).toBe(model.size);
  }
  const stats = caches[0].stats();
  expect(stats.invalidations).toBe(invalidations);
  expect(stats.evictions).toBe(0);
});

test("an entry that is stored after its tag was deleted is there", () => {
  const cache = openPrivate();
  cache.set("key", 1, { tags: ["tag"] });
  cache.deleteByTag("tag");
  expect(cache.get("key")).toBeUndefined();
  cache.set("key", 2, { tags: ["tag"] });
  expect(cache.get("key")).toBe(2);
});

test("add stores over an entry whose tag was deleted, and replace, touch and compareAndSet miss it", () => {
  const cache = openPrivate();
  const dead = (): number => {
    cache.set("key", 1, { tags: ["tag"] });
    const version = cache.getWithVersion("key")?.version as number;
    cache.deleteByTag("tag");
    return version;
  };
  dead();
  expect(cache.replace("key", 2)).toBe(false);
  expect(cache.compareAndSet("key", dead(), 2)).toBe(false);
  dead();
  expect([cache.touch("key", 1000), cache.ttl("key"), cache.delete("key")]).toEqual([
    false,
    undefined,
    false,
  ]);
  dead();
  expect(cache.increment("key")).toBe(1);
  dead();
  expect(cache.add("key", 3)).toBe(true);
  expect(cache.get("key")).toBe(3);
});

test("a plain set takes the tags away", () => {
  const cache = openPrivate();
  cache.set("key", 1, { tags: ["tag"] });
  cache.set("key", 2);
  cache.deleteByTag("tag");
  expect(cache.get("key")).toBe(2);
});

/** As `toEqual`, which takes seconds for large arrays of bytes. */
function isSame(value: unknown, expected: string | Uint8Array): boolean {
  if (typeof expected === "string" || !(value instanceof Uint8Array)) return value === expected;
  return Buffer.compare(value, expected) === 0;
}

test("values of all sizes have tags", () => {
  const cache = openPrivate({ size: SIZE });
  const lengths = [0, 1, 255, 65_536, 261_000, 261_052, 261_056, 262_144, 900_000];
  const values = lengths.flatMap((length) => [
    "x".repeat(length),
    "é".repeat(length / 2),
    new Uint8Array(length),
  ]);
  for (const tags of [["one"], Array.from({ length: 16 }, (_, index) => `${index}`.padEnd(256, "."))]) {
    for (const [index, value] of values.entries()) {
      cache.set(`key ${index}`, value, { tags });
      expect(isSame(cache.get(`key ${index}`), value), `value ${index}`).toBe(true);
    }
    cache.deleteByTag(tags.at(-1) as string);
    expect(cache.size).toBe(0);
    cache.setMany(values.map((value, index) => [`key ${index}`, value, { tags }]));
    for (const [index, value] of values.entries())
      expect(isSame(cache.get(`key ${index}`), value), `value ${index}`).toBe(true);
    cache.deleteByTag(tags);
    expect(cache.size).toBe(0);
  }
});

test("tags survive a file's closing", () => {
  const path = uniquePath();
  const before = open({ path, size: SIZE });
  before.set("dead", 1, { tags: ["old"] });
  before.deleteByTag("old");
  before.set("key", 2, { tags: ["new", "old"] });
  before.close();
  const after = open({ path });
  expect(after.info.recovered).toBe(true);
  expect([after.get("dead"), after.get("key")]).toEqual([undefined, 2]);
  after.deleteByTag("new");
  expect(after.get("key")).toBeUndefined();
});

test("a tag that is given twice counts once, and 16 are allowed", () => {
  const cache = openPrivate();
  const many = Array.from({ length: 16 }, (_, index) => `tag ${index}`);
  cache.set("key", 1, { tags: [...many, ...many] });
  cache.deleteByTag("tag 15");
  expect(cache.get("key")).toBeUndefined();
  failure("INVALID_ARGUMENT", () => cache.set("key", 1, { tags: [...many, "17th"] }), /17/, /16/, /fewer/);
});

test("tags are read once, before anything is stored", () => {
  const cache = openPrivate();
  const changing = ["first"];
  Object.defineProperty(changing, 1, {
    enumerable: true,
    get: () => {
      cache.set("other", "from a getter");
      return `tag ${changing.length}`;
    },
  });
  cache.set("key", "value", { tags: changing });
  expect([cache.get("key"), cache.get("other")]).toEqual(["value", "from a getter"]);
  cache.deleteByTag("tag 2");
  expect(cache.has("key")).toBe(false);
});

test.each([
  ["the empty string", "", [/empty/, /256/]],
  ["257 bytes", "x".repeat(257), [/257 bytes/, /256/]],
  ["129 characters of two bytes", "é".repeat(129), [/258 bytes/]],
  ["a lone surrogate", "\ud800", [/surrogate/]],
  ["a number", 7 as unknown as string, [/a tag is a string, not the number 7/]],
  ["undefined", undefined as unknown as string, [/a tag is a string, not undefined/]],
])("%s is no tag, and nothing is stored or removed", (_, tag, words) => {
  const cache = openPrivate();
  cache.set("key", 1, { tags: ["good"] });
  for (const call of [
    () => cache.set("key", 2, { tags: ["good", tag] }),
    () => cache.add("new", 2, { tags: [tag] }),
    () => cache.replace("key", 2, { tags: [tag] }),
    () => cache.compareAndSet("key", 1, 2, { tags: [tag] }),
    () => cache.setMany([["key", 2]], { tags: [tag] }),
    () => cache.setMany([["key", 2, { tags: [tag] }]]),
    () => cache.deleteByTag(["good", tag]),
  ]) {
    failure("INVALID_ARGUMENT", call, ...words);
  }
  expect([cache.get("key"), cache.size, cache.stats().invalidations]).toEqual([1, 1, 0]);
});

test("what is no list of tags is refused", () => {
  const cache = openPrivate();
  failure(
    "INVALID_ARGUMENT",
    () => cache.set("key", 1, { tags: "tag" as never }),
    /`tags` is an array/,
    /"tag"/,
  );
  failure(
    "INVALID_ARGUMENT",
    () => cache.deleteByTag(7 as never),
    /deleteByTag\(\) takes a string or an array/,
  );
  failure("INVALID_ARGUMENT", () => cache.deleteByTag(undefined as never), /undefined/);
  cache.close();
  failure("CLOSED", () => cache.deleteByTag("tag"));
  failure("CLOSED", () => cache.set("key", 1, { tags: ["tag"] }));
});

test("stats tell how many tags were deleted, and how likely one takes others with it", () => {
  const cache = openPrivate({ size: SIZE });
  expect(cache.stats()).toMatchObject({ invalidations: 0, falseInvalidations: 0 });
  for (let index = 0; index < 2000; index++) cache.deleteByTag(`tag ${index}`);
  const { invalidations, falseInvalidations } = cache.stats();
  expect(invalidations).toBe(2000);
  expect(falseInvalidations).toBeGreaterThan(0.03); // (4000 of 16,376 slots, some of them twice) squared
  expect(falseInvalidations).toBeLessThan(0.06);
});

test("the space of what a tag took is used before anything live leaves", () => {
  const cache = openPrivate<Uint8Array>({ size: 2 * MIB, shards: 1 });
  const value = new Uint8Array(1000);
  for (let index = 0; index < 500; index++) cache.set(`live ${index}`, value);
  for (let round = 0; round < 20; round++) {
    for (let index = 0; index < 400; index++)
      cache.set(`${round} ${index}`, value, { tags: [`round ${round}`] });
    cache.deleteByTag(`round ${round}`);
  }
  expect(cache.stats()).toMatchObject({ evictions: 0, entries: 500 });
});
