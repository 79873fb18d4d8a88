// SPDX-License-Identifier: MIT
//
// `fastcache keys NAME [PREFIX]`: the keys, one a line, in no particular order. With --json one object a line, so
// that any number of them can be read as they come.

import type { Handle } from "../segment.ts";
import { count, duration, hex, keyJson, keyText, Lines } from "./output.ts";
import { RawReader, rawKeys, typeName } from "./raw.ts";

/** Which keys, and what of them. */
export interface KeysOptions {
  readonly prefix: Uint8Array;
  readonly limit: number;
  readonly long: boolean;
  readonly hex: boolean;
  readonly json: boolean;
}

/** Lists keys. */
export async function listKeys(handle: Handle, options: KeysOptions): Promise<void> {
  const reader = new RawReader(handle);
  const lines = new Lines();
  let found = 0;
  for (const key of rawKeys(handle)) {
    if (found >= options.limit) break;
    if (!startsWith(key, options.prefix)) continue;
    const line = lineOf(reader, key, options);
    if (line === undefined) continue;
    await lines.add(line);
    found++;
  }
  await lines.end();
}

/** `undefined` for a key whose entry has gone since its page was read. */
function lineOf(reader: RawReader, key: Uint8Array, options: KeysOptions): string | undefined {
  const head = reader.head(key);
  if (head === undefined) return undefined;
  const { type, length, ttl, version } = head;
  if (options.json) {
    const about = options.long ? { type: typeName(type), bytes: length, ttl: finite(ttl), version } : {};
    return JSON.stringify({ ...(options.hex ? { keyHex: hex(key) } : keyJson(key)), ...about });
  }
  const name = options.hex ? hex(key) : keyText(key);
  if (!options.long) return name;
  const cells = [typeName(type).padEnd(10), count(length).padStart(11), duration(ttl).padStart(14)];
  return `${cells.join("  ")}  ${String(version).padStart(12)}  ${name}`;
}

function startsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  return key.length >= prefix.length && prefix.every((byte, index) => key[index] === byte);
}

/** For JSON, which has no `Infinity`. */
export function finite(ttl: number): number | null {
  return ttl === Number.POSITIVE_INFINITY ? null : ttl;
}
