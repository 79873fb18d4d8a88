// Single flight across processes: how long it takes a waiter to have the value, from the owner's store on, and to take over,
// from the owner's SIGKILL on, which has the kernel free the owner's memory first.

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "../scripts/lib/process.mjs";
import { root, runtime } from "../scripts/lib/tools.mjs";

const CHILD = join(root, "bench/js/flight.mjs");
const RUNTIMES = ["bun", "deno", "node"];
const MIB = 2 ** 20;

/** Rows of { what, p50, p99, max } in ms. */
export async function measureFlights({ isQuick }) {
  const folder = mkdtempSync("/dev/shm/fastcache-bench-");
  const path = join(folder, "segment");
  try {
    const rows = [];
    for (const name of RUNTIMES) {
      console.error(`measuring how a waiter in ${name} is woken ...`);
      rows.push({ what: `woken, ${name}`, ...(await wakeUps(path, name, isQuick ? 50 : 500)) });
    }
    for (const size of isQuick ? [0] : [0, 100 * MIB, 1024 * MIB]) {
      console.error(`measuring the take-over from an owner of ${size / MIB} MiB ...`);
      const rounds = size > 100 * MIB ? 4 : 30;
      rows.push({ what: `take-over, ${size / MIB} MiB`, ...(await takeOvers(path, size, rounds)) });
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function wakeUps(path, name, rounds) {
  const [owner, waiter] = [child(path, "node"), child(path, name)];
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const key = `${name} ${round}`;
    await owner.ask("own", key);
    const woken = await waiting(waiter, owner, key);
    const stored = await owner.ask("store");
    times.push((await woken.answer) - stored);
  }
  await Promise.all([owner.end(), waiter.end()]);
  return summary(times);
}

async function takeOvers(path, size, rounds) {
  const waiter = child(path, "node");
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const owner = child(path, "bun");
    await owner.ask("fill", size);
    const key = `${size} ${round}`;
    await owner.ask("own", key);
    const heir = await waiting(waiter, owner, key);
    const killed = performance.timeOrigin + performance.now();
    owner.kill();
    times.push((await heir.answer) - killed);
    await owner.ended;
  }
  await waiter.end();
  return summary(times);
}

/** The waiter's answer, once it surely sleeps. */
async function waiting(waiter, witness, key) {
  const before = await witness.ask("waits");
  const answer = waiter.ask("wait", key);
  while ((await witness.ask("waits")) === before) await sleep(1);
  await sleep(5);
  return { answer };
}

function child(path, name) {
  const own = start([...runtime(name), CHILD, path], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(own, "close");
  const asked = [];
  createInterface({ input: own.stdout }).on("line", (line) => asked.shift()(JSON.parse(line)));
  return {
    ended,
    ask: (...command) =>
      new Promise((resolve) => {
        asked.push(resolve);
        own.stdin.write(`${JSON.stringify(command)}\n`);
      }),
    kill: () => process.kill(own.pid, "SIGKILL"),
    end() {
      own.stdin.end();
      return ended;
    },
  };
}

function summary(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { rounds: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) };
}
