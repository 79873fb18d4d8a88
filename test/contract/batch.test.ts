// SPDX-License-Identifier: MIT
//
// getMany, setMany, deleteMany: like the single calls, many at once.

import { describe, expect, test } from "vitest";
import { failure } from "../support/errors.ts";
import { MIB, openPrivate } from "../support/segments.ts";

const keysTo = (count: number) => Array.from({ length: count }, (_, index) => `key-${index}`);

test("getMany returns values in the order of the keys, undefined for misses, twice for twice", () => {
  const cache = openPrivate();
  cache.set("a", 1).set("b", "two");
  expect(cache.getMany(["b", "none", "a", "b"])).toEqual(["two", undefined, 1, "two"]);
});

test("setMany stores every entry and returns the cache", () => {
  const cache = openPrivate();
  const result = cache.setMany([
    ["a", 1],
    [new Uint8Array([98]), "two"],
    ["c", { three: 3 }],
  ]);
  expect(result).toBe(cache);
  expect(cache.getMany(["a", "b", "c"])).toEqual([1, "two", { three: 3 }]);
});

test("setMany stores in order: of two entries with one key the later stays", () => {
  const cache = openPrivate();
  cache.setMany([
    ["key", 1],
    ["key", 2],
  ]);
  expect(cache.get("key")).toBe(2);
});

test("deleteMany returns how many were there", () => {
  const cache = openPrivate();
  cache.set("a", 1).set("b", 2).set("c", 3);
  expect(cache.deleteMany(["a", "none", "b", "a"])).toBe(2);
  expect([...cache.keys()]).toEqual(["c"]);
});

test("empty batches do nothing", () => {
  const cache = openPrivate();
  expect(cache.getMany([])).toEqual([]);
  expect(cache.setMany([])).toBe(cache);
  expect(cache.deleteMany([])).toBe(0);
});

test("batches take any iterable: sets, maps, generators", () => {
  const cache = openPrivate();
  cache.setMany(
    new Map<string, number>([
      ["a", 1],
      ["b", 2],
    ]),
  );
  function* generated(): Generator<string> {
    yield "b";
    yield "a";
  }
  expect(cache.getMany(new Set(["a", "b"]))).toEqual([1, 2]);
  expect(cache.getMany(generated())).toEqual([2, 1]);
  expect(cache.deleteMany(cache.keys())).toBe(2);
});

test.each([[undefined], [null], [5], ["abc"], [new Uint8Array(3)], [{ length: 1 }]])(
  "a batch of %s is refused",
  (batch) => {
    const cache = openPrivate();
    failure("INVALID_ARGUMENT", () => cache.getMany(batch as never), /getMany\(\) takes an array/);
    failure("INVALID_ARGUMENT", () => cache.setMany(batch as never), /setMany\(\) takes an array/);
    failure("INVALID_ARGUMENT", () => cache.deleteMany(batch as never), /deleteMany\(\) takes an array/);
  },
);

test.each([["text"], [null], [["key"]], [["key", 1, {}, 2]], [{ key: "a", value: 1 }]])(
  "setMany refuses the entry %o",
  (entry) => {
    const cache = openPrivate();
    failure("INVALID_ARGUMENT", () => cache.setMany([entry as never]), /entry 0/, /\[key, value/);
  },
);

test("setMany that fails says which entry, and those before it are stored", () => {
  const cache = openPrivate();
  const tries: [unknown, unknown][] = [
    ["", 1],
    ["k".repeat(1025), 1],
    ["key", undefined],
  ];
  for (const bad of tries) {
    cache.clear();
    const entries = [["a", 1], ["b", 2], bad, ["c", 3]] as [string, unknown][];
    const call = () => cache.setMany(entries);
    const code = bad[0] === "k".repeat(1025) ? "KEY_TOO_LONG" : "INVALID_ARGUMENT";
    failure(code, call, /entry 2 of the batch/, /the 2 before it are stored/);
    expect([...cache.keys()].toSorted()).toEqual(["a", "b"]);
  }
});

test("getMany with one bad key throws and gives nothing", () => {
  const cache = openPrivate();
  cache.set("a", 1);
  failure("INVALID_ARGUMENT", () => cache.getMany(["a", ""]), /empty/);
  failure("KEY_TOO_LONG", () => cache.getMany(["a", "é".repeat(513)]), /1026/);
});

test("batches of many thousands of entries are stored, found, and removed whole", () => {
  const cache = openPrivate({ size: 64 * MIB });
  const keys = keysTo(20_000);
  cache.setMany(keys.map((key, index) => [key, index]));
  expect(cache.size).toBe(20_000);
  expect(cache.getMany(keys)).toEqual(keys.map((_, index) => index));
  expect(cache.deleteMany(keys.slice(5000))).toBe(15_000);
  expect(cache.size).toBe(5000);
});

test("batches of the longest keys take several native calls and miss none", () => {
  const cache = openPrivate({ size: 16 * MIB });
  const keys = Array.from({ length: 1000 }, (_, index) => `${index}-`.padEnd(1024, "k"));
  const others = Array.from({ length: 500 }, (_, index) => `${index}-`.padEnd(8, "x") + "é".repeat(508));
  cache.setMany([...keys, ...others].map((key, index) => [key, index]));
  expect(cache.getMany([...keys, ...others])).toEqual([...keys, ...others].map((_, index) => index));
  expect(cache.deleteMany([...others, ...keys])).toBe(1500);
});

test("batches mix values of every size, also those larger than a native answer", () => {
  const cache = openPrivate({ size: 128 * MIB, maxValueSize: 4 * MIB });
  const lengths = [0, 1, 4095, 4096, 4097, 60_000, 64_000, 65_520, 70_000, 300_000, MIB, 5, 2 * MIB, 3];
  const entries = lengths.map((length, index): [string, Uint8Array] => [
    `key-${index}`,
    new Uint8Array(length).fill(index + 1),
  ]);
  cache.setMany(entries);
  const values = cache.getMany(["none", ...entries.map(([key]) => key), "none"]) as Uint8Array[];
  expect(values.at(0)).toBeUndefined();
  expect(values.at(-1)).toBeUndefined();
  const found = values.slice(1, -1).map((value) => value.length);
  expect(found).toEqual(lengths);
  const whole = values.slice(1, -1).filter((value, index) => value.every((byte) => byte === index + 1));
  expect(whole.length).toBe(lengths.length);
});

test("bytes of a batch are never written again", () => {
  const cache = openPrivate({ size: 16 * MIB });
  const keys = keysTo(3000);
  cache.setMany(keys.map((key, index) => [key, new Uint8Array(100).fill(index)]));
  const values = cache.getMany(keys) as Uint8Array[];
  cache.setMany(keys.map((key) => [key, new Uint8Array(100).fill(0xee)]));
  cache.getMany(keys);
  cache.get("key-0");
  const whole = values.filter((value, index) => value.every((byte) => byte === (index & 255)));
  expect(whole.length).toBe(3000);
});

test("setMany stores what an iterator gave before it threw", () => {
  const cache = openPrivate();
  const failing = function* (): Generator<[string, number]> {
    yield ["first", 1];
    yield ["second", 2];
    throw new Error("the source failed");
  };
  expect(() => cache.setMany(failing())).toThrow("the source failed");
  expect(cache.getMany(["first", "second"])).toEqual([1, 2]);
});

test("setMany tells of both errors if an iterator throws and what it gave cannot be stored", () => {
  const cache = openPrivate();
  const cause = new Error("the source failed");
  const failing = function* (): Generator<[string, number]> {
    yield ["first", 1];
    yield ["", 2];
    throw cause;
  };
  let thrown: unknown;
  try {
    cache.setMany(failing());
  } catch (error) {
    thrown = error;
  }
  expect((thrown as AggregateError).errors).toEqual([
    cause,
    expect.objectContaining({ code: "ERR_FASTCACHE_INVALID_ARGUMENT" }),
  ]);
  expect(cache.get("first")).toBe(1);
});

test("each entry of setMany may have its own ttl", () => {
  const cache = openPrivate({ ttl: 60_000 });
  cache.setMany([
    ["default", 1],
    ["own", 2, { ttl: 5_000_000 }],
    ["none", 3, { ttl: Infinity }],
    ["undefined", 4, undefined],
  ]);
  expect(cache.ttl("default")).toBeLessThanOrEqual(60_000);
  expect(cache.ttl("own")).toBeGreaterThan(4_000_000);
  expect(cache.ttl("none")).toBe(Infinity);
  expect(cache.ttl("undefined")).toBeLessThanOrEqual(60_000);
  failure("INVALID_ARGUMENT", () => cache.setMany([["bad", 1, { ttl: Number.NaN }]]), /ttl/, /entry 0/);
});

test("the options of setMany are those of each entry without any of its own", () => {
  const cache = openPrivate({ ttl: 60_000 });
  cache.set("kept", 0, { ttl: 9_000_000 });
  const entries = [
    ["shared", 1],
    ["undefined", 2, undefined],
    ["own", 3, { ttl: Infinity }],
    ["none of its own", 4, {}],
  ] as const;
  cache.setMany(entries, { ttl: 5_000_000 });
  expect(cache.ttl("shared")).toBeGreaterThan(4_000_000);
  expect(cache.ttl("undefined")).toBeGreaterThan(4_000_000);
  expect(cache.ttl("own")).toBe(Infinity);
  expect(cache.ttl("none of its own")).toBeLessThanOrEqual(60_000);
  cache.setMany([["kept", 1]], { keepTtl: true });
  expect(cache.ttl("kept")).toBeGreaterThan(8_000_000);
  cache.setMany(entries, { ttl: 0 });
  expect(cache.getMany(entries.map(([key]) => key))).toEqual([undefined, undefined, 3, 4]);
  for (const wrong of [{ ttl: Number.NaN }, { tll: 5 }, 5] as never[]) {
    failure("INVALID_ARGUMENT", () => cache.setMany([["shared", 5]], wrong));
    failure("INVALID_ARGUMENT", () => cache.setMany([["shared", 5, {}]], wrong));
  }
  expect(cache.get("shared")).toBe(undefined);
});

test("the source of setMany may use the cache, and is closed when an entry fails", () => {
  const cache = openPrivate();
  let closed = false;
  function* source(): Generator<[string, unknown]> {
    try {
      for (let index = 0; ; index++) {
        cache.set(`seen-${index}`, true);
        cache.getMany(["seen-0", "none"]);
        yield [`key-${index}`, index < 300 ? index : undefined];
      }
    } finally {
      closed = true;
    }
  }
  failure("INVALID_ARGUMENT", () => cache.setMany(source()), /entry 300 of the batch/);
  expect(closed).toBe(true);
  const keys = keysTo(300);
  expect(cache.getMany(keys)).toEqual(keys.map((_, index) => index));
});

test("a generator may yield one buffer again and again", () => {
  const cache = openPrivate();
  const buffer = new Uint8Array(1);
  function* entries(): Generator<[string, Uint8Array]> {
    for (let index = 0; index < 4; index++) {
      buffer[0] = index;
      yield [`key-${index}`, buffer];
    }
  }
  cache.setMany(entries());
  expect(cache.getMany(keysTo(4))).toEqual([0, 1, 2, 3].map((index) => new Uint8Array([index])));
  function* byteKeys(): Generator<Uint8Array> {
    for (const key of ["a", "b", "c"]) {
      buffer[0] = key.charCodeAt(0);
      yield buffer;
    }
  }
  cache.set("a", 1).set("b", 2).set("c", 3);
  expect(cache.getMany(byteKeys())).toEqual([1, 2, 3]);
  expect(cache.deleteMany(byteKeys())).toBe(3);
});

test("a codec may encode into one buffer again and again", () => {
  const scratch = new Uint8Array(1);
  const cache = openPrivate<{ id: number }>({
    codec: {
      encode({ id }) {
        scratch[0] = id;
        return scratch;
      },
      decode: ([id]) => ({ id: id as number }),
    },
  });
  cache.setMany([
    ["a", { id: 1 }],
    ["b", { id: 2 }],
  ]);
  expect(cache.getMany(["a", "b"])).toEqual([{ id: 1 }, { id: 2 }]);
});

test("hasMany tells for each key what has tells, over many calls and values of any size", () => {
  const cache = openPrivate({ size: 64 * MIB });
  const keys = keysTo(20_000);
  for (const [index, key] of keys.entries()) {
    if (index % 3 !== 0) cache.set(key, index % 100 === 1 ? new Uint8Array(100_000) : index);
    if (index % 100 === 1) cache.delete(keys[Math.max(1, index - 100)] as string);
  }
  const before = cache.stats();
  const found = cache.hasMany(keys);
  expect(found).toEqual(keys.map((key) => cache.has(key)));
  expect(found).toContain(true);
  expect(cache.stats()).toMatchObject({ hits: before.hits, misses: before.misses });
  expect(cache.hasMany([])).toEqual([]);
  expect(cache.hasMany(new Set(["key-1", "none"]))).toEqual([cache.has("key-1"), false]);
});

describe("a bad key in a batch", () => {
  const bad: [string, unknown][] = [
    ["INVALID_ARGUMENT", ""],
    ["INVALID_ARGUMENT", 7],
    ["INVALID_ARGUMENT", undefined],
    ["INVALID_ARGUMENT", "\ud800"],
    ["KEY_TOO_LONG", "k".repeat(1025)],
    ["KEY_TOO_LONG", new Uint8Array(1025)],
  ];
  test.each(bad)("%s: the error is that of a single call, with the index", (code, value) => {
    const key = value as string;
    const cache = openPrivate();
    const short = code as "INVALID_ARGUMENT";
    const { message } = failure(short, () => cache.get(key));
    const keys = ["key-0", "key-1", key, "key-3"];
    for (const keyed of ["key-0", "key-1", "key-3"]) cache.set(keyed, 1);
    for (const call of [() => cache.getMany(keys), () => cache.hasMany(keys)]) {
      expect(failure(short, call).message).toBe(`key 2 of the batch: ${message}`);
    }
    expect(cache.size).toBe(3);
    const setMany = () => cache.setMany(keys.map((each) => [each, 2]));
    expect(failure(short, setMany).message).toContain(`entry 2 of the batch: ${message}`);
    expect([cache.get("key-0"), cache.get("key-1"), cache.get("key-3")]).toEqual([2, 2, 1]);
    expect(failure(short, () => cache.deleteMany(keys)).message).toContain(`key 2 of the batch: ${message}`);
    expect([...cache.keys()]).toEqual(["key-3"]);
  });
});
