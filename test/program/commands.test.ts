// SPDX-License-Identifier: MIT
//
// The program `fastcache`: what each command writes, of a live segment and of one that it can make nothing of.

import { readFileSync, truncateSync } from "node:fs";
import { FastCache } from "fastcache";
import { describe, expect, test } from "vitest";
import { damageContent, fastcache, fastcacheBytes, UNUSABLE } from "../support/program.ts";
import { MIB, open, uniqueName, uniquePath } from "../support/segments.ts";

/** A segment with an entry of each kind that matters here. */
function example() {
  const name = uniqueName();
  const cache = open({ name, size: 4 * MIB });
  cache.set("user:1", { name: "Ada" }).set("user:2", "a secret").set("visits", 12);
  cache.set(Uint8Array.of(0xff, 0x01, 0x41), Uint8Array.of(1, 2, 3));
  cache.set("\u001b[31mred\u202e", "\u001b[2J");
  cache.get("visits");
  cache.get("nothing");
  return { name, cache };
}

const done = (out: string) => ({ status: 0, out, err: "" });
const failed = (status: number, ...lines: string[]) => ({
  status,
  out: "",
  err: lines.map((line) => `${line}\n`).join(""),
});

describe("of a live segment", () => {
  test("`ls` has a line for each segment", () => {
    const { name } = example();
    const lines = fastcache("ls").out.split("\n");
    expect(lines[0]).toMatch(/^NAME +SIZE +ENTRIES +FILL +HIT RATIO +PROCESSES$/);
    const line = lines.find((text) => text.startsWith(name));
    expect(line?.split(/ {2,}/)).toEqual([name, "4 MiB", "5", "0.0 %", "50.0 %", "1"]);
    const listed = JSON.parse(fastcache("ls", "--json").out).find(
      (row: { name: string }) => row.name === name,
    );
    expect(listed).toMatchObject({ size: 4 * MIB, entries: 5, hits: 1, misses: 1, processes: 1 });
  });

  test("`stat` shows geometry and counters", () => {
    const { name, cache } = example();
    const shards = cache.info.shards;
    const text = fastcache("stat", name);
    expect(text.status).toBe(0);
    const rows = text.out.split("\n").map((line) => line.trim().split(/ {2,}/));
    expect(rows[0]).toEqual([name]);
    expect(rows).toContainEqual(["kind", "shared memory", `layout ${cache.info.layoutVersion}`]);
    expect(rows).toContainEqual(["entries", "5"]);
    expect(rows).toContainEqual(["hit ratio", "50.0 %", "1 hits, 1 misses"]);
    expect(rows).toContainEqual(["sets", "5"]);
    expect(rows).toContainEqual(["processes", "1", `besides this one; ${cache.info.maxProcesses} slots`]);
    const { info, stats } = JSON.parse(fastcache("stat", name, "--json").out);
    expect(info).toMatchObject({ kind: "shm", name, size: 4 * MIB, shards, eviction: "lru" });
    expect(stats).toEqual({ ...cache.stats(), processes: 2 });
  });

  test("`keys` writes each key in a line, and nothing that a terminal would act on", () => {
    const { name } = example();
    const sorted = (...args: string[]) =>
      fastcache("keys", name, ...args)
        .out.trim()
        .split("\n")
        .sort();
    expect(sorted()).toEqual(["\\u{1b}[31mred\\u{202e}", "\\xff\\x01A", "user:1", "user:2", "visits"]);
    expect(sorted("user:")).toEqual(["user:1", "user:2"]);
    expect(sorted("--hex", "ff")).toEqual(["ff0141"]);
    expect(sorted("--limit", "2")).toHaveLength(2);
    expect(sorted("--json", "--long", "vis").map((line) => JSON.parse(line))).toEqual([
      { key: "visits", type: "number", bytes: 8, ttl: null, version: expect.any(Number) },
    ]);
    expect(sorted("--json", "--hex", "ff").map((line) => JSON.parse(line))).toEqual([{ keyHex: "ff0141" }]);
    expect(sorted("--long", "vis")[0]).toMatch(/^number +8 +none +\d+ {2}visits$/);
    expect(fastcache("keys", name, "none")).toEqual(done(""));
  });

  test("`get` hides the value unless asked for it", () => {
    const { name, cache } = example();
    const { version } = cache.getWithVersion("user:2") as { version: number };
    const rows = (value: string) =>
      `key        user:2\ntype       ascii\nbytes      8\nremaining  none\nversion    ${version}\nvalue      ${value}\n`;
    expect(fastcache("get", name, "user:2")).toEqual(done(rows("hidden: --value shows it")));
    expect(fastcache("get", name, "user:2", "--value")).toEqual(done(rows("a secret")));
    expect(fastcache("get", name, "user:2", "--json").out).not.toContain("secret");
    const json = (...args: string[]) => JSON.parse(fastcache("get", name, ...args, "--value", "--json").out);
    expect(json("user:1")).toMatchObject({ key: "user:1", type: "json", value: { name: "Ada" } });
    expect(json("ff0141", "--hex")).toMatchObject({ keyHex: "ff0141", type: "bytes", valueHex: "010203" });
    expect([...fastcacheBytes("get", name, "ff0141", "--hex", "--raw").stdout]).toEqual([1, 2, 3]);
    expect(fastcache("get", name, "\u001b[31mred\u202e", "--value").out).not.toContain("\u001b");
  });

  test("looking neither marks an entry as used nor counts as a read", () => {
    const { name, cache } = example();
    const before = cache.stats();
    for (const args of [
      ["get", name, "visits", "--value"],
      ["keys", name, "--long"],
      ["stat", name],
    ]) {
      expect(fastcache(...args).status).toBe(0);
    }
    expect(cache.stats()).toEqual(before);
  });

  test("`delete`, `clear` and `destroy` say what they did", () => {
    const { name, cache } = example();
    expect(fastcache("delete", name, "user:1", "user:2")).toEqual(done("deleted 2 entries\n"));
    expect([cache.has("user:1"), cache.has("visits")]).toEqual([false, true]);
    expect(fastcache("delete", name, "visits", "gone")).toEqual({
      status: 1,
      out: "deleted 1 entry\n",
      err: "fastcache: there is no entry gone\n",
    });
    expect(fastcache("delete", name, "ff0141", "--hex", "--json")).toEqual(done('{"deleted":1}\n'));
    expect(fastcache("clear", name)).toEqual(done("deleted 1 entry\n"));
    expect(cache.size).toBe(0);
    expect(fastcache("destroy", name)).toEqual(done(`destroyed ${name}\n`));
    expect(FastCache.list()).not.toContain(name);
    expect(fastcache("destroy", name)).toEqual(failed(1, `fastcache: there is no segment ${name}`));
  });

  test("a name with a / is the path of a segment in a file", () => {
    const path = uniquePath();
    open({ path, size: MIB }).set("key", "value");
    expect(fastcache("keys", path)).toEqual(done("key\n"));
    expect(fastcache("destroy", path).status).toBe(0);
  });
});

test("what is not there is one line and exit status 1", () => {
  const name = uniqueName();
  for (const command of ["stat", "keys", "clear"]) {
    const { status, out, err } = fastcache(command, name);
    expect([status, out]).toEqual([1, ""]);
    expect(err).toMatch(/^fastcache: there is no segment .*\n$/);
  }
  const { name: other } = example();
  expect(fastcache("get", other, "gone")).toEqual(failed(1, "fastcache: there is no entry gone"));
});

test.each([
  [[], /there is no command/],
  [["frobnicate"], /there is no command "frobnicate"/],
  [["stat"], /stat takes NAME, not nothing/],
  [["stat", "a", "b"], /stat takes NAME, not a b/],
  [["stat", "no such name"], /name/],
  [["keys", "a", "--limit", "few"], /--limit takes a whole number of 0 or more, not "few"/],
  [["keys", "a", "--colour"], /--colour/],
  [["get", "a", "xyz", "--hex"], /hexadecimal/],
  [["get", "a", "k".repeat(1025)], /KEY has 1 to 1024 bytes, not 1025/],
  [["get", "a", "key", "--raw", "--json"], /exclude each other/],
])("makes no sense: %#, exit status 2", (args, message) => {
  const { status, out, err } = fastcache(...args);
  expect([status, out]).toEqual([2, ""]);
  expect(err).toMatch(message);
  expect(err).toMatch(/^fastcache: .*\nfastcache --help tells the commands\n$/);
});

test("`--help` and `--version`", () => {
  const { status, out } = fastcache("--help");
  expect(status).toBe(0);
  for (const command of ["ls", "stat NAME", "keys NAME [PREFIX]", "delete NAME KEY…"])
    expect(out).toContain(command);
  expect(fastcache("keys", "--help").out).toMatch(/--limit N +at most N keys/);
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(fastcache("--version")).toEqual(done(`${version}\n`));
});

/** Commands that need a sound segment. */
const LOOKING = [["stat"], ["keys"], ["get", "key"], ["delete", "key"], ["clear"]];

describe.each(UNUSABLE)("of %s", (_, make, message) => {
  test.each(LOOKING)("`%s` says in a line what is wrong, exit status 1", (command, ...rest) => {
    const path = uniquePath();
    make(path);
    const { status, out, err } = fastcache(command, path, ...rest);
    expect([status, out], err).toEqual([1, ""]);
    expect(err).toMatch(message);
    expect(err).toMatch(/^fastcache: [^\n]*\n$/);
  });
});

test.each(LOOKING)(
  "`%s` of a segment with damaged content ends without a stack trace",
  (command, ...rest) => {
    const path = uniquePath();
    damageContent(path);
    const { status, err } = fastcache(command, path, ...rest);
    expect([0, 1]).toContain(status);
    expect(err).toMatch(/^(fastcache: [^\n]*\n)?$/);
  },
);

test("`ls` lists the others beside one that cannot be opened", () => {
  const { name } = example();
  const damaged = uniqueName();
  open({ name: damaged, size: MIB });
  const file = fastcache("stat", `${damaged}-`).err.match(/\/\S*(?=-;)/)?.[0] as string;
  truncateSync(file, MIB / 2);
  const { status, out, err } = fastcache("ls");
  expect(status).toBe(1);
  expect(out).toContain(name);
  expect(out).not.toContain(damaged);
  expect(err).toMatch(new RegExp(`^fastcache: ${damaged}: .*created with`, "m"));
});
