// getOrSet across processes and runtimes: one factory runs, nobody is lost when its process dies.

import { FastCache } from "fastcache";
import { describe, expect, test } from "vitest";
import { until } from "../support/wait.ts";
import { Driver, runtimeNames } from "./process.ts";
import { segmentName } from "./segments.ts";

const KEYS = 400;

async function drivers(count: number, name: string): Promise<Driver[]> {
  const all = Array.from({ length: count }, (_, index) => new Driver(runtimeNames[index % 3] ?? "node"));
  await Promise.all(all.map((driver) => driver.do("open", { name })));
  return all;
}

test("eight processes in three runtimes that ask for the same keys at once compute each once", async () => {
  using cache = FastCache.open({ name: segmentName(), size: "64MiB" });
  const processes = await drivers(8, cache.info.name as string);
  const answers = await Promise.all(processes.map((driver) => driver.do("computeAll", "key", KEYS, 16, 2)));
  for (const [index, values] of (answers as string[][]).entries()) {
    expect(values.length).toBe(KEYS);
    for (const [key, value] of values.entries()) {
      expect(value, `process ${index}`).toBe(cache.get(`key ${key}`));
    }
  }
  const { factoryRuns, leasesRefused, coalescedWaits } = cache.stats();
  expect(factoryRuns - leasesRefused).toBe(KEYS);
  expect(leasesRefused).toBe(0);
  expect(coalescedWaits).toBeGreaterThan(0);
  for (const driver of processes) expect(await driver.end()).toBe(0);
});

describe.each(runtimeNames)("an owner in %s", (ownerName) => {
  test("that is killed in its factory is followed by one of those who wait", async () => {
    using cache = FastCache.open({ name: segmentName(), size: "8MiB" });
    const { name } = cache.info;
    const waiting = await drivers(3, name as string);
    for (let round = 0; round < 3; round++) {
      const owner = new Driver(ownerName);
      await owner.do("open", { name });
      await owner.do("computeForever", `key ${round}`);
      const before = cache.stats();
      const answers = waiting.map((driver) => driver.do("compute", `key ${round}`, 1));
      await until(() => cache.stats().coalescedWaits === before.coalescedWaits + waiting.length);
      await owner.kill();
      const values = await Promise.all(answers);
      expect(new Set(values).size).toBe(1);
      const after = cache.stats();
      expect(after.factoryRuns).toBe(before.factoryRuns + 1);
      expect(after.leasesTakenOver).toBe(before.leasesTakenOver + 1);
    }
    for (const driver of waiting) expect(await driver.end()).toBe(0);
  });

  test("whose worker is terminated, in its factory or while it waits, leaves nobody waiting", async () => {
    using cache = FastCache.open({ name: segmentName(), size: "8MiB" });
    const { name } = cache.info;
    await using owner = new Driver(ownerName);
    await owner.do("open", { name });
    await using other = new Driver("bun");
    await other.do("open", { name });
    for (const key of ["one", "two"]) {
      await owner.do("computeInWorker", key);
      const before = cache.stats().coalescedWaits;
      const answers = [cache.getOrSet(key, () => "heir"), other.do("compute", key, 1)];
      await until(() => cache.stats().coalescedWaits === before + 2);
      await owner.do("terminateWorker");
      expect(new Set(await Promise.all(answers)).size).toBe(1);
    }
    const before = cache.stats().coalescedWaits;
    await owner.do("computeForever", "three");
    await owner.do("computeInWorker", "three");
    await until(() => cache.stats().coalescedWaits === before + 1);
    await owner.do("terminateWorker");
    expect(await owner.call("get", "one")).toBe(cache.get("one"));
  });
});

test("a factory's error, and its message, reach the other processes", async () => {
  using cache = FastCache.open({ name: segmentName(), size: "8MiB" });
  await using deno = new Driver("deno");
  await deno.do("open", { name: cache.info.name });
  await expect(deno.do("computeFailing", "key", "no such table: köln", 60_000)).rejects.toThrow(
    "no such table",
  );
  const failed = cache.getOrSet("key", () => 1);
  await expect(failed).rejects.toMatchObject({
    code: "ERR_FASTCACHE_FACTORY_FAILED",
    message: expect.stringContaining("no such table: köln"),
  });
});
