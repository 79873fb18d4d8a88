// SPDX-License-Identifier: MIT
//
// Node, through Node-API: the native library is an addon as well (core/node/addon.c). The only file
// that knows it.
//
// A call costs some 20 ns, each number 3 to 7, a typed array 20, a string less than what it takes
// JavaScript to write it to memory or to read it from there: a get of a short text 130 ns instead of 172, a
// set 225 instead of 280. A fresh ArrayBuffer costs 700 ns, a view of an old one 40, so results are views of
// a pooled block, but for small ones.

import type { Callable, Runtime, Signatures } from "./binding.ts";
import { likelyLibcs } from "./libc.ts";
import { pinner } from "./pin.ts";

/** Node as a runtime, or `undefined` if this is not Node. Throws nothing. */
export function nodeRuntime(): Runtime | undefined {
  if (typeof process !== "object" || typeof process.versions?.node !== "string") return undefined;
  const pin = pinner();
  return {
    name: "node",
    version: `Node ${process.versions.node}`,
    platform: process.platform,
    arch: process.arch,
    libcs: likelyLibcs(),
    traits: {
      copiedResultMax: pin === undefined ? Infinity : 64,
      loopTextLength: 0,
      bufferEncodes: true,
      passesText: true,
    },
    variable: (name) => process.env[name],
    open: openLibrary,
    remedy,
    pin: pin ?? (() => undefined),
  };
}

/** The addon has every function, whatever is in the table. */
function openLibrary<const Table extends Signatures>(path: string, _table: Table): Callable<Table> {
  const addon: { exports: unknown } = { exports: {} };
  process.dlopen(addon, path);
  return addon.exports as Callable<Table>;
}

function remedy(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  if (code !== "ERR_DLOPEN_DISABLED") return undefined;
  return "run Node with --allow-addons beside --permission, and without --no-addons";
}
