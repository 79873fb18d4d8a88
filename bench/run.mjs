// npm run bench: measures the core beside the machine's own limits, and replays traces through it.
//
//   --quick        under two minutes: one thread and uniform keys
//   --bars         only the table of bars: figure, bar, reached or not
//   --traces DIR   traces as NAME.txt.gz with lines "key size", and a README.md with reference hit ratios;
//                  ../shared/traces beside the checkout if not said, and no hit ratios if that is not there
//   --json FILE    all figures
//
// All figures of a run are from that run; ratios are what counts. Keep the machine quiet.

import { spawn } from "node:child_process";
import { createReadStream, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createGunzip } from "node:zlib";
import { must, run } from "../scripts/lib/process.mjs";
import { root, tool } from "../scripts/lib/tools.mjs";
import { barTable } from "./bars.mjs";
import { print } from "./table.mjs";

const args = process.argv.slice(2);
const isQuick = args.includes("--quick");
const traces = resolve(option("--traces") ?? join(root, "../shared/traces"));
const program = (name) => join(root, "zig-out/bench", name);

await must([tool("zig"), "build", "bench"], { quiet: true });
const core = await measure("the seed workload", program("seed"), isQuick ? ["--quick"] : []);
const latency = await measure("sets in a full segment", program("latency"), []);
const ratios = await replayAll();

if (!args.includes("--bars")) {
  print(
    "core, ns per operation, best of 5",
    core.map((row) => ({ workload: row.name, keys: row.keys, ns: row.ns })),
  );
  print("full segment", latency);
  if (ratios.length > 0) print("hit ratio in percent, of the real cache", ratios);
}
print("bars", barTable(core, latency, ratios));
const file = option("--json");
if (file !== undefined) writeFileSync(file, `${JSON.stringify({ core, latency, ratios }, null, 2)}\n`);

function option(name) {
  const at = args.indexOf(name);
  return at === -1 ? undefined : args[at + 1];
}

/** Runs a program that prints JSON objects, one per line. */
async function measure(title, path, parameters) {
  console.error(`measuring ${title} ...`);
  const { code, output } = await run([path, ...parameters], { quiet: true, limitSeconds: 1800 });
  if (code !== 0) throw new Error(`${path} failed with exit code ${code}:\n${output}`);
  return output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** Every row of the reference table, through the real cache with either policy. */
async function replayAll() {
  if (!existsSync(join(traces, "README.md"))) {
    console.error(`hit ratios are left out: there are no traces in ${traces} (--traces DIR)`);
    return [];
  }
  const rows = [];
  const text = readFileSync(join(traces, "README.md"), "utf8");
  const number = "\\s*([\\d.]+)\\s*\\|";
  const pattern = new RegExp(`^\\| (\\w+) \\| ([\\d.]+ %) \\|${number.repeat(5)}`, "gm");
  for (const [, trace, share, objects, , lru, s3fifo] of text.matchAll(pattern)) {
    const path = join(traces, `${trace}.txt.gz`);
    if (!existsSync(path)) continue;
    console.error(`replaying ${trace} at ${objects} objects ...`);
    const ours = { lru: await replay(path, objects, "lru"), s3fifo: await replay(path, objects, "s3-fifo") };
    rows.push({
      trace,
      share,
      objects: Number(objects),
      "exact LRU": Number(lru),
      lru: ours.lru,
      "lru - exact": rounded(ours.lru - lru),
      "S3-FIFO": Number(s3fifo),
      "s3-fifo": ours.s3fifo,
      "s3-fifo - S3-FIFO": rounded(ours.s3fifo - s3fifo),
    });
  }
  return rows;
}

function replay(path, objects, policy) {
  return new Promise((resolveRatio, reject) => {
    const child = spawn(program("replay"), [objects, policy], { stdio: ["pipe", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (data) => {
      output += data;
    });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolveRatio(JSON.parse(output).hitRatio) : reject(new Error(`replay: exit code ${code}`)),
    );
    createReadStream(path).on("error", reject).pipe(createGunzip()).on("error", reject).pipe(child.stdin);
  });
}

function rounded(number) {
  return Math.round(number * 100) / 100;
}
