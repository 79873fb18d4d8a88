// A Worker under a test's command: opens the segment by a handle of its own, counts, and leaves a value.

import { parentPort, workerData } from "node:worker_threads";
import { FastCache } from "fastcache";

export interface Task {
  /** The name of a segment, or the descriptor of a private one. */
  segment: { name: string } | { fd: number };
  /** What this worker is called; its value is found under this key. */
  key: string;
  /** How often it increments "counter". */
  times: number;
}

const { segment, key, times } = workerData as Task;
using cache = FastCache.open({ ...segment, create: false });
for (let i = 0; i < times; i++) cache.increment("counter");
cache.set(key, { from: key, times });
parentPort?.postMessage(cache.get(key));
