// SPDX-License-Identifier: MIT
//
// A segment's file that is cut short in use raises SIGBUS, for which each runtime may have a handler of
// its own. The process goes on: reads miss, writes say that the segment is damaged.

import { expect, test } from "vitest";
import { run } from "../support/child.ts";
import { MIB, uniquePath } from "../support/segments.ts";

test.each([0, MIB / 2])("a file cut to %d bytes in use does not end the process", (size) => {
  const body = `
    import { truncateSync } from "node:fs";
    const [path, size] = input.split(" ");
    const cache = FastCache.open({ path, size: ${MIB} });
    for (let i = 0; i < 100; i++) cache.set("key" + i, "value".repeat(i));
    truncateSync(path, Number(size));
    const codes = new Set();
    for (let i = 0; i < 2000; i++) {
      try {
        cache.set("new" + i, "x".repeat(1000));
      } catch (error) {
        codes.add(error.code);
      }
    }
    let hits = 0;
    for (let i = 0; i < 100; i++) if (cache.get("key" + i) !== undefined) hits++;
    cache.close();
    console.log(hits, ...codes);`;
  expect(run(body, `${uniquePath()} ${size}`)).toBe("0 ERR_FASTCACHE_CORRUPT");
});
