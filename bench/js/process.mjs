// One process of the benchmark of processes.
//
//   bun bench/js/process.mjs PATH fill
//   bun bench/js/process.mjs PATH run WRITES SECONDS PART
//
// `fill` creates the segment and sets all keys. `run` attaches, says "ready", and upon a line on its standard input gets
// and sets random keys for that long (with 0 SECONDS until it is killed), from that PART (0 to 1) of their order on:
// WRITES of 100 operations are sets. Then it prints { perSecond, histogram }: every SAMPLE-th operation is timed, in ns;
// the histogram is hdr-histogram-js's.

import { once } from "node:events";
import { FastCache } from "fastcache";
import { build, encodeIntoCompressedBase64 } from "hdr-histogram-js";
import { bytesOfMany, keysOf, orderOf } from "./workload.mjs";

const KEYS = 100_000;
const LIMIT = 1024;
const SAMPLE = 7;
const STRETCH = 1000;
const LONGEST_NS = 60e9;

const [path, role, writes, seconds, part] = process.argv.slice(2);
const keys = keysOf(KEYS);
const values = bytesOfMany(LIMIT, LIMIT);
if (role === "fill") fill();
else await run(Number(writes), Number(seconds), Number(part));

function fill() {
  const cache = FastCache.open({ path, size: "256MiB", create: "exclusive" });
  for (let i = 0; i < KEYS; i++) cache.set(keys[i], values[i % LIMIT]);
  cache.close();
}

async function run(writes, seconds, part) {
  const cache = FastCache.open({ path, create: false });
  const order = orderOf(KEYS, true);
  const histogram = build({ highestTrackableValue: LONGEST_NS, numberOfSignificantValueDigits: 3 });
  let at = Math.floor(part * KEYS);
  let operations = 0;
  const operate = () => {
    at = at + 1 === KEYS ? 0 : at + 1;
    const i = order[at];
    if ((operations++ * 37) % 100 < writes) cache.set(keys[i], values[i % LIMIT]);
    else cache.get(keys[i]);
  };
  for (let i = 0; i < KEYS; i++) operate(); // compiles it, and touches all memory

  console.log("ready");
  await once(process.stdin, "data");
  operations = 0;
  const begin = performance.now();
  const until = seconds > 0 ? begin + seconds * 1000 : Number.POSITIVE_INFINITY;
  let now = begin;
  for (; now < until; now = performance.now()) {
    for (let i = 0; i < STRETCH; i++) {
      if (i % SAMPLE !== 0) {
        operate();
        continue;
      }
      const from = Bun.nanoseconds();
      operate();
      histogram.recordValue(Bun.nanoseconds() - from);
    }
  }
  const perSecond = operations / ((now - begin) / 1000);
  console.log(JSON.stringify({ perSecond, histogram: encodeIntoCompressedBase64(histogram) }));
  cache.close();
  process.exit();
}
