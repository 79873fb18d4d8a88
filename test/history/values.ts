// The values of a history. Each is known by one number: numbers by themselves, all others, which are those of
// test/crash/value.mjs, by TEXT_FROM and their stamp. What was read is compared with what that number stands for, whole.

import { fault, makeValue, stampOf } from "../crash/value.mjs";

/** Numbers in the cache stay below, whatever is added to them. checker/primitives.go knows it, too. */
const TEXT_FROM = 2 ** 47;
const NUMBER_BYTES = 8;
/** The kinds of value.mjs that are stored as JSON begin with these. */
const JSON_BEGINS = new Set(["{".charCodeAt(0), "[".charCodeAt(0)]);

export type Value = ReturnType<typeof makeValue> | number;

export const known = {
  number: (number: number) => ({ stored: number, value: number as Value }),
  text: (key: string, stamp: number) => ({
    stored: TEXT_FROM + stamp,
    value: makeValue(key, stamp) as Value,
  }),
  /** The number of a value that was read under `key`, or `undefined` if nobody can have stored it there. */
  stored(key: string, value: unknown): number | undefined {
    if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
    return fault(key, value) === undefined ? TEXT_FROM + Number(stampOf(value)) : undefined;
  },
};

/** The value that lies in the cache as `bytes` under `key`, as far as `known.stored` can tell. */
export function decodeValue(key: string, bytes: Uint8Array): unknown {
  if (bytes.length === NUMBER_BYTES) return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true);
  const text = new TextDecoder().decode(bytes);
  if (!JSON_BEGINS.has(bytes[0] ?? 0)) return fault(key, text) === undefined ? text : bytes;
  try {
    return JSON.parse(text);
  } catch {
    return null; // torn
  }
}
