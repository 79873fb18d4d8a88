// SPDX-License-Identifier: MIT
//
// Tells whether JSON holds a value exactly as it is. Most values are such, and every `set` of an object
// asks: so this is one plain walk with nothing in it but type tests. It runs before `JSON.stringify`,
// of which it costs some 5 %; a replacer, or `toJSON` hooks, would cost four times all of it.

/** Levels that are looked at; what is nested deeper, or holds itself, is left to those who look closer. */
const DEPTH_MAX = 60;

const { getPrototypeOf, prototype: objectPrototype } = Object;

/**
 * True if `JSON.parse(JSON.stringify(value))` is the same. False for what needs a closer look, which
 * may still find nothing that JSON could not hold.
 */
export function isJson(value: object): boolean {
  return isJsonWithin(value as Record<string, unknown>, DEPTH_MAX);
}

// The tests are written twice, and in the order of what is frequent: a function for them would cost a
// third more, and for numbers twice as much, `Object.keys` or `Object.values` up to ten times as much.
function isJsonWithin(value: Record<string, unknown> | unknown[], levels: number): boolean {
  if (Array.isArray(value)) {
    if (value.constructor !== Array) return false; // of a class that extends it; its prototype costs 5 ns
    const { length } = value;
    for (let index = 0; index < length; index++) {
      const item: unknown = value[index];
      if (typeof item === "string") continue;
      if (typeof item === "number") {
        if (Number.isFinite(item) && (item !== 0 || 1 / item > 0)) continue;
        return false;
      }
      if (typeof item === "boolean" || item === null) continue;
      if (typeof item !== "object" || levels === 0) return false;
      if (!isJsonWithin(item as Record<string, unknown>, levels - 1)) return false;
    }
    return true;
  }
  if (getPrototypeOf(value) !== objectPrototype) return false;
  let isEmpty = true;
  for (const key in value) {
    isEmpty = false;
    const item: unknown = value[key];
    if (typeof item === "string") continue;
    if (typeof item === "number") {
      if (Number.isFinite(item) && (item !== 0 || 1 / item > 0)) continue;
      return false;
    }
    if (typeof item === "boolean" || item === null) continue;
    if (typeof item !== "object" || levels === 0) return false;
    if (!isJsonWithin(item as Record<string, unknown>, levels - 1)) return false;
  }
  return !isEmpty || !(Symbol.toStringTag in value); // as `Math` and `Reflect` have one
}

/** False for NaN, the infinities and -0. */
export function isKept(number: number): boolean {
  return Number.isFinite(number) && (number !== 0 || 1 / number > 0);
}
