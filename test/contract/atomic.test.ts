// SPDX-License-Identifier: MIT
//
// increment, getWithVersion, compareAndSet: reading and writing as one step.

import { expect, test } from "vitest";
import { start } from "../support/child.ts";
import { failure } from "../support/errors.ts";
import { MIB, open, openPrivate, uniqueName } from "../support/segments.ts";
import { until } from "../support/wait.ts";

test("increment counts from 0 by 1", () => {
  const cache = openPrivate();
  expect([cache.increment("n"), cache.increment("n"), cache.increment("n")]).toEqual([1, 2, 3]);
  expect(cache.get("n")).toBe(3);
});

test("increment adds any finite number, also to a number that was set", () => {
  const cache = openPrivate();
  cache.set("n", 10);
  expect(cache.increment("n", 2.5)).toBe(12.5);
  expect(cache.increment("n", -20)).toBe(-7.5);
  expect(cache.increment("n", 0)).toBe(-7.5);
  expect(cache.increment("big", 2 ** 53)).toBe(2 ** 53);
});

test("increment begins an absent entry at initial", () => {
  const cache = openPrivate();
  expect(cache.increment("n", 1, { initial: 100 })).toBe(101);
  expect(cache.increment("n", 1, { initial: 100 })).toBe(102);
});

test.each([["text"], [new Uint8Array(8)], [5n], [null], [true], [{ n: 1 }]])(
  "increment refuses an entry that holds %o, and leaves it alone",
  (value) => {
    const cache = openPrivate();
    cache.set("key", value);
    failure("INVALID_ARGUMENT", () => cache.increment("key"), /"key"/, /not a number/);
    expect(cache.get("key")).toEqual(value);
  },
);

test.each([Number.NaN, Infinity, -Infinity, "1", 1n, null])("increment by %s is refused", (by) => {
  const cache = openPrivate();
  failure("INVALID_ARGUMENT", () => cache.increment("n", by as number), /`by`/);
  failure("INVALID_ARGUMENT", () => cache.increment("n", 1, { initial: by as number }), /`initial`/);
  expect(cache.has("n")).toBe(false);
});

test("getWithVersion gives the value and a version that changes with every change", () => {
  const cache = openPrivate();
  expect(cache.getWithVersion("key")).toBeUndefined();
  const versions = new Set<number>();
  const changes = [
    () => cache.set("key", 1),
    () => cache.set("key", 1),
    () => cache.increment("key"),
    () => cache.replace("key", "text"),
    () => {
      cache.delete("key");
      cache.add("key", "text");
    },
  ];
  for (const change of changes) {
    change();
    const { value, version } = cache.getWithVersion("key") ?? {};
    expect(value).toEqual(cache.get("key"));
    expect(cache.getWithVersion("key")?.version).toBe(version);
    versions.add(version as number);
  }
  expect(versions.size).toBe(changes.length);
});

test("getWithVersion gives large values and bytes too", () => {
  const cache = openPrivate({ size: 16 * MIB });
  for (const value of [new Uint8Array(10).fill(1), new Uint8Array(200_000).fill(2), "é".repeat(100_000)]) {
    cache.set("key", value);
    const found = cache.getWithVersion("key");
    expect(found?.value).toEqual(value);
    expect(cache.compareAndSet("key", found?.version as number, "next")).toBe(true);
  }
});

test("compareAndSet stores if nothing has changed since", () => {
  const cache = openPrivate();
  cache.set("key", "old");
  const { version } = cache.getWithVersion("key") as { version: number };
  expect(cache.compareAndSet("key", version, "new")).toBe(true);
  expect(cache.get("key")).toBe("new");
});

test("compareAndSet stores nothing after a change, a removal, or for an absent entry", () => {
  const cache = openPrivate();
  cache.set("key", "old");
  const { version } = cache.getWithVersion("key") as { version: number };
  cache.set("key", "old");
  expect(cache.compareAndSet("key", version, "new")).toBe(false);
  expect(cache.get("key")).toBe("old");
  cache.delete("key");
  expect(cache.compareAndSet("key", version, "new")).toBe(false);
  expect(cache.compareAndSet("never", 1, "new")).toBe(false);
  expect(cache.size).toBe(0);
});

test("compareAndSet refuses what cannot be a version", () => {
  const cache = openPrivate();
  failure("INVALID_ARGUMENT", () => cache.compareAndSet("key", "1" as never, 1), /version/);
  failure("INVALID_ARGUMENT", () => cache.compareAndSet("key", undefined as never, 1), /version/);
  failure("INVALID_ARGUMENT", () => cache.compareAndSet("key", 1.5, 1), /version.*1\.5/);
  failure("INVALID_ARGUMENT", () => cache.compareAndSet("key", -1, 1), /version.*-1/);
  failure("INVALID_ARGUMENT", () => cache.compareAndSet("key", Number.NaN, 1), /version/);
});

test("increments and compareAndSet of several processes lose nothing", async () => {
  const name = uniqueName();
  const cache = open({ name, size: 4 * MIB });
  cache.set("list", []);
  const rounds = 2000;
  const worker = `
    const cache = FastCache.open({ name: input.name, create: false });
    console.log("ready");
    for (let round = 0; round < input.rounds; round++) cache.increment("sum");
    for (let round = 0; round < 20; ) {
      const { value, version } = cache.getWithVersion("list");
      if (cache.compareAndSet("list", version, [...value, input.id])) round++;
    }
    cache.increment("finished");
    cache.close();`;
  const ids = ["a", "b", "c"];
  await Promise.all(ids.map((id) => start(worker, { name, rounds, id })));
  await until(() => cache.get("finished") === ids.length, 20_000);
  expect(cache.get("sum")).toBe(ids.length * rounds);
  const list = cache.get("list") as string[];
  expect(list.toSorted()).toEqual(ids.flatMap((id) => Array<string>(20).fill(id)));
});
