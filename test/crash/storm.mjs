// Kills writers in all three runtimes at random, while readers check what they see.
//
//   node test/crash/storm.mjs [--kills N] [--seed S]
//
// Everything fits into the segment, so that the reserved keys must be there all the time. Every process shows that it
// goes on; one that is silent for a minute is a failure. storm.c does the same in C, with far more kills.

import { FastCache } from "fastcache";
import { Crowd, inspect, options, randomFrom, sleep } from "./crowd.mjs";

const WRITERS = 6;
const READERS = 3;
const LIFE_MS_MAX = 250;
const VERIFY_EVERY = 100;

const { kills, seed } = options({ kills: 2000, seed: Date.now() % 2 ** 31 });
console.log(`# seed ${seed}`);
const random = randomFrom(seed);
const name = `storm-${process.pid}`;
const cache = FastCache.open({ name, size: "8MiB", shards: 1, create: "exclusive" });
const crowd = new Crowd(name, random);
try {
  await (await crowd.start("fill", 0)).ended;
  crowd.check();
  for (let i = 0; i < READERS; i++) await crowd.start("reader", i);
  let begun = 0;
  const rage = async (number) => {
    while (begun < kills) {
      begun++;
      const writer = await crowd.start("writer", number + WRITERS * begun);
      await sleep(random(LIFE_MS_MAX));
      if (random(20) === 0) await crowd.stop(writer, random(3000));
      await crowd.kill(writer);
      crowd.check();
      if (crowd.kills % VERIFY_EVERY === 0) inspect(name);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, i) => rage(i)));
  crowd.check();
  const { takeovers, evictions, entries } = inspect(name);
  if (evictions > 0) throw new Error(`lost: ${evictions} entries were evicted with room to spare`);
  console.log(
    `ok 1 - ${crowd.kills} kills and ${crowd.stops} stops in three runtimes, ${takeovers} take-overs: 0 torn, 0 wrong, ` +
      `0 lost, 0 hangs; ${entries} entries, ${crowd.beats} signs of life`,
  );
} finally {
  await crowd.end();
  cache.close();
  FastCache.destroy(name);
}
