// One process of bench/flights.mjs: reads a command a line, [name, ...arguments], and answers each with a line of JSON.

import { createInterface } from "node:readline";
import { FastCache } from "fastcache";

const cache = FastCache.open({ path: process.argv[2], size: "64MiB" });
const kept = [];
let store;

/** In ms; the same clock in all processes. */
const now = () => performance.timeOrigin + performance.now();
const answer = (value) => process.stdout.write(`${JSON.stringify(value ?? null)}\n`);

const commands = {
  /** Answers when the factory has begun, which ends by `store`. */
  own(key) {
    void cache.getOrSet(key, () => {
      answer("begun");
      return new Promise((resolve) => {
        store = () => resolve("value");
      });
    });
  },
  /** When the owner stored. */
  store() {
    const at = now();
    store();
    answer(at);
  },
  /** Answers when the value is there, with when that was, or when this process began to compute it. */
  async wait(key) {
    let began;
    await cache.getOrSet(key, () => {
      began = now();
      return "heir";
    });
    answer(began ?? now());
  },
  fill(bytes) {
    if (bytes > 0) kept.push(Buffer.alloc(bytes, 1));
    answer(process.memoryUsage.rss());
  },
  waits: () => answer(cache.stats().coalescedWaits),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...args] = JSON.parse(line);
  void commands[name](...args);
}
cache.close();
