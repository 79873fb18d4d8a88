// SPDX-License-Identifier: MIT
//
// fastcache/structured: what comes back through the codec, and what it refuses.

import { structured } from "fastcache/structured";
import { expect, test } from "vitest";
import { failure } from "../support/errors.ts";
import { MIB, openPrivate } from "../support/segments.ts";
import { difference, randomBelow, randomStructured } from "../support/values.ts";

const cache = () => openPrivate({ size: 16 * MIB, codec: structured });

test.each([[3], [14], [159]])("random values with cycles come back as they were (seed %i)", (seed) => {
  const store = cache();
  const below = randomBelow(seed);
  for (let index = 0; index < 150; index++) {
    const value = randomStructured(below);
    store.set(`key ${index % 7}`, value);
    expect(difference(store.get(`key ${index % 7}`), value), `value ${index}`).toBeUndefined();
  }
});

test("an error keeps its class, name, message, stack, cause, errors and what it was given", () => {
  const store = cache();
  const custom = Object.assign(new Error("no such user", { cause: { id: 7n } }), { name: "NotFound" });
  const errors = [new TypeError("t"), custom, new AggregateError([custom], "all", { cause: undefined })];
  store.set("errors", errors);
  const found = store.get("errors") as typeof errors;
  for (const [index, error] of errors.entries()) {
    const other = found[index] as Error;
    expect(Object.prototype.toString.call(other)).toBe("[object Error]");
    expect(other.constructor).toBe(error.constructor);
    expect([other.name, other.message, other.stack]).toEqual([error.name, error.message, error.stack]);
    expect([Object.hasOwn(other, "cause"), other.cause]).toEqual([
      Object.hasOwn(error, "cause"),
      error.cause,
    ]);
    expect(Object.keys(other)).toEqual([]);
  }
  const given = Object.assign(new RangeError("no"), {
    code: "E_NO",
    status: 404,
    details: { at: new Date(0) },
  });
  store.set("given", { given, again: given });
  const { given: one, again } = store.get("given") as { given: typeof given; again: typeof given };
  expect(one).toBeInstanceOf(RangeError);
  expect({ ...one }).toEqual({ code: "E_NO", status: 404, details: { at: new Date(0) } });
  expect(again).toBe(one);
  expect((found[2] as AggregateError).errors[0]).toBe(found[1]);
});

test("an error that holds itself comes back as one that does", () => {
  const store = cache();
  const error = new TypeError("again");
  error.cause = { error };
  const several = new AggregateError([], "several");
  several.errors.push(several, error);
  store.set("key", { several, list: [error] });
  const found = store.get("key") as { several: AggregateError; list: [TypeError] };
  expect(found.several).toBeInstanceOf(AggregateError);
  expect(found.several.errors).toEqual([found.several, found.list[0]]);
  expect(found.several.errors[1]).toBe(found.list[0]);
  expect((found.list[0].cause as { error: Error }).error).toBe(found.list[0]);
});

test("a view is stored as what it shows, never with the rest of its buffer", () => {
  const store = cache();
  const pool = new TextEncoder().encode("public, and a secret of somebody else");
  const views = [pool.subarray(0, 6), Buffer.from(pool.buffer, 0, 6), new DataView(pool.buffer, 0, 6)];
  for (const view of views) {
    store.set("key", { view });
    const found = (store.get("key") as { view: ArrayBufferView }).view;
    expect(found.byteLength).toBe(6);
    expect(found.buffer.byteLength).toBe(6);
    expect(store.getBytes("key")?.length).toBeLessThan(100);
  }
  store.set("shared", { view: new Int32Array(new SharedArrayBuffer(8)).fill(5) });
  expect(store.get("shared")).toStrictEqual({ view: new Int32Array(2).fill(5) });
});

class Point {
  x = 1;
}
class Labels extends Map<string, string> {}

test.each<[string, unknown, RegExp]>([
  ["a function", { list: [() => 1] }, /value\.list\[0\]: .*function/],
  ["a symbol", { id: Symbol("s") }, /value\.id: .*Symbol/],
  ["an instance of a class", { a: new Point() }, /value\.a: /],
  ["an instance of a class that extends Map", { labels: new Labels() }, /Labels/],
  ["an instance of a class that extends Array", [new (class Stack extends Array {})()], /Stack/],
  ["an instance of a class that extends URL", [new (class Link extends URL {})("http://a/")], /Link/],
  ["an array without a class", [Object.setPrototypeOf([1], null)], /no class/],
  ["an object of functions of the language", { a: Math }, /Math would come back/],
  ["Headers", { headers: new Headers() }, /value\.headers: /],
  ["a promise", [Promise.resolve()], /value\[0\]: .*Promise/],
  ["a key __proto__", JSON.parse('{"__proto__": 1}'), /__proto__/],
])("%s is refused, and nothing is stored", (_, value, words) => {
  const store = cache();
  failure("INVALID_ARGUMENT", () => store.set("key", value), /codec\.encode failed/, words);
  expect(store.size).toBe(0);
});

test("what is damaged, or of a later release of the codec, is told", () => {
  const bytes = new TextEncoder();
  const writer = (text: string) => ({ encode: () => bytes.encode(text), decode: structured.decode });
  for (const text of ["", "[", '[["Unknown", 1], 2]', "[[1],5", '{"__proto__": 1}']) {
    const store = openPrivate({ codec: writer(text) });
    store.set("key", {});
    failure("INVALID_ARGUMENT", () => store.get("key"), /codec\.decode failed/);
  }
});
