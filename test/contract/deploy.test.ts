// SPDX-License-Identifier: MIT
//
// A new release meets the segment of the old one: another size, other limits, processes of both. And the programs of
// docs/deploy.md, each run as it stands, but for names of its own.

import { readFileSync } from "node:fs";
import { FastCache, type OpenOptions } from "fastcache";
import { describe, expect, test } from "vitest";
import { run, signal, start } from "../support/child.ts";
import { failure } from "../support/errors.ts";
import { reboot } from "../support/reboot.ts";
import { MIB, open, openPrivate, uniqueName, uniquePath } from "../support/segments.ts";

describe.each(["name", "path"] as const)("a segment by %s that is not the one asked for", (by) => {
  const place = () => (by === "name" ? { name: uniqueName() } : { path: uniquePath() });

  test("is an error that tells both values and the option", () => {
    const where = place();
    open({ ...where, size: 2 * MIB });
    for (const onMismatch of [undefined, "error"] as const) {
      const call = () => open({ ...where, size: 4 * MIB, onMismatch });
      failure("LAYOUT_MISMATCH", call, /4194304/, /2097152/, /onMismatch/);
    }
  });

  test("is taken as it is with `attach`", () => {
    const where = place();
    const old = open({ ...where, size: 2 * MIB, eviction: "lru", maxEntries: 100 });
    old.set("key", "kept");
    const others: OpenOptions[] = [
      { size: 4 * MIB },
      { eviction: "s3-fifo" },
      { maxEntries: 5 },
      { shards: 4 },
    ];
    for (const other of others) {
      const cache = open({ ...where, ...other, onMismatch: "attach" });
      expect(cache.get("key")).toBe("kept");
      expect(cache.info).toMatchObject({ created: false, size: 2 * MIB, eviction: "lru", maxEntries: 100 });
    }
  });

  test("is replaced with `replace`; those attached keep theirs, and are told", () => {
    const where = place();
    const old = open({ ...where, size: 2 * MIB });
    const beside = open({ ...where });
    old.set("key", "old");
    expect(old.stats().replaced).toBe(false);
    const next = open({ ...where, size: 4 * MIB, onMismatch: "replace" });
    expect(next.info).toMatchObject({ created: true, recovered: false, size: 4 * MIB });
    expect(next.has("key")).toBe(false);
    expect([old, beside, next].map((cache) => cache.stats().replaced)).toEqual([true, true, false]);
    expect(beside.get("key")).toBe("old");
    beside.set("key", "among themselves");
    expect(old.get("key")).toBe("among themselves");
    // Who comes later meets the new one, whatever it says of mismatches.
    next.set("key", "new");
    for (const onMismatch of ["error", "attach", "replace"] as const) {
      const later = open({ ...where, size: 4 * MIB, onMismatch });
      expect(later.get("key")).toBe("new");
      expect(later.info.created).toBe(false);
    }
  });

  test("is replaced in its place if nobody is attached", () => {
    const where = place();
    open({ ...where, size: 4 * MIB })
      .set("key", "old")
      .close();
    const next = open({ ...where, size: 2 * MIB, eviction: "s3-fifo", onMismatch: "replace" });
    expect(next.info).toMatchObject({ created: true, size: 2 * MIB, eviction: "s3-fifo" });
    expect([next.size, next.stats().replaced]).toEqual([0, false]);
  });

  test("is not replaced if it took another's place a moment ago", () => {
    const where = place();
    open({ ...where, size: 2 * MIB });
    const next = open({ ...where, size: 4 * MIB, onMismatch: "replace" });
    const call = () => open({ ...where, size: 2 * MIB, onMismatch: "replace" });
    failure("LAYOUT_MISMATCH", call, /2097152/, /4194304/, /not replaced.*60000 ms/);
    expect(next.stats().replaced).toBe(false);
    expect(open({ ...where, size: 2 * MIB, onMismatch: "attach" }).info.size).toBe(4 * MIB);
  });

  test("that is the one asked for is attached to, whatever is said of mismatches", () => {
    const where = place();
    const old = open({ ...where, size: 2 * MIB });
    old.set("key", 1);
    const cache = open({ ...where, size: 2 * MIB, onMismatch: "replace" });
    expect([cache.get("key"), old.stats().replaced]).toEqual([1, false]);
  });

  test("removed under us it goes on, and tells", () => {
    const where = place();
    const cache = open({ ...where, size: 2 * MIB });
    FastCache.destroy(where);
    expect(cache.set("key", 1).get("key")).toBe(1);
    expect(cache.stats().replaced).toBe(true);
    const again = open({ ...where, size: 2 * MIB });
    expect([again.has("key"), again.stats().replaced]).toEqual([false, false]);
  });
});

test("a private segment is never replaced: it has no name", () => {
  const cache = openPrivate();
  expect(cache.stats().replaced).toBe(false);
  expect(open({ fd: cache.info.fd }).stats().replaced).toBe(false);
});

test("onMismatch is checked", () => {
  const name = uniqueName();
  for (const onMismatch of ["ignore", true, null, 1]) {
    failure(
      "INVALID_ARGUMENT",
      () => open({ name, size: MIB, onMismatch: onMismatch as never }),
      /`onMismatch`/,
    );
  }
  const onMismatch = "replace";
  failure("INVALID_ARGUMENT", () => open({ name, onMismatch }), /`size`/);
  failure("INVALID_ARGUMENT", () => open({ name, size: MIB, create: false, onMismatch }), /create/);
  failure("INVALID_ARGUMENT", () => open({ fd: 5, size: MIB, onMismatch }), /`name` or `path`/);
});

test("processes of both releases: the old ones go on, the new ones share the new one", async () => {
  const name = uniqueName();
  const body = `
    const cache = FastCache.open({ onMismatch: "replace", ...input });
    console.log(cache.info.size, cache.increment("starts"));
    setInterval(() => cache.size, 1000);`; // keeps it from being collected
  const old = open({ name, size: 2 * MIB });
  await start(body, { name, size: 2 * MIB });
  const next = await Promise.all([1, 2, 3].map(() => start(body, { name, size: 4 * MIB })));
  expect(next).toHaveLength(3);
  expect(old.get("starts")).toBe(1);
  const now = open({ name, size: 4 * MIB });
  expect(now.get("starts")).toBe(3);
  expect([old.stats().processes, now.stats().processes]).toEqual([2, 4]);
});

describe("docs/deploy.md", () => {
  const text = readFileSync(new URL("../../docs/deploy.md", import.meta.url), "utf8");
  const programs = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, program = ""]) => program);

  /** The program as it stands, with a segment of its own. */
  function ownNames(program: string, name: string, path: string): string {
    return program
      .replace(/^import .* from "fastcache";\n/m, "")
      .replaceAll('"sessions"', JSON.stringify(name))
      .replaceAll('"/var/cache/app/sessions"', JSON.stringify(path));
  }
  const about = (word: string) => programs.filter((program) => program.includes(word));

  test("has the programs that are run here", () => {
    expect(programs).toHaveLength(5);
    for (const word of ["info.created", "openCache", "changeOver", "SIGTERM", "AsyncDisposableStack"]) {
      expect(about(word), word).toHaveLength(1);
    }
  });

  test("another size", () => {
    const name = uniqueName();
    const old = open({ name, size: 2 * MIB });
    expect(run(ownNames(about("info.created")[0] as string, name, ""))).toBe("31997952 a new one");
    expect(old.stats().replaced).toBe(true);
    expect(run(ownNames(about("info.created")[0] as string, name, ""))).toBe(
      "31997952 the one that was there",
    );
  });

  test("a rollback within a minute", () => {
    const name = uniqueName();
    open({ name, size: 2 * MIB });
    open({ name, size: 4 * MIB, onMismatch: "replace" });
    expect(run(ownNames(about("openCache")[0] as string, name, ""))).toBe("value");
    expect(open({ name }).get("key")).toBe("value");
  });

  test("changing over", () => {
    const name = uniqueName();
    expect(run(ownNames(about("changeOver")[0] as string, name, ""))).toBe("value\nfalse false");
  });

  test("shutting down: the host is restarted, and the cache is warm", async () => {
    const path = uniquePath();
    const program = ownNames(about("SIGTERM")[0] as string, "", path);
    for (const restarts of [1, 2, 3]) {
      const child = await start(program);
      const cache = FastCache.open({ path });
      expect(cache.increment("restarts")).toBe(restarts);
      cache.close();
      signal(child, "SIGTERM");
      expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(0);
      reboot(path);
    }
    const cache = open({ path });
    expect([cache.info.recovered, cache.get("restarts")]).toEqual([true, 3]);
  });

  // Node has `using` and the stacks from 24 on.
  test.skipIf(!("AsyncDisposableStack" in globalThis))("a stack of things to close", () => {
    const name = uniqueName();
    expect(run(ownNames(about("AsyncDisposableStack")[0] as string, name, ""))).toBe("value");
    expect(open({ name }).stats().processes).toBe(1);
  });
});
