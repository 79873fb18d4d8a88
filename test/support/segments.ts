// SPDX-License-Identifier: MIT
//
// Segments for tests. Every name and path belongs to one test file; after each test the caches
// opened here are closed and their segments removed, and a segment of the file that is still
// there afterwards fails the test.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FastCache, type OpenOptions } from "fastcache";
import { afterAll, afterEach, expect } from "vitest";

const prefix = `contract-${process.pid}-${Math.random().toString(36).slice(2)}-`;
let folder: string | undefined;
let count = 0;

const caches: FastCache<unknown>[] = [];
const names = new Set<string>();
const paths = new Set<string>();

/** The least size of a segment, in bytes. */
export const MIB = 1_048_576;

/** A name that no other test uses. */
export function uniqueName(): string {
  const name = `${prefix}${count++}`;
  names.add(name);
  return name;
}

/** A path that no other test uses, in a folder of our own. Nothing is there yet. */
export function uniquePath(): string {
  folder ??= mkdtempSync(join(tmpdir(), "fastcache-contract-"));
  const path = join(folder, `${count++}.cache`);
  paths.add(path);
  return path;
}

/** Opens a cache that is closed after the test. */
export function open<V = unknown>(options: OpenOptions<V>): FastCache<V> {
  const cache = FastCache.open<V>(options);
  caches.push(cache as FastCache<unknown>);
  return cache;
}

/** A private cache of `size` bytes. */
export function openPrivate<V = unknown>(options: OpenOptions<V> = {}): FastCache<V> {
  return open<V>({ size: 4 * MIB, ...options });
}

/** Handles on the segments that this file left, by name. */
function left(): string[] {
  return FastCache.list().filter((name) => name.startsWith(prefix));
}

afterEach(() => {
  for (const cache of caches.splice(0)) cache.close();
  for (const name of names) FastCache.destroy({ name });
  for (const path of paths) rmSync(path, { recursive: true, force: true });
  names.clear();
  paths.clear();
  expect(left(), "segments that a test left behind").toEqual([]);
});

afterAll(() => {
  if (folder === undefined) return;
  const files = readdirSync(folder);
  rmSync(folder, { recursive: true });
  folder = undefined;
  expect(files, "files that a test left behind").toEqual([]);
});
