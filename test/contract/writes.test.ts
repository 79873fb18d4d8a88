// SPDX-License-Identifier: MIT
//
// set, add, replace, delete, clear, size, and the limits of keys and values.

import { expect, test } from "vitest";
import { failure } from "../support/errors.ts";
import { MIB, openPrivate } from "../support/segments.ts";

test("set replaces and returns the cache, as with Map", () => {
  const cache = openPrivate();
  expect(cache.set("key", 1).set("key", 2)).toBe(cache);
  expect(cache.get("key")).toBe(2);
  expect(cache.size).toBe(1);
});

test("set replaces a value by one of another kind and length", () => {
  const cache = openPrivate();
  const values = ["text", new Uint8Array(1000).fill(3), 5, null, { deep: [true] }, "", 7n];
  for (const value of values) {
    cache.set("key", value);
    expect(cache.get("key")).toEqual(value);
  }
});

test("set and setMany take a detached value for an empty one", () => {
  const cache = openPrivate();
  const value = new Uint8Array(8);
  structuredClone(value, { transfer: [value.buffer] });
  cache.set("one", value).setMany([["two", value]]);
  expect(cache.get("one")).toEqual(new Uint8Array(0));
  expect(cache.get("two")).toEqual(new Uint8Array(0));
});

test("set takes a value that lies in memory shared with other threads", () => {
  const cache = openPrivate();
  for (const length of [100, 100_000]) {
    cache.set("key", new Uint8Array(new SharedArrayBuffer(length)).fill(3));
    expect(cache.get("key")).toEqual(new Uint8Array(length).fill(3));
  }
});

test("what only pretends to be a Uint8Array is refused, before any code of its own runs", () => {
  const cache = openPrivate();
  let ran = 0;
  const pretender = new Proxy(new Uint8Array(8), {
    getPrototypeOf() {
      ran++;
      return Uint8Array.prototype;
    },
  });
  failure("INVALID_ARGUMENT", () => cache.set(pretender, 1));
  failure("INVALID_ARGUMENT", () => cache.getInto("key", pretender));
  expect(ran).toBe(0);
  failure("INVALID_ARGUMENT", () => cache.set("key", pretender));
  failure("INVALID_ARGUMENT", () => cache.set("key", Object.create(Uint8Array.prototype)));
  expect(cache.size).toBe(0);
});

test("add stores only if the key is absent", () => {
  const cache = openPrivate();
  expect(cache.add("key", 1)).toBe(true);
  expect(cache.add("key", 2)).toBe(false);
  expect(cache.get("key")).toBe(1);
  cache.delete("key");
  expect(cache.add("key", 3)).toBe(true);
  expect(cache.get("key")).toBe(3);
});

test("replace stores only if the key is present", () => {
  const cache = openPrivate();
  expect(cache.replace("key", 1)).toBe(false);
  expect(cache.has("key")).toBe(false);
  cache.set("key", 2);
  expect(cache.replace("key", 3)).toBe(true);
  expect(cache.get("key")).toBe(3);
});

test("add and replace take values too large for the request region", () => {
  const cache = openPrivate({ size: 64 * MIB });
  const large = new Uint8Array(500_000).fill(1);
  expect(cache.replace("key", large)).toBe(false);
  expect(cache.add("key", large)).toBe(true);
  expect(cache.add("key", large)).toBe(false);
  expect(cache.replace("key", "é".repeat(300_000))).toBe(true);
  expect(cache.get("key")).toBe("é".repeat(300_000));
});

test("delete tells whether there was an entry", () => {
  const cache = openPrivate();
  cache.set("key", 1);
  expect(cache.delete("key")).toBe(true);
  expect(cache.delete("key")).toBe(false);
  expect(cache.get("key")).toBeUndefined();
  expect(cache.has("key")).toBe(false);
});

test("clear empties the cache, which can be used again", () => {
  const cache = openPrivate();
  for (let index = 0; index < 500; index++) cache.set(`key-${index}`, index);
  expect(cache.size).toBe(500);
  cache.clear();
  expect(cache.size).toBe(0);
  expect(cache.get("key-7")).toBeUndefined();
  expect([...cache.keys()]).toEqual([]);
  cache.set("key-7", "again");
  expect(cache.get("key-7")).toBe("again");
});

test("size counts entries, not writes", () => {
  const cache = openPrivate();
  expect(cache.size).toBe(0);
  cache.set("a", 1).set("b", 2).set("a", 3);
  expect(cache.size).toBe(2);
  cache.delete("a");
  expect(cache.size).toBe(1);
});

test.each([
  ["an empty string", "", /empty/],
  ["no bytes", new Uint8Array(0), /empty/],
  ["a number", 5, /not the number 5/],
  ["null", null, /not null/],
  ["undefined", undefined, /not undefined/],
  ["an object", {}, /not an object/],
  ["an array of numbers", [1], /Array/],
  ["a wider typed array", new Uint16Array(1), /Uint16Array/],
  ["an ArrayBuffer", new ArrayBuffer(4), /ArrayBuffer/],
  ["a lone surrogate", "a\ud800b", /lone surrogate/],
])("a key that is %s is refused by every method", (_, key, words) => {
  const cache = openPrivate();
  const bad = key as string;
  const calls = [
    () => cache.get(bad),
    () => cache.peek(bad),
    () => cache.getBytes(bad),
    () => cache.getInto(bad, new Uint8Array(8)),
    () => cache.set(bad, 1),
    () => cache.add(bad, 1),
    () => cache.replace(bad, 1),
    () => cache.has(bad),
    () => cache.delete(bad),
    () => cache.increment(bad),
    () => cache.getWithVersion(bad),
    () => cache.compareAndSet(bad, 1, 1),
    () => cache.touch(bad, 1),
    () => cache.ttl(bad),
    () => cache.getMany([bad]),
    () => cache.setMany([[bad, 1]]),
    () => cache.deleteMany([bad]),
  ];
  for (const call of calls) failure("INVALID_ARGUMENT", call, words);
  expect(cache.size).toBe(0);
});

test.each([
  ["1024 ASCII characters", "k".repeat(1024)],
  ["512 characters of two bytes", "é".repeat(512)],
  ["256 characters of four bytes", "😀".repeat(256)],
  ["1024 bytes", new Uint8Array(1024).fill(200)],
])("a key of %s is the longest there is", (_, key) => {
  const cache = openPrivate();
  cache.set(key, "value");
  expect(cache.get(key)).toBe("value");
  expect(cache.getMany([key])).toEqual(["value"]);
});

test.each([
  ["1025 ASCII characters", "k".repeat(1025), 1025],
  ["513 characters of two bytes", "é".repeat(513), 1026],
  ["a million characters", "k".repeat(1_000_000), 1_000_000],
  ["1025 bytes", new Uint8Array(1025), 1025],
])("a key of %s is too long, and the error says both lengths", (_, key, length) => {
  const cache = openPrivate();
  failure("KEY_TOO_LONG", () => cache.get(key), `${length} bytes`, /1024/);
  failure("KEY_TOO_LONG", () => cache.set(key, 1), `${length} bytes`, /1024/);
  failure("KEY_TOO_LONG", () => cache.setMany([[key, 1]]), `${length} bytes`, /1024/);
});

test.each([
  ["bytes", (length: number) => new Uint8Array(length)],
  ["text", (length: number) => "x".repeat(length)],
  ["other text", (length: number) => "é".repeat(length / 2)],
])("a value of maxValueSize %s is stored, a larger one refused with both sizes", (_, make) => {
  const cache = openPrivate({ size: 16 * MIB, maxValueSize: 100_000 });
  expect(cache.info.maxValueSize).toBe(100_000);
  cache.set("key", make(100_000));
  expect(cache.get("key")).toEqual(make(100_000));
  failure("VALUE_TOO_LARGE", () => cache.set("key", make(100_002)), /100002 bytes/, /100000/, /maxValueSize/);
  failure("VALUE_TOO_LARGE", () => cache.add("new", make(1_000_000)), /1000000 bytes/, /100000/);
  failure("VALUE_TOO_LARGE", () => cache.setMany([["new", make(100_002)]]), /100002 bytes/);
  expect(cache.get("key")).toEqual(make(100_000));
  expect(cache.has("new")).toBe(false);
});

test("the bytes of a value are copied: later changes do not reach the cache", () => {
  const cache = openPrivate({ size: 16 * MIB });
  for (const length of [10, 400_000]) {
    const bytes = new Uint8Array(length).fill(1);
    cache.set("key", bytes);
    bytes.fill(2);
    expect((cache.get("key") as Uint8Array).every((byte) => byte === 1)).toBe(true);
  }
});

test("options of a store that are misspelt or no object are refused, and nothing is stored", () => {
  const cache = openPrivate();
  failure("INVALID_ARGUMENT", () => cache.set("key", 1, { tll: 5 } as never), /"tll"/, /ttl/);
  failure("INVALID_ARGUMENT", () => cache.set("key", 1, 5 as never), /not the number 5/);
  failure("INVALID_ARGUMENT", () => cache.add("key", 1, null as never), /not null/);
  failure("INVALID_ARGUMENT", () => cache.increment("key", 1, { inital: 5 } as never), /"inital"/, /initial/);
  expect(cache.has("key")).toBe(false);
});

test("text comes back whole, whatever its length is to the memory that values are passed in", () => {
  const cache = openPrivate({ size: 64 * MIB });
  // 256 KiB, less 1088 bytes in front of the value; what does not fit goes another way.
  const whole = 262_144;
  for (const room of [whole - 1088, whole, whole + 1088]) {
    for (let length = Math.floor(room / 3) - 2; length <= room / 3 + 2; length++) {
      const text = "€".repeat(length);
      cache.set("one", text);
      cache.setMany([
        ["first", "x"],
        ["second", text],
      ]);
      for (const key of ["one", "second"]) expect(cache.get(key) === text, `${key}, ${length}`).toBe(true);
    }
  }
});
