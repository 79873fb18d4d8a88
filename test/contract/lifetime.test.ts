// SPDX-License-Identifier: MIT
//
// What is refused as no segment of ours; destroy, list and close.

import { chmodSync, existsSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { FastCache } from "fastcache";
import { describe, expect, test } from "vitest";
import { failure } from "../support/errors.ts";
import { MIB, open, openPrivate, uniqueName, uniquePath } from "../support/segments.ts";

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
    for (const name of names) open({ name, size: MIB }).close();
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
      expect(other.stats().processes).toBe(1);
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

test("info can be read after close, and opens the same segment", () => {
  const name = uniqueName();
  for (const options of [{ maxEntries: 1000 }, {}]) {
    const cache = open({ name, size: "2M", shards: 2, ...options });
    const { info } = cache;
    cache.close();
    expect(cache.info).toBe(info);
    const { size, shards, maxEntries, maxValueSize, eviction } = info;
    const again = open({ name, size, shards, maxEntries, maxValueSize, eviction });
    const opened = { fd: 0, created: true, recovered: false }; // how, not what
    expect({ ...again.info, ...opened }).toEqual({ ...info, ...opened });
    again.close();
    FastCache.destroy(name);
  }
});

test("a class derived from FastCache opens caches of its own kind", () => {
  class Counters extends FastCache<number> {
    hit(key: string): number {
      return this.increment(key);
    }
  }
  const name = uniqueName();
  using counters = Counters.open({ name, size: MIB });
  expect(counters).toBeInstanceOf(Counters);
  expect(counters).toBeInstanceOf(FastCache);
  expect([counters.hit("a"), counters.hit("a")]).toEqual([1, 2]);
  using plain = FastCache.open<number>({ name });
  expect(plain).not.toBeInstanceOf(Counters);
  expect(plain.get("a")).toBe(2);
  failure("INVALID_ARGUMENT", () => Reflect.construct(Counters, [{ name }]), /FastCache\.open/);
});
