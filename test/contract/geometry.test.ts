// SPDX-License-Identifier: MIT
//
// size, shards, maxEntries, maxValueSize, eviction, codec as options of open, and what info tells of them.

import { FastCache, type OpenOptions } from "fastcache";
import { describe, expect, test } from "vitest";
import { failure } from "../support/errors.ts";
import { MIB, open, openPrivate, uniqueName } from "../support/segments.ts";

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
    ["0.125GiB", 128 * MIB],
    ["2M", 2 * MIB],
    ["2048k", 2 * MIB],
    ["0.0625G", 64 * MIB],
  ])("%j is %i bytes, rounded down to pages", (size, bytes) => {
    const actual = openPrivate({ size }).info.size;
    expect(actual).toBeLessThanOrEqual(bytes);
    expect(actual).toBeGreaterThan(bytes - 65_536);
    expect(actual % 4096).toBe(0);
  });

  test.each([
    ["lots"],
    ["64 X"],
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
    const error = failure("NO_SPACE", () => open({ name, size: "2TiB" }), /2199023255552/, /size/);
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
    expect(info.maxEntries).toBeUndefined();
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
