// SPDX-License-Identifier: MIT
//
// What kind of object a value is, told by what the runtime knows of it, not by what it says of
// itself: also for objects of another realm. None of these runs code of the user's.

const { getTime } = Date.prototype;

/** True for a `Date`. */
export function isDate(value: unknown): value is Date {
  if (typeof value !== "object" || value === null) return false;
  try {
    dateTime(value as Date);
    return true;
  } catch {
    return false;
  }
}

/** Milliseconds since 1970, NaN for an invalid one. */
export function dateTime(date: Date): number {
  return getTime.call(date);
}
