// SPDX-License-Identifier: MIT
//
// What a test expects of an error: its class, its code, and words of its message.

import { FastCacheError } from "fastcache";
import { expect } from "vitest";

type ShortCode = FastCacheError["code"] extends `ERR_FASTCACHE_${infer Name}` ? Name : never;

/** Runs `call`, which has to throw a FastCacheError of that code, and returns the error. */
export function failure(code: ShortCode, call: () => unknown, ...words: (string | RegExp)[]): FastCacheError {
  let caught: unknown;
  try {
    call();
  } catch (error) {
    caught = error;
  }
  expect(caught, "nothing of the kind was thrown").toBeInstanceOf(FastCacheError);
  const error = caught as FastCacheError;
  expect(error.code, error.message).toBe(`ERR_FASTCACHE_${code}`);
  expect(error.name).toBe("FastCacheError");
  for (const word of words) expect(error.message).toMatch(word);
  return error;
}
