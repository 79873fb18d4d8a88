// SPDX-License-Identifier: MIT
//
// Segments in a file: what survives a reboot, a killed process, a loss of power, a copy.

import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { signal, start } from "../support/child.ts";
import { reboot } from "../support/reboot.ts";
import { MIB, open, uniquePath } from "../support/segments.ts";

const PAGE = 4096;

/** Opens, says what was found, and closes. */
function found(path: string): { recovered: boolean; created: boolean; entries: Record<string, unknown> } {
  const cache = open({ path, size: 4 * MIB });
  const { recovered, created } = cache.info;
  const entries = Object.fromEntries(cache.entries());
  expect(cache.set("afterwards", 1).get("afterwards")).toBe(1);
  cache.delete("afterwards");
  cache.close();
  return { recovered, created, entries };
}

const KEPT = (entries: Record<string, unknown>) => ({ recovered: true, created: false, entries });
const EMPTY = { recovered: false, created: true, entries: {} };

describe("a cache in a file", () => {
  test("survives a reboot if it was closed", () => {
    const path = uniquePath();
    const cache = open({ path, size: 4 * MIB });
    expect(cache.info).toMatchObject({ created: true, recovered: false });
    cache.set("key", { n: 1 }).close();
    reboot(path);
    expect(found(path)).toEqual(KEPT({ key: { n: 1 } }));
    reboot(path);
    expect(found(path)).toEqual(KEPT({ key: { n: 1 } }));
  });

  test("survives it also if a process of several was killed, and another closed it as the last", async () => {
    const path = uniquePath();
    const cache = open({ path, size: 4 * MIB });
    const child = await start(
      `const cache = FastCache.open({ path: input });
       cache.set("theirs", 2);
       console.log("ready");
       setInterval(() => {}, 1000);`,
      path,
    );
    signal(child, "SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    cache.set("ours", 1).close();
    reboot(path);
    expect(found(path)).toEqual(KEPT({ theirs: 2, ours: 1 }));
  });

  test("is kept in the same boot, though its last process was killed", async () => {
    const path = uniquePath();
    const child = await start(
      `const cache = FastCache.open({ path: input, size: "4MiB" });
       cache.set("key", "kept");
       console.log("ready");
       setInterval(() => {}, 1000);`,
      path,
    );
    signal(child, "SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    expect(found(path)).toEqual(KEPT({ key: "kept" }));
  });

  test("begins empty after a reboot if its last process was killed", async () => {
    const path = uniquePath();
    open({ path, size: 4 * MIB })
      .set("key", "old")
      .close();
    const child = await start(
      `const cache = FastCache.open({ path: input });
       cache.set("key", "new");
       console.log("ready");
       setInterval(() => {}, 1000);`,
      path,
    );
    signal(child, "SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    reboot(path);
    expect(found(path)).toEqual(EMPTY);
  });

  test("that closes it at SIGTERM, as docs/deploy.md says, keeps it over the reboot", async () => {
    const path = uniquePath();
    const child = await start(
      `const cache = FastCache.open({ path: input, size: "4MiB" });
       process.on("SIGTERM", () => { cache.close(); process.exit(0); });
       cache.set("key", "kept");
       console.log("ready");
       setInterval(() => {}, 1000);`,
      path,
    );
    signal(child, "SIGTERM");
    await new Promise((resolve) => child.once("exit", resolve));
    reboot(path);
    expect(found(path)).toEqual(KEPT({ key: "kept" }));
  });

  test("begins empty after a loss of power, whichever pages the disk has", () => {
    const path = uniquePath();
    const value = (version: number) => `${version} `.repeat(3000);
    const writeAll = (cache: ReturnType<typeof open>, version: number) => {
      for (let key = 0; key < 100; key++) cache.set(`key${key}`, value(version));
    };
    const first = open({ path, size: 4 * MIB });
    writeAll(first, 1);
    first.close();
    const before = readFileSync(path);
    const second = open({ path });
    for (let version = 2; version < 6; version++) writeAll(second, version);
    const after = readFileSync(path);
    second.close();
    const outcomes = { kept: 0, empty: 0 };
    for (let round = 0; round < 12; round++) {
      const image = Uint8Array.from(after);
      let random = round * 7919 + 1;
      for (let page = 0; page < image.length; page += PAGE) {
        random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
        if (random % 3 !== 0) image.set(before.subarray(page, page + PAGE), page);
      }
      writeFileSync(path, image);
      reboot(path);
      const { recovered, entries } = found(path);
      outcomes[recovered ? "kept" : "empty"]++;
      if (!recovered) expect(entries).toEqual({});
      for (const got of Object.values(entries)) {
        expect([1, 2, 3, 4, 5].map(value)).toContain(got);
      }
    }
    expect(outcomes).toEqual({ kept: 0, empty: 12 });
    writeFileSync(path, before);
    reboot(path);
    expect(found(path).entries.key0).toBe(value(1));
  });

  test("can be copied when it is closed; a copy made in use begins empty", () => {
    const path = uniquePath();
    const [inUse, closed] = [uniquePath(), uniquePath()];
    const cache = open({ path, size: 4 * MIB });
    cache.set("key", "value");
    copyFileSync(path, inUse);
    expect(found(inUse)).toEqual(EMPTY);
    cache.close();
    copyFileSync(path, closed);
    expect(found(closed)).toEqual(KEPT({ key: "value" }));
    expect(found(path)).toEqual(KEPT({ key: "value" }));
  });

  test("that began empty keeps its geometry, and needs no size", () => {
    const path = uniquePath();
    const copy = uniquePath();
    const options = { size: 8 * MIB, shards: 2, maxEntries: 500, maxValueSize: 50_000 };
    const { info } = open({ path, ...options, eviction: "s3-fifo" });
    copyFileSync(path, copy);
    const again = open({ path: copy, create: false });
    const { fd: _fd, path: _path, created: _created, ...geometry } = info;
    expect(again.info).toMatchObject({ ...geometry, recovered: false, created: true });
    expect(again.set("key", 1).get("key")).toBe(1);
  });
});

test("in memory, whoever attaches finds what is there", () => {
  const cache = open({ size: 4 * MIB });
  expect(cache.info).toMatchObject({ created: true, recovered: false });
  expect(open({ fd: cache.info.fd }).info).toMatchObject({ created: false, recovered: true });
});
