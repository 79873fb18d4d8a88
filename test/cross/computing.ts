// A worker whose factory does not end, or that waits for another's: see driver.ts.

import { parentPort, workerData } from "node:worker_threads";
import { FastCache } from "fastcache";

const { name, key } = workerData as { name: string; key: string };
const cache = FastCache.open({ name });
void cache.getOrSet(key, () => new Promise(() => {}));
parentPort?.postMessage("begun");
