// What one runtime sets, every runtime gets: the same value of the same type.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { difference, randomBelow, randomObject } from "../support/values.ts";
import { Driver, Participant, type RuntimeName, runtimeNames } from "./process.ts";
import { segmentName } from "./segments.ts";

const values: Record<string, unknown> = {
  "an ASCII string": "hello, world",
  "an empty string": "",
  "a string with every length of UTF-8": "a é € 😀",
  "a lone surrogate": "\ud800",
  "a long string": "0123456789".repeat(20_000),
  bytes: Uint8Array.from({ length: 256 }, (_, i) => i),
  "no bytes": new Uint8Array(),
  zero: 0,
  "minus zero": -0,
  "a fraction": -1.5e-300,
  "the largest safe integer": Number.MAX_SAFE_INTEGER,
  "not a number": Number.NaN,
  infinity: Number.NEGATIVE_INFINITY,
  "a bigint": 123456789012345678901234567890n,
  "a negative bigint": -1n,
  true: true,
  false: false,
  null: null,
  "an object": { name: "Ada", visits: 3, nested: { list: [1, "two", null, { deep: "é" }] } },
  "an array": [[], {}, "text", 0.5, false],
  "a response": {
    status: 200,
    headers: { etag: "é" },
    body: Uint8Array.from({ length: 100_000 }, (_, i) => i),
  },
  "a Map, a Set and a Date": { map: new Map([["a", new Set([new Date(5)])]]), at: new Date(Number.NaN) },
};

/** The same in each process: all kinds of things in each other. */
const below = randomBelow(2026);
const nested = Array.from({ length: 60 }, () => randomObject(below, 3));

describe.each(runtimeNames)("set in %s", (writerName) => {
  const drivers = new Map<RuntimeName, Driver>();
  const name = segmentName();

  beforeAll(async () => {
    for (const runtime of runtimeNames) drivers.set(runtime, new Driver(runtime));
    await Promise.all([...drivers.values()].map((driver) => driver.do("open", { name, size: "8MiB" })));
    const writer = drivers.get(writerName)!;
    for (const [key, value] of Object.entries(values)) await writer.call("set", key, value);
    await writer.call(
      "setMany",
      nested.map((value, index) => [`nested ${index}`, value]),
    );
  });

  afterAll(async () => {
    for (const driver of drivers.values()) expect(await driver.end()).toBe(0);
  });

  test.each(runtimeNames)("is read in %s", async (readerName) => {
    const reader = drivers.get(readerName)!;
    for (const [key, value] of Object.entries(values)) {
      expect(await reader.call("get", key), key).toStrictEqual(value);
    }
  });

  test.each(runtimeNames)("is the same in %s, however it is nested", async (readerName) => {
    const reader = drivers.get(readerName)!;
    const found = await reader.call(
      "getMany",
      nested.map((_, index) => `nested ${index}`),
    );
    expect(difference(found, nested)).toBeUndefined();
  });

  test.each(runtimeNames)("is there in a batch in %s", async (readerName) => {
    const reader = drivers.get(readerName)!;
    expect(await reader.call("getMany", Object.keys(values))).toStrictEqual(Object.values(values));
  });

  test.each(runtimeNames)("can be compared, replaced and deleted in %s", async (otherName) => {
    const writer = drivers.get(writerName)!;
    const other = drivers.get(otherName)!;
    await writer.call("set", "versioned", "first");
    const seen = (await writer.call("getWithVersion", "versioned")) as { version: number };
    await other.call("set", "versioned", "second");
    expect(await writer.call("compareAndSet", "versioned", seen.version, "third")).toBe(false);
    expect(await other.call("delete", "versioned")).toBe(true);
    expect(await writer.call("get", "versioned")).toBeUndefined();
  });
});

test("the structured codec is one language in all runtimes", async () => {
  const name = segmentName();
  const drivers = runtimeNames.map((runtime) => new Driver(runtime));
  for (const driver of drivers) await driver.do("openStructured", { name, size: "8MiB" });
  for (const [index, writer] of drivers.entries()) {
    await writer.do("setStructured", index + 1, 40);
    for (const reader of drivers) expect(await reader.do("differences", index + 1, 40)).toEqual([]);
  }
  for (const driver of drivers) expect(await driver.end()).toBe(0);
});

test("a C program with another C library shares them", async () => {
  const name = segmentName();
  await using participant = new Participant();
  expect(await participant.ask(`open ${name} ${8 << 20}`)).toBe("ok created");
  await participant.ask("set from-c naïve café");
  for (const runtime of runtimeNames) {
    await using driver = new Driver(runtime);
    await driver.do("open", { name });
    expect(await driver.call("get", "from-c")).toBe("naïve café");
    await driver.call("set", `from-${runtime}`, `text of ${runtime}`);
    await driver.call("increment", "sum");
    expect(await participant.ask(`get from-${runtime}`)).toBe(`ok text of ${runtime}`);
  }
  expect(await participant.ask("increment sum")).toBe("ok 4");
  expect(await participant.end()).toBe(0);
});
