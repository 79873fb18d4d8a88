// SPDX-License-Identifier: MIT
//
// Node's foreign function interface, `node:ffi`. The only file that knows it.
//
// Measured with Node 26.10: a function of up to three doubles costs 9 ns, of one, two or
// three integers 22, 59 and 75 (each is checked in JavaScript), of four or more arguments
// of any kind 300 (generic path), so getInto copies out of the pool. A fresh ArrayBuffer
// costs 700 ns, a view of an old one 40, so results are views of a pooled block.

import type { ArgumentType } from "../abi.ts";
import type { Callable, Runtime, Signatures } from "./binding.ts";
import { likelyLibcs } from "./libc.ts";
import { pinner } from "./pin.ts";

interface NodeFfi {
  dlopen(
    path: string,
    symbols: Record<string, { arguments: readonly string[]; return: string }>,
  ): { functions: unknown };
}

const NAMES: Record<ArgumentType, string> = { u32: "uint32", f64: "double", buffer: "buffer" };

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
    traits: { pooledReads: pin !== undefined, passesBuffers: false, loopTextLength: 0, bufferEncodes: true },
    open: openLibrary,
    remedy,
    pin: pin ?? (() => undefined),
  };
}

/** Thrown instead of a `TypeError` where Node has no `node:ffi` at all. */
class NoFfi extends Error {}

function openLibrary<const Table extends Signatures>(path: string, table: Table): Callable<Table> {
  const ffi = process.getBuiltinModule?.("node:ffi") as NodeFfi | undefined;
  if (ffi === undefined) throw new NoFfi("this Node has no node:ffi");
  const symbols: Record<string, { arguments: readonly string[]; return: string }> = {};
  for (const [name, types] of Object.entries(table)) {
    symbols[name] = { arguments: types.map((type) => NAMES[type]), return: "int32" };
  }
  return ffi.dlopen(path, symbols).functions as Callable<Table>;
}

function remedy(error: unknown): string | undefined {
  if (error instanceof NoFfi) {
    const major = Number.parseInt(process.versions.node, 10);
    if (major < 26) return "use Node 26 or later (or Bun, or Deno)";
    return "use a Node built with it, without --no-experimental-ffi";
  }
  const code = (error as { code?: unknown } | null)?.code;
  return code === "ERR_ACCESS_DENIED" ? "run Node with --allow-ffi" : undefined;
}
