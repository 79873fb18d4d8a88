// SPDX-License-Identifier: MIT
//
// `fastcache dump` and `load`: what was in a segment is in another one again, and a file that is not exactly what `dump`
// wrote loads nothing.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { FastCache } from "fastcache";
import { describe, expect, test } from "vitest";
import { DumpReader, type DumpRecord, DumpWriter } from "../../src/program/dump_format.ts";
import { fastcache } from "../support/program.ts";
import { MIB, open, uniqueName, uniquePath } from "../support/segments.ts";
import { randomBelow } from "../support/values.ts";

/** The records of a file, by key, with memory of their own. */
function recordsOf(content: Uint8Array): Map<string, DumpRecord> {
  let position = 0;
  const reader = new DumpReader((into) => {
    const part = content.subarray(position, position + into.length);
    into.set(part);
    position += part.length;
    return part.length;
  }, content.length);
  const records = new Map<string, DumpRecord>();
  for (const record of reader.records()) {
    const name = Buffer.from(record.key).toString("latin1");
    expect(records.has(name), `${name} is there twice`).toBe(false);
    records.set(name, { ...record, key: record.key.slice(), value: record.value.slice() });
  }
  return records;
}

/** A file with these records, as `dump` would write it. */
function fileOf(records: readonly DumpRecord[], header = {}): Buffer {
  const parts: Uint8Array[] = [];
  const geometry = { size: 8 * MIB, maxValueSize: MIB, maxEntries: 0, shards: 1, eviction: "lru" } as const;
  const writer = new DumpWriter({ writtenAt: Date.now(), ...geometry, ...header }, (part) => {
    parts.push(part.slice());
  });
  for (const record of records) writer.add(record);
  writer.end();
  return Buffer.concat(parts);
}

const record = (fields: Partial<DumpRecord> = {}): DumpRecord => ({
  key: Buffer.from("key"),
  value: Buffer.from("value"),
  type: 2,
  version: 1,
  deadline: Number.POSITIVE_INFINITY,
  ...fields,
});

/** The same but for versions and the milliseconds that went by. */
function expectSame(actual: Map<string, DumpRecord>, wanted: Map<string, DumpRecord>): void {
  expect([...actual.keys()].sort()).toEqual([...wanted.keys()].sort());
  for (const [name, { value, type, deadline }] of wanted) {
    const other = actual.get(name) as DumpRecord;
    expect(other.type, name).toBe(type);
    expect(Buffer.compare(other.value, value), name).toBe(0);
    if (deadline === Number.POSITIVE_INFINITY) expect(other.deadline, name).toBe(deadline);
    else expect(Math.abs(other.deadline - deadline), name).toBeLessThan(5000);
  }
}

/** Fills a cache with entries of all kinds, some of them changed and removed again. */
function fill(cache: FastCache, seed: number): void {
  const below = randomBelow(seed);
  const randomBytes = (length: number) => Uint8Array.from({ length }, () => below(256));
  const values = [
    () => randomBytes(below(500)),
    () => "text ".repeat(below(100)),
    () => `\u00fc\u{1f600}${below(1000)}`,
    () => `\ud800 alone ${below(1000)}`,
    () => below(1000) / 8,
    () => (-BigInt(below(1 << 30))) ** 3n,
    () => below(2) === 0,
    () => null,
    () => ({ id: below(1000), list: [1, "two", null] }),
    () => ({ at: new Date(below(1e9)), bytes: randomBytes(below(50)), map: new Map([[1, undefined]]) }),
    () => randomBytes(200_000 + below(400_000)),
  ];
  for (let step = 0; step < 600; step++) {
    const key = below(3) === 0 ? randomBytes(1 + below(1024)) : `key:${below(200)}`;
    const make = values[below(step % 100 === 0 ? values.length : values.length - 1)] as () => unknown;
    if (below(10) === 0) cache.delete(key);
    else cache.set(key, make(), below(3) === 0 ? { ttl: 100_000 + below(1e9) } : {});
  }
  cache.set(`long ${"k".repeat(3000)}`, { of: "a long key" });
}

test.each([[1], [2], [3]])("a segment comes back with keys, types, bytes and deadlines (seed %i)", (seed) => {
  const [name, copy] = [uniqueName(), uniqueName()];
  const [file, again] = [uniquePath(), uniquePath()];
  const cache = open({ name, size: 16 * MIB, longKeys: "hash" });
  fill(cache, seed);
  const { status, out } = fastcache("dump", name, file, "--json");
  expect(status).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ entries: cache.size, file });
  expect(statSync(file).mode & 0o777).toBe(0o600);

  expect(fastcache("load", file, copy, "--json").out).toBe(
    `${JSON.stringify({ loaded: cache.size, expired: 0, evicted: 0 })}\n`,
  );
  expect(fastcache("dump", copy, again).status).toBe(0);
  const wanted = recordsOf(readFileSync(file));
  expectSame(recordsOf(readFileSync(again)), wanted);
  const other = open({ name: copy, longKeys: "hash" });
  expect(other.info).toMatchObject({ size: 16 * MIB, shards: cache.info.shards });
  expect(new Map(other.entries())).toEqual(new Map(cache.entries()));
});

test("types that only a later release knows are kept, and are misses until then", () => {
  const [name, file, again] = [uniqueName(), uniquePath(), uniquePath()];
  const records = [13, 200, 255].map((type) => record({ key: Buffer.from(`type ${type}`), type }));
  writeFileSync(file, fileOf(records));
  expect(fastcache("load", file, name)).toEqual({ status: 0, out: "3 entries loaded\n", err: "" });
  expect(fastcache("dump", name, again).status).toBe(0);
  expectSame(recordsOf(readFileSync(again)), recordsOf(readFileSync(file)));
  const cache = open({ name });
  expect(cache.get("type 200")).toBeUndefined();
  expect(fastcache("get", name, "type 200", "--value").out).toMatch(/type +type 200\n.*value +76616c7565\n/s);
});

test("the time that an entry spends in the file counts", () => {
  const [name, file] = [uniqueName(), uniquePath()];
  const deadline = Date.now() + 3_600_000;
  const over = record({ key: Buffer.from("over"), deadline: Date.now() - 1 });
  writeFileSync(file, fileOf([record({ deadline }), over], { writtenAt: Date.now() - 60_000 }));
  expect(fastcache("load", file, name).out).toBe("1 entry loaded\n1 left out: their time was over\n");
  const cache = open({ name });
  expect(cache.has("over")).toBe(false);
  expect(Math.abs(Date.now() + (cache.ttl("key") as number) - deadline)).toBeLessThan(5000);
});

test("loading into a segment that is there replaces what has the same key, and says what was evicted", () => {
  const [name, file] = [uniqueName(), uniquePath()];
  const cache = open({ name, size: MIB });
  cache.set("key", "old").set("other", "kept");
  writeFileSync(file, fileOf([record()]));
  expect(fastcache("load", file, name).out).toBe("1 entry loaded\n");
  expect([cache.get("key"), cache.get("other")]).toEqual(["value", "kept"]);
  const value = new Uint8Array(1000);
  const many = Array.from({ length: 3000 }, (_, id) => record({ key: Buffer.from(`${id}`), value, type: 0 }));
  writeFileSync(file, fileOf(many));
  expect(fastcache("load", file, name).out).toMatch(
    /^3,000 entries loaded\n[\d,]+ entries evicted meanwhile/,
  );
});

test("`dump` replaces no file unasked, and leaves nothing beside it", () => {
  const [name, file] = [uniqueName(), uniquePath()];
  open({ name, size: MIB }).set("key", "value");
  writeFileSync(file, "mine");
  const { status, err } = fastcache("dump", name, file);
  expect([status, err]).toEqual([1, `fastcache: ${file} exists: --force replaces it\n`]);
  expect(readFileSync(file, "utf8")).toBe("mine");
  expect(fastcache("dump", name, file, "--force").out).toMatch(/^1 entry, [\d.]+ bytes, in /);
  expect(recordsOf(readFileSync(file)).size).toBe(1);
  const missing = fastcache("dump", name, `${file}/no/folder`);
  expect([missing.status, missing.err.split("\n").length]).toEqual([1, 2]);
  expect(readdirSync(dirname(file)).filter((entry) => entry.includes("partial"))).toEqual([]);
});

describe("a file that is not what `dump` wrote", () => {
  /** Nothing may be loaded, and no segment made. */
  function expectRefused(content: Uint8Array, message: RegExp): void {
    const [name, file] = [uniqueName(), uniquePath()];
    writeFileSync(file, content);
    const { status, out, err } = fastcache("load", file, name);
    expect([status, out], err).toEqual([1, ""]);
    expect(err).toMatch(/^fastcache: [^\n]*\n$/);
    expect(err).toMatch(message);
    expect(FastCache.list()).not.toContain(name);
  }

  /** As `expectRefused`, without a process: reading all of it must fail. */
  function expectUnreadable(content: Uint8Array, what: string): void {
    expect(() => recordsOf(content), what).toThrow(/\w/);
  }

  const below = randomBelow(26);
  const good = fileOf(
    Array.from({ length: 400 }, (_, id) =>
      record({ key: Buffer.from(`key ${id}`), value: Buffer.alloc(below(20_000), id) }),
    ),
  );

  test("cut anywhere, it is refused", () => {
    expect(recordsOf(good).size).toBe(400);
    for (let round = 0; round < 300; round++) {
      const length = round < 100 ? good.length - 1 - round : below(good.length);
      expectUnreadable(good.subarray(0, length), `${length} bytes`);
    }
    expectRefused(good.subarray(0, good.length - 1), /it ends in the middle of a block/);
    expectRefused(good.subarray(0, 50), /it ends in the middle of its header/);
    expectRefused(new Uint8Array(0), /it ends in the middle of its header/);
  });

  test("with any bit changed, it is refused", () => {
    for (let round = 0; round < 300; round++) {
      const changed = Buffer.from(good);
      const at = round < 150 ? round : below(good.length);
      changed[at] = (changed[at] as number) ^ (1 << below(8));
      expectUnreadable(changed, `a bit of byte ${at}`);
    }
    const changed = Buffer.from(good);
    changed[good.length >> 1] = (changed[good.length >> 1] as number) ^ 1;
    expectRefused(changed, /the block behind record \d+ is damaged: its checksum does not fit/);
  });

  test("with a block left out, repeated or moved, or more at its end, it is refused", () => {
    const blocks: Buffer[] = [];
    for (let at = 96; at < good.length; ) {
      const end = at + 40 + good.readUInt32LE(at);
      blocks.push(good.subarray(at, end));
      at = end;
    }
    expect(blocks.length).toBeGreaterThan(3);
    const [first, second, ...rest] = blocks as [Buffer, Buffer, ...Buffer[]];
    const header = good.subarray(0, 96);
    for (const order of [
      [second, ...rest],
      [first, first, second, ...rest],
      [second, first, ...rest],
      [first],
    ]) {
      expectUnreadable(Buffer.concat([header, ...order]), `${order.length} blocks`);
    }
    expectRefused(Buffer.concat([good, Buffer.from("x")]), /1 bytes follow its end/);
  });

  test("of another kind or version, it is refused", () => {
    expectRefused(Buffer.alloc(5000, "no dump "), /it was not written by `fastcache dump`/);
    const other = Buffer.from(good);
    other.writeUInt32LE(2, 8);
    expectRefused(other, /it is of version 2 of the format, this program reads version 1/);
  });

  test.each([
    [{ key: new Uint8Array(0) }, /record 1 has a key of 0 bytes/],
    [{ key: new Uint8Array(1025) }, /record 1 has a key of 1025 bytes/],
    [{ type: 256 }, /record 1 has type 256/],
    [{ version: -1 }, /record 1 has version -1/],
    [{ deadline: Number.NaN }, /record 1 has deadline NaN/],
    [{ deadline: 0 }, /record 1 has deadline 0/],
    [{ value: new Uint8Array(MIB + 1) }, /record 1 has a value of 1048577 bytes/],
  ])("made up with sound checksums (%#), it is refused before anything is loaded", (fields, message) => {
    expectRefused(fileOf([record(), record(fields)]), message);
  });

  test("with lengths that lead out of their block, and sound checksums, it is refused", () => {
    const file = fileOf([record()]);
    const seal = (content: Buffer): Buffer => {
      let digest = content.subarray(64, 96);
      for (let at = 96; at < content.length; ) {
        const end = at + 40 + content.readUInt32LE(at);
        const hash = createHash("sha256")
          .update(digest)
          .update(content.subarray(at, at + 8));
        digest = hash.update(content.subarray(at + 40, end)).digest();
        digest.copy(content, at + 8);
        at = end;
      }
      return content;
    };
    expect(seal(Buffer.from(file))).toEqual(file);
    for (const [offset, word] of [
      [100, 2],
      [100, 0xffff_ffff],
      [136, 0xffff_ffff],
      [140, 0xffff_fff0],
      [140, 100],
    ]) {
      const hostile = Buffer.from(file);
      hostile.writeUInt32LE(word as number, offset as number);
      expectUnreadable(seal(hostile), `${word} at ${offset}`);
    }
    const endless = Buffer.from(file);
    endless.writeUInt32LE(0xffff_ffff, 96);
    expectRefused(endless, /it ends in the middle of a block/);
  });

  test("with a value that the segment does not take, it is refused before anything is loaded", () => {
    const [name, file] = [uniqueName(), uniquePath()];
    const cache = open({ name, size: MIB, maxValueSize: 1000 });
    writeFileSync(
      file,
      fileOf([record(), record({ key: Buffer.from("large"), value: new Uint8Array(1001) })]),
    );
    const { status, err } = fastcache("load", file, name);
    expect([status, err]).toEqual([
      1,
      `fastcache: ${file}: a value has 1001 bytes, the limit of ${name} is 1000\n`,
    ]);
    expect(cache.size).toBe(0);
    writeFileSync(file, fileOf([record({ value: new Uint8Array(MIB / 2) })]));
    const fresh = uniqueName();
    expect(fastcache("load", file, fresh, "--size", "1MiB").err).toMatch(
      /a value has 524288 bytes, the limit/,
    );
    expect(FastCache.list()).not.toContain(fresh);
  });

  test("where there is none, or only a folder, that is said", () => {
    const path = uniquePath();
    expect(fastcache("load", path, uniqueName()).err).toMatch(/^fastcache: [^\n]*no such file[^\n]*\n$/i);
    expect(fastcache("load", "/proc", uniqueName()).err).toBe("fastcache: /proc is not a file\n");
    expect(existsSync(path)).toBe(false);
  });
});
