// Throughput and latency of 1 to 8 Bun processes on one segment, also beside a writer that is killed again and again.
// Latencies are of all processes together: their histograms are added (HdrHistogram).

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import hdr from "hdr-histogram-js";
import { killGroup, must, start } from "../scripts/lib/process.mjs";
import { root, runtime } from "../scripts/lib/tools.mjs";

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
        rows.push({ processes: count, mix, ...(await together(path, count, writes, seconds)) });
      }
    }
    for (const count of counts.slice(0, 2)) {
      console.error(`measuring ${count} processes beside a writer that is killed again and again ...`);
      const killer = killAgainAndAgain(path);
      try {
        const figures = await together(path, count, MIXES["90/10"], seconds, killer.count);
        rows.push({ processes: count, mix: "90/10, kills", ...figures });
      } finally {
        await killer.end();
      }
    }
    return rows;
  } finally {
    process.off("exit", clear);
    clear();
  }
}

/** `kills` says how many there have been; the row has those of the time that is measured. */
async function together(path, count, writes, seconds, kills = () => 0) {
  const begin = (_, i) => startWorker(path, writes, seconds, i / count);
  const workers = await Promise.all(Array.from({ length: count }, begin));
  const before = kills();
  for (const worker of workers) worker.process.stdin.write("go\n");
  const results = await Promise.all(workers.map(async (worker) => JSON.parse(await worker.line())));
  const killed = kills() - before;
  await Promise.all(workers.map((worker) => worker.ended));
  const merged = hdr.decodeFromCompressedBase64(results[0].histogram);
  for (const result of results.slice(1)) merged.add(hdr.decodeFromCompressedBase64(result.histogram));
  const row = {
    kills: killed,
    perSecond: Math.round(results.reduce((sum, result) => sum + result.perSecond, 0)),
  };
  for (const percentile of [50, 99, 99.9, 99.99])
    row[`p${percentile}`] = merged.getValueAtPercentile(percentile);
  return row;
}

/**
 * Starts a process, which begins at that part of the keys, and waits until it is ready; `line()` is the next thing it
 * says.
 */
async function startWorker(path, writes, seconds, part) {
  const parameters = [path, "run", writes, seconds, part].map(String);
  const child = start([...runtime("bun"), WORKER, ...parameters], { stdio: ["pipe", "pipe", "inherit"] });
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
      const victim = await startWorker(path, 100, 0, 0);
      victim.process.stdin.write("go\n");
      await sleep(LIFE_MS);
      killGroup(victim.process);
      await victim.ended;
      kills++;
    }
  })();
  ended.catch(() => {}); // told by end()
  return {
    count: () => kills,
    async end() {
      ending = true;
      await ended;
    },
  };
}
