// SPDX-License-Identifier: MIT
//
// Seeded random values of all the kinds that a cache keeps, nested in each other.

/** A generator of whole numbers below a limit: xorshift32 (Marsaglia), the same everywhere. */
export function randomBelow(seed: number): (limit: number) => number {
  let state = seed | 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

const TEXTS = ["", "text", "é", "日本語", "😀", "\ud800", '"quoted"\\', "\0\n", "-0", "bytes"];
const KEYS = ["a", "b", "", "é", "__proto__", "constructor", "toString", "0", "10", "with space", "length"];
const NUMBERS = [0, -0, 1, -1, 0.1, 1e300, 5e-324, Number.NaN, Infinity, -Infinity, 2 ** 53, -1.5e-7];
const LENGTHS = [0, 1, 7, 8, 63, 64, 65, 256, 257, 4096, 4097, 30_000];

/** A value that is no object. */
function leaf(below: (limit: number) => number): unknown {
  switch (below(8)) {
    case 0:
      return null;
    case 1:
      return below(2) === 0;
    case 2:
      return NUMBERS[below(NUMBERS.length)];
    case 3:
      return BigInt(below(1000) - 500) ** BigInt(below(9));
    case 4:
      return undefined;
    case 5:
      return below(1_000_000);
    default:
      return TEXTS[below(TEXTS.length)];
  }
}

/** An object, of any kind, with others inside of up to `depth` levels. */
export function randomObject(below: (limit: number) => number, depth: number): object {
  const inner = (): unknown => (depth > 0 && below(3) === 0 ? randomObject(below, depth - 1) : leaf(below));
  const several = <T>(make: () => T): T[] => Array.from({ length: below(5) }, make);
  switch (below(9)) {
    case 0:
      return Uint8Array.from({ length: LENGTHS[below(LENGTHS.length)] as number }, () => below(256));
    case 1:
      return new Date(below(10) === 0 ? Number.NaN : below(2 ** 31) * 1000);
    case 2:
      return new Map(several(() => [inner(), inner()]));
    case 3:
      return new Set(several(inner));
    case 4:
    case 5:
      return several(inner);
    default: {
      const object = {};
      for (const key of several(() => KEYS[below(KEYS.length)] as string)) {
        // As a key like any other, also where it is __proto__.
        Object.defineProperty(object, key, {
          value: inner(),
          enumerable: true,
          writable: true,
          configurable: true,
        });
      }
      return object;
    }
  }
}

/**
 * Where two values differ, or `undefined` if they are the same in kind and content: stricter than
 * `toStrictEqual`, which takes a property `constructor` for the class.
 */
export function difference(one: unknown, other: unknown, at: string = "value"): string | undefined {
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null) {
    return Object.is(one, other) ? undefined : `${at}: ${String(one)}, not ${String(other)}`;
  }
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return `${at}: another class`;
  if (one instanceof Uint8Array) {
    return Buffer.compare(one, other as Uint8Array) === 0 ? undefined : `${at}: other bytes`;
  }
  if (one instanceof Date) return difference(one.getTime(), (other as Date).getTime(), at);
  if (one instanceof Map) return difference([...one], [...(other as Map<unknown, unknown>)], at);
  if (one instanceof Set) return difference([...one], [...(other as Set<unknown>)], at);
  const keys = Object.keys(one);
  const otherKeys = Object.keys(other);
  if (keys.join("\n") !== otherKeys.join("\n")) return `${at}: keys ${keys.join()}, not ${otherKeys.join()}`;
  for (const key of keys) {
    const found = difference((one as never)[key], (other as never)[key], `${at}[${JSON.stringify(key)}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}
