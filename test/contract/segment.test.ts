// SPDX-License-Identifier: MIT
//
// Opening, attaching, closing, destroying and listing segments; every option of open; info and stats.

import { chmodSync, existsSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { FastCache, type OpenOptions } from "fastcache";
import { describe, expect, test } from "vitest";
import { run } from "../support/child.ts";
import { failure } from "../support/errors.ts";
import { MIB, open, openPrivate, uniqueName, uniquePath } from "../support/segments.ts";

describe("name", () => {
  test("two handles on one name share their entries", () => {
    const name = uniqueName();
    const first = open({ name, size: 4 * MIB });
    const second = open({ name });
    first.set("key", "from the first");
    expect(second.get("key")).toBe("from the first");
    second.delete("key");
    expect(first.has("key")).toBe(false);
    expect([first.info.created, second.info.created]).toEqual([true, false]);
    expect([first.info.name, second.info.name]).toEqual([name, name]);
  });

  test("another process shares them too, and the entries stay when all have closed", () => {
    const name = uniqueName();
    open({ name, size: 4 * MIB })
      .set("question", 41)
      .close();
    const body = `
      using cache = FastCache.open({ name: input, create: false });
      console.log(cache.increment("question"), cache.info.created);
      cache.set("answer", { n: 42n.toString() });`;
    expect(run(body, name)).toBe("42 false");
    expect(open({ name }).get("answer")).toEqual({ n: "42" });
  });

  test.each(["a", "A.b_c-9", "x".repeat(200), ".hidden", "..."].map((suffix) => [suffix]))(
    "a name such as %s is checked before anything is created",
    (name) => {
      // Attached only: names that are not unique must not be created by tests.
      const valid = name !== "...";
      failure(valid ? "NOT_FOUND" : "INVALID_ARGUMENT", () => open({ name: `${name}`, create: false }));
    },
  );

  test.each([
    [""],
    ["a/b"],
    ["../up"],
    ["with space"],
    ["ü"],
    ["a\0b"],
    ["x".repeat(201)],
    [5],
    [null],
    [{}],
  ])("the name %j is refused", (name) => {
    failure("INVALID_ARGUMENT", () => open({ name: name as string, size: MIB }), /`name`/);
  });
});

describe("path", () => {
  test("a file keeps the entries, with mode 0600, until it is destroyed", () => {
    const path = uniquePath();
    const cache = open({ path, size: 4 * MIB });
    cache.set("key", "kept").set("number", 7);
    expect(cache.info.kind).toBe("file");
    expect(cache.info.path).toBe(path);
    expect(cache.info.name).toBeUndefined();
    cache.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const again = open({ path });
    expect(again.info.created).toBe(false);
    expect([again.get("key"), again.get("number")]).toEqual(["kept", 7]);
    again.close();
    expect(FastCache.destroy(path)).toBe(true);
    expect(existsSync(path)).toBe(false);
  });

  test("a file is not among the listed names", () => {
    const path = uniquePath();
    open({ path, size: MIB });
    expect(FastCache.list().filter((name) => path.includes(name))).toEqual([]);
  });

  test.each([[""], ["a\0b"], ["lone\ud800"], [5], [null]])("the path %j is refused", (path) => {
    failure("INVALID_ARGUMENT", () => open({ path: path as string, size: MIB }), /`path`/);
  });

  test("a path in a folder that is not there is NOT_FOUND", () => {
    const path = `${uniquePath()}/none/cache`;
    failure("NOT_FOUND", () => open({ path, size: MIB }), /none/);
  });
});

describe("a private segment", () => {
  test("is what open gives without name, path and fd", () => {
    const first = openPrivate();
    const second = openPrivate();
    first.set("key", 1);
    expect(first.info.kind).toBe("private");
    expect(second.has("key")).toBe(false);
  });

  test("can be attached to through its descriptor", () => {
    const first = openPrivate();
    first.set("key", "shared");
    const second = open({ fd: first.info.fd });
    expect(second.get("key")).toBe("shared");
    expect(second.info.kind).toBe("fd");
    expect(second.info.created).toBe(false);
    expect(second.info.size).toBe(first.info.size);
    first.close();
    expect(second.set("key", "still").get("key")).toBe("still");
  });

  test.each([[-1], [1.5], ["3"], [Number.NaN], [2 ** 31], [null]])("the fd %j is refused", (fd) => {
    failure("INVALID_ARGUMENT", () => open({ fd: fd as number }), /`fd`/);
  });

  test("a descriptor of something else is refused", () => {
    failure("INVALID_ARGUMENT", () => open({ fd: 0 }), /descriptor/);
  });
});

describe("create", () => {
  test("true creates or attaches", () => {
    const name = uniqueName();
    expect(open({ name, size: MIB, create: true }).info.created).toBe(true);
    expect(open({ name, size: MIB, create: true }).info.created).toBe(false);
  });

  test("false attaches only, and needs no size", () => {
    const name = uniqueName();
    failure("NOT_FOUND", () => open({ name, create: false }), name);
    failure("NOT_FOUND", () => open({ path: uniquePath(), create: false }));
    open({ name, size: MIB });
    expect(open({ name, create: false }).info.size).toBe(MIB);
  });

  test('"exclusive" fails if it exists', () => {
    const name = uniqueName();
    expect(open({ name, size: MIB, create: "exclusive" }).info.created).toBe(true);
    failure("EXISTS", () => open({ name, size: MIB, create: "exclusive" }), name);
    const path = uniquePath();
    open({ path, size: MIB, create: "exclusive" });
    failure("EXISTS", () => open({ path, size: MIB, create: "exclusive" }), path);
  });

  test("creating needs a size", () => {
    failure("INVALID_ARGUMENT", () => open({}), /`size`/);
    failure("INVALID_ARGUMENT", () => open({ name: uniqueName(), create: "exclusive" }), /`size`/);
    failure("INVALID_ARGUMENT", () => open({ name: uniqueName() }), /size/);
  });

  test("options that contradict each other are refused", () => {
    failure("INVALID_ARGUMENT", () => open({ name: "a", path: "/b", size: MIB }), /exclude each other/);
    failure("INVALID_ARGUMENT", () => open({ name: "a", fd: 3 }), /exclude each other/);
    failure("INVALID_ARGUMENT", () => open({ create: false }), /name.*path.*fd/);
    failure("INVALID_ARGUMENT", () => open({ fd: 3, create: "exclusive" }), /exclusive/);
    failure("INVALID_ARGUMENT", () => open({ size: MIB, create: "maybe" as never }), /`create`/);
  });
});

describe("size", () => {
  test.each<[number | string, number]>([
    [MIB, MIB],
    [3_000_000, 3_000_000],
    ["2MiB", 2 * MIB],
    ["2 MiB", 2 * MIB],
    ["2mib", 2 * MIB],
    ["1.5MiB", 1.5 * MIB],
    ["3MB", 3_000_000],
    ["3000KB", 3_000_000],
    ["2048KiB", 2 * MIB],
    ["2097152", 2 * MIB],
    ["2097152B", 2 * MIB],
    ["0.003GB", 3_000_000],
  ])("%j is %i bytes, rounded down to pages", (size, bytes) => {
    const actual = openPrivate({ size }).info.size;
    expect(actual).toBeLessThanOrEqual(bytes);
    expect(actual).toBeGreaterThan(bytes - 65_536);
    expect(actual % 4096).toBe(0);
  });

  test("of 256 MiB can be written as 256MB or 1GiB can", () => {
    expect(openPrivate({ size: "256MB" }).info.size).toBeGreaterThan(255_900_000);
    expect(openPrivate({ size: "0.125GiB" }).info.size).toBe(128 * MIB);
  });

  test.each([
    ["lots"],
    ["64 M"],
    ["-1MB"],
    ["1e9"],
    ["0x100000"],
    [""],
    ["MB"],
    [1.5],
    [Number.NaN],
    [Infinity],
    [null],
    [true],
    [{}],
  ])("%j is refused", (size) => {
    failure("INVALID_ARGUMENT", () => open({ size: size as string }), /`size`/);
  });

  test.each([[0], [-5], [MIB - 1], ["1MB"], ["1KiB"]])("%j is under the least", (size) => {
    failure("INVALID_ARGUMENT", () => open({ size }), /`size`/, /1048576/);
  });

  test("more than the system has is NO_SPACE, with both numbers, and leaves nothing behind", () => {
    const name = uniqueName();
    const error = failure("NO_SPACE", () => open({ name, size: "4TiB" }), /4398046511104/, /size/);
    expect(error.message).toMatch(/\d+ bytes in all/);
    expect(FastCache.list()).not.toContain(name);
  });
});

describe("the geometry", () => {
  test("is what was asked for, and info tells it", () => {
    const name = uniqueName();
    const { info } = open({
      name,
      size: 8 * MIB,
      shards: 4,
      maxEntries: 1000,
      maxValueSize: "100KB",
      eviction: "lru",
    });
    expect(info).toMatchObject({
      kind: "shm",
      name,
      size: 8 * MIB,
      shards: 4,
      maxEntries: 1000,
      maxKeySize: 1024,
      maxValueSize: 100_000,
      eviction: "lru",
      created: true,
    });
    for (const number of [info.layoutVersion, info.dataSize, info.extentSize, info.maxProcesses]) {
      expect(number).toBeGreaterThan(0);
    }
    expect(info.dataSize).toBeLessThan(info.size);
    expect(info.fd).toBeGreaterThan(2);
  });

  test("has defaults: lru, values of a MiB or more from 64 MiB on, entries as many as fit", () => {
    const { info } = openPrivate({ size: 64 * MIB });
    expect(info.eviction).toBe("lru");
    expect(info.maxValueSize).toBeGreaterThanOrEqual(MIB);
    expect(Math.log2(info.shards) % 1).toBe(0);
    expect(info.maxEntries).toBe(0);
    expect(openPrivate({ size: "64MB" }).info.maxValueSize).toBeGreaterThanOrEqual(MIB);
  });

  test("info is frozen, and the same object each time", () => {
    const cache = openPrivate();
    expect(Object.isFrozen(cache.info)).toBe(true);
    expect(cache.info).toBe(cache.info);
  });

  test("attaching with the same options, or none, is fine; with others it is a mismatch that says both", () => {
    const name = uniqueName();
    const options = { name, size: 8 * MIB, shards: 2, maxEntries: 500, maxValueSize: 50_000 };
    const { info } = open(options);
    expect(open(options).info.size).toBe(info.size);
    expect(open({ name }).info.shards).toBe(2);
    const others: [OpenOptions, number, number][] = [
      [{ size: 16 * MIB }, 16 * MIB, 8 * MIB],
      [{ shards: 4 }, 4, 2],
      [{ maxEntries: 501 }, 501, 500],
      [{ maxValueSize: 50_001 }, 50_001, 50_000],
    ];
    for (const [other, asked, there] of others) {
      const call = () => open({ name, ...other });
      failure("LAYOUT_MISMATCH", call, new RegExp(`\\b${asked}\\b`), new RegExp(`\\b${there}\\b`));
    }
    failure("LAYOUT_MISMATCH", () => open({ name, eviction: "s3-fifo" }), /eviction/);
  });

  test.each([[0], [3], [2048], [1.5], ["2"], [-1], [null]])("shards of %j are refused", (shards) => {
    failure("INVALID_ARGUMENT", () => open({ size: 64 * MIB, shards: shards as number }), /shards/);
  });

  test.each([[0], [-1], [1.5], ["10"], [Infinity], [null]])("maxEntries of %j are refused", (maxEntries) => {
    failure("INVALID_ARGUMENT", () => open({ size: MIB, maxEntries: maxEntries as number }), /maxEntries/);
  });

  test.each([[0], ["many"], [-1], [2.5], [null]])("a maxValueSize of %j is refused", (maxValueSize) => {
    failure(
      "INVALID_ARGUMENT",
      () => open({ size: MIB, maxValueSize: maxValueSize as number }),
      /maxValueSize/,
    );
  });

  test.each([["LRU"], ["fifo"], [1], [null], [true]])("an eviction of %j is refused", (eviction) => {
    failure("INVALID_ARGUMENT", () => open({ size: MIB, eviction: eviction as never }), /eviction/);
  });

  test.each([[5], [null], [{}], [{ encode: () => new Uint8Array() }], ["json"]])(
    "a codec of %j is refused",
    (codec) => {
      failure("INVALID_ARGUMENT", () => open({ size: MIB, codec: codec as never }), /codec/);
    },
  );

  test("more shards than the size has room for are refused with a remedy", () => {
    failure("INVALID_ARGUMENT", () => open({ size: MIB, shards: 1024 }), /1024/, /larger size/);
  });
});

test("an option that is not there is refused by name", () => {
  failure("INVALID_ARGUMENT", () => open({ nmae: "x", size: MIB } as never), /"nmae"/, /name, path/);
  failure("INVALID_ARGUMENT", () => open("sessions" as never), /object/);
  failure("INVALID_ARGUMENT", () => open(null as never), /object/);
});

test("an option that is undefined counts as not given", () => {
  const cache = open({
    name: undefined,
    path: undefined,
    fd: undefined,
    size: MIB,
    create: undefined,
    shards: undefined,
    maxEntries: undefined,
    maxValueSize: undefined,
    eviction: undefined,
    ttl: undefined,
    codec: undefined,
  });
  expect(cache.info.kind).toBe("private");
});

test("a cache is made by open, not by new", () => {
  const Constructor = FastCache as unknown as new () => unknown;
  failure("INVALID_ARGUMENT", () => new Constructor(), /FastCache\.open/);
});

describe("what is not ours, or no segment", () => {
  test.each([
    ["text", "hello"],
    ["zeros as large as a segment", new Uint8Array(2 * MIB)],
    ["bytes as large as a segment", new Uint8Array(2 * MIB).fill(0xa5)],
  ])("a file of %s is CORRUPT to open and to destroy, and left alone", (_, content) => {
    const path = uniquePath();
    writeFileSync(path, content, { mode: 0o600 });
    failure("CORRUPT", () => open({ path, create: false }), path);
    failure("CORRUPT", () => open({ path, size: 4 * MIB }), path);
    failure("CORRUPT", () => FastCache.destroy(path), path);
    expect(statSync(path).size).toBe(content.length);
  });

  test("a segment whose first bytes were overwritten is refused", () => {
    const path = uniquePath();
    open({ path, size: MIB }).close();
    writeFileSync(path, new Uint8Array(64).fill(0xff), { flag: "r+" });
    failure("CORRUPT", () => open({ path }), path);
  });

  test("a file that others may read is PERMISSION", () => {
    const path = uniquePath();
    open({ path, size: MIB }).close();
    chmodSync(path, 0o644);
    failure("PERMISSION", () => open({ path }), path, /0600/);
    failure("PERMISSION", () => FastCache.destroy(path), path);
    chmodSync(path, 0o600);
    expect(open({ path }).size).toBe(0);
  });

  test("a symbolic link is not followed", () => {
    const path = uniquePath();
    const link = uniquePath();
    open({ path, size: MIB }).close();
    symlinkSync(path, link);
    failure("INVALID_ARGUMENT", () => open({ path: link }), /symbolic link/);
  });

  test("a folder is refused", () => {
    failure("INVALID_ARGUMENT", () => open({ path: dirname(uniquePath()), size: MIB }), /directory/);
  });
});

describe("destroy and list", () => {
  test("list names the segments of this user, destroy removes one", () => {
    const names = [uniqueName(), uniqueName()];
    for (const name of names) open({ name, size: MIB });
    const listed = FastCache.list();
    expect(listed).toEqual(expect.arrayContaining(names));
    expect(listed).toEqual(listed.toSorted());
    expect(FastCache.destroy(names[0] as string)).toBe(true);
    expect(FastCache.list()).not.toContain(names[0]);
    expect(FastCache.list()).toContain(names[1]);
  });

  test("list gives any number of names", () => {
    const names = Array.from({ length: 40 }, () => uniqueName());
    for (const name of names) open({ name: name.padEnd(1, "x"), size: MIB }).close();
    expect(FastCache.list()).toEqual(expect.arrayContaining(names));
  });

  test("destroying what is not there is false", () => {
    expect(FastCache.destroy(uniqueName())).toBe(false);
    expect(FastCache.destroy(uniquePath())).toBe(false);
  });

  test("a name or a path can be said apart", () => {
    const name = uniqueName();
    open({ name, size: MIB });
    expect(FastCache.destroy({ name })).toBe(true);
    const path = uniquePath();
    open({ path, size: MIB });
    expect(FastCache.destroy({ path })).toBe(true);
    expect(existsSync(path)).toBe(false);
  });

  test.each([
    [""],
    [5],
    [undefined],
    [null],
    [{}],
    [{ name: "a", path: "/b" }],
    [{ nmae: "a" }],
    ["with space"],
  ])("destroying %j is refused", (target) => {
    failure("INVALID_ARGUMENT", () => FastCache.destroy(target as string));
  });

  test("who is attached keeps using a destroyed segment, and the name is free again", () => {
    const name = uniqueName();
    const old = open({ name, size: MIB });
    const other = open({ name });
    FastCache.destroy(name);
    expect(other.set("key", 1).get("key")).toBe(1);
    expect(old.get("key")).toBe(1);
    const fresh = open({ name, size: 2 * MIB });
    expect(fresh.info.created).toBe(true);
    expect(fresh.has("key")).toBe(false);
  });
});

describe("close", () => {
  test("detaches once; again it does nothing", () => {
    const cache = openPrivate();
    cache.close();
    expect(() => cache.close()).not.toThrow();
    failure("CLOSED", () => cache.get("key"), /closed/);
  });

  test("using closes at the end of the block", () => {
    const name = uniqueName();
    const other = open({ name, size: MIB });
    let escaped: FastCache;
    {
      using cache = FastCache.open({ name });
      cache.set("key", 1);
      escaped = cache;
      expect(other.stats().processes).toBe(2);
    }
    failure("CLOSED", () => escaped.get("key"));
    expect(other.stats().processes).toBe(1);
    expect(other.get("key")).toBe(1);
  });

  test("a handle that was closed never reaches a segment opened later", () => {
    const closed = openPrivate();
    closed.close();
    const later = openPrivate();
    later.set("key", 1);
    failure("CLOSED", () => closed.set("key", 2));
    expect(later.get("key")).toBe(1);
  });

  test("handles can be opened and closed many times over", () => {
    const name = uniqueName();
    const cache = open({ name, size: MIB });
    for (let turn = 0; turn < 1500; turn++) {
      using again = FastCache.open({ name });
      again.increment("turns");
    }
    expect(cache.get("turns")).toBe(1500);
    expect(cache.stats().processes).toBe(1);
  });
});

describe("stats", () => {
  test("count what happened, and say what is there", () => {
    const cache = openPrivate();
    cache.set("a", 1).set("b", "x".repeat(1000)).set("a", 2);
    cache.get("a");
    cache.get("none");
    cache.peek("b");
    cache.delete("b");
    cache.delete("none");
    const stats = cache.stats();
    expect(stats).toMatchObject({
      sets: 3,
      deletes: 1,
      evictions: 0,
      expirations: 0,
      entries: 1,
      processes: 1,
    });
    expect(stats.hits).toBeGreaterThanOrEqual(1);
    expect(stats.misses).toBeGreaterThanOrEqual(1);
    expect(stats.lockWaits).toBe(0);
    expect(stats.takeovers).toBe(0);
    expect(stats.bytesUsed).toBeGreaterThan(0);
    expect(stats.bytesUsed).toBeLessThan(1000);
    expect(stats.capacityBytes).toBeGreaterThan(stats.bytesUsed);
    expect(stats.capacityBytes).toBeLessThanOrEqual(cache.info.size);
  });

  test("count batches entry by entry", () => {
    const cache = openPrivate();
    cache.setMany([
      ["a", 1],
      ["b", 2],
    ]);
    cache.getMany(["a", "b", "c"]);
    cache.deleteMany(["a", "c"]);
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 1, sets: 2, deletes: 1, entries: 1 });
  });

  test("sum over all handles, also closed ones", () => {
    const name = uniqueName();
    const first = open({ name, size: MIB });
    const second = open({ name });
    first.set("a", 1);
    second.set("b", 2);
    second.get("a");
    second.close();
    expect(first.stats()).toMatchObject({ sets: 2, hits: 1, entries: 2, processes: 1 });
  });

  test("are a fresh plain object each time", () => {
    const cache = openPrivate();
    const before = cache.stats();
    cache.set("a", 1);
    expect(Object.getPrototypeOf(before)).toBe(Object.prototype);
    expect(before.sets).toBe(0);
    expect(cache.stats().sets).toBe(1);
    expect(Object.values(before).every((value) => Number.isFinite(value))).toBe(true);
  });
});
