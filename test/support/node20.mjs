// SPDX-License-Identifier: MIT
//
// What later versions of Node do by themselves, for Node 20: run programs in TypeScript, and Map.groupBy, without which
// vitest cannot tell of failures. With `--import` of this file.

import { readFileSync } from "node:fs";
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";
import { transformSync } from "amaro";

Map.groupBy ??= (items, keyOf) => {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
};
if (isMainThread) register(import.meta.url);

/** The hook that Node calls, in a thread of its own, for each module. */
export async function load(url, context, next) {
  if (!url.endsWith(".ts")) return next(url, context);
  const { code } = transformSync(readFileSync(new URL(url), "utf8"), { mode: "strip-only" });
  return { format: "module", source: code, shortCircuit: true };
}
