// SPDX-License-Identifier: MIT
//
// The stored form of values that JSON does not hold: what anybody may have written there.

import { describe, expect, test } from "vitest";
import { annotate } from "../../src/wire/annotate.ts";
import { pack, unpack } from "../../src/wire/annotated.ts";
import { Memory } from "../../src/wire/memory.ts";
import type { ReadPool } from "../../src/wire/pool.ts";
import { failure } from "../support/errors.ts";
import { randomBelow, randomObject } from "../support/values.ts";

const pool = { take: (memory, at, length) => memory.bytes.slice(at, at + length) } as ReadPool;

function read(stored: Uint8Array): unknown {
  const memory = new Memory(stored.length);
  memory.bytes.set(stored);
  return unpack(memory, 0, stored.length, pool);
}

/** A stored form with this text, and bytes behind it. */
function stored(root: unknown, behind: number[] = []): Uint8Array {
  const text = new TextEncoder().encode(typeof root === "string" ? root : JSON.stringify(root));
  const at = (4 + text.length + 7) & ~7;
  const all = new Uint8Array(behind.length > 0 ? at + behind.length : 4 + text.length);
  new DataView(all.buffer).setUint32(0, text.length, true);
  all.set(text, 4);
  if (behind.length > 0) all.set(behind, at);
  return all;
}

test("is as documented: length, [data, notes], bytes at multiples of 8", () => {
  const value = { body: Uint8Array.of(1, 2, 3), at: new Date(5), more: [Uint8Array.of(4)] };
  const text = [
    { body: 0, at: 5, more: [0] },
    [
      ["bytes", 0, ["body"], 3],
      ["date", 0, ["at"]],
      ["bytes", 0, ["more", 0], 1],
    ],
  ];
  expect(pack(annotate(value))).toEqual(stored(text, [1, 2, 3, 0, 0, 0, 0, 0, 4]));
  expect(read(stored(text, [1, 2, 3, 0, 0, 0, 0, 0, 4]))).toStrictEqual(value);
});

test("a path begins with what it shares with the one before", () => {
  const value = { a: { b: [new Date(1), new Map([["k", new Date(2)]])], c: 5n }, d: undefined };
  const text = [
    { a: { b: [1, [["k", 2]]], c: "5" }, d: null },
    [
      ["date", 0, ["a", "b", 0]],
      ["date", 2, [1, 0, 1]],
      ["map", 3, []],
      ["bigint", 1, ["c"]],
      ["undefined", 0, ["d"]],
    ],
  ];
  expect(pack(annotate(value))).toEqual(stored(text));
  expect(read(stored(text))).toStrictEqual(value);
});

test("a kind of note that we don't know makes a miss", () => {
  expect(read(stored([{ a: "x" }, [["temporal", 0, ["a"]]]]))).toBeUndefined();
  expect(read(stored([{ a: "x" }, [["__proto__", 0, ["a"]]]]))).toBeUndefined();
  expect(read(stored([{ a: "x" }, [["toString", 0, ["a"]]]]))).toBeUndefined();
});

describe("damage is CORRUPT, and changes nothing of ours", () => {
  test.each<[string, Uint8Array]>([
    ["nothing at all", new Uint8Array(0)],
    ["half a length", new Uint8Array(3)],
    ["a length beyond the end", Uint8Array.of(9, 0, 0, 0, 91, 93)],
    ["the largest length", Uint8Array.of(255, 255, 255, 255, 91, 93)],
    ["no JSON", stored("[{}, [")],
    ["no array", stored({ data: 1 })],
    ["no notes", stored([1])],
    ["notes that are none", stored([1, 2])],
    ["a note that is none", stored([1, [2]])],
    ["a note without a path", stored([1, [["date"]]])],
    ["a path to the prototype", stored([{ a: 1 }, [["date", 0, ["__proto__", "polluted"]]]])],
    ["a path to the constructor", stored([{ a: 1 }, [["date", 0, ["constructor", "prototype"]]]])],
    ["a path through a text", stored([{ a: "text" }, [["date", 0, ["a", "length"]]]])],
    ["a path to what is not there", stored([{ a: 1 }, [["bytes", 0, ["b"], 1]]], [1])],
    ["a path of objects", stored([{ a: 1 }, [["date", 0, [["a"]]]]])],
    ["more bytes than there are", stored([{ a: 0 }, [["bytes", 0, ["a"], 5]]], [1, 2, 3])],
    ["a length below zero", stored([{ a: 0 }, [["bytes", 0, ["a"], -1]]], [1])],
    ["a length that is a fraction", stored([{ a: 0 }, [["bytes", 0, ["a"], 0.5]]], [1])],
    ["a length that is a text", stored([{ a: 0 }, [["bytes", 0, ["a"], "1"]]], [1])],
    ["a path that shares more than there is", stored([{ a: { b: 1 } }, [["date", 1, ["b"]]]])],
    ["a path that shares less than nothing", stored([{ a: 1 }, [["date", -1, ["a"]]]])],
    ["a path that shares half a step", stored([{ a: 1 }, [["date", 0.5, ["a"]]]])],
    ["a path of a million steps", stored([{ a: 1 }, [["date", 0, Array.from({ length: 1e6 }, () => "a")]]])],
    ["a map that is no array", stored([{ a: 5 }, [["map", 0, ["a"]]]])],
    ["a map of no pairs", stored([{ a: [1] }, [["map", 0, ["a"]]]])],
    ["a bigint of no digits", stored([{ a: "x" }, [["bigint", 0, ["a"]]]])],
  ])("%s", (_, bytes) => {
    failure("CORRUPT", () => read(bytes), /notes do not fit/);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect("polluted" in {}).toBe(false);
  });

  test("in any byte: a value, a miss, or CORRUPT", () => {
    const below = randomBelow(5);
    for (let round = 0; round < 3000; round++) {
      const bytes = pack(annotate({ value: randomObject(below, 2), date: new Date(below(1000)) }));
      for (let flips = below(4); flips >= 0; flips--) {
        const at = below(Math.min(bytes.length, 300));
        bytes[at] = below(2) === 0 ? below(256) : (bytes[at] as number) ^ (1 << below(8));
      }
      try {
        read(bytes);
      } catch (error) {
        expect((error as { code?: unknown }).code).toBe("ERR_FASTCACHE_CORRUPT");
      }
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
