// Nothing live leaves while there is room, in real time and through the public interface: entries that live for seconds to
// minutes, some touched again, beside a stream of larger ones that live for a second, in a cache of which about half is live.
//
//   node test/crash/room.mjs [--seconds 25] [--seed 1]
//
// Needs dist/. Ends with the one line of a test, and exit code 1 if an entry was lost or evicted.

import { setTimeout as sleep } from "node:timers/promises";
import { FastCache } from "../../dist/index.js";

const option = (name, fallback) => Number(process.argv[process.argv.indexOf(`--${name}`) + 1] || fallback);
const has = (name) => process.argv.includes(`--${name}`);
const seconds = has("seconds") ? option("seconds", 25) : 25;
const seed = has("seed") ? option("seed", 1) : 1;

let state = seed * 2_654_435_761 + 12_345;
const random = () => {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
};

const COUNT = 200_000;
const cache = FastCache.open({ size: "64MB" });
const small = new Uint8Array(88);
const large = new Uint8Array(4096);
const deadlines = new Float64Array(COUNT);
const ttlOf = () => 5000 + Math.round(random() * 595_000);
for (let i = 0; i < COUNT; i++) {
  const ttl = ttlOf();
  deadlines[i] = performance.now() + ttl;
  cache.set(`long:${i}`, small, { ttl });
}
const begin = performance.now();
let streamed = 0;
while (performance.now() - begin < seconds * 1000) {
  const due = ((performance.now() - begin) / 1000) * 800;
  while (streamed < due) cache.set(`short:${streamed++}`, large, { ttl: 1000 });
  for (let touches = 0; touches < 20; touches++) {
    const i = Math.floor(random() * COUNT);
    const ttl = ttlOf();
    if (deadlines[i] > performance.now() + 1000 && cache.touch(`long:${i}`, ttl))
      deadlines[i] = performance.now() + ttl;
  }
  await sleep(5);
}
let live = 0;
let lost = 0;
for (let i = 0; i < COUNT; i++) {
  if (deadlines[i] < performance.now() + 2000) continue;
  live++;
  if (cache.peek(`long:${i}`) === undefined) lost++;
}
const { evictions } = cache.stats();
cache.close();
const verdict = lost === 0 && evictions === 0 ? "ok" : "not ok";
console.log(
  `${verdict} 1 - ${live} live, ${streamed} passed by: ${lost} lost, ${evictions} evicted (seed ${seed})`,
);
console.log("1..1");
process.exitCode = verdict === "ok" ? 0 : 1;
