// A process of the storm, the same in Bun, Deno and Node:
//
//   driver.mjs ROLE NAME SEED
//
//   fill    stores the reserved keys and ends
//   writer  sets, deletes and counts for ever
//   reader  checks every value that it finds, and that the reserved keys are there, for ever
//   mixed   does both, and now and then detaches and attaches again
//
// Prints "ready", then a line "beat" about every 100 ms: whoever is silent hangs. An error ends it with its message.

import { FastCache } from "fastcache";
import { fault, makeValue } from "./value.mjs";

const RESERVED = 300;
const COMMON = 500;
const BEAT_MS = 100;

const [role, name, seed] = process.argv.slice(2);
let cache = FastCache.open({ name, create: false });
let state = Number(seed) >>> 0 || 1;

/** xorshift32 (Marsaglia). */
function below(limit) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  state >>>= 0;
  return state % limit;
}

function check(key, value, mayMiss) {
  const wrong = value === undefined ? (mayMiss ? undefined : `lost: ${key}`) : fault(key, value);
  if (wrong !== undefined) throw new Error(wrong);
}

/** A writer that was stopped may hold a shard for longer than we wait. */
function unlessBusy(write) {
  try {
    write();
  } catch (error) {
    if (error.code !== "ERR_FASTCACHE_BUSY") throw error;
  }
}

function write() {
  const key = `common:${below(COMMON)}`;
  const stamp = below(2 ** 31);
  switch (below(12)) {
    case 0:
      cache.delete(key);
      break;
    case 1:
      cache.increment("counter");
      break;
    case 2:
      cache.add(key, makeValue(key, stamp), { ttl: 1 + below(50) });
      break;
    case 3: {
      const found = cache.getWithVersion(key);
      if (found) cache.compareAndSet(key, found.version, makeValue(key, stamp));
      break;
    }
    case 4: {
      const keys = Array.from({ length: 8 }, () => `common:${below(COMMON)}`);
      cache.setMany(keys.map((each) => [each, makeValue(each, stamp)]));
      break;
    }
    default:
      cache.set(key, makeValue(key, stamp));
  }
}

function read() {
  const reserved = `reserved:${below(RESERVED)}`;
  const common = `common:${below(COMMON)}`;
  check(reserved, cache.get(reserved), false);
  check(common, cache.get(common), true);
  if (below(50) > 0) return;
  const keys = Array.from({ length: 16 }, () => `common:${below(COMMON)}`);
  const values = cache.getMany(keys);
  for (const [i, key] of keys.entries()) check(key, values[i], true);
}

function forEver(work) {
  console.log("ready");
  let beat = Date.now();
  const batch = () => {
    for (let i = 0; i < 100; i++) work();
    if (Date.now() - beat >= BEAT_MS) {
      beat = Date.now();
      console.log("beat");
    }
    setImmediate(batch);
  };
  batch();
}

function mix() {
  if (below(20_000) === 0) {
    cache.close();
    cache = FastCache.open({ name, create: false });
  }
  if (below(4) === 0) unlessBusy(write);
  else read();
}

function fill() {
  for (let i = 0; i < RESERVED; i++) cache.set(`reserved:${i}`, makeValue(`reserved:${i}`, 1));
  cache.close();
}

const roles = {
  fill,
  writer: () => forEver(() => unlessBusy(write)),
  reader: () => forEver(read),
  mixed: () => forEver(mix),
};
roles[role]();
