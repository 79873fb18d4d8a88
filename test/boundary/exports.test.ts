// SPDX-License-Identifier: MIT
//
// What the package offers: exactly these names, and each of them documented.

import { readdirSync, readFileSync } from "node:fs";
import * as fastcache from "fastcache";
import { expect, test } from "vitest";
import { STATUS } from "../../src/abi.ts";

const METHODS = [
  "get",
  "peek",
  "getBytes",
  "getInto",
  "set",
  "add",
  "replace",
  "has",
  "hasMany",
  "delete",
  "deleteByTag",
  "increment",
  "getOrSet",
  "wrap",
  "getWithVersion",
  "compareAndSet",
  "touch",
  "ttl",
  "getMany",
  "setMany",
  "deleteMany",
  "keys",
  "entries",
  "clear",
  "size",
  "stats",
  "info",
  "close",
];

const source = (name: string) =>
  readFileSync(new URL(`../../src/${name}`, import.meta.url), "utf8").split("\n");

/** The lines that match and have no TSDoc comment above them. */
function undocumented(lines: readonly string[], pattern: RegExp): string[] {
  return lines.filter((line, index) => pattern.test(line) && !lines[index - 1]?.trimEnd().endsWith("*/"));
}

test("the package exports two classes; everything else is a type", () => {
  expect(Object.keys(fastcache).toSorted()).toEqual(["FastCache", "FastCacheError"]);
});

test("a cache has the methods and properties that are documented, and no other", () => {
  const members = Object.getOwnPropertyNames(fastcache.FastCache.prototype).filter(
    (name) => name !== "constructor",
  );
  expect(members.toSorted()).toEqual(METHODS.toSorted());
  const symbols = Object.getOwnPropertySymbols(fastcache.FastCache.prototype);
  expect(new Set(symbols)).toEqual(new Set([Symbol.dispose, Symbol.iterator]));
});

test("the class has the static methods that are documented, and no other", () => {
  const own = Object.getOwnPropertyNames(fastcache.FastCache);
  const names = own.filter((name) => !["length", "name", "prototype"].includes(name));
  expect(names.toSorted()).toEqual(["destroy", "list", "open"]);
});

test("every public member of FastCache has a comment of its own", () => {
  const lines = source("cache.ts");
  const member = /^ {2}(?:static |get |async )?(?:[a-z]\w*|\[Symbol\.\w+\])(?:<[^(]*>)?\((?:.*\{)?$/;
  const members = lines.filter((line) => member.test(line) && !line.includes("constructor"));
  expect(members.length).toBe(METHODS.length + 5);
  expect(undocumented(lines, member)).toEqual([]);
});

test("every exported type, class and function has a comment of its own", () => {
  const modules = readdirSync(new URL("../../src", import.meta.url), { recursive: true, encoding: "utf8" });
  expect(modules).toContain("cache.ts");
  for (const module of modules.filter((name) => name.endsWith(".ts"))) {
    expect(undocumented(source(module), /^export (?:interface|type \w|class|function)/), module).toEqual([]);
  }
});

test("every status that is an error has a code", () => {
  const notErrors = ["OK", "MISS", "BUFFER_TOO_SMALL"];
  const names = Object.keys(STATUS).filter((name) => !notErrors.includes(name));
  const sources = source("errors.ts").join("\n");
  expect(names.filter((name) => !new RegExp(`^ {2}${name}:`, "m").test(sources))).toEqual([]);
});
