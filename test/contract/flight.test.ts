// SPDX-License-Identifier: MIT
//
// getOrSet and wrap in one process: who runs a factory, and who gets what. Two handles on one segment know
// nothing of each other's calls: they are as two processes here.

import { setTimeout as sleep } from "node:timers/promises";
import type { Factory, GetOrSetOptions } from "fastcache";
import { describe, expect, test } from "vitest";
import { controlled, openTwo, rejection } from "../support/flights.ts";
import { MIB, open, openPrivate } from "../support/segments.ts";
import { until } from "../support/wait.ts";

describe("getOrSet", () => {
  test("computes what is not there, stores it, and finds it from then on", async () => {
    const cache = openPrivate();
    let runs = 0;
    const factory = () => ({ run: ++runs });
    expect(await cache.getOrSet("key", factory, { ttl: 60_000 })).toEqual({ run: 1 });
    expect(await cache.getOrSet("key", factory)).toEqual({ run: 1 });
    expect(cache.get("key")).toEqual({ run: 1 });
    expect(cache.ttl("key")).toBeGreaterThan(59_000);
    expect(cache.ttl("key")).toBeLessThanOrEqual(60_000);
    expect(runs).toBe(1);
    expect(cache.stats()).toMatchObject({ factoryRuns: 1, coalescedWaits: 0, leasesRefused: 0 });
  });

  test("runs one factory for all calls at once, of any handle, and each gets a value of its own", async () => {
    const [first, second] = openTwo();
    let runs = 0;
    const factory = async () => {
      runs++;
      await sleep(10);
      return { list: [1, 2, 3], bytes: new Uint8Array(5000) };
    };
    const calls = [first, second, first, second, first].map((cache) => cache.getOrSet("key", factory));
    const values = await Promise.all(calls);
    expect(runs).toBe(1);
    for (const value of values) {
      expect(value).toEqual({ list: [1, 2, 3], bytes: new Uint8Array(5000) });
      value.list.push(4);
      value.bytes.fill(9);
    }
    expect(first.get("key")).toEqual({ list: [1, 2, 3], bytes: new Uint8Array(5000) });
    expect(first.stats()).toMatchObject({ factoryRuns: 1, coalescedWaits: 4 });
  });

  test.each([
    ["a string", "äöü".repeat(1000)],
    ["a number", -0],
    ["a bigint", 2n ** 80n],
    ["false", false],
    ["null", null],
    ["bytes", new Uint8Array([1, 2, 3])],
    ["a map with a date", new Map([["at", new Date(0)]])],
    ["a large value", new Uint8Array(300_000).fill(7)],
  ])("gives everybody %s as get would", async (_, value) => {
    const [first, second] = openTwo();
    const factory = async () => {
      await sleep(2);
      return value;
    };
    const values = await Promise.all([first, first, second].map((cache) => cache.getOrSet("key", factory)));
    for (const one of [...values, first.get("key")]) expect(one).toEqual(value);
    if (typeof value === "object" && value !== null) expect(new Set(values).size).toBe(3);
  });

  test("knows a key by its bytes, however it is given, and long ones by their hash", async () => {
    const cache = openPrivate({ longKeys: "hash" });
    const { factory, runs } = controlled();
    const long = "ö".repeat(4000);
    const calls = [
      cache.getOrSet("ä", factory),
      cache.getOrSet(new TextEncoder().encode("ä"), factory),
      cache.getOrSet(new Uint8Array([0xff]), factory),
      cache.getOrSet("ÿ", factory),
      cache.getOrSet(long, factory),
    ];
    expect(runs.length).toBe(4);
    for (const [index, { resolve }] of runs.entries()) resolve(index);
    expect(await Promise.all(calls)).toEqual([0, 0, 1, 2, 3]);
    expect(cache.get(long)).toBe(3);
    expect(cache.get(new Uint8Array([0xff]))).toBe(1);
  });

  test("stores nothing that is undefined, skipped, or over at once, and lets nobody wait for the next", async () => {
    const [first, second] = openTwo();
    const factories: Factory<unknown>[] = [
      () => undefined,
      (context) => {
        context.skip();
        return "value";
      },
      (context) => {
        context.setTtl(0);
        return "value";
      },
    ];
    for (const [index, factory] of factories.entries()) {
      const key = `key ${index}`;
      let runs = 0;
      const slow: Factory<unknown> = async (context) => {
        runs++;
        await sleep(5);
        return factory(context);
      };
      const calls = [first, second].map((cache) => cache.getOrSet(key, slow));
      expect(await Promise.all(calls)).toEqual(Array(2).fill(index === 0 ? undefined : "value"));
      expect(first.has(key)).toBe(false);
      expect(runs).toBe(2);
      const { factory: own, runs: ownRuns } = controlled();
      const both = [first, second].map((cache) => cache.getOrSet(key, own));
      expect(ownRuns.length).toBe(2);
      for (const { resolve } of ownRuns) resolve("cacheable");
      expect(await Promise.all(both)).toEqual(["cacheable", "cacheable"]);
      expect(first.get(key)).toBe("cacheable");
    }
  });

  test("takes another time to live from the factory", async () => {
    const cache = openPrivate({ ttl: 1000 });
    const value = await cache.getOrSet("key", ({ setTtl, key }) => {
      setTtl(Infinity);
      return key;
    });
    expect(value).toBe("key");
    expect(cache.ttl("key")).toBe(Infinity);
  });

  test("gives what the factory throws to its own calls, and lets another run", async () => {
    const [first, second] = openTwo();
    const { factory, runs } = controlled();
    const own = [first.getOrSet("key", factory), first.getOrSet("key", factory)];
    const other = second.getOrSet("key", factory);
    const error = new Error("no database");
    runs[0]?.reject(error);
    for (const call of own) await expect(call).rejects.toBe(error);
    await until(() => runs.length === 2);
    runs[1]?.resolve(2);
    expect(await other).toBe(2);
    const thrown = first.getOrSet("another", () => {
      throw error;
    });
    await expect(thrown).rejects.toBe(error);
  });

  test("runs a failed factory no more for errorTtl, and tells others why", async () => {
    const [first, second] = openTwo();
    const error = new Error(`no database ${"!".repeat(300)}`);
    let runs = 0;
    const failing = async () => {
      runs++;
      await sleep(2);
      throw error;
    };
    const options = { errorTtl: 60_000 };
    const waiting = second.getOrSet("key", failing, options);
    const own = first.getOrSet("key", failing, options);
    await expect(waiting).rejects.toBe(error);
    await rejection("FACTORY_FAILED", own, "no database !!!!!", '"key"');
    await expect(second.getOrSet("key", failing, options)).rejects.toBe(error);
    await rejection(
      "FACTORY_FAILED",
      first.getOrSet("key", () => 1),
      "no database",
    );
    expect(runs).toBe(1);
    expect(first.delete("key")).toBe(false);
    expect(await first.getOrSet("key", () => 1)).toBe(1);
    const short = { errorTtl: 5 };
    await expect(first.getOrSet("other", failing, short)).rejects.toBe(error);
    await sleep(10);
    expect(await first.getOrSet("other", () => 2)).toBe(2);
  });

  test("gives up after hardTimeout, whoever runs the factory, which goes on and is stored", async () => {
    const [first, second] = openTwo();
    const { factory, runs } = controlled();
    const patient = first.getOrSet("key", factory);
    const options = { hardTimeout: 5 };
    await rejection("TIMEOUT", first.getOrSet("key", factory, options), "5 ms", '"key"');
    await rejection("TIMEOUT", second.getOrSet("key", factory, options));
    runs[0]?.resolve(1);
    expect(await patient).toBe(1);
    const impatient = first.getOrSet("other", factory, options);
    await rejection("TIMEOUT", impatient);
    expect(runs[1]?.signal.aborted).toBe(false);
    runs[1]?.resolve(2);
    await until(() => first.has("other"));
    expect(first.get("other")).toBe(2);
    expect(runs.length).toBe(2);
  });

  test("withdraws a call by its signal, in every state, and the factory when nobody is left", async () => {
    const [first, second] = openTwo();
    const { factory, runs } = controlled();
    const reason = new Error("enough");
    const over = AbortSignal.abort(reason);
    await expect(first.getOrSet("key", factory, { signal: over })).rejects.toBe(reason);
    expect(runs.length).toBe(0);
    const [one, two, three] = [new AbortController(), new AbortController(), new AbortController()];
    const running = first.getOrSet("key", factory, { signal: one.signal });
    const joined = first.getOrSet("key", factory, { signal: two.signal });
    const waiting = second.getOrSet("key", factory, { signal: three.signal });
    three.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    one.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(runs[0]?.signal.aborted).toBe(false);
    two.abort(reason);
    await expect(joined).rejects.toBe(reason);
    expect(runs[0]?.signal.reason).toBe(reason);
    runs[0]?.resolve("late");
    await until(() => first.has("key"));
    const settled = first.getOrSet("key", factory, { signal: one.signal });
    await expect(settled).rejects.toBe(reason);
    expect(runs.length).toBe(1);
  });

  test("refuses a factory that asks for its own key, by name", async () => {
    const cache = openPrivate();
    const straight = cache.getOrSet("key", () => cache.getOrSet("key", () => 1));
    await rejection("INVALID_ARGUMENT", straight, '"key"', "itself");
    const round = cache.getOrSet("key", () => cache.getOrSet("other", () => cache.getOrSet("key", () => 1)));
    await rejection("INVALID_ARGUMENT", round, '"key"');
    const nested = cache.getOrSet("key", async () => (await cache.getOrSet("other", () => 1)) + 1);
    expect(await nested).toBe(2);
    expect(cache.get("other")).toBe(1);
  });

  test("rejects all calls when the cache is closed, and passes the lease on", async () => {
    const [first, second] = openTwo();
    const third = open({ fd: first.info.fd });
    const { factory, runs } = controlled();
    const running = second.getOrSet("key", factory);
    const waiting = third.getOrSet("key", factory);
    const last = first.getOrSet("key", factory);
    third.close();
    await rejection("CLOSED", waiting);
    second.close();
    await rejection("CLOSED", running);
    expect(runs[0]?.signal.aborted).toBe(true);
    await until(() => runs.length === 2);
    runs[0]?.resolve("of a closed cache");
    runs[1]?.resolve("value");
    expect(await last).toBe("value");
    await rejection("CLOSED", second.getOrSet("key", factory));
  });

  test("returns a value that cannot be stored, and counts it; refuses one that cannot be kept", async () => {
    const [first, second] = openTwo();
    const value = new Uint8Array(first.info.maxValueSize + 1);
    let runs = 0;
    const factory = async () => {
      runs++;
      await sleep(2);
      return value;
    };
    const calls = [first, first, second].map((cache) => cache.getOrSet("key", factory));
    for (const one of await Promise.all(calls)) expect(one).toEqual(value);
    expect(first.has("key")).toBe(false);
    expect(runs).toBe(2);
    expect(first.stats().storeFailures).toBe(2);
    const refused = first.getOrSet("other", () => Symbol("no data"));
    await rejection("INVALID_ARGUMENT", refused, "cannot be stored");
    expect(await second.getOrSet("other", () => 1)).toBe(1);
  });

  test("computes each key once where there are more of them than leases", async () => {
    const first = openPrivate({ size: MIB });
    const other = open({ fd: first.info.fd });
    const runs = new Map<string, number>();
    const factory: Factory<unknown> = async ({ key }) => {
      runs.set(key as string, (runs.get(key as string) ?? 0) + 1);
      await sleep(1);
      return key;
    };
    const keys = Array.from({ length: 300 }, (_, index) => `key ${index}`);
    const calls = [first, other].map((cache) => Promise.all(keys.map((key) => cache.getOrSet(key, factory))));
    expect(await Promise.all(calls)).toEqual([keys, keys]);
    expect([...runs.values()]).toEqual(Array(300).fill(1));
    expect(first.stats()).toMatchObject({ factoryRuns: 300, leasesRefused: 0, entries: 300 });
  });

  test("runs without a lease where none comes free, and stores nothing then", async () => {
    const cache = openPrivate({ size: MIB });
    const { factory, runs } = controlled();
    const calls = Array.from({ length: 100 }, (_, index) => cache.getOrSet(`key ${index}`, factory));
    const leases = runs.length;
    expect(leases).toBeLessThan(100);
    await until(() => runs.length === 100);
    expect(cache.stats().leasesRefused).toBe(100 - leases);
    for (const { resolve } of runs) resolve("value");
    expect(new Set(await Promise.all(calls))).toEqual(new Set(["value"]));
    expect(cache.size).toBe(leases);
  });

  test("refuses arguments of the wrong kind", async () => {
    const cache = openPrivate();
    const get = (options: object, factory: unknown = () => 1) =>
      cache.getOrSet("key", factory as Factory<number>, options as GetOrSetOptions);
    await rejection("INVALID_ARGUMENT", get({}, 1), "factory", "function");
    await rejection("INVALID_ARGUMENT", get({ ttl: "1" }), "ttl");
    await rejection("INVALID_ARGUMENT", get({ lease: 0 }), "lease", "above 0");
    await rejection("INVALID_ARGUMENT", get({ lease: 86_400_001 }), "lease", "86400000");
    await rejection("INVALID_ARGUMENT", get({ hardTimeout: 0 }), "hardTimeout");
    await rejection("INVALID_ARGUMENT", get({ errorTtl: -1 }), "errorTtl");
    await rejection("INVALID_ARGUMENT", get({ forceFresh: 1 }), "forceFresh");
    await rejection("INVALID_ARGUMENT", get({ signal: {} }), "signal");
    await rejection("INVALID_ARGUMENT", get({ expiresAt: 1 }), "expiresAt", "hardTimeout");
    await rejection(
      "INVALID_ARGUMENT",
      cache.getOrSet("", () => 1),
    );
    await rejection(
      "KEY_TOO_LONG",
      cache.getOrSet("k".repeat(1025), () => 1),
    );
    expect(cache.size).toBe(0);
  });
});

describe("wrap", () => {
  test("makes the key of the name and the arguments", async () => {
    const cache = openPrivate();
    const calls: unknown[] = [];
    const sum = cache.wrap("sum", async (a: number, b: number) => {
      calls.push([a, b]);
      return a + b;
    });
    expect(await Promise.all([sum(1, 2), sum(1, 2), sum(2, 1)])).toEqual([3, 3, 3]);
    expect(calls).toEqual([
      [1, 2],
      [2, 1],
    ]);
    expect([...cache.keys()].toSorted()).toEqual(["sum[1,2]", "sum[2,1]"]);
  });

  test("takes a key of one's own, and the options of getOrSet", async () => {
    const cache = openPrivate();
    const load = cache.wrap("load", (user: { id: bigint }) => Number(user.id), {
      key: ({ id }) => String(id),
      ttl: 1000,
    });
    expect(await load({ id: 7n })).toBe(7);
    expect([...cache.keys()]).toEqual(["load:7"]);
    expect(cache.ttl("load:7")).toBeLessThanOrEqual(1000);
  });

  test("refuses arguments that JSON does not hold as they are", async () => {
    const cache = openPrivate();
    const load = cache.wrap("load", (value: unknown) => typeof value);
    for (const value of [1n, new Map(), Number.NaN, undefined, () => 1])
      await rejection("INVALID_ARGUMENT", load(value), "load", "key");
    expect(cache.size).toBe(0);
  });
});
