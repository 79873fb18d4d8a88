// SPDX-License-Identifier: MIT
//
// What a deadline may be: none, over at once, a time of day, the one that was there; and that what
// `ttl` tells may be given back.

import { runInNewContext } from "node:vm";
import type { FastCache, SetOptions } from "fastcache";
import { describe, expect, test, vi } from "vitest";
import { failure } from "../support/errors.ts";
import { MIB, open, openPrivate, uniqueName } from "../support/segments.ts";
import { until } from "../support/wait.ts";

const HOUR = 3_600_000;
const never: SetOptions = { ttl: Infinity };

/** Each method that stores, as a call that answers whether it stored, by the key's state before. */
const STORING: [string, "absent" | "present" | "any", (cache: FastCache, options: SetOptions) => boolean][] =
  [
    ["set", "any", (cache, options) => cache.set("key", "new", options) === cache],
    ["add", "absent", (cache, options) => cache.add("key", "new", options)],
    ["replace", "present", (cache, options) => cache.replace("key", "new", options)],
    [
      "compareAndSet",
      "present",
      (cache, options) => {
        const version = cache.getWithVersion("key")?.version ?? 1;
        return cache.compareAndSet("key", version, "new", options);
      },
    ],
    ["setMany", "any", (cache, options) => cache.setMany([["key", "new", options]]) === cache],
  ];

/** Deadlines that are not in the future. */
const OVER: [string, SetOptions][] = [
  ["a ttl of 0", { ttl: 0 }],
  ["a ttl of -0", { ttl: -0 }],
  ["a ttl below 0", { ttl: -1 }],
  ["a ttl of -Infinity", { ttl: -Infinity }],
  ["a Date in the past", { expiresAt: new Date(Date.now() - 1000) }],
  ["the time of now", { expiresAt: Date.now() }],
  ["the year 1970", { expiresAt: 0 }],
  ["a time before 1970", { expiresAt: -1e15 }],
];

describe.each(OVER)("%s: stored, and over at once", (_, options) => {
  test.each(STORING)("%s", (_name, wants, store) => {
    const cache = openPrivate();
    expect(store(cache, options), "absent").toBe(wants !== "present");
    expect(cache.has("key")).toBe(false);
    cache.set("key", "old");
    expect(store(cache, options), "present").toBe(wants !== "absent");
    // What was there is gone if something was stored.
    expect(cache.get("key")).toBe(wants === "absent" ? "old" : undefined);
    expect(cache.size).toBe(wants === "absent" ? 1 : 0);
  });
});

test("a value that is over at once pushes nothing out, and is counted as set and as expired", () => {
  const cache = openPrivate({ size: MIB, shards: 1 });
  const value = new Uint8Array(cache.info.maxValueSize);
  for (let index = 0; index < 5000; index++) cache.set(`key ${index}`, value, { ttl: 0 });
  const { sets, expirations, evictions, entries } = cache.stats();
  expect({ sets, expirations, evictions, entries }).toEqual({
    sets: 5000,
    expirations: 5000,
    evictions: 0,
    entries: 0,
  });
});

test("a value that is over at once is checked like any other", () => {
  const cache = openPrivate();
  cache.set("key", 1);
  const large = new Uint8Array(cache.info.maxValueSize + 1);
  failure("VALUE_TOO_LARGE", () => cache.set("key", large, { ttl: 0 }));
  failure("INVALID_ARGUMENT", () => cache.set("key", undefined, { ttl: 0 }));
  expect(cache.get("key")).toBe(1);
});

test.each([[0], [-1], [-Infinity]])("touch with %s removes the entry", (ttl) => {
  const cache = openPrivate();
  cache.set("key", 1);
  expect(cache.touch("key", ttl)).toBe(true);
  expect(cache.has("key")).toBe(false);
  expect(cache.touch("key", ttl)).toBe(false);
  expect(cache.size).toBe(0);
});

test("an increment with a ttl of 0 counts an absent entry as over at once, and leaves one that is there", () => {
  const cache = openPrivate();
  expect(cache.increment("counter", 2, { initial: 5, ttl: 0 })).toBe(7);
  expect(cache.has("counter")).toBe(false);
  cache.increment("counter", 1);
  expect(cache.increment("counter", 1, { ttl: 0 })).toBe(2);
  expect(cache.ttl("counter")).toBe(Infinity);
});

test.each([[0], [-1], [-Infinity]])("open refuses a ttl of %s: nothing could be kept", (ttl) => {
  failure("INVALID_ARGUMENT", () => open({ size: MIB, ttl }), /`ttl`/, /above 0.*Infinity/);
});

test("open takes a ttl of Infinity: no deadline", () => {
  const cache = openPrivate({ ttl: Infinity });
  cache.set("key", 1);
  expect(cache.ttl("key")).toBe(Infinity);
});

test("what ttl tells may be given back: Infinity for an entry without a deadline", () => {
  const cache = openPrivate({ ttl: HOUR });
  cache.set("a", 1, never);
  cache.set("b", 1, { ttl: cache.ttl("a") });
  expect(cache.ttl("b")).toBe(Infinity);
  cache.set("c", 1).touch("c", cache.ttl("a") as number);
  expect(cache.ttl("c")).toBe(Infinity);
});

test("what ttl tells up to the deadline is above 0, and makes no copy immortal", () => {
  const cache = openPrivate();
  let told = 0;
  for (let round = 0; round < 10; round++) {
    cache.set("a", 1, { ttl: 5 });
    for (;;) {
      const ttl = cache.ttl("a");
      if (ttl === undefined) break;
      if (!(ttl > 0 && ttl <= 5)) expect.fail(`told ${ttl}`);
      told = ttl;
    }
    cache.set("b", 1, { ttl: told });
    expect(cache.ttl("b") ?? told).toBeLessThanOrEqual(told);
  }
});

describe("expiresAt", () => {
  test.each<[string, (ms: number) => Date | number]>([
    ["a Date", (ms) => new Date(ms)],
    ["a Date of another realm", (ms) => runInNewContext(`new Date(${ms})`) as Date],
    ["milliseconds since 1970", (ms) => ms],
    ["a fraction of a millisecond more", (ms) => ms + 0.25],
  ])("is %s", (_, at) => {
    const cache = openPrivate();
    for (const [name, wants, store] of STORING) {
      if (wants === "present") cache.set("key", "old");
      else cache.delete("key");
      const before = Date.now();
      expect(store(cache, { expiresAt: at(before + HOUR) }), name).toBe(true);
      const ttl = cache.ttl("key") as number;
      expect(ttl, name).toBeLessThanOrEqual(HOUR + 2);
      expect(ttl, name).toBeGreaterThanOrEqual(HOUR - (Date.now() - before) - 2);
    }
  });

  test("holds on the clock of the segment", async () => {
    const cache = openPrivate();
    const expiresAt = Date.now() + 40;
    cache.set("key", 1, { expiresAt });
    await until(() => !cache.has("key"));
    // Each of the two clocks is cut to whole milliseconds.
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt - 2);
  });

  test("is turned into a time to live at once: setting the clock later moves nothing", () => {
    const cache = openPrivate();
    const now = Date.now();
    cache.set("key", 1, { expiresAt: now + HOUR });
    const calendar = vi.spyOn(Date, "now");
    try {
      calendar.mockReturnValue(now + 24 * HOUR);
      expect(cache.get("key")).toBe(1);
      expect(cache.ttl("key")).toBeLessThanOrEqual(HOUR + 2);
      cache.set("key", 2, { expiresAt: now + 25 * HOUR });
      calendar.mockReturnValue(now - 24 * HOUR);
      expect(cache.ttl("key")).toBeLessThanOrEqual(HOUR + 2);
      expect(cache.get("key")).toBe(2);
    } finally {
      calendar.mockRestore();
    }
  });

  test("is Infinity for no deadline, also against the handle's ttl", () => {
    const cache = openPrivate({ ttl: HOUR });
    cache.set("key", 1, { expiresAt: Infinity });
    expect(cache.ttl("key")).toBe(Infinity);
  });

  test.each<[string, unknown]>([
    ["NaN", Number.NaN],
    ["an invalid Date", new Date(Number.NaN)],
    ["a string", "2030-01-01"],
    ["a bigint", 10n],
    ["null", null],
    ["an object", { getTime: () => 5 }],
    ["what only says that it is a Date", Object.create(Date.prototype)],
    ["what is too far away", 8.64e15],
  ])("refuses %s by name", (_, expiresAt) => {
    const cache = openPrivate();
    cache.set("key", 1);
    const options = { expiresAt } as SetOptions;
    for (const [name, wants, store] of STORING) {
      if (wants === "absent") continue;
      failure("INVALID_ARGUMENT", () => store(cache, options), /`expiresAt`/);
      expect(cache.get("key"), name).toBe(1);
    }
    failure("INVALID_ARGUMENT", () => cache.add("none", 1, options), /`expiresAt`/);
    expect(cache.has("none")).toBe(false);
  });
});

describe("keepTtl", () => {
  test.each(STORING)("%s leaves the deadline that is there, or its lack", (_, wants, store) => {
    const cache = openPrivate({ ttl: 7 * HOUR });
    if (wants !== "absent") {
      cache.set("key", "old", { ttl: HOUR });
      expect(store(cache, { keepTtl: true })).toBe(true);
      expect(cache.get("key")).toBe("new");
      expect(cache.ttl("key")).toBeLessThanOrEqual(HOUR);
      cache.set("key", "old", never);
      expect(store(cache, { keepTtl: true })).toBe(true);
      expect(cache.ttl("key")).toBe(Infinity);
    }
    if (wants === "present") return;
    cache.delete("key");
    expect(store(cache, { keepTtl: true })).toBe(true);
    expect(cache.ttl("key"), "nothing to keep: the handle's").toBeGreaterThan(6 * HOUR);
    expect(cache.ttl("key")).toBeLessThanOrEqual(7 * HOUR);
  });

  test("keeps nothing of an entry that has expired", async () => {
    const cache = openPrivate();
    cache.set("key", "old", { ttl: 20 });
    await until(() => !cache.has("key"));
    cache.set("key", "new", { keepTtl: true });
    expect(cache.ttl("key")).toBe(Infinity);
  });

  test("keeps the deadline of a large value of another size", () => {
    const cache = openPrivate({ size: 64 * MIB });
    for (const [before, after] of [
      [10, 1_000_000],
      [1_000_000, 10],
      [900_000, 1_000_000],
    ]) {
      cache.set("key", new Uint8Array(before as number), { ttl: HOUR });
      cache.set("key", new Uint8Array(after as number), { keepTtl: true });
      expect(cache.ttl("key")).toBeLessThanOrEqual(HOUR);
      expect(cache.ttl("key")).toBeGreaterThan(HOUR / 2);
    }
  });

  test("sees the deadline that another handle has given meanwhile", () => {
    const name = uniqueName();
    const first = open({ name, size: MIB });
    const second = open({ name });
    first.set("key", 1, { ttl: HOUR });
    second.touch("key", 5 * HOUR);
    first.set("key", 2, { keepTtl: true });
    expect(second.ttl("key")).toBeGreaterThan(4 * HOUR);
  });

  test("false is as if it were not there", () => {
    const cache = openPrivate();
    cache.set("key", 1, never).set("key", 2, { keepTtl: false, ttl: HOUR });
    expect(cache.ttl("key")).toBeLessThanOrEqual(HOUR);
    cache.set("key", 3, { keepTtl: false });
    expect(cache.ttl("key")).toBe(Infinity);
  });

  test.each([[1], ["yes"], [null], [{}]])("refuses %s", (keepTtl) => {
    const cache = openPrivate();
    failure(
      "INVALID_ARGUMENT",
      () => cache.set("key", 1, { keepTtl } as never),
      /`keepTtl`/,
      /true or false/,
    );
  });
});

test.each<[string, SetOptions]>([
  ["ttl and expiresAt", { ttl: HOUR, expiresAt: Date.now() + HOUR }],
  ["ttl and keepTtl", { ttl: HOUR, keepTtl: true }],
  ["expiresAt and keepTtl", { expiresAt: new Date(), keepTtl: true }],
  ["all three", { ttl: 0, expiresAt: 0, keepTtl: true }],
])("%s exclude each other", (_, options) => {
  const cache = openPrivate();
  cache.set("key", "old");
  for (const [, , store] of STORING) {
    failure(
      "INVALID_ARGUMENT",
      () => store(cache, options),
      /`ttl`, `expiresAt` and `keepTtl` exclude each other/,
    );
  }
  expect(cache.get("key")).toBe("old");
});

describe("increment with ifPresent", () => {
  test("leaves an absent entry absent", () => {
    const cache = openPrivate();
    expect(cache.increment("key", -1, { ifPresent: true })).toBeUndefined();
    expect(cache.increment("key", -1, { ifPresent: true, initial: 5, ttl: HOUR })).toBeUndefined();
    expect(cache.has("key")).toBe(false);
  });

  test("adds to an entry that is there, and leaves its deadline", () => {
    const cache = openPrivate();
    cache.increment("key", 5, { ttl: HOUR });
    expect(cache.increment("key", -1, { ifPresent: true })).toBe(4);
    expect(cache.increment("key", 1, { ifPresent: false })).toBe(5);
    expect(cache.ttl("key")).toBeLessThanOrEqual(HOUR);
  });

  test("lets the window of a limit begin anew after a decrement that came too late", async () => {
    const cache = openPrivate();
    cache.increment("window", 1, { ttl: 5 });
    await until(() => !cache.has("window"));
    expect(cache.increment("window", -1, { ifPresent: true })).toBeUndefined();
    expect(cache.increment("window", 1, { ttl: HOUR })).toBe(1);
    expect(cache.ttl("window")).toBeLessThanOrEqual(HOUR);
  });

  test("still refuses an entry that is not a number, and options of the wrong kind", () => {
    const cache = openPrivate();
    cache.set("key", "text");
    failure("INVALID_ARGUMENT", () => cache.increment("key", 1, { ifPresent: true }), /not a number/);
    failure("INVALID_ARGUMENT", () => cache.increment("n", 1, { ifPresent: 1 as never }), /`ifPresent`/);
    failure("INVALID_ARGUMENT", () => cache.increment("n", 1, { initial: Number.NaN }), /`initial`/);
    failure("INVALID_ARGUMENT", () => cache.increment("n", 1, { keepTtl: true } as never), /"keepTtl"/);
    expect(cache.has("n")).toBe(false);
  });
});
