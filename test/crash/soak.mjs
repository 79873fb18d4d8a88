// Mixed load in three runtimes with random deaths, for a long time: does anything grow?
//
//   node test/crash/soak.mjs [--minutes N] [--seed S]
//
// In each runtime one process lives throughout, reads, writes, detaches and attaches again, while writers beside it
// live for some seconds and are killed. At intervals the whole segment is verified, and of the lasting processes
// the anonymous memory and the descriptors are measured. Fails if any value was torn, wrong or lost, if a process was
// silent, if memory or descriptors grew after the first fifth of the time, or if anything is left in /dev/shm.

import { readdirSync, readFileSync } from "node:fs";
import { FastCache } from "fastcache";
import { Crowd, inspect, options, randomFrom, sleep } from "./crowd.mjs";

const LASTING = 3;
const MORTALS = 3;
const LIFE_MS_MAX = 4000;
const SAMPLES = 60;
/** Garbage collectors leave that much play. */
const GROWTH_MB_MAX = 64;
const MB = 1024;

const { minutes, seed } = options({ minutes: 60, seed: Date.now() % 2 ** 31 });
const until = Date.now() + minutes * 60_000;
const random = randomFrom(seed);
const name = `soak-${process.pid}`;

function segments() {
  return readdirSync("/dev/shm").filter((file) => file.includes(name)).length;
}

/** Anonymous memory in MB and open descriptors of a process. */
function measure({ runtime, process: { pid } }) {
  const memory = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return { runtime, memory: Number(memory[1]) / MB, descriptors: readdirSync(`/proc/${pid}/fd`).length };
}

function show(state, measured, crowd) {
  const minute = ((Date.now() - until) / 60_000 + minutes).toFixed(1).padStart(6);
  const columns = measured.map((m) => `${m.runtime} ${m.memory.toFixed(0)} MB, ${m.descriptors} descriptors`);
  const { entries, takeovers, processes } = state;
  console.log(
    `${minute} min: ${crowd.kills} kills, ${takeovers} take-overs, ${entries} entries, ${processes} attached; ` +
      columns.join("; "),
  );
}

/** What grew between the sample after a fifth of the time and the last quarter's least. */
function growth(samples) {
  const base = samples[Math.floor(samples.length / 5)];
  const late = samples.slice(-Math.ceil(samples.length / 4));
  return base.flatMap(({ runtime, memory, descriptors }, i) => {
    const memoryNow = Math.min(...late.map((sample) => sample[i].memory));
    const descriptorsNow = Math.min(...late.map((sample) => sample[i].descriptors));
    const grown = [];
    if (memoryNow > memory + GROWTH_MB_MAX) grown.push(`${runtime}: ${memory} MB grew to ${memoryNow}`);
    if (descriptorsNow > descriptors)
      grown.push(`${runtime}: ${descriptors} descriptors grew to ${descriptorsNow}`);
    return grown;
  });
}

async function live(crowd, number) {
  while (Date.now() < until) {
    const writer = await crowd.start("writer", number);
    await sleep(random(LIFE_MS_MAX));
    await crowd.kill(writer);
  }
}

console.log(`# seed ${seed}`);
const cache = FastCache.open({ name, size: "8MiB", create: "exclusive" });
const crowd = new Crowd(name, random);
const samples = [];
try {
  await (await crowd.start("fill", 0)).ended;
  const lasting = [];
  for (let i = 0; i < LASTING; i++) lasting.push(await crowd.start("mixed", i));
  const lives = Array.from({ length: MORTALS }, (_, i) => live(crowd, i));
  const pause = Math.max(1000, (minutes * 60_000) / SAMPLES);
  while (Date.now() < until) {
    await sleep(Math.min(pause, until - Date.now()));
    crowd.check();
    const measured = lasting.map(measure);
    samples.push(measured);
    show(inspect(name), measured, crowd);
    if (segments() !== 1) throw new Error(`${segments()} files in /dev/shm instead of one`);
  }
  await Promise.all(lives);
  crowd.check();
  const grown = growth(samples);
  if (grown.length > 0) throw new Error(grown.join("\n"));
} finally {
  await crowd.end();
  cache.close();
  FastCache.destroy(name);
}
if (segments() !== 0) throw new Error("a file is left in /dev/shm");
console.log(
  `ok 1 - ${minutes} minutes, ${crowd.kills} kills: nothing torn, wrong or lost, nothing grew, nothing left`,
);
