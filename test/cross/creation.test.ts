// Sixty-four processes that open one new name at the same moment end up in one ready segment.

import { FastCache } from "fastcache";
import { expect, test } from "vitest";
import { Driver, Participant, runtimeNames } from "./process.ts";
import { segmentName } from "./segments.ts";

const DRIVERS_PER_RUNTIME = 4;
const PROCESSES = 64;
const SIZE = 16 << 20;

test("64 processes of all runtimes create one segment and lose nothing", { timeout: 120_000 }, async () => {
  const name = segmentName();
  await using processes = new AsyncDisposableStack();
  const drivers = runtimeNames.flatMap((runtime) =>
    Array.from({ length: DRIVERS_PER_RUNTIME }, () => processes.use(new Driver(runtime))),
  );
  const participants = Array.from({ length: PROCESSES - drivers.length }, () =>
    processes.use(new Participant()),
  );
  // All are up and wait for their next line before the first may open.
  for (const driver of drivers)
    await expect(driver.do("property", "size")).rejects.toThrow("opened no cache");
  for (const participant of participants) expect(await participant.ask("ready?")).toMatch(/^error/);

  const opened = await Promise.all([
    ...participants.map((participant) => participant.ask(`open ${name} ${SIZE}`)),
    ...drivers.map(async (driver) => {
      const info = (await driver.do("open", { name, size: SIZE })) as { created: boolean };
      return info.created ? "ok created" : "ok attached";
    }),
  ]);
  expect(opened.filter((answer) => answer === "ok created")).toHaveLength(1);
  expect(opened.filter((answer) => answer === "ok attached")).toHaveLength(PROCESSES - 1);

  await Promise.all([
    ...participants.map((participant, i) => participant.ask(`set c${i} ${i}`)),
    ...participants.map((participant) => participant.ask("increment all")),
    ...drivers.map((driver, i) => driver.call("set", `js${i}`, String(i))),
    ...drivers.map((driver) => driver.call("increment", "all")),
  ]);
  using cache = FastCache.open({ name, create: false });
  expect(cache.get("all")).toBe(PROCESSES);
  for (const i of participants.keys()) expect(cache.get(`c${i}`)).toBe(String(i));
  for (const i of drivers.keys()) expect(cache.get(`js${i}`)).toBe(String(i));
  expect(cache.stats().processes).toBe(PROCESSES + 1);
});
