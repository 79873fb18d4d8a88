// SPDX-License-Identifier: MIT
//
// Deno's foreign function interface, `Deno.dlopen`. The only file that knows it.
//
// A call costs 6 ns, a typed array as an argument 12 more: all signatures we use are on
// V8's fast path. A fresh ArrayBuffer costs 600 ns, a view of an old one 40, so results
// are views of a pooled block, but for small ones. `Buffer`'s writers go through layers of JavaScript:
// a loop is best for short strings, `encodeInto` for the others.

import type { ArgumentType } from "../abi.ts";
import type { Callable, Runtime, Signatures } from "./binding.ts";
import { pinner } from "./pin.ts";

interface DenoGlobal {
  readonly version: { readonly deno: string };
  readonly build: { readonly os: string; readonly arch: string; readonly env?: string };
  readonly env: { get(name: string): string | undefined };
  readonly permissions: { querySync(permission: { name: "env"; variable: string }): { state: string } };
  dlopen?(
    path: string,
    symbols: Record<string, { parameters: readonly string[]; result: string }>,
  ): { symbols: unknown };
}

const NAMES: Record<ArgumentType, string> = {
  u32: "u32",
  f64: "f64",
  buffer: "buffer",
  "u32 or text": "u32",
  "f64 or text": "f64",
};
const ARCHES: Record<string, string> = { x86_64: "x64", aarch64: "arm64" };

/** Deno as a runtime, or `undefined` if this is not Deno. Throws nothing. */
export function denoRuntime(): Runtime | undefined {
  const deno = (globalThis as { Deno?: DenoGlobal }).Deno;
  if (deno === undefined) return undefined;
  const pin = pinner();
  return {
    name: "deno",
    version: `Deno ${deno.version.deno}`,
    platform: deno.build.os,
    arch: ARCHES[deno.build.arch] ?? deno.build.arch,
    // Says which libc Deno was built for, and needs no permission.
    libcs: deno.build.env === "musl" ? ["musl", "gnu"] : ["gnu", "musl"],
    traits: {
      copiedResultMax: pin === undefined ? Infinity : 64,
      loopTextLength: 40,
      bufferEncodes: false,
      passesText: false,
    },
    // Never asks: a question on the terminal for a variable that hardly anyone sets would be a nuisance.
    variable: (name) =>
      deno.permissions.querySync({ name: "env", variable: name }).state === "granted"
        ? deno.env.get(name)
        : undefined,
    open: (path, table) => openLibrary(deno, path, table),
    remedy: permissionRemedy,
    pin: pin ?? (() => undefined),
  };
}

function openLibrary<const Table extends Signatures>(
  deno: DenoGlobal,
  path: string,
  table: Table,
): Callable<Table> {
  if (deno.dlopen === undefined) throw new Error("this Deno has no Deno.dlopen");
  const symbols: Record<string, { parameters: readonly string[]; result: string }> = {};
  for (const [name, types] of Object.entries(table)) {
    symbols[name] = { parameters: types.map((type) => NAMES[type]), result: "i32" };
  }
  return deno.dlopen(path, symbols).symbols as Callable<Table>;
}

function permissionRemedy(error: unknown): string | undefined {
  const name = error instanceof Error ? error.name : "";
  if (name !== "NotCapable" && name !== "PermissionDenied") return undefined;
  return "run Deno with --allow-ffi";
}
