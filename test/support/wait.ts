// SPDX-License-Identifier: MIT
//
// Waiting for what only time brings: asked again and again, until a deadline.

import { setTimeout as sleep } from "node:timers/promises";

/** Resolves when `condition` holds; rejects when it still does not after `limitMs`. */
export async function until(condition: () => boolean, limitMs: number = 10_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${condition}`);
    await sleep(1);
  }
}
