// SPDX-License-Identifier: MIT
//
// What tests of getOrSet need: handles that are as two processes, factories under the test's control.

import type { Factory, FastCache, FastCacheError } from "fastcache";
import { failure } from "./errors.ts";
import { open, openPrivate } from "./segments.ts";

/** Two handles on a new segment. */
export function openTwo(): [FastCache, FastCache] {
  const first = openPrivate();
  return [first, open({ fd: first.info.fd })];
}

/** A factory under the test's control: it runs until it is told what to return. */
export function controlled() {
  const runs: { resolve: (value: unknown) => void; reject: (error: unknown) => void; signal: AbortSignal }[] =
    [];
  const factory: Factory<unknown> = ({ signal }) =>
    new Promise((resolve, reject) => runs.push({ resolve, reject, signal }));
  return { factory, runs };
}

/** What a promise is rejected with, of that code. */
export async function rejection(
  code: Parameters<typeof failure>[0],
  promise: Promise<unknown>,
  ...words: (string | RegExp)[]
): Promise<FastCacheError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return failure(
    code,
    () => {
      if (error !== undefined) throw error;
    },
    ...words,
  );
}
