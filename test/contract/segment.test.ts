// SPDX-License-Identifier: MIT
//
// Opening and attaching: by name, by path, private, through a descriptor; and how options are taken.

import { existsSync, statSync } from "node:fs";
import { FastCache } from "fastcache";
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
      const cache = FastCache.open({ name: input, create: false });
      console.log(cache.increment("question"), cache.info.created);
      cache.set("answer", { n: 42n.toString() });
      cache.close();`;
    expect(run(body, name)).toBe("42 false");
    expect(open({ name }).get("answer")).toEqual({ n: "42" });
  });

  test.each(["a", "A.b_c-9", "x".repeat(200), ".hidden", "...", "-"])(
    "the name %s is a valid one",
    (name) => {
      // Attached only: tests must not create names that are not theirs.
      failure("NOT_FOUND", () => open({ name, create: false }), name);
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
    onMismatch: undefined,
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
