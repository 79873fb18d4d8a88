// SPDX-License-Identifier: MIT
//
// Workers that end in whatever way, handles that are dropped, and hot reloads: none of them takes
// anything of the segment for good. Seen by the descriptors of a process of its own: an open
// segment takes two.

import { expect, test } from "vitest";
import { run } from "../support/child.ts";
import { uniqueName } from "../support/segments.ts";

/** What the programs below share. */
const HELPERS = `
  import { readdirSync, readlinkSync } from "node:fs";
  import { setTimeout as sleep } from "node:timers/promises";
  import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
  // Of segments: what else a runtime opens and forgets is its own affair.
  const isSegment = (descriptor) => {
    try {
      return readlinkSync("/proc/self/fd/" + descriptor).includes("fastcache");
    } catch {
      return false; // closed meanwhile
    }
  };
  const descriptors = () => readdirSync("/proc/self/fd").filter(isSegment).length;
  // Garbage, until a condition holds: what the collector does when is its own affair.
  async function collectUntil(condition) {
    for (let turn = 0; turn < 400 && !condition(); turn++) {
      globalThis.garbage = Array.from({ length: 50 }, () => new Uint8Array(200_000));
      globalThis.Bun?.gc(true);
      await sleep(5);
    }
    return condition();
  }
`;

test("workers that are terminated, end, throw or exit without closing leave no slot and no descriptor", () => {
  const output = run(
    `${HELPERS}
    if (isMainThread) {
      const cache = FastCache.open({ name: input, size: "1MiB" });
      const endings = ["terminate", "end", "throw", "exit"];
      const before = descriptors();
      for (let round = 0; round < 16; round++) {
        const worker = new Worker(new URL(import.meta.url), { workerData: endings[round % 4] });
        worker.on("error", () => {});
        const ended = new Promise((resolve) => worker.once("exit", resolve));
        await new Promise((resolve) => worker.once("message", resolve));
        if (round % 4 === 0) await worker.terminate();
        await ended;
      }
      // A thread may end a little later than its worker says.
      for (let turn = 0; turn < 500 && descriptors() > before; turn++) await sleep(10);
      console.log(cache.get("runs"), cache.stats().processes, descriptors() === before);
      FastCache.destroy(input);
      process.exit(0);
    } else {
      FastCache.open({ name: input }).increment("runs");
      parentPort.postMessage("ready");
      await sleep(20); // until the message is there
      if (workerData === "terminate") setInterval(() => {}, 1000);
      if (workerData === "throw") throw new Error("as it should");
      if (workerData === "exit") process.exit(0);
    }`,
    uniqueName(),
  );
  expect(output.split("\n").at(-1)).toBe("16 1 true");
});

test("a cache that nobody holds any more is closed, unless an iterator needs it", () => {
  const output = run(
    `${HELPERS}
    const before = descriptors();
    const drop = (size) => { FastCache.open({ size }).set("key", 1); };
    const kept = FastCache.open({ size: "1MiB" });
    kept.set("key", "kept");
    const iterators = (() => {
      const cache = FastCache.open({ size: "1MiB" });
      cache.setMany(Array.from({ length: 100 }, (_, index) => ["key-" + index, index]));
      const [keys, entries] = [cache.keys(), cache.entries()];
      keys.next();
      return [keys, entries];
    })();
    const held = descriptors() - before;
    for (let i = 0; i < 40; i++) drop("1MiB");
    console.log(descriptors() - before - held >= 40);
    console.log(await collectUntil(() => descriptors() - before === held));
    console.log(kept.get("key"), [...iterators[0]].length, [...iterators[1]].length);`,
  );
  expect(output.split("\n")).toEqual(["true", "true", "kept 99 100"]);
});

test("any number of handles of a thread on one segment takes one slot", () => {
  const output = run(
    `${HELPERS}
    const first = FastCache.open({ name: input, size: "1MiB" });
    const before = descriptors();
    const caches = Array.from({ length: 600 }, () => FastCache.open({ name: input }));
    caches.forEach((cache, index) => cache.set("key-" + index, index));
    console.log(descriptors() - before, first.stats().processes, first.info.maxProcesses, first.size);
    for (const cache of caches) cache.close();
    console.log(first.get("key-599"));
    first.close();
    console.log(FastCache.open({ name: input, create: false }).get("key-0"));
    FastCache.destroy(input);`,
    uniqueName(),
  );
  expect(output.split("\n")).toEqual(["0 1 256 600", "599", "0"]);
});
