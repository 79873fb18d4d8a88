// A segment passed to a child process as a descriptor, from every runtime to every runtime.

import { FastCache } from "fastcache";
import { describe, expect, test, vi } from "vitest";
import { command, Driver, runtimeNames } from "./process.ts";
import { segmentName } from "./segments.ts";

describe.each(runtimeNames)("a child of %s", (parentName) => {
  test.each(runtimeNames)("running %s shares its private segment", async (childName) => {
    await using parent = new Driver(parentName);
    await parent.do("open", { size: "1MiB" });
    await parent.call("set", "from the parent", { runtime: parentName });
    const printed = await parent.do("spawnHeir", command(childName, "heir.ts"));
    expect(printed).toBe(`read {"runtime":"${parentName}"}; exit code 0`);
    expect(await parent.call("get", "from the heir")).toStrictEqual([expect.any(Number), "was here"]);
    expect(await parent.end()).toBe(0);
  });

  test("does not keep its dead parent alive in the eyes of the others", async () => {
    using cache = FastCache.open({ name: segmentName(), size: "1MiB" });
    const parent = new Driver(parentName);
    await parent.do("open", { name: cache.info.name });
    const heir = (await parent.do("spawnLastingHeir", ["sleep", "60"])) as number;
    try {
      expect(cache.stats().processes).toBe(2);
      await parent.kill();
      await vi.waitFor(() => expect(cache.stats().processes).toBe(1));
    } finally {
      process.kill(heir);
    }
  });
});
