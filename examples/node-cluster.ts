// A rate limit that holds across the processes of a Node cluster: each visitor has so many requests a minute,
// whichever process they reach.
//
//   node examples/node-cluster.ts          (Node 22.18 or later, which runs TypeScript)

import cluster from "node:cluster";
import { once } from "node:events";
import { FastCache } from "fastcache";

const NAME = "example-limits";
const PROCESSES = 3;
const REQUESTS_PER_PROCESS = 100;
const LIMIT = 120;
const WINDOW_MS = 60_000;

/** True while the visitor is under the limit. The counter disappears with the window. */
function isAllowed(limits: FastCache, visitor: string): boolean {
  return limits.increment(`requests:${visitor}`, 1, { ttl: WINDOW_MS }) <= LIMIT;
}

if (cluster.isPrimary) {
  using limits = FastCache.open({ name: NAME, size: "1MiB" });
  const workers = Array.from({ length: PROCESSES }, () => cluster.fork());
  await Promise.all(workers.map((worker) => once(worker, "exit")));
  const requests = PROCESSES * REQUESTS_PER_PROCESS;
  console.log(`${limits.get("allowed")} of ${requests} requests allowed, ${limits.get("refused")} refused`);
  FastCache.destroy(NAME);
} else {
  using limits = FastCache.open({ name: NAME, create: false });
  for (let i = 0; i < REQUESTS_PER_PROCESS; i++) {
    limits.increment(isAllowed(limits, "203.0.113.7") ? "allowed" : "refused");
  }
  cluster.worker?.disconnect();
}
