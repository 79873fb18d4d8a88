// Several Deno processes share the results of slow work: each number is worked on once, by whoever needs it first.
//
//   deno run --allow-all examples/deno-workers.ts

import process from "node:process";
import { FastCache } from "fastcache";

const NAME = "example-factors";
const PROCESSES = 3;
const FIRST = 1_000_000_007;
const NUMBERS = 200;

/** The slow work. */
function smallestFactor(number: number): number {
  for (let factor = 2; factor * factor <= number; factor++) if (number % factor === 0) return factor;
  return number;
}

async function main(): Promise<void> {
  using cache = FastCache.open({ name: NAME, size: "4MiB" });
  const children = Array.from({ length: PROCESSES }, () =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", import.meta.filename!, "child"],
    }).spawn(),
  );
  const ends = await Promise.all(children.map((child) => child.status));
  const sum = cache.getMany(Array.from({ length: NUMBERS }, (_, i) => `factor:${FIRST + i}`)).length;
  console.log(`${sum} numbers, worked on ${cache.get("worked")} times by ${PROCESSES} processes`);
  FastCache.destroy(NAME);
  process.exitCode = ends.every((end) => end.success) ? 0 : 1;
}

function child(): void {
  using cache = FastCache.open({ name: NAME, create: false });
  for (let i = 0; i < NUMBERS; i++) {
    const key = `factor:${FIRST + i}`;
    // `add` stores only what is absent: exactly one process gets the number.
    if (!cache.add(key, "in work")) continue;
    cache.set(key, smallestFactor(FIRST + i));
    cache.increment("worked");
  }
}

if (process.argv[2] === "child") child();
else await main();
