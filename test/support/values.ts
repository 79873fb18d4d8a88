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
export function randomObject(
  below: (limit: number) => number,
  depth: number,
  keys: readonly string[] = KEYS,
): object {
  const inner = (): unknown =>
    depth > 0 && below(3) === 0 ? randomObject(below, depth - 1, keys) : leaf(below);
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
      for (const key of several(() => keys[below(keys.length)] as string)) {
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

/** An object with all that structured clones hold and the built-in form does not. */
export function randomStructured(below: (limit: number) => number): object {
  const keys = KEYS.filter((key) => key !== "__proto__");
  const plain = (): object => randomObject(below, 2, keys);
  const shared = plain();
  const buffer = Uint8Array.from({ length: 64 }, () => below(256)).buffer;
  const error = new [Error, TypeError, RangeError][below(3)]!(`number ${below(100)}`, { cause: plain() });
  const object: Record<string, unknown> = {
    shared: [shared, shared],
    views: [
      new Float64Array(below(9)).fill(0.5),
      new Int16Array(buffer, 2 * below(9), below(9)),
      new BigUint64Array(buffer, 8, 3),
      new Uint8ClampedArray(3),
      new DataView(buffer, 1, below(9)),
    ],
    buffer,
    pattern: [/a\/b/gi, /[\u00e9]+/u][below(2)],
    error,
    errors: new AggregateError([new URIError("x"), 5], "several"),
    holes: Object.assign(new Array(5), { 1: plain(), 4: undefined }),
    link: new URL(`https://example.org/?${below(100)}`),
    plain: plain(),
  };
  object.self = object;
  object.map = new Map<unknown, unknown>([[object, [object]]]);
  return object;
}

/**
 * Where two values differ, or `undefined` if they are the same in kind and content: stricter than
 * `toStrictEqual`, which takes a property `constructor` for the class.
 */
export function difference(
  one: unknown,
  other: unknown,
  at: string = "value",
  seen: Map<unknown, unknown> = new Map(),
): string | undefined {
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null) {
    return Object.is(one, other) ? undefined : `${at}: ${String(one)}, not ${String(other)}`;
  }
  if (seen.has(one)) return seen.get(one) === other ? undefined : `${at}: another object`;
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return `${at}: another class`;
  const further = (a: unknown, b: unknown, where: string): string | undefined =>
    difference(a, b, at + where, seen);
  if (ArrayBuffer.isView(one)) return further(bytesOf(one), bytesOf(other as ArrayBufferView), " as bytes");
  if (one instanceof ArrayBuffer) return further(new Uint8Array(one), new Uint8Array(other as never), "");
  if (one instanceof Date) return further(one.getTime(), (other as Date).getTime(), "");
  if (one instanceof RegExp || one instanceof URL) return further(String(one), String(other), "");
  seen.set(one, other);
  if (one instanceof Map) return further([...one], [...(other as Map<unknown, unknown>)], " as a map");
  if (one instanceof Set) return further([...one], [...(other as Set<unknown>)], " as a set");
  if (one instanceof Error) {
    const parts = (error: Error): unknown[] => [error.name, error.message, error.cause, Object.keys(error)];
    return further(parts(one), parts(other as Error), " as an error");
  }
  const keys = Object.keys(one);
  const otherKeys = Object.keys(other);
  if (keys.join("\n") !== otherKeys.join("\n")) return `${at}: keys ${keys.join()}, not ${otherKeys.join()}`;
  if (Array.isArray(one) && one.length !== (other as unknown[]).length) return `${at}: another length`;
  for (const key of keys) {
    const found = further((one as never)[key], (other as never)[key], `[${JSON.stringify(key)}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a view shows, as text. */
function bytesOf(view: ArrayBufferView): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("latin1");
}
