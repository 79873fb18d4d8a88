// Processes that come and go, politely or not, do not use up the segment or disturb the others.

import { setTimeout as sleep } from "node:timers/promises";
import { FastCache } from "fastcache";
import { describe, expect, test } from "vitest";
import { until } from "../support/wait.ts";
import { Driver, Participant, type RuntimeName, runtimeNames } from "./process.ts";
import { Reloaded } from "./reloaded.ts";
import { segmentName } from "./segments.ts";

const KILLS_PER_RUNTIME = 4;
const KILLS_OF_C = 40;
/** A takeover takes milliseconds; this is for a machine that has other work. */
const WRITES_MS_MAX = 2000;

test("processes that come and go leave their values and no trace in the process table", async () => {
  using cache = FastCache.open({ name: segmentName(), size: "4MiB" });
  const { name } = cache.info;
  for (let round = 0; round < 3; round++) {
    for (const runtime of runtimeNames) {
      const driver = new Driver(runtime);
      await driver.do("open", { name });
      await driver.call("set", `${runtime} ${round}`, round);
      if (round === 1) await driver.kill();
      else expect(await driver.end()).toBe(0);
    }
  }
  for (let i = 0; i < 100; i++) {
    const participant = new Participant();
    await participant.ask(`open ${name} ${4 << 20}`);
    await participant.ask("increment visitors");
    if (i % 2 === 0) await participant.kill();
    else await participant.end();
  }
  expect(cache.get("visitors")).toBe(100);
  expect(cache.size).toBe(3 * 3 + 1);
  expect(cache.stats().processes).toBe(1);
});

test("a segment outlives its creator, and its users outlive its name", async () => {
  const name = segmentName();
  const creator = new Driver("bun");
  await creator.do("open", { name, size: "1MiB", create: "exclusive" });
  await creator.call("set", "legacy", 1n);
  await creator.end();
  await using deno = new Driver("deno");
  await using node = new Driver("node");
  await deno.do("open", { name, create: false });
  await node.do("open", { name, create: false });
  FastCache.destroy(name);
  await deno.call("set", "still", "here");
  expect(await node.call("get", "still")).toBe("here");
  expect(await node.call("get", "legacy")).toBe(1n);
  await using late = new Driver("bun");
  await expect(late.do("open", { name, create: false })).rejects.toMatchObject({
    code: "ERR_FASTCACHE_NOT_FOUND",
  });
});

describe.each(runtimeNames)("a writer in %s that is killed", (victimName) => {
  test("lets the others write and read", async () => {
    using cache = FastCache.open({ name: segmentName(), size: "1MiB", shards: 1 });
    const survivor = runtimeNames[(runtimeNames.indexOf(victimName) + 1) % 3] as RuntimeName;
    await using other = new Driver(survivor);
    await other.do("open", { name: cache.info.name });
    for (let round = 0; round < KILLS_PER_RUNTIME; round++) {
      const victim = new Driver(victimName);
      await victim.do("open", { name: cache.info.name });
      await victim.do("setForever", "victim ");
      await sleep(5 + Math.random() * 10);
      await victim.kill();
      await expectWritable(cache, other);
    }
  });
});

test("C writers that are killed let the others write and read", async () => {
  using cache = FastCache.open({ name: segmentName(), size: "1MiB", shards: 1 });
  await using other = new Driver("bun");
  await other.do("open", { name: cache.info.name });
  for (let round = 0; round < KILLS_OF_C; round++) {
    const victim = new Participant();
    await victim.ask(`open ${cache.info.name} ${1 << 20}`);
    await victim.ask("forever victim");
    await sleep(Math.random() * 10);
    await victim.kill();
    await expectWritable(cache, other);
  }
});

/** Both can set and get at once, and what the victim left is whole. */
async function expectWritable(cache: FastCache, other: Driver): Promise<void> {
  const started = performance.now();
  cache.set("after", "ours");
  expect(await other.call("get", "after")).toBe("ours");
  await other.call("set", "after", "theirs");
  expect(cache.get("after")).toBe("theirs");
  expect(performance.now() - started).toBeLessThan(WRITES_MS_MAX);
  for (const [key, value] of cache.entries()) {
    if (key !== "after") expect(value).toMatch(/^value \d+ +x*$/);
  }
}

test("when all slots are taken, open says TOO_MANY_PROCESSES with the number and the remedy in each runtime", async () => {
  using cache = FastCache.open({ name: segmentName(), size: "1MiB" });
  const { name, maxProcesses } = cache.info;
  await using others = new AsyncDisposableStack();
  const opened = Array.from({ length: maxProcesses - 1 }, () => {
    const participant = others.use(new Participant());
    return participant.ask(`open ${name} ${1 << 20}`);
  });
  await Promise.all(opened);
  expect(cache.stats().processes).toBe(maxProcesses);
  for (const runtime of runtimeNames) {
    await using driver = new Driver(runtime);
    await expect(driver.do("open", { name })).rejects.toMatchObject({
      code: "ERR_FASTCACHE_TOO_MANY_PROCESSES",
      message: expect.stringMatching(/all 256 slots .* 256 processes.* 64 MiB .* 1024/),
    });
  }
  using again = FastCache.open({ name }); // our thread has its slot already
  expect(again.stats().processes).toBe(maxProcesses);
});

describe.each(["bun", "deno"] as const)("a program in %s that is reloaded again and again", (name) => {
  test("takes one slot", async () => {
    using cache = FastCache.open({ name: segmentName(), size: "1MiB" });
    await using program = new Reloaded(name, cache.info.name as string);
    await program.loads(15);
    expect(cache.get("loads")).toBeGreaterThanOrEqual(15);
    // A reload may still be under way, between the old handle, which was collected, and the new one.
    await until(() => cache.stats().processes === 2);
    await until(() => program.descriptors() === 2);
  });
});
