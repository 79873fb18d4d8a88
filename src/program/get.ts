// SPDX-License-Identifier: MIT
//
// `fastcache get NAME KEY`: what is known of an entry. Its value may be a secret, so it is shown only with --value.

import { inspect } from "node:util";
import { TYPE } from "../abi.ts";
import { readFound } from "../read.ts";
import type { Handle } from "../segment.ts";
import { isJson } from "../wire/json.ts";
import { isBytes } from "../wire/memory.ts";
import { Refusal } from "./errors.ts";
import { finite } from "./keys.ts";
import { count, duration, hex, keyJson, keyText, printable, table, write, writeJson } from "./output.ts";
import { type RawEntry, RawReader, typeName } from "./raw.ts";

/** What is to be shown. */
export interface GetOptions {
  readonly value: boolean;
  readonly raw: boolean;
  readonly json: boolean;
}

/** Shows an entry. @throws Refusal if it is not there */
export async function get(handle: Handle, key: Uint8Array, options: GetOptions): Promise<void> {
  const entry = new RawReader(handle).entry(key);
  if (entry === undefined) throw new Refusal(`there is no entry ${keyText(key)}`);
  if (options.raw) return write(entry.value);
  const { type, length, version, ttl } = entry;
  const value = options.value ? shownValue(handle, key, entry) : undefined;
  if (options.json) {
    const about = { type: typeName(type), bytes: length, ttl: finite(ttl), version };
    return writeJson({ ...keyJson(key), ...about, ...value });
  }
  const rows = [
    ["key", keyText(key)],
    ["type", typeName(type)],
    ["bytes", count(length)],
    ["remaining", duration(ttl)],
    ["version", String(version)],
    ["value", value === undefined ? "hidden: --value shows it" : valueText(value)],
  ];
  await write(`${table(rows).join("\n")}\n`);
}

/** A value as JSON holds it, or else as text of the runtime; in hexadecimal where it is bytes to us. */
type Shown = { value: unknown } | { valueText: string } | { valueHex: string };

function shownValue(handle: Handle, key: Uint8Array, { type, value: bytes }: RawEntry): Shown {
  const inHex = { valueHex: hex(bytes) };
  if (type === TYPE.CODEC || type > TYPE.LONG_KEYED) return inHex;
  const [, value] = readFound(handle, key) ?? [];
  if (value === undefined || isBytes(value)) return inHex;
  const holds = typeof value === "object" && value !== null ? isJson(value) : isJson([value]);
  return holds ? { value } : { valueText: inspect(value, { depth: 20 }) };
}

function valueText(shown: Shown): string {
  if ("valueHex" in shown) return shown.valueHex;
  if ("valueText" in shown) return shown.valueText.split("\n").map(printable).join("\n");
  return printable(typeof shown.value === "string" ? shown.value : JSON.stringify(shown.value));
}
