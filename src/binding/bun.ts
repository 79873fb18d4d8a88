// SPDX-License-Identifier: MIT
//
// Bun's foreign function interface, `bun:ffi`. The only file that knows it.
//
// A call costs 3 ns, a typed array as an argument 4 more. A typed array is passed
// as itself, never as a bare ArrayBuffer, which has crashed. `slice()` of a result of up to 256 bytes
// costs no more than a view of a shared block; a `get` of 1,000 bytes takes a seventh less by a view.

import type { ArgumentType } from "../abi.ts";
import type { Callable, Runtime, Signatures } from "./binding.ts";
import { likelyLibcs } from "./libc.ts";
import { pinner } from "./pin.ts";

interface BunFfi {
  dlopen(
    path: string,
    symbols: Record<string, { args: readonly string[]; returns: string }>,
  ): { symbols: unknown };
}

interface BunGlobal {
  readonly version: string;
}

const NAMES: Record<ArgumentType, string> = {
  u32: "u32",
  f64: "f64",
  buffer: "ptr",
  "u32 or text": "u32",
  "f64 or text": "f64",
};

/** Bun as a runtime, or `undefined` if this is not Bun. Throws nothing. */
export function bunRuntime(): Runtime | undefined {
  const bun = (globalThis as { Bun?: BunGlobal }).Bun;
  if (bun === undefined) return undefined;
  const pin = pinner();
  return {
    name: "bun",
    version: `Bun ${bun.version}`,
    platform: process.platform,
    arch: process.arch,
    libcs: likelyLibcs(),
    traits: {
      copiedResultMax: pin === undefined ? Infinity : 256,
      loopTextLength: 0,
      bufferEncodes: true,
      passesText: false,
    },
    variable: (name) => process.env[name],
    open: openLibrary,
    remedy: () => undefined,
    pin: pin ?? (() => undefined),
  };
}

function openLibrary<const Table extends Signatures>(path: string, table: Table): Callable<Table> {
  const ffi = process.getBuiltinModule("bun:ffi") as BunFfi;
  const symbols: Record<string, { args: readonly string[]; returns: string }> = {};
  for (const [name, types] of Object.entries(table)) {
    symbols[name] = { args: types.map((type) => NAMES[type]), returns: "i32" };
  }
  return ffi.dlopen(path, symbols).symbols as Callable<Table>;
}
