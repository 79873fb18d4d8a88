// SPDX-License-Identifier: MIT
//
// Errors as users meet them: their class and codes, CLOSED from every method, BUSY, and what happens
// where native code cannot be called.

import { closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FastCache, FastCacheError } from "fastcache";
import { describe, expect, onTestFinished, test } from "vitest";
import { run, runtime, runWith, signal, start, TYPESCRIPT_FLAGS } from "../support/child.ts";
import { failure } from "../support/errors.ts";
import { MIB, open, openPrivate, uniqueName, uniquePath } from "../support/segments.ts";
import { until } from "../support/wait.ts";

test("a FastCacheError is an Error with a name, a code, and a cause where there is one", () => {
  const error = failure("INVALID_ARGUMENT", () => openPrivate().get(""));
  expect(error).toBeInstanceOf(Error);
  expect(error).toBeInstanceOf(FastCacheError);
  expect(String(error)).toMatch(/^FastCacheError: the key is empty/);
  expect(error.stack).toContain("errors.test");
  expect("cause" in error).toBe(false);
  const cause = new TypeError("not now");
  const thrower = {
    get value() {
      throw cause;
    },
  };
  expect(failure("INVALID_ARGUMENT", () => openPrivate().set("key", thrower)).cause).toBe(cause);
});

test("a bad option is refused by the method that it was given to, and nothing is stored", () => {
  const cache = openPrivate().set("there", 1);
  const wrong = { tll: 5 } as never;
  const calls: Record<string, (options: never) => unknown> = {
    set: (options) => cache.set("key", 1, options),
    add: (options) => cache.add("key", 1, options),
    replace: (options) => cache.replace("there", 2, options),
    compareAndSet: (options) =>
      cache.compareAndSet("there", cache.getWithVersion("there")?.version as number, 2, options),
    setMany: (options) => cache.setMany([["key", 1, options]]),
    increment: (options) => cache.increment("there", 1, options),
  };
  for (const [method, call] of Object.entries(calls)) {
    failure("INVALID_ARGUMENT", () => call(wrong), new RegExp(`${method}\\(\\) has no option "tll"`));
    failure(
      "INVALID_ARGUMENT",
      () => call([] as never),
      new RegExp(`options of ${method}\\(\\) are an object`),
    );
  }
  failure("INVALID_ARGUMENT", () => open([] as never), /options of open\(\) are an object/);
  expect([...cache.entries()]).toEqual([["there", 1]]);
});

test("messages tell what is wrong in words that fit the numbers", () => {
  const cache = openPrivate();
  const tooLong = failure("KEY_TOO_LONG", () => cache.get(new Uint8Array(1025)));
  expect(tooLong.message).toMatch(/^the key has 1025 bytes, the limit is 1024/);
  const oneShard = { size: MIB, shards: 1, maxValueSize: MIB };
  failure("INVALID_ARGUMENT", () => openPrivate(oneShard), /in 1 shard; use a larger size$/);
  const twoShards = { size: 2 * MIB, shards: 2, maxValueSize: MIB };
  failure(
    "INVALID_ARGUMENT",
    () => openPrivate(twoShards),
    /in 2 shards; use a larger size or fewer shards$/,
  );
  const nowhere = join(tmpdir(), `${uniqueName()}-none`, "segment");
  failure(
    "NOT_FOUND",
    () => open({ path: nowhere, size: MIB }),
    /its directory does not exist; make it first/,
  );
  failure("NOT_FOUND", () => open({ path: nowhere, create: false }), /there is no segment/);
  const named = { name: uniqueName(), size: MIB, onMismatch: "replace" } as const;
  failure("INVALID_ARGUMENT", () => open({ ...named, create: false }), /`create: false` forbids/);
});

test("what info tells as open takes it opens the segment again", () => {
  const name = uniqueName();
  const cache = open({
    name,
    size: 4 * MIB,
    shards: 2,
    maxEntries: 1000,
    maxValueSize: 5000,
    eviction: "s3-fifo",
  });
  const { size, shards, maxEntries, maxValueSize, eviction } = cache.info;
  const again = open({ name: cache.info.name, size, shards, maxEntries, maxValueSize, eviction });
  cache.set("key", 1);
  expect(again.get("key")).toBe(1);
});

test("a damaged segment can be destroyed; what is none stays", () => {
  const path = uniquePath();
  open({ path, size: MIB }).close();
  const damage = (offset: number): void => {
    const file = openSync(path, "r+");
    writeSync(file, new Uint8Array(64).fill(77), 0, 64, offset);
    closeSync(file);
  };
  damage(64);
  failure("CORRUPT", () => open({ path, size: MIB }), /destroy the segment/);
  expect(FastCache.destroy(path)).toBe(true);
  expect(existsSync(path)).toBe(false);
  open({ path, size: MIB }).close();
  damage(0);
  failure(
    "CORRUPT",
    () => open({ path, size: MIB }),
    /is not a fastcache segment .*choose another name or path/,
  );
  failure("CORRUPT", () => FastCache.destroy(path), /is not a fastcache segment/);
  expect(existsSync(path)).toBe(true);
});

test("every method of a closed cache throws CLOSED with the remedy", () => {
  const cache = openPrivate();
  cache.set("key", 1).close();
  const calls: [string, () => unknown][] = [
    ["get", () => cache.get("key")],
    ["peek", () => cache.peek("key")],
    ["getBytes", () => cache.getBytes("key")],
    ["getInto", () => cache.getInto("key", new Uint8Array(8))],
    ["getInto, shared", () => cache.getInto("key", new Uint8Array(new SharedArrayBuffer(8)))],
    ["set", () => cache.set("key", 1)],
    ["set, large", () => cache.set("key", new Uint8Array(300_000))],
    ["add", () => cache.add("key", 1)],
    ["replace", () => cache.replace("key", 1)],
    ["has", () => cache.has("key")],
    ["delete", () => cache.delete("key")],
    ["increment", () => cache.increment("key")],
    ["getWithVersion", () => cache.getWithVersion("key")],
    ["compareAndSet", () => cache.compareAndSet("key", 1, 1)],
    ["touch", () => cache.touch("key", 1)],
    ["ttl", () => cache.ttl("key")],
    ["getMany", () => cache.getMany(["key"])],
    ["getMany, empty", () => cache.getMany([])],
    ["hasMany", () => cache.hasMany(["key"])],
    ["hasMany, empty", () => cache.hasMany([])],
    ["setMany", () => cache.setMany([["key", 1]])],
    ["setMany, empty", () => cache.setMany([])],
    ["deleteMany", () => cache.deleteMany(["key"])],
    ["deleteMany, empty", () => cache.deleteMany([])],
    ["keys", () => cache.keys()],
    ["entries", () => cache.entries()],
    ["iteration", () => [...cache]],
    ["clear", () => cache.clear()],
    ["size", () => cache.size],
    ["stats", () => cache.stats()],
  ];
  const methods = calls.filter(([, call]) => failure("CLOSED", call, /FastCache\.open/).code !== undefined);
  expect(methods.length).toBe(calls.length);
});

test("a writer whose shard a stopped process holds fails with BUSY and changes nothing; readers go on", async () => {
  const name = uniqueName();
  const cache = open({ name, size: 16 * MIB, shards: 1 });
  cache.set("mine", "old");
  const child = await start(
    `const cache = FastCache.open({ name: input });
     const value = new Uint8Array(2_000_000);
     console.log("ready");
     for (;;) cache.set("theirs", value);`,
    name,
  );
  let busy: unknown;
  await until(() => {
    signal(child, "SIGSTOP");
    try {
      cache.set("mine", "new");
      cache.set("mine", "old");
    } catch (error) {
      busy = error;
    }
    if (busy !== undefined) return true;
    signal(child, "SIGCONT");
    return false;
  }, 20_000);
  expect(busy).toBeInstanceOf(FastCacheError);
  expect((busy as FastCacheError).code).toBe("ERR_FASTCACHE_BUSY");
  expect((busy as FastCacheError).message).toMatch(/another process/);
  expect(["old", "new"]).toContain(cache.get("mine"));
  const before = cache.get("mine");
  failure("BUSY", () => cache.set("mine", "never"), /"mine"/);
  failure("BUSY", () => cache.delete("mine"), /"mine"/);
  // Only the first has waited: 20 others would take 20 seconds.
  const started = performance.now();
  for (let i = 0; i < 20; i++) failure("BUSY", () => cache.set("mine", "never"));
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(cache.get("mine")).toBe(before);
  signal(child, "SIGKILL");
  await until(() => {
    try {
      return cache.set("mine", "after").get("mine") === "after";
    } catch {
      return false; // not dead yet
    }
  });
  expect(cache.stats().takeovers).toBeGreaterThanOrEqual(1);
});

const UNAVAILABLE = `
  try {
    FastCache.open({ size: "1MiB" });
    console.log("opened");
  } catch (error) {
    console.log(error instanceof FastCacheError, error.code, error.cause instanceof Error, error.message);
  }`;

test("importing never throws; without the permission for native code, open does and names the flag", () => {
  const permission = process.allowedNodeEnvironmentFlags?.has("--permission")
    ? "--permission"
    : "--experimental-permission";
  const flags = {
    bun: undefined,
    deno: ["run", "--quiet", "--no-prompt", "--allow-read"],
    node: [...TYPESCRIPT_FLAGS, permission, "--allow-fs-read=*", "--allow-worker"],
  };
  const denied = flags[runtime];
  if (denied === undefined) {
    expect(runtime).toBe("bun"); // has no permissions to deny
    return;
  }
  const output = run(UNAVAILABLE, {}, { flags: denied });
  expect(output).toMatch(/^true ERR_FASTCACHE_FFI_UNAVAILABLE true /);
  expect(output).toMatch(/--allow-(ffi|addons)/);
});

test("a Node that may not load addons is told why", () => {
  if (runtime !== "node") {
    expect(["bun", "deno"]).toContain(runtime); // have no such switch
    return;
  }
  const output = run(UNAVAILABLE, {}, { flags: [...TYPESCRIPT_FLAGS, "--no-addons"] });
  expect(output).toMatch(/^true ERR_FASTCACHE_FFI_UNAVAILABLE true /);
  expect(output).toMatch(/without --no-addons/);
});

test("without the native library, open says where it looked and how to build it", () => {
  const folder = mkdtempSync(join(tmpdir(), "fastcache-errors-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "src"));
  cpSync(fileURLToPath(new URL("../../src", import.meta.url)), join(folder, "src"), { recursive: true });
  const output = runWith(join(folder, "src/index.ts"), UNAVAILABLE);
  expect(output).toMatch(/^true ERR_FASTCACHE_FFI_UNAVAILABLE true /);
  expect(output).toContain(join(folder, "dist/native/linux-"));
  expect(output).toContain("npm run build");
});

describe("the native library may lie elsewhere", () => {
  /** Prints which library is mapped after `body` has run. */
  const which = (body: string): string => `
    import { readFileSync } from "node:fs";
    const attempt = (call) => {
      try {
        return call();
      } catch (error) {
        return error.code + " " + error.message;
      }
    };
    ${body}
    const maps = readFileSync("/proc/self/maps", "utf8").match(/\\S*libfastcache\\S*/g) ?? [];
    console.log(JSON.stringify({ said, loaded: [...new Set(maps)] }));`;

  /** The library that is loaded where nobody says anything, and a copy of it. */
  function libraries(): { own: string; copy: string } {
    const { loaded } = outcome('const said = FastCache.open({ size: "1MiB" }).size;');
    const own = loaded[0] as string;
    const folder = mkdtempSync(join(tmpdir(), "fastcache-errors-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const copy = join(folder, "libfastcache.so");
    cpSync(own, copy);
    return { own, copy };
  }

  function outcome(body: string, input: unknown = {}, variable?: string): { said: string; loaded: string[] } {
    const under = variable === undefined ? [] : ["env", `FASTCACHE_LIBRARY=${variable}`];
    return JSON.parse(run(which(body), input, { under })) as { said: string; loaded: string[] };
  }

  test("where the option says, or the variable, of which an empty one says nothing", () => {
    const { own, copy } = libraries();
    const given = 'const said = attempt(() => FastCache.open({ size: "1MiB", library: input.copy }).size);';
    const silent = 'const said = attempt(() => FastCache.open({ size: "1MiB" }).size);';
    expect(outcome(given, { copy })).toEqual({ said: 0, loaded: [copy] });
    expect(outcome(given, { copy }, "/none/libfastcache.so")).toEqual({ said: 0, loaded: [copy] });
    expect(outcome(silent, {}, copy)).toEqual({ said: 0, loaded: [copy] });
    expect(outcome(silent, {}, "")).toEqual({ said: 0, loaded: [own] });
    const wrong = outcome(silent, {}, "/none/libfastcache.so");
    expect(wrong.said).toMatch(/FFI_UNAVAILABLE .*\/none\/libfastcache\.so.*FASTCACHE_LIBRARY: correct it/);
    expect(wrong.loaded).toEqual([]);
  });

  test("a name without a folder is refused, since the system would look for it elsewhere", () => {
    const body = 'const said = attempt(() => FastCache.open({ size: "1MiB", library: "libc.so.6" }));';
    expect(outcome(body).said).toMatch(/FFI_UNAVAILABLE .*"libc\.so\.6".*write "\.\/libc\.so\.6"/);
  });

  test("a second one is refused by both names, and the first stays in use", () => {
    const { own, copy } = libraries();
    const body = `
      const cache = FastCache.open({ size: "1MiB" });
      const said = attempt(() => FastCache.open({ size: "1MiB", library: input.copy }));
      FastCache.open({ size: "1MiB", library: input.own }).set("key", 1);
      if (cache.set("key", 2).get("key") !== 2) throw new Error("not in use");`;
    const { said, loaded } = outcome(body, { own, copy });
    expect(said).toMatch(/INVALID_ARGUMENT/);
    expect(said).toContain(own);
    expect(said).toContain(copy);
    expect(loaded).toEqual([own]);
  });
});
