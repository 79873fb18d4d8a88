// SPDX-License-Identifier: MIT
//
// Lets Node 20 run programs in TypeScript, as later versions do by themselves: with `--import` of this file.

import { readFileSync } from "node:fs";
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";
import { transformSync } from "amaro";

if (isMainThread) register(import.meta.url);

/** The hook that Node calls, in a thread of its own, for each module. */
export async function load(url, context, next) {
  if (!url.endsWith(".ts")) return next(url, context);
  const { code } = transformSync(readFileSync(new URL(url), "utf8"), { mode: "strip-only" });
  return { format: "module", source: code, shortCircuit: true };
}
