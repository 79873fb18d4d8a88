// A process that attaches to a large segment pays for its handle, not for the segment.

import { FastCache } from "fastcache";
import { expect, test } from "vitest";
import { Driver, runtimeNames } from "./process.ts";
import { segmentName } from "./segments.ts";

const PRIVATE_BYTES_MAX = 10 << 20;
const KEYS = 20_000;
const VALUE = "0123456789abcdef".repeat(512);

test.each(runtimeNames)("attached to 256 MiB, %s adds less than 10 MiB of its own", async (runtime) => {
  using cache = FastCache.open({ name: segmentName(), size: "256MiB" });
  for (let i = 0; i < KEYS; i++) cache.set(`key ${i}`, VALUE);
  await using driver = new Driver(runtime);
  // The same work with a small segment first: what the runtime takes for it is not ours.
  await driver.do("open", { size: "1MiB" });
  await driver.do("readAll", "key ", KEYS, VALUE.length);
  await driver.call("close");
  const before = (await driver.do("privateBytes")) as number;
  await driver.do("open", { name: cache.info.name });
  // Touches pages all over the segment.
  expect(await driver.do("readAll", "key ", KEYS, VALUE.length)).toBe(KEYS * VALUE.length);
  const after = (await driver.do("privateBytes")) as number;
  expect(after - before).toBeLessThan(PRIVATE_BYTES_MAX);
  expect(await driver.end()).toBe(0);
});
