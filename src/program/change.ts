// SPDX-License-Identifier: MIT
//
// `fastcache delete`, `clear` and `destroy`: what changes a segment.

import { KIND } from "../abi.ts";
import { destroySegment, type Handle } from "../segment.ts";
import { readStats } from "../stats.ts";
import { clear } from "../write.ts";
import { Refusal } from "./errors.ts";
import { entries, keyText, printable, write, writeJson } from "./output.ts";
import { removeRaw } from "./raw.ts";
import { whereIs } from "./target.ts";

/** Removes entries. @throws Refusal that names those that were not there; the others are removed */
export async function deleteKeys(handle: Handle, keys: readonly Uint8Array[], json: boolean): Promise<void> {
  const missing = keys.filter((key) => !removeRaw(handle, key));
  const deleted = keys.length - missing.length;
  await (json ? writeJson({ deleted }) : write(`deleted ${entries(deleted)}\n`));
  if (missing.length > 0) throw new Refusal(`there is no entry ${missing.map(keyText).join(", ")}`);
}

/** Removes all entries. What is set meanwhile may stay. */
export async function clearAll(handle: Handle, json: boolean): Promise<void> {
  const before = readStats(handle).deletes;
  clear(handle);
  const deleted = readStats(handle).deletes - before;
  await (json ? writeJson({ deleted }) : write(`deleted ${entries(deleted)}\n`));
}

/** Removes a segment. @throws Refusal if there is none */
export async function destroy(name: string, json: boolean): Promise<void> {
  if (!destroyNamed(name)) throw new Refusal(`there is no segment ${printable(name)}`);
  await (json ? writeJson({ destroyed: name }) : write(`destroyed ${printable(name)}\n`));
}

/** Removes the segment NAME: true if there was one. */
export function destroyNamed(name: string): boolean {
  const { path, name: inMemory } = whereIs(name);
  return path === undefined ? destroySegment(KIND.SHM, inMemory as string) : destroySegment(KIND.FILE, path);
}
