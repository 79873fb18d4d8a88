// Workers of one process: each has a handle of its own on a named segment, or on a private one through its descriptor.

import { describe, expect, test } from "vitest";
import { Driver, runtimeNames } from "./process.ts";
import { segmentName } from "./segments.ts";
import type { Task } from "./worker.ts";

const WORKERS = 3;
const TIMES = 2000;

describe.each(runtimeNames)("in %s", (runtime) => {
  test("workers share a named segment", async () => {
    const name = segmentName();
    await using driver = new Driver(runtime);
    await driver.do("open", { name, size: "4MiB" });
    await expectShared(driver, { name });
  });

  test("workers share a private segment by its descriptor", async () => {
    await using driver = new Driver(runtime);
    const info = (await driver.do("open", { size: "4MiB" })) as { fd: number };
    await expectShared(driver, { fd: info.fd });
  });
});

async function expectShared(driver: Driver, segment: Task["segment"]): Promise<void> {
  const tasks = Array.from({ length: WORKERS }, (_, i) => ({ segment, key: `worker ${i}`, times: TIMES }));
  const answers = await driver.do("work", tasks);
  expect(answers).toStrictEqual(tasks.map(({ key, times }) => ({ from: key, times })));
  for (const { key, times } of tasks) {
    expect(await driver.call("get", key)).toStrictEqual({ from: key, times });
  }
  expect(await driver.call("get", "counter")).toBe(WORKERS * TIMES);
  expect(((await driver.call("stats")) as { processes: number }).processes).toBe(1);
  expect(await driver.end()).toBe(0);
}
