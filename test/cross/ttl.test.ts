// A deadline set in one runtime holds in all: they read one clock.

import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Driver, runtimeNames } from "./process.ts";
import { segmentName } from "./segments.ts";

const TTL_MS = 1500;

test.each(runtimeNames)("an entry set in %s expires everywhere", async (writerName) => {
  const name = segmentName();
  await using writer = new Driver(writerName);
  await writer.do("open", { name, size: "1MiB" });
  const readers = await Promise.all(
    runtimeNames.map(async (runtime) => {
      const driver = new Driver(runtime);
      await driver.do("open", { name });
      return driver;
    }),
  );
  try {
    await writer.call("set", "short", "lived", { ttl: TTL_MS });
    await writer.call("set", "long", "lived", { ttl: 3_600_000 });
    const deadline = Date.now() + TTL_MS;
    for (const reader of readers) {
      expect(await reader.call("get", "short"), reader.runtime).toBe("lived");
      const left = (await reader.call("ttl", "short")) as number;
      // Both clocks are read a moment apart.
      expect(Math.abs(left - (deadline - Date.now())), reader.runtime).toBeLessThan(250);
    }
    await sleep(deadline + 5 - Date.now());
    for (const reader of readers) {
      expect(await reader.call("get", "short"), reader.runtime).toBeUndefined();
      expect(await reader.call("ttl", "short"), reader.runtime).toBeUndefined();
      expect(await reader.call("get", "long"), reader.runtime).toBe("lived");
    }
  } finally {
    for (const reader of readers) await reader.end();
  }
});
