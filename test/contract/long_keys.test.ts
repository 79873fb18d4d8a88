// SPDX-License-Identifier: MIT
//
// Keys of more than 1024 bytes: refused, or with `longKeys: "hash"` as good as any other.

import { createHash } from "node:crypto";
import type { FastCache, Key } from "fastcache";
import { describe, expect, test } from "vitest";
import { failure } from "../support/errors.ts";
import { MIB, open, openPrivate, uniqueName } from "../support/segments.ts";
import { randomBelow } from "../support/values.ts";

const LONG = "https://example.org/".padEnd(3000, "path/");
const FIRST_TOO_LONG = "k".repeat(1025);

test("without the option a long key is an error that names the limit and the option", () => {
  const cache = openPrivate();
  for (const longKeys of [undefined, "error"] as const) {
    const strict = openPrivate({ longKeys });
    failure("KEY_TOO_LONG", () => strict.set(FIRST_TOO_LONG, 1), /1025 bytes/, /1024/, /longKeys: "hash"/);
  }
  failure(
    "KEY_TOO_LONG",
    () =>
      cache.setMany([
        ["a", 1],
        [LONG, 2],
      ]),
    /entry 1 of the batch/,
    /longKeys/,
  );
  expect(cache.get("a")).toBe(1);
  failure(
    "INVALID_ARGUMENT",
    () => openPrivate({ longKeys: "sha1" as never }),
    /longKeys is "error" or "hash"/,
  );
});

describe("with longKeys: hash", () => {
  const values: [string, unknown][] = [
    ["text", "text"],
    ["empty text", ""],
    ["utf-8", "Žluťoučký kůň"],
    ["a lone surrogate", "\ud800"],
    ["bytes", new Uint8Array([1, 2, 3])],
    ["no bytes", new Uint8Array()],
    ["a number", -0],
    ["a bigint", -(2n ** 100n)],
    ["true", true],
    ["null", null],
    ["an object", { a: [1, { b: "c" }] }],
    ["a nested date", { at: new Date(5), body: new Uint8Array(100).fill(7) }],
  ];

  test.each(values)("%s comes back as it was, by every method", (_, value) => {
    const cache = openHashing();
    for (const key of [LONG, FIRST_TOO_LONG, "ü".repeat(513), new Uint8Array(2000).fill(255)] as Key[]) {
      expect(cache.set(key, value).get(key)).toStrictEqual(value);
      expect(cache.peek(key)).toStrictEqual(value);
      expect(cache.getMany(["other", key])).toStrictEqual([undefined, value]);
      expect(cache.getWithVersion(key)?.value).toStrictEqual(value);
      expect([...cache.keys()]).toStrictEqual([key]);
      expect([...cache.entries()]).toStrictEqual([[key, value]]);
      const short = cache.set("short", value).getBytes("short") as Uint8Array;
      expect(cache.getBytes(key)).toStrictEqual(new Uint8Array(short));
      const buffer = new Uint8Array(short.length);
      expect(cache.getInto(key, buffer)).toBe(short.length);
      expect(buffer).toStrictEqual(new Uint8Array(short));
      cache.clear();
      cache.setMany([
        ["a", 1],
        [key, value],
        ["b", 2],
      ]);
      expect(cache.getMany(["a", key, "b"])).toStrictEqual([1, value, 2]);
      expect(cache.delete(key)).toBe(true);
      expect(cache.get(key)).toBe(undefined);
      cache.clear();
    }
  });

  test("values larger than the request region come back as they were", () => {
    const cache = openHashing();
    const text = "x".repeat(400_000);
    const bytes = new Uint8Array(400_000).fill(9);
    cache.set(LONG, text).setMany([[FIRST_TOO_LONG, bytes]]);
    const found = cache.getMany([LONG, FIRST_TOO_LONG]);
    expect(found[0] === text).toBe(true);
    expect(Buffer.compare(found[1] as Uint8Array, bytes)).toBe(0);
    expect(Buffer.compare(cache.getBytes(FIRST_TOO_LONG) as Uint8Array, bytes)).toBe(0);
    expect(cache.getInto(FIRST_TOO_LONG, new Uint8Array(400_000))).toBe(400_000);
  });

  test("a string and its bytes are the same key", () => {
    const cache = openHashing();
    const bytes = new TextEncoder().encode(LONG);
    cache.set(bytes, 1);
    expect(cache.get(LONG)).toBe(1);
    expect(cache.set(LONG, 2).get(bytes)).toBe(2);
    expect(cache.size).toBe(1);
    expect([...cache.keys()]).toEqual([LONG]);
  });

  test("a codec's values too, which keys() tells without decoding them", () => {
    const decode = (bytes: Uint8Array): Map<string, number> =>
      new Map(JSON.parse(new TextDecoder().decode(bytes)));
    const encode = (map: Map<string, number>): Uint8Array =>
      new TextEncoder().encode(JSON.stringify([...map]));
    const name = uniqueName();
    const cache = open({ name, size: 4 * MIB, longKeys: "hash", codec: { encode, decode } });
    cache.set(LONG, new Map([["a", 1]]));
    expect(cache.get(LONG)).toEqual(new Map([["a", 1]]));
    const without = open<unknown>({ name });
    expect([...without.keys()]).toEqual([LONG]);
    failure("INVALID_ARGUMENT", () => [...without.entries()], /codec/);
  });

  test("a long key with a lone surrogate, an empty one and one of the wrong kind are refused as ever", () => {
    const cache = openHashing();
    failure("INVALID_ARGUMENT", () => cache.set(`${LONG}\ud800`, 1), /lone surrogate/);
    failure("INVALID_ARGUMENT", () => cache.set("", 1), /empty/);
    failure("INVALID_ARGUMENT", () => cache.set({ length: 2000 } as never, 1), /a key is/);
    failure("INVALID_ARGUMENT", () => cache.setMany([[{ length: 2000 } as never, 1]]), /a key is/);
    expect(cache.size).toBe(0);
  });

  test("a number counts, keeps its deadline, and what is no number says so", () => {
    const cache = openHashing();
    expect(cache.increment(LONG, 5, { initial: 10, ttl: 500_000 })).toBe(15);
    expect(cache.increment(LONG, -1)).toBe(14);
    expect(cache.ttl(LONG)).toBeGreaterThan(400_000);
    expect(cache.ttl(LONG)).toBeLessThanOrEqual(500_000);
    expect(cache.increment(FIRST_TOO_LONG, 1, { ifPresent: true })).toBe(undefined);
    cache.set(FIRST_TOO_LONG, "text");
    failure("INVALID_ARGUMENT", () => cache.increment(FIRST_TOO_LONG), /not a number/);
  });

  test("a buffer that is too small for the value is refused, and not written to", () => {
    const cache = openHashing();
    cache.set(LONG, new Uint8Array(100).fill(1));
    const buffer = new Uint8Array(99);
    failure("INVALID_ARGUMENT", () => cache.getInto(LONG, buffer), /100 bytes, the buffer 99/);
    expect(buffer.every((byte) => byte === 0)).toBe(true);
    expect(cache.getInto(FIRST_TOO_LONG, buffer)).toBe(-1);
  });

  test("a key of 33 bytes that imitates a hash gets no value of the long key", () => {
    const cache = openHashing();
    const hash = createHash("sha256").update(LONG).digest();
    const imitation = new Uint8Array([0xff, ...hash]);
    cache.set(LONG, "secret");
    expect(cache.get(imitation)).toBe(undefined);
    expect(cache.getMany([imitation, LONG])).toEqual([undefined, "secret"]);
    cache.set(imitation, "its own");
    expect(cache.get(imitation)).toBe("its own");
    expect([cache.get(LONG), cache.peek(LONG), cache.getBytes(LONG)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(cache.set(LONG, 1).get(LONG)).toBe(1);
  });

  test("handles without the option read keys() and entries() of those with it, and keep them", () => {
    const name = uniqueName();
    const cache = open<unknown>({ name, size: 4 * MIB, longKeys: "hash" });
    const plain = open<unknown>({ name });
    cache.set(LONG, { a: 1 });
    plain.set("short", 2);
    expect(new Map(plain.entries())).toEqual(
      new Map<Key, unknown>([
        [LONG, { a: 1 }],
        ["short", 2],
      ]),
    );
    failure("KEY_TOO_LONG", () => plain.get(LONG));
    expect(cache.get(LONG)).toEqual({ a: 1 });
  });

  test("a value that is too large with its key is refused", () => {
    const cache = openPrivate({ longKeys: "hash", maxValueSize: 10_000 });
    cache.set(LONG, new Uint8Array(6000));
    failure("VALUE_TOO_LARGE", () => cache.set(LONG, new Uint8Array(9000)), /10000/);
    expect(cache.getBytes(LONG)?.length).toBe(6000);
  });

  test.each([[1], [2], [3], [4]])("a random mix of methods and lengths does as a Map (seed %i)", (seed) => {
    const below = randomBelow(seed);
    const cache = openHashing();
    const keys = Array.from({ length: 30 }, (_, index) => {
      const length = [10, 33, 1024, 1025, 1500, 5000][below(6)] as number;
      const text = `${index}-`.padEnd(length, below(2) === 0 ? "a" : "é");
      return below(3) === 0 ? new TextEncoder().encode(text) : text;
    });
    const nameOf = (key: Key): string => Buffer.from(key as Uint8Array).toString();
    const model = new Map<string, unknown>();
    for (let turn = 0; turn < 2000; turn++) {
      const key = keys[below(keys.length)] as Key;
      const name = nameOf(key);
      const old = model.get(name);
      switch (below(12)) {
        case 0:
        case 1: {
          const value = [turn, `text ${turn}`, { turn }, new Uint8Array([turn & 255])][below(4)];
          cache.set(key, value);
          model.set(name, value);
          break;
        }
        case 2:
          expect(cache.add(key, turn)).toBe(!model.has(name));
          if (!model.has(name)) model.set(name, turn);
          break;
        case 3:
          expect(cache.replace(key, turn)).toBe(model.has(name));
          if (model.has(name)) model.set(name, turn);
          break;
        case 4:
          expect(cache.delete(key)).toBe(model.delete(name));
          break;
        case 5: {
          if (old !== undefined && typeof old !== "number")
            failure("INVALID_ARGUMENT", () => cache.increment(key));
          else model.set(name, cache.increment(key, 3));
          expect(model.get(name)).toEqual(typeof old === "number" ? old + 3 : (old ?? 3));
          break;
        }
        case 6: {
          const found = cache.getWithVersion(key);
          expect(found?.value).toEqual(old);
          const wrong = below(2);
          const stored = cache.compareAndSet(key, (found?.version ?? 0) + wrong, turn);
          expect(stored).toBe(found !== undefined && wrong === 0);
          if (stored) model.set(name, turn);
          break;
        }
        case 7:
          expect(cache.touch(key, 1e9)).toBe(model.has(name));
          if (model.has(name)) expect(cache.ttl(key)).toBeGreaterThan(9e8);
          break;
        case 8: {
          const some = keys.filter(() => below(3) === 0);
          expect(cache.getMany(some)).toEqual(some.map((each) => model.get(nameOf(each))));
          expect(cache.hasMany(some)).toEqual(some.map((each) => model.has(nameOf(each))));
          break;
        }
        case 9: {
          const some = [
            ...new Map(keys.filter(() => below(4) === 0).map((each) => [nameOf(each), each])).values(),
          ];
          cache.setMany(some.map((each) => [each, turn]));
          for (const each of some) model.set(nameOf(each), turn);
          break;
        }
        case 10: {
          const some = keys.filter(() => below(10) === 0);
          expect(cache.deleteMany(some)).toBe(some.filter((each) => model.delete(nameOf(each))).length);
          break;
        }
        default:
          expect(cache.get(key)).toEqual(old);
          expect(cache.has(key)).toBe(model.has(name));
      }
      expect(cache.size).toBe(model.size);
    }
    expect(new Map([...cache.entries()].map(([key, value]) => [nameOf(key), value]))).toEqual(model);
    expect(new Set([...cache.keys()].map(nameOf))).toEqual(new Set(model.keys()));
  });
});

function openHashing(): FastCache<unknown> {
  return openPrivate({ size: 16 * MIB, longKeys: "hash" });
}
