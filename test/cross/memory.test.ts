// A process that attaches to a large segment pays for its handle, not for the segment.

import { FastCache } from "fastcache";
import { expect, test } from "vitest";
import { Driver, runtimeNames } from "./process.ts";
import { segmentName } from "./segments.ts";

const PRIVATE_BYTES_MAX = 10 * 1024 * 1024;
const KEYS = 20_000;

test.each(runtimeNames)("attached to 256 MiB, %s adds less than 10 MiB of its own", async (runtime) => {
  using cache = FastCache.open({ name: segmentName(), size: "256MiB" });
  const value = new Uint8Array(4096);
  const keys = Array.from({ length: KEYS }, (_, i) => `key ${i}`);
  for (const key of keys) cache.set(key, value);
  await using driver = new Driver(runtime);
  const before = (await driver.do("privateBytes")) as number;
  await driver.do("open", { name: cache.info.name });
  for (let i = 0; i < KEYS; i += 20) expect(await driver.call("has", keys[i])).toBe(true);
  expect(await driver.call("get", keys[0])).toStrictEqual(value);
  const after = (await driver.do("privateBytes")) as number;
  console.log(`${runtime}: ${((after - before) / 2 ** 20).toFixed(1)} MiB`);
  expect(after - before).toBeLessThan(PRIVATE_BYTES_MAX);
  expect(await driver.end()).toBe(0);
});
