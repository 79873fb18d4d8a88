// Throughput and latency of 1 to 8 Bun processes on one segment, also beside a writer that is killed again and again.
// Latencies are of all processes together: their histograms are added (HdrHistogram).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import hdr from "hdr-histogram-js";
import { must } from "../scripts/lib/process.mjs";
import { root, runtime, toolEnvironment } from "../scripts/lib/tools.mjs";

const WORKER = join(root, "bench/js/process.mjs");
const MIXES = { "read-only": 0, "90/10": 10, "50/50": 50 };
const LIFE_MS = 100;

/** Rows of { processes, mix, kills, perSecond, p50, p99, p99.9, p99.99 }; ns per operation, get and set together. */
export async function measureProcesses({ isQuick }) {
  const seconds = isQuick ? 0.5 : 3;
  const counts = isQuick ? [1, 2] : [1, 2, 4, 8];
  const folder = mkdtempSync("/dev/shm/fastcache-bench-");
  const clear = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", clear);
  const path = join(folder, "segment");
  try {
    await must([...runtime("bun"), WORKER, path, "fill"], { quiet: true });
    const rows = [];
    for (const [mix, writes] of Object.entries(MIXES)) {
      for (const count of counts) {
        console.error(`measuring ${count} processes, ${mix} ...`);
        rows.push({ processes: count, mix, kills: 0, ...(await together(path, count, writes, seconds)) });
      }
    }
    for (const count of counts.slice(0, 2)) {
      console.error(`measuring ${count} processes beside a writer that is killed again and again ...`);
      const killer = killAgainAndAgain(path);
      const figures = await together(path, count, MIXES["90/10"], seconds);
      rows.push({ processes: count, mix: "90/10", kills: await killer.end(), ...figures });
    }
    return rows;
  } finally {
    process.off("exit", clear);
    clear();
  }
}

async function together(path, count, writes, seconds) {
  const workers = await Promise.all(Array.from({ length: count }, () => start(path, writes, seconds)));
  for (const worker of workers) worker.process.stdin.write("go\n");
  const results = await Promise.all(workers.map(async (worker) => JSON.parse(await worker.line())));
  await Promise.all(workers.map((worker) => worker.ended));
  const merged = hdr.decodeFromCompressedBase64(results[0].histogram);
  for (const result of results.slice(1)) merged.add(hdr.decodeFromCompressedBase64(result.histogram));
  const row = { perSecond: Math.round(results.reduce((sum, result) => sum + result.perSecond, 0)) };
  for (const percentile of [50, 99, 99.9, 99.99])
    row[`p${percentile}`] = merged.getValueAtPercentile(percentile);
  return row;
}

/** Starts a process and waits until it is ready; `line()` is the next thing it says. */
async function start(path, writes, seconds) {
  const [program, ...options] = runtime("bun");
  const child = spawn(program, [...options, WORKER, path, "run", String(writes), String(seconds)], {
    cwd: root,
    env: toolEnvironment(),
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const { done, value } = await lines.next();
    if (done) throw new Error("a process of the benchmark ended without its result");
    return value;
  };
  const said = await line();
  if (said !== "ready") throw new Error(`a process of the benchmark said: ${said}`);
  return { process: child, line, ended };
}

/** One writer after the other; each is killed after LIFE_MS of writing. `end` resolves to how many. */
function killAgainAndAgain(path) {
  let kills = 0;
  let ending = false;
  const ended = (async () => {
    while (!ending) {
      const victim = await start(path, 100, 0);
      victim.process.stdin.write("go\n");
      await sleep(LIFE_MS);
      victim.process.kill("SIGKILL");
      await victim.ended;
      kills++;
    }
  })();
  return {
    async end() {
      ending = true;
      await ended;
      return kills;
    },
  };
}
