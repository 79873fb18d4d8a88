// Names of segments for one test file, and their removal.

import { FastCache } from "fastcache";
import { afterAll } from "vitest";

const names: string[] = [];

/** A name that no other test uses; its segment is removed after the file's last test. */
export function segmentName(): string {
  const name = `cross-${process.pid}-${Math.random().toString(36).slice(2)}`;
  names.push(name);
  return name;
}

afterAll(() => {
  const existing = FastCache.list();
  for (const name of names.splice(0)) {
    if (existing.includes(name)) FastCache.destroy(name);
  }
});
