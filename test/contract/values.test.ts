// SPDX-License-Identifier: MIT
//
// What was set is what comes back, with the same type; what cannot come back so is refused.

import { runInNewContext } from "node:vm";
import type { FastCache } from "fastcache";
import { describe, expect, test } from "vitest";
import { failure } from "../support/errors.ts";
import { MIB, open, openPrivate, uniqueName } from "../support/segments.ts";

const VALUES: [string, unknown][] = [
  ["an empty string", ""],
  ["ASCII text", "The quick brown fox"],
  ["long ASCII text", "x".repeat(10_000)],
  ["ASCII control characters", "\0\x01\x7f\r\n"],
  ["accented text", "Grüße, señor"],
  ["text that is Latin-1 only at its end", `${"a".repeat(200)}ÿ`],
  ["three-byte characters", "日本語".repeat(30)],
  ["emoji", "👩‍👩‍👧‍👦🎉"],
  ["a byte order mark", "\ufefftext"],
  ["the replacement character", "\ufffd"],
  ["a lone surrogate", "\ud800"],
  ["lone surrogates among text", "é\udc00a\ud800"],
  ["zero", 0],
  ["minus zero", -0],
  ["an integer", 42],
  ["the largest safe integer", Number.MAX_SAFE_INTEGER],
  ["a fraction", 0.1],
  ["the smallest double", 5e-324],
  ["the largest double", Number.MAX_VALUE],
  ["not a number", Number.NaN],
  ["infinity", Infinity],
  ["minus infinity", -Infinity],
  ["a small bigint", 0n],
  ["a negative bigint", -1n],
  ["a huge bigint", 10n ** 300n],
  ["true", true],
  ["false", false],
  ["null", null],
  ["no bytes", new Uint8Array(0)],
  ["every byte", Uint8Array.from({ length: 256 }, (_, index) => index)],
  ["an empty object", {}],
  ["an empty array", []],
  ["nested data", { a: [1, "é", { b: null, c: [true, false] }], "": { "key with \0": -1.5e-7 } }],
  ["a lone surrogate inside an object", { text: "\ud800" }],
  ["an object with a key named __proto__", JSON.parse('{"__proto__": {"x": 1}}')],
];

test.each(VALUES)("%s comes back the same", (_, value) => {
  const cache = openPrivate();
  cache.set("key", value);
  expect(Object.is(cache.get("key"), value) || typeof value === "object").toBe(true);
  expect(cache.get("key")).toStrictEqual(value);
  expect(cache.peek("key")).toStrictEqual(value);
  expect(cache.getWithVersion("key")?.value).toStrictEqual(value);
  expect(cache.getMany(["key"])).toStrictEqual([value]);
  expect([...cache.entries()]).toStrictEqual([["key", value]]);
});

test("all kinds of values come back the same from a batch", () => {
  const cache = openPrivate();
  cache.setMany(VALUES);
  expect(cache.getMany(VALUES.map(([key]) => key))).toStrictEqual(VALUES.map(([, value]) => value));
  expect(new Map(cache.entries())).toStrictEqual(new Map(VALUES));
});

test("another handle on the segment reads them the same", () => {
  const name = uniqueName();
  const first = open({ name, size: 4 * MIB });
  first.setMany(VALUES);
  const second = open({ name, create: false });
  expect(second.getMany(VALUES.map(([key]) => key))).toStrictEqual(VALUES.map(([, value]) => value));
});

describe("large values", () => {
  const LARGE: [string, unknown][] = [
    ["ASCII text", "x".repeat(MIB)],
    ["accented text", "é".repeat(MIB / 2)],
    ["text that might not fit a region, and does", "é".repeat(100_000)],
    ["text with a lone surrogate", `${"a".repeat(300_000)}\ud800`],
    ["bytes", Uint8Array.from({ length: MIB }, (_, index) => (index * 7) ^ (index >> 8))],
    ["an object", { list: Array.from({ length: 50_000 }, (_, index) => `entry ${index}`) }],
    ["a bigint", 7n ** 200_000n],
  ];
  test.each(LARGE)("%s", (_, value) => {
    const cache = openPrivate({ size: 64 * MIB });
    cache.set("key", value);
    // Compared apart from expect, which is slow for these.
    const same = (other: unknown) => {
      if (value instanceof Uint8Array) return Buffer.compare(value, other as Uint8Array) === 0;
      if (typeof value === "object") return JSON.stringify(value) === JSON.stringify(other);
      return value === other;
    };
    expect(same(cache.get("key"))).toBe(true);
    expect(same(cache.peek("key"))).toBe(true);
    expect(same(cache.getMany(["none", "key"])[1])).toBe(true);
    expect(same([...cache.entries()][0]?.[1])).toBe(true);
  });
});

test("text of every length up to 200, and every mix with one other character, comes back the same", () => {
  const cache = openPrivate();
  const texts: string[] = [];
  for (let length = 0; length <= 200; length++) {
    const text = "abcdefghij".repeat(20).slice(0, length);
    texts.push(text, `${text}é`, `€${text}`, `${text}\udfff`);
  }
  cache.setMany(texts.map((text, index) => [`key-${index}`, text]));
  const different = texts.filter((text, index) => cache.get(`key-${index}`) !== text);
  expect(different).toEqual([]);
});

test("a Buffer, a part of a buffer, and shared memory come back as a Uint8Array of their bytes", () => {
  const cache = openPrivate({ size: 64 * MIB });
  const part = new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 4);
  const shared = new Uint8Array(new SharedArrayBuffer(300_000)).fill(5);
  cache.set("buffer", Buffer.from("abc")).set("part", part).set("shared", shared);
  expect(cache.get("buffer")).toStrictEqual(new Uint8Array([97, 98, 99]));
  expect(cache.get("part")).toStrictEqual(new Uint8Array([1, 2, 3]));
  const large = cache.get("shared") as Uint8Array;
  expect(large.length).toBe(300_000);
  expect(large.every((byte) => byte === 5)).toBe(true);
  cache.set("shared", shared.subarray(0, 3));
  expect(cache.get("shared")).toStrictEqual(new Uint8Array([5, 5, 5]));
});

class Point {
  x = 1;
}

class Label {
  readonly text = "hello";
  toJSON(): object {
    return { label: this.text };
  }
}

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

test.each<[string, unknown, RegExp]>([
  ["undefined", undefined, /null|delete/],
  ["a function", () => 1, /function/],
  ["a symbol", Symbol("s"), /symbol/],
  ["a RegExp", /x/, /RegExp.*codec/],
  ["an Error", new Error("x"), /Error.*codec/],
  ["an instance of a class", new Point(), /Point.*codec/],
  ["a wrapped number", Object(1), /Number.*codec/],
  ["a promise", Promise.resolve(), /Promise.*codec/],
  ["an ArrayBuffer", new ArrayBuffer(8), /ArrayBuffer/],
  ["a DataView", new DataView(new ArrayBuffer(8)), /DataView/],
  ["a wider typed array", new Float64Array(2), /Float64Array/],
  ["a clamped array", new Uint8ClampedArray(2), /Uint8ClampedArray/],
  ["an object that holds itself", cyclic, /JSON/],
])("%s is refused, and nothing is stored", (_, value, words) => {
  const cache = openPrivate();
  cache.set("key", "old");
  failure("INVALID_ARGUMENT", () => cache.set("key", value), words);
  failure("INVALID_ARGUMENT", () => cache.add("new", value), words);
  failure("INVALID_ARGUMENT", () => cache.setMany([["new", value]]), words);
  failure("INVALID_ARGUMENT", () => cache.compareAndSet("key", 1, value), words);
  expect(cache.get("key")).toBe("old");
  expect(cache.size).toBe(1);
});

test("an object whose toJSON gives an object is stored as that", () => {
  const cache = openPrivate();
  cache.set("key", new Label());
  expect(cache.get("key")).toStrictEqual({ label: "hello" });
});

test("plain objects and bytes of another realm are taken for what they are", () => {
  const cache = openPrivate();
  cache
    .set("object", runInNewContext("({ a: [1] })"))
    .set("bytes", runInNewContext("new Uint8Array([1, 2])"));
  expect(cache.get("object")).toStrictEqual({ a: [1] });
  expect(cache.get("bytes")).toStrictEqual(new Uint8Array([1, 2]));
});

test("an object without a prototype is a plain object", () => {
  const cache = openPrivate();
  cache.set("key", Object.assign(Object.create(null), { a: 1 }));
  expect(cache.get("key")).toStrictEqual({ a: 1 });
});

describe("a codec", () => {
  const text = { encoder: new TextEncoder(), decoder: new TextDecoder() };
  /** Stores maps, and nothing else. */
  const codec = {
    encode: (value: unknown) => text.encoder.encode(JSON.stringify([...(value as Map<string, number>)])),
    decode: (bytes: Uint8Array) => new Map(JSON.parse(text.decoder.decode(bytes))) as unknown,
  };
  const map = new Map([["a", 1]]);

  test("encodes and decodes objects of the user's own kind", () => {
    const cache = openPrivate({ codec, size: 64 * MIB });
    const large = new Map(Array.from({ length: 60_000 }, (_, index) => [`key ${index}`, index]));
    cache.set("small", map).set("large", large);
    expect(cache.get("small")).toStrictEqual(map);
    expect(cache.peek("small")).toStrictEqual(map);
    expect(cache.getWithVersion("small")?.value).toStrictEqual(map);
    expect(cache.get("large")).toEqual(large);
    cache.setMany([
      ["first", map],
      ["second", large],
    ]);
    expect(cache.getMany(["first", "none", "second"])).toEqual([map, undefined, large]);
    expect(new Map(cache).get("first")).toStrictEqual(map);
    expect(text.decoder.decode(cache.getBytes("small"))).toBe('[["a",1]]');
  });

  test("leaves strings, numbers, bigints, booleans, null and bytes alone", () => {
    const cache = openPrivate<unknown>({
      codec: {
        encode: () => {
          throw new Error("not for me");
        },
        decode: () => {
          throw new Error("not for me");
        },
      },
    });
    const values = ["text", 1.5, 7n, true, null, new Uint8Array([1])];
    cache.setMany(values.map((value, index) => [`key-${index}`, value]));
    expect(cache.getMany(values.map((_, index) => `key-${index}`))).toStrictEqual(values);
  });

  test("still refuses undefined, functions and symbols", () => {
    const cache = openPrivate({ codec });
    for (const value of [undefined, () => 1, Symbol("s")]) {
      failure("INVALID_ARGUMENT", () => cache.set("key", value), /cannot be stored/);
    }
  });

  test("is needed to read what was stored with one; the bytes can be had without", () => {
    const name = uniqueName();
    const writer = open({ name, size: 4 * MIB, codec });
    writer.set("key", map);
    const reader = open({ name, create: false });
    failure("INVALID_ARGUMENT", () => reader.get("key"), /codec/, /getBytes/);
    failure("INVALID_ARGUMENT", () => reader.getMany(["key"]), /codec/);
    failure("INVALID_ARGUMENT", () => [...reader.entries()], /codec/);
    expect(text.decoder.decode(reader.getBytes("key"))).toBe('[["a",1]]');
    expect([...reader.keys()]).toEqual(["key"]);
  });

  test("has to return bytes", () => {
    const cache = openPrivate<unknown>({ codec: { encode: () => "text" as never, decode: () => 1 } });
    failure("INVALID_ARGUMENT", () => cache.set("key", {}), /codec\.encode/, /Uint8Array/);
    expect(cache.has("key")).toBe(false);
  });

  test("that throws is the cause of our error", () => {
    const encodeError = new Error("cannot encode");
    const decodeError = new Error("cannot decode");
    let fails = false;
    const cache = openPrivate<unknown>({
      codec: {
        encode: () => {
          if (fails) throw encodeError;
          return new Uint8Array(3);
        },
        decode: () => {
          throw decodeError;
        },
      },
    });
    cache.set("key", {});
    expect(failure("INVALID_ARGUMENT", () => cache.get("key"), /codec\.decode/).cause).toBe(decodeError);
    fails = true;
    expect(failure("INVALID_ARGUMENT", () => cache.set("key", {}), /codec\.encode/).cause).toBe(encodeError);
  });

  test("may use the cache itself while it works", () => {
    const cache: FastCache = openPrivate({
      codec: {
        encode(value: unknown) {
          cache.set("encoded", "a string that is longer than the key");
          cache.get("encoded");
          return text.encoder.encode(JSON.stringify(value));
        },
        decode(bytes: Uint8Array): unknown {
          cache.get("encoded");
          cache.getMany(["encoded", "none"]);
          return JSON.parse(text.decoder.decode(bytes));
        },
      },
    });
    cache.set("a", { id: 1 }).setMany([
      ["b", { id: 2 }],
      ["c", { id: 3 }],
    ]);
    expect(cache.get("a")).toEqual({ id: 1 });
    expect(cache.getMany(["a", "b", "none", "c"])).toEqual([{ id: 1 }, { id: 2 }, undefined, { id: 3 }]);
    const found = cache.getWithVersion("b");
    expect(found?.value).toEqual({ id: 2 });
    expect(cache.compareAndSet("b", found?.version as number, { id: 4 })).toBe(true);
    expect(cache.get("b")).toEqual({ id: 4 });
  });

  test("may keep the bytes it was given", () => {
    const kept: Uint8Array[] = [];
    const cache = openPrivate({
      codec: {
        encode: (value: unknown) => new Uint8Array(50).fill((value as { id: number }).id),
        decode: (bytes: Uint8Array): unknown => {
          kept.push(bytes);
          return bytes;
        },
      },
    });
    for (let id = 0; id < 100; id++) cache.set(`key-${id}`, { id });
    for (let id = 0; id < 100; id++) cache.get(`key-${id}`);
    cache.getMany(Array.from({ length: 100 }, (_, id) => `key-${id}`));
    const whole = kept.filter(
      (bytes, index) => bytes.length === 50 && bytes.every((byte) => byte === index % 100),
    );
    expect(whole.length).toBe(200);
  });
});

test("toJSON and getters may use the cache while a value is stored", () => {
  const cache = openPrivate();
  const busy = {
    get id() {
      cache.set("other", "x".repeat(1000));
      return cache.get("other") === undefined ? 0 : 1;
    },
  };
  cache.set("key", busy).setMany([["again", busy]]);
  expect(cache.get("key")).toEqual({ id: 1 });
  expect(cache.get("again")).toEqual({ id: 1 });
});

test("getInto never writes where a subclass has taken the memory away", () => {
  const cache = openPrivate();
  cache.set("key", new Uint8Array(60_000));
  let asked = 0;
  class Detaching extends Uint8Array {
    override get buffer(): ArrayBuffer {
      asked++;
      const own = Reflect.get(Uint8Array.prototype, "buffer", this) as ArrayBuffer;
      return structuredClone(own, { transfer: [own] });
    }
  }
  expect(cache.getInto("key", new Detaching(70_000))).toBe(60_000);
  expect(asked).toBe(0);
});

test("set stores under the key it was given, even if a subclass uses the cache meanwhile", () => {
  const cache = openPrivate();
  class Interrupting extends Uint8Array {
    override get buffer(): ArrayBuffer {
      cache.set("another key", 1);
      return new ArrayBuffer(0);
    }
  }
  const large = new Interrupting(500_000).fill(7);
  cache.set("key", large);
  expect(cache.getBytes("key")).toEqual(new Uint8Array(500_000).fill(7));
  expect(cache.has("another key")).toBe(false);
});

test("bytes are as long as they are, whatever a subclass says", () => {
  let lie = 3_000_000;
  class Lying extends Uint8Array {
    override get length(): number {
      return lie;
    }
    override get byteLength(): number {
      return lie;
    }
  }
  const cache = openPrivate();
  cache.set("key", new Lying(5));
  expect(cache.getBytes("key")).toEqual(new Uint8Array(5));
  cache.set("long", new Uint8Array(100));
  failure("INVALID_ARGUMENT", () => cache.getInto("long", new Lying(8)));
  cache.set("short", new Uint8Array([1, 2]));
  for (lie of [3_000_000, 0]) {
    const into = new Lying(8);
    expect(cache.getInto("short", into)).toBe(2);
    expect([into[0], into[1], into[2]]).toEqual([1, 2, 0]);
  }
});
