// SPDX-License-Identifier: MIT
//
// Inside objects, too, what was set is what comes back; what cannot is refused, with its place.

import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { structured } from "fastcache/structured";
import { describe, expect, test } from "vitest";
import { failure } from "../support/errors.ts";
import { MIB, open, openPrivate, uniqueName, uniquePath } from "../support/segments.ts";
import { difference, randomBelow, randomObject } from "../support/values.ts";

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 7) & 255);

/** `{ "__proto__": value }`, as `JSON.parse` makes it: a property, not the prototype. */
function withProtoKey(value: unknown): object {
  return Object.defineProperty({ a: 1 }, "__proto__", {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

const KEPT: [string, unknown][] = [
  ["a response", { status: 200, headers: { "content-type": "image/png" }, body: bytes(100_000) }],
  ["a small response", { status: 404, headers: {}, body: bytes(0) }],
  ["bytes of many lengths", [1, 2, 7, 8, 9, 63, 64, 65, 256, 257, 4095, 4096, 4097, 20_000].map(bytes)],
  [
    "a Map",
    {
      routes: new Map<unknown, unknown>([
        ["/", 1],
        [2, new Map([["x", bytes(3)]])],
        [{ a: 1 }, null],
      ]),
    },
  ],
  ["a Set", { seen: new Set<unknown>([1, "1", [bytes(2)], new Set()]) }],
  ["a Date", { rows: [{ at: new Date(1e12) }, { at: new Date(-1) }, { at: new Date(Number.NaN) }] }],
  ["a Map on its own", new Map([["a", 1]])],
  ["a Set on its own", new Set(["a"])],
  ["a Date on its own", new Date(0)],
  ["a Map of a Map's entries", new Map([[new Map([[1, 2]]), new Set([new Date(5)])]])],
  ["bigints", { n: 1n, list: [-(10n ** 40n)] }],
  [
    "numbers that JSON has not",
    { nan: Number.NaN, up: Infinity, down: -Infinity, zero: -0, list: [-0, Number.NaN] },
  ],
  [
    "undefined in objects and arrays",
    { left: undefined, list: [undefined, 1, undefined], deep: { er: undefined } },
  ],
  [
    "data that looks like ours",
    [
      { a: 0 },
      [
        ["bytes", ["a"], 5],
        ["date", [0]],
      ],
    ],
  ],
  ["data that looks like ours beside bytes", [[{ a: 0 }, [["bytes", [], 5]]], bytes(5), { $: "map" }]],
  ["a key __proto__ with bytes", withProtoKey(bytes(10))],
  ["a key __proto__ with an object with bytes", withProtoKey({ polluted: bytes(3), x: { y: new Date(0) } })],
  ["keys of Object.prototype", { constructor: bytes(1), toString: new Date(3), hasOwnProperty: undefined }],
  ["a toJSON that is data", { toJSON: "text", n: 1 }],
  ["a key with every character", { 'a"\\\0\ud800é': bytes(4) }],
];

test.each(KEPT)("%s comes back as it was", (_, value) => {
  const name = uniqueName();
  const cache = open({ name, size: 16 * MIB });
  cache.set("key", value).setMany([["many", value]]);
  expect(cache.add("add", value)).toBe(true);
  for (const handle of [cache, open({ name })]) {
    const found = [
      handle.get("key"),
      handle.peek("add"),
      handle.getWithVersion("many")?.value,
      handle.getMany(["none", "key"])[1],
      new Map(handle.entries()).get("add"),
    ];
    expect(found.map((other) => difference(other, value))).toEqual(found.map(() => undefined));
  }
  const { prototype } = Object;
  expect(Object.keys(prototype)).toEqual([]);
  expect(Object.getPrototypeOf(cache.get("key"))).toBe(Object.getPrototypeOf(value));
});

test("a key __proto__ stays data", () => {
  const cache = openPrivate();
  cache.set("json", withProtoKey({ admin: true })).set("annotated", withProtoKey({ admin: new Date(0) }));
  for (const key of ["json", "annotated"]) {
    const found = cache.get(key) as { admin?: unknown };
    expect(Object.keys(found)).toEqual(["a", "__proto__"]);
    expect(found.admin).toBeUndefined();
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
  }
});

test("a Buffer, a part of a buffer, shared memory, and a Date and a Map of another realm are taken for what they are", () => {
  const cache = openPrivate();
  const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(5);
  const foreign = runInNewContext(
    "({ date: new Date(7), map: new Map([[1, new Uint8Array([2])]]), set: new Set([3]) })",
  );
  cache.set("key", { buffer: Buffer.from("abc"), part: bytes(9).subarray(3, 6), shared, foreign });
  expect(cache.get("key")).toStrictEqual({
    buffer: new Uint8Array([97, 98, 99]),
    part: bytes(9).slice(3, 6),
    shared: new Uint8Array([5, 5, 5]),
    foreign: { date: new Date(7), map: new Map([[1, new Uint8Array([2])]]), set: new Set([3]) },
  });
});

test("bytes lie beside the JSON, not in it", () => {
  const cache = openPrivate();
  const body = bytes(100_000);
  cache.set("key", { status: 200, body });
  expect(cache.getBytes("key")?.length).toBeLessThan(body.length + 100);
  expect(Buffer.from(cache.getBytes("key") as Uint8Array).indexOf(body)).toBeGreaterThan(0);
});

test("what is stored is what was there at the call: later changes don't reach it, nor each other", () => {
  const cache = openPrivate();
  const value = { body: bytes(100), list: [new Date(1)] };
  cache.set("key", value);
  value.body.fill(0);
  const first = cache.get("key") as typeof value;
  first.body.fill(9);
  first.list[0]?.setTime(5);
  expect(cache.get("key")).toStrictEqual({ body: bytes(100), list: [new Date(1)] });
});

class Point {
  x = 1;
}
class Labels extends Map<string, string> {}
class Stack extends Array<number> {}
class Label {
  toJSON(): object {
    return { label: "hello", at: new Date(0) };
  }
}
class Money {
  toJSON(): string {
    return "1.00";
  }
}

const cyclic: { list: unknown[] } = { list: [1] };
cyclic.list.push({ back: cyclic });
const cyclicMap = new Map<string, unknown>();
cyclicMap.set("self", { again: [cyclicMap] });

const REFUSED: [string, unknown, RegExp][] = [
  ["a wider typed array", { points: new Float32Array(2) }, /value\.points is an instance of Float32Array/],
  ["a clamped array", [new Uint8ClampedArray(2)], /value\[0\] is an instance of Uint8ClampedArray/],
  ["an ArrayBuffer", { a: { b: new ArrayBuffer(2) } }, /value\.a\.b is an instance of ArrayBuffer/],
  ["a DataView", { "a b": new DataView(new ArrayBuffer(2)) }, /value\["a b"\] is an instance of DataView/],
  ["an Error", { error: new TypeError("x") }, /value\.error is an instance of TypeError/],
  ["a RegExp", { match: /x/ }, /value\.match is an instance of RegExp/],
  ["FormData", { form: new FormData() }, /value\.form is an instance of FormData/],
  ["URLSearchParams", [new URLSearchParams("a=1")], /value\[0\] is an instance of URLSearchParams/],
  ["Headers", { headers: new Headers({ a: "b" }) }, /value\.headers is an instance of Headers/],
  ["Headers on their own", new Headers({ a: "b" }), /value is an instance of Headers/],
  ["a URL", { link: new URL("https://example.org/") }, /value\.link is an instance of URL/],
  [
    "an instance of a class",
    { list: [0, { point: new Point() }] },
    /value\.list\[1\]\.point is an instance of Point/,
  ],
  [
    "an instance of a class that extends Map",
    { labels: new Labels() },
    /value\.labels is an instance of Labels/,
  ],
  [
    "an instance of a class that extends Array",
    { stack: Stack.of(1, 2) },
    /value\.stack is an instance of Stack/,
  ],
  ["an empty one on its own", new Stack(), /value is an instance of Stack/],
  ["an array without a class", [Object.setPrototypeOf([1], null)], /value\[0\] is an object/],
  ["an object of functions of the language", { a: Math }, /value\.a is an object, which JSON cannot hold/],
  ["Reflect on its own", Reflect, /value is an object, which JSON cannot hold/],
  [
    "an object whose toJSON gives a string",
    { price: new Money() },
    /value\.price is an instance of Money.*"1\.00"/,
  ],
  ["a function", { call: () => 1 }, /value\.call is a function/],
  ["a symbol", { id: Symbol("s") }, /value\.id is the symbol Symbol\(s\)/],
  ["a promise", [{ later: Promise.resolve() }], /value\[0\]\.later is an instance of Promise/],
  ["a WeakMap", { weak: new WeakMap() }, /value\.weak is an instance of WeakMap/],
  ["a wrapped number", { n: Object(1) as unknown }, /value\.n is an instance of Number/],
  ["an object that holds itself", cyclic, /value\.list\[1\]\.back is an object.*holds itself/],
  [
    "a Map that holds itself",
    cyclicMap,
    /value\.get\("self"\)\.again\[0\] is an instance of Map.*holds itself/,
  ],
  ["what a Map holds", { map: new Map([["k", /x/]]) }, /value\.map\.get\("k"\) is an instance of RegExp/],
  [
    "what is a key of a Map",
    { map: new Map([[/x/, 1]]) },
    /value\.map\.keys\(\)\[0\] is an instance of RegExp/,
  ],
  ["what a Set holds", new Set([1, /x/]), /value\.values\(\)\[1\] is an instance of RegExp/],
  ["a hole in an array", { list: Object.assign([1], { 2: 3 }) }, /value\.list has no element 1/],
  [
    "what only says that it is a Date",
    { date: Object.create(Date.prototype) as unknown },
    /cannot be stored: it threw/,
  ],
];

test.each(REFUSED)("%s is refused by its place, and nothing is stored", (_, value, words) => {
  const cache = openPrivate();
  cache.set("key", "old");
  failure("INVALID_ARGUMENT", () => cache.set("key", value), words);
  failure("INVALID_ARGUMENT", () => cache.add("new", value), words);
  failure("INVALID_ARGUMENT", () => cache.setMany([["new", value]]), words);
  expect(cache.get("key")).toBe("old");
  expect(cache.size).toBe(1);
});

test("an object that says by toJSON what data it is comes back as that", () => {
  const cache = openPrivate();
  cache.set("key", { list: [new Label()], own: { toJSON: () => [1n] } });
  expect(cache.get("key")).toStrictEqual({ list: [{ label: "hello", at: new Date(0) }], own: [1n] });
});

test("toJSON is told its key, as by JSON.stringify", () => {
  const keys: unknown[] = [];
  const spy = { toJSON: (key: unknown) => ({ key: keys.push(key) }) };
  openPrivate().set("key", { a: spy, list: [spy] });
  expect(keys).toEqual(["a", "0"]);
});

test("a getter or toJSON that throws is the cause of our error", () => {
  const cache = openPrivate();
  const cause = new Error("not today");
  const thrower = (): never => {
    throw cause;
  };
  const getter = Object.defineProperty({}, "x", { get: thrower, enumerable: true });
  for (const value of [getter, { a: { toJSON: thrower } }, { b: new Date(0), getter }]) {
    expect(failure("INVALID_ARGUMENT", () => cache.set("key", value), /not today/).cause).toBe(cause);
  }
  expect(cache.size).toBe(0);
});

test("a refusal recommends fastcache/structured for what that holds, and for nothing else", () => {
  const builtIn = openPrivate<unknown>();
  const cache = openPrivate<unknown>({ codec: structured });
  const others: unknown[] = [new URLSearchParams(), new Int16Array(2), new BigInt64Array(1), new Stack(1)];
  for (const value of [...REFUSED.map(([, refused]) => refused), ...others]) {
    const { message } = failure("INVALID_ARGUMENT", () => builtIn.set("key", { value }));
    if (!message.includes("fastcache/structured")) continue;
    cache.set("key", value);
    expect(nameOf(cache.get("key"))).toBe(nameOf(value));
  }
  const { message } = failure("INVALID_ARGUMENT", () => builtIn.set("key", { value: new Int16Array(2) }));
  expect(message).toContain("fastcache/structured");
});

/** What the runtime calls the kind of a value. */
const nameOf = (value: unknown): string => Object.prototype.toString.call(value);

test("500 levels are kept, more are refused with the number and the limit, in a message that can be read", () => {
  const cache = openPrivate();
  const nest = (levels: number, inner: unknown): unknown => {
    let value = inner;
    for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { value };
    return value;
  };
  for (const inner of [1, new Date(0), bytes(5)]) {
    cache.set("key", nest(500, inner));
    expect(cache.get("key")).toStrictEqual(nest(500, inner));
  }
  for (const levels of [501, 700, 100_000]) {
    for (const inner of [1, new Date(0)]) {
      const deep = failure(
        "INVALID_ARGUMENT",
        () => cache.set("deep", nest(levels, inner)),
        /501 levels.*limit is 500/,
      );
      expect(deep.message.length).toBeLessThan(400);
    }
  }
  const refused = failure("INVALID_ARGUMENT", () => cache.set("deep", nest(499, /x/)), /RegExp/);
  expect(refused.message.length).toBeLessThan(400);
  expect(cache.has("deep")).toBe(false);
});

test("what maps, sets and dates take does not grow with the levels that they lie in", () => {
  const cache = openPrivate();
  const inOthers: Record<string, (value: unknown) => unknown> = {
    maps: (value) => new Map([["k", value]]),
    sets: (value) => new Set([value]),
    objects: (value) => ({ at: new Date(5), of: value, size: 5n }),
    all: (value) => [new Map([[{ at: new Date(5) }, new Set([value])]]), undefined],
  };
  for (const put of Object.values(inOthers)) {
    const taken = [50, 100].map((levels) => {
      let value: unknown = bytes(3);
      for (let level = 0; level < levels; level++) value = put(value);
      cache.set("key", value);
      expect(difference(cache.get("key"), value)).toBeUndefined();
      return cache.getBytes("key")?.length as number;
    });
    expect(taken[1]).toBeLessThan(2.2 * (taken[0] as number));
  }
});

test("an object that stands in two places comes back as two", () => {
  const cache = openPrivate();
  const body = bytes(70);
  const shared = { at: new Date(1) };
  cache.set("key", { a: shared, b: [shared], body, again: body });
  const found = cache.get("key") as { a: object; b: object[] };
  expect(found).toStrictEqual({ a: shared, b: [shared], body, again: body });
  expect(found.a).not.toBe(found.b[0]);
});

test("a value with bytes over the limit is told by its stored size", () => {
  const cache = openPrivate({ maxValueSize: 10_000 });
  failure("VALUE_TOO_LARGE", () => cache.set("key", { body: bytes(10_000) }), /10000/, /10\d\d\d bytes/);
});

test.each([[1], [7], [40], [99]])("random values come back as they were (seed %i)", (seed) => {
  const cache = openPrivate({ size: 64 * MIB });
  const below = randomBelow(seed);
  const values = Array.from({ length: 400 }, () => randomObject(below, 4));
  for (const [index, value] of values.entries()) cache.set(`key ${index}`, value);
  const entries = values.map((value, index): [string, object] => [`many ${index}`, value]);
  cache.setMany(entries);
  const found = [
    values.map((_, index) => cache.get(`key ${index}`)),
    cache.getMany(entries.map(([key]) => key)),
  ];
  expect(found.map((other) => difference(other, values))).toEqual([undefined, undefined]);
});

describe("a later release", () => {
  /** Changes the type in the record of `key`, in the segment's file. */
  function changeType(path: string, key: string, type: number): void {
    const file = readFileSync(path);
    const place = file.indexOf(key);
    const header = place - 16;
    expect(file[header]).toBe(key.length); // the length of the key, where the record begins
    const opened = openSync(path, "r+");
    writeSync(opened, Uint8Array.of(type), 0, 1, header + 12);
    closeSync(opened);
  }

  test.each([[13], [77], [255]])(
    "may have stored a type %i that we don't know: a miss, and the rest can be had",
    (type) => {
      const path = uniquePath();
      const cache = open({ path, size: MIB, create: "exclusive" });
      const key = "of-another-time";
      cache.set(key, { body: bytes(5) }).set("ours", 1);
      changeType(path, key, type);
      expect(cache.get(key)).toBeUndefined();
      expect(cache.peek(key)).toBeUndefined();
      expect(cache.getWithVersion(key)).toBeUndefined();
      expect(cache.getMany([key, "ours"])).toEqual([undefined, 1]);
      expect([...cache.entries()]).toEqual([["ours", 1]]);
      expect(cache.getBytes(key)).toBeDefined();
      expect([...cache.keys()].toSorted()).toEqual([key, "ours"]);
      expect(cache.delete(key)).toBe(true);
    },
  );
});
