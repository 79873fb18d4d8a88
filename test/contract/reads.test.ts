// SPDX-License-Identifier: MIT
//
// get, peek, getBytes, getInto, has: what a reader sees, and whose the memory is.

import { expect, test } from "vitest";
import { failure } from "../support/errors.ts";
import { MIB, openPrivate } from "../support/segments.ts";

test("get returns what was set, and undefined for a key that was not", () => {
  const cache = openPrivate();
  cache.set("user:1", { name: "Ada", visits: 3 });
  expect(cache.get("user:1")).toEqual({ name: "Ada", visits: 3 });
  expect(cache.get("user:2")).toBeUndefined();
});

test("peek returns the same as get", () => {
  const cache = openPrivate();
  cache
    .set("a", "text")
    .set("b", 7)
    .set("c", new Uint8Array([1, 2]));
  expect(["a", "b", "c", "d"].map((key) => cache.peek(key))).toEqual([
    "text",
    7,
    new Uint8Array([1, 2]),
    undefined,
  ]);
});

test("has tells whether there is an entry, whatever its value", () => {
  const cache = openPrivate();
  cache.set("null", null).set("empty", "").set("false", false);
  expect(["null", "empty", "false", "none"].map((key) => cache.has(key))).toEqual([true, true, true, false]);
});

test("getBytes returns the stored bytes of every kind of value", () => {
  const cache = openPrivate();
  const text = new TextEncoder();
  cache
    .set("ascii", "abc")
    .set("utf8", "é€😀")
    .set("json", { a: [1] })
    .set("bigint", -12n);
  cache
    .set("number", 1.5)
    .set("null", null)
    .set("bytes", new Uint8Array([9, 8]));
  expect(cache.getBytes("ascii")).toEqual(text.encode("abc"));
  expect(cache.getBytes("utf8")).toEqual(text.encode("é€😀"));
  expect(cache.getBytes("json")).toEqual(text.encode('{"a":[1]}'));
  expect(cache.getBytes("bigint")).toEqual(text.encode("-12"));
  expect(cache.getBytes("number")).toEqual(new Uint8Array(new Float64Array([1.5]).buffer));
  expect(cache.getBytes("null")).toEqual(new Uint8Array(0));
  expect(cache.getBytes("bytes")).toEqual(new Uint8Array([9, 8]));
  expect(cache.getBytes("none")).toBeUndefined();
});

test("getBytes returns large values", () => {
  const cache = openPrivate({ size: 16 * MIB });
  const large = "x".repeat(300_000);
  cache.set("large", large);
  expect(new TextDecoder().decode(cache.getBytes("large"))).toBe(large);
});

test("getInto writes the bytes to the beginning of the buffer and returns their number", () => {
  const cache = openPrivate();
  cache.set("bytes", new Uint8Array([1, 2, 3])).set("text", "hé");
  const buffer = new Uint8Array(5).fill(255);
  expect(cache.getInto("bytes", buffer)).toBe(3);
  expect(buffer).toEqual(new Uint8Array([1, 2, 3, 255, 255]));
  expect(cache.getInto("text", buffer)).toBe(3);
  expect(buffer).toEqual(new Uint8Array([0x68, 0xc3, 0xa9, 255, 255]));
});

test("getInto returns -1 on a miss and leaves the buffer alone", () => {
  const cache = openPrivate();
  const buffer = new Uint8Array(4).fill(255);
  expect(cache.getInto("none", buffer)).toBe(-1);
  expect(buffer).toEqual(new Uint8Array(4).fill(255));
});

test("getInto refuses a buffer that is too small, says both lengths, and writes nothing", () => {
  const cache = openPrivate();
  cache.set("bytes", new Uint8Array(100).fill(7));
  const buffer = new Uint8Array(99).fill(255);
  failure("INVALID_ARGUMENT", () => cache.getInto("bytes", buffer), /\b100 bytes/, /\b99\b/);
  expect(buffer).toEqual(new Uint8Array(99).fill(255));
});

test("getInto takes a detached buffer for an empty one", () => {
  const cache = openPrivate();
  cache.set("bytes", new Uint8Array(3)).set("empty", new Uint8Array(0));
  const buffer = new Uint8Array(8);
  structuredClone(buffer, { transfer: [buffer.buffer] });
  failure("INVALID_ARGUMENT", () => cache.getInto("bytes", buffer), /\b3 bytes/, /\b0\b/);
  expect(cache.getInto("empty", buffer)).toBe(0);
  expect(cache.getInto("none", buffer)).toBe(-1);
});

test("getInto writes into a part of a buffer, into a Buffer, and into shared memory", () => {
  const cache = openPrivate();
  cache.set("bytes", new Uint8Array([1, 2, 3]));
  const whole = new Uint8Array(8);
  expect(cache.getInto("bytes", whole.subarray(4, 7))).toBe(3);
  expect(whole).toEqual(new Uint8Array([0, 0, 0, 0, 1, 2, 3, 0]));
  const buffer = Buffer.alloc(3);
  expect(cache.getInto("bytes", buffer)).toBe(3);
  expect([...buffer]).toEqual([1, 2, 3]);
  const shared = new Uint8Array(new SharedArrayBuffer(8));
  expect(cache.getInto("bytes", shared)).toBe(3);
  expect([...shared]).toEqual([1, 2, 3, 0, 0, 0, 0, 0]);
  failure("INVALID_ARGUMENT", () => cache.getInto("bytes", shared.subarray(0, 2)), /3 bytes/);
  expect(cache.getInto("none", shared)).toBe(-1);
});

test("getInto takes an empty buffer for an empty value", () => {
  const cache = openPrivate();
  cache.set("empty", "").set("full", "x");
  expect(cache.getInto("empty", new Uint8Array(0))).toBe(0);
  failure("INVALID_ARGUMENT", () => cache.getInto("full", new Uint8Array(0)), /1 bytes/);
});

test("getInto writes a single byte, and for an empty value nothing", () => {
  const cache = openPrivate();
  cache.set("one", new Uint8Array([7])).set("empty", "");
  const buffer = new Uint8Array(3).fill(255);
  expect(cache.getInto("empty", buffer)).toBe(0);
  expect(buffer).toEqual(new Uint8Array([255, 255, 255]));
  expect(cache.getInto("one", buffer)).toBe(1);
  expect(buffer).toEqual(new Uint8Array([7, 255, 255]));
});

test("getInto takes values larger than any buffer of ours", () => {
  const cache = openPrivate({ size: 64 * MIB });
  const value = Uint8Array.from({ length: MIB }, (_, index) => index * 31);
  const buffer = new Uint8Array(MIB + 1);
  cache.set("large", value);
  expect(cache.getInto("large", buffer)).toBe(MIB);
  expect(Buffer.compare(buffer.subarray(0, MIB), value)).toBe(0);
});

test("getInto refuses what is no Uint8Array", () => {
  const cache = openPrivate();
  for (const buffer of [
    new ArrayBuffer(8),
    new DataView(new ArrayBuffer(8)),
    [],
    undefined,
    new Float64Array(1),
  ]) {
    failure("INVALID_ARGUMENT", () => cache.getInto("key", buffer as never), /Uint8Array/);
  }
});

test.each([1, 100, 4096, 4097, 70_000])(
  "bytes of length %i that were returned are never written again",
  (length) => {
    const cache = openPrivate({ size: 64 * MIB, maxValueSize: MIB });
    const count = Math.ceil(300_000 / Math.max(length, 16)) + 3;
    const results: Uint8Array[] = [];
    for (let index = 0; index < count; index++) cache.set(`key-${index}`, new Uint8Array(length).fill(index));
    for (let index = 0; index < count; index++) results.push(cache.get(`key-${index}`) as Uint8Array);
    for (let index = 0; index < count; index++) cache.set(`key-${index}`, new Uint8Array(length).fill(0xee));
    for (let index = 0; index < count; index++) cache.get(`key-${index}`);
    cache.set("text", "z".repeat(length));
    cache.get("text");
    const whole = results.filter((bytes, index) => {
      return bytes.length === length && bytes.every((byte) => byte === (index & 255));
    });
    expect(whole.length).toBe(count);
  },
);

test("writing into a result changes neither the cache nor another result", () => {
  const cache = openPrivate();
  cache.set("a", new Uint8Array([1, 2, 3])).set("b", new Uint8Array([4, 5, 6]));
  const first = cache.get("a") as Uint8Array;
  const second = cache.get("b") as Uint8Array;
  const third = cache.get("a") as Uint8Array;
  first.fill(0);
  expect([second, third, cache.get("a")]).toEqual([
    new Uint8Array([4, 5, 6]),
    new Uint8Array([1, 2, 3]),
    new Uint8Array([1, 2, 3]),
  ]);
});

test("a result whose memory user code tries to give away does not harm later reads", () => {
  const cache = openPrivate();
  cache.set("a", new Uint8Array(64).fill(1));
  const given = cache.get("a") as Uint8Array;
  try {
    structuredClone(given, { transfer: [given.buffer as ArrayBuffer] });
  } catch {
    // Refused where results share a buffer.
  }
  for (let index = 0; index < 2000; index++) {
    expect(cache.get("a")).toEqual(new Uint8Array(64).fill(1));
  }
});

test("a key is looked up as a whole", () => {
  const cache = openPrivate();
  cache.set("ab", 1).set("abc", 2).set("a\0", 3).set("a", 4);
  expect(["a", "ab", "abc", "abcd", "a\0", "a\0\0"].map((key) => cache.get(key))).toEqual([
    4,
    1,
    2,
    undefined,
    3,
    undefined,
  ]);
});

test("a string and its UTF-8 bytes are the same key", () => {
  const cache = openPrivate();
  cache.set("schlüssel", 1);
  const bytes = new TextEncoder().encode("schlüssel");
  expect(cache.get(bytes)).toBe(1);
  cache.set(bytes, 2);
  expect(cache.get("schlüssel")).toBe(2);
  expect(cache.size).toBe(1);
});

test("keys may be any bytes, and strings any well-formed text", () => {
  const cache = openPrivate();
  const keys = [
    new Uint8Array([0]),
    new Uint8Array([255, 254]),
    Buffer.from([1, 2, 3]),
    new Uint8Array(new SharedArrayBuffer(4)),
    "\0",
    " ",
    "😀",
    "\u{10ffff}",
    "\ufeffmark",
    "x".repeat(1024),
    "é".repeat(512),
    `${"x".repeat(50)}é`,
  ];
  for (const [index, key] of keys.entries()) cache.set(key, index);
  expect(keys.map((key) => cache.get(key))).toEqual([4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});
