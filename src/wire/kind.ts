// SPDX-License-Identifier: MIT
//
// What kind of object a value is, told by what the runtime knows of it, not by what it says of
// itself; so also for objects of another realm.

const { getTime } = Date.prototype;
const { forEach: mapForEach } = Map.prototype;
const { forEach: setForEach } = Set.prototype;
const { getPrototypeOf } = Object;

/** True for a `Date`, also of a class that extends it. */
export function isDate(value: unknown): value is Date {
  return answers(() => getTime.call(value as Date));
}

/** Milliseconds since 1970, NaN for an invalid one. */
export function dateTime(date: Date): number {
  return getTime.call(date);
}

/** The keys and values of a `Map`, or `undefined` if it is none. */
export function mapEntries(value: object): [unknown, unknown][] | undefined {
  const entries: [unknown, unknown][] = [];
  const isMap = answers(() =>
    mapForEach.call(value as Map<unknown, unknown>, (item, key) => entries.push([key, item])),
  );
  return isMap ? entries : undefined;
}

/** The items of a `Set`, or `undefined` if it is none. */
export function setItems(value: object): unknown[] | undefined {
  const items: unknown[] = [];
  return answers(() => setForEach.call(value as Set<unknown>, (item) => items.push(item)))
    ? items
    : undefined;
}

/** The built-in methods throw for an object that is not of their kind, and for nothing else. */
function answers(method: () => unknown): boolean {
  try {
    method();
    return true;
  } catch {
    return false;
  }
}

/** True for arrays, not of a class that extends them, and for objects of no class. */
export function isPlain(value: object): boolean {
  if (Array.isArray(value)) return isDirect(value);
  const prototype: unknown = getPrototypeOf(value);
  return prototype === null || getPrototypeOf(prototype) === null;
}

/** True for an instance of a built-in class itself, not of one that extends it. */
export function isDirect(value: object): boolean {
  const prototype: unknown = getPrototypeOf(value);
  const parent: unknown = prototype === null ? null : getPrototypeOf(prototype);
  return parent !== null && getPrototypeOf(parent) === null;
}

/** What the runtime calls the kind of an object, such as `"RegExp"`. */
export function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
