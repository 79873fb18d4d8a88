// A private segment passed to a child process as a descriptor, from every runtime to every runtime.

import { describe, expect, test } from "vitest";
import { runtime } from "../../scripts/lib/tools.mjs";
import { Driver, runtimeNames } from "./process.ts";

describe.each(runtimeNames)("a child of %s", (parentName) => {
  test.each(runtimeNames)("running %s shares its private segment", async (childName) => {
    await using parent = new Driver(parentName);
    await parent.do("open", { size: "1MiB" });
    await parent.call("set", "from the parent", { runtime: parentName });
    const printed = await parent.do("spawnHeir", runtime(childName));
    expect(printed).toBe(`read {"runtime":"${parentName}"}; exit code 0`);
    expect(await parent.call("get", "from the heir")).toStrictEqual([expect.any(Number), "was here"]);
    expect(await parent.end()).toBe(0);
  });
});
