// SPDX-License-Identifier: MIT
//
// Numbers that are changed where they lie: by the core, or under a long key by comparing and storing.

import { CONSTANTS, DOUBLE, SET_MODE, STATUS } from "./abi.ts";
import { type FastCacheError, invalid } from "./errors.ts";
import { readVersioned } from "./read.ts";
import type { Handle } from "./segment.ts";
import type { Key } from "./types.ts";
import { keyName, passKey } from "./wire/key.ts";
import { isHashed } from "./wire/long_key.ts";
import { storePlain } from "./write.ts";

const { FC_KEEP_TTL } = CONSTANTS;

/** Others may change the number of a long key between two attempts: so often at most. */
const INCREMENTS_MAX = 1000;

/**
 * Adds `by` to a number and returns the sum; an absent entry counts as `initial` and gets `ttl`, or
 * with an `initial` of NaN stays absent, and the answer is `undefined`.
 *
 * @throws FastCacheError `INVALID_ARGUMENT` if the entry is not a number
 */
export function increment(
  handle: Handle,
  key: Key,
  by: number,
  initial: number,
  ttl: number,
): number | undefined {
  const { doubles } = handle.request;
  const passed = passKey(handle.request, key);
  if (isHashed(key, passed)) return incrementLong(handle, key, by, initial, ttl);
  doubles[DOUBLE.initial] = initial;
  doubles[DOUBLE.ttl_ms] = ttl;
  const status = handle.native.fc_io_increment(handle.id, passed, by);
  if (status >= 0) return doubles[DOUBLE.sum] as number;
  if (status === STATUS.MISS) return undefined;
  if (status === STATUS.INVALID_ARGUMENT && handle.id !== 0) {
    throw notANumber(key);
  }
  throw handle.failure(status, key);
}

/** As `increment`, for a long key, whose value the core does not know for a number: stored if it is unchanged. */
function incrementLong(
  handle: Handle,
  key: Key,
  by: number,
  initial: number,
  ttl: number,
): number | undefined {
  for (let attempt = 0; attempt < INCREMENTS_MAX; attempt++) {
    const found = readVersioned(handle, key);
    if (found === undefined) {
      if (Number.isNaN(initial)) return undefined;
      if (storePlain(handle, key, initial + by, ttl, SET_MODE.ABSENT, 0)) return initial + by;
      continue;
    }
    if (typeof found.value !== "number") throw notANumber(key);
    const sum = found.value + by;
    const mode = SET_MODE.VERSION | FC_KEEP_TTL;
    if (storePlain(handle, key, sum, ttl, mode, found.version)) return sum;
  }
  throw handle.failure(STATUS.BUSY, key);
}

function notANumber(key: Key): FastCacheError {
  return invalid(`${keyName(key)} holds a value that is not a number: set() one, or delete() it`);
}
