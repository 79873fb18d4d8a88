// Linearisability: records what participants in three runtimes do to one segment while they are stopped and killed, and has
// the checker (checker/, in Go) look for an order of each key's operations that explains all they returned.
//
//   node test/history/run.mjs [--long] [--seed S] [--module FILE] [--roomy SECONDS]
//
// The seed decides what is drawn, not how the processes interleave: a failure keeps its journals and says where. `--module`
// records what another build of the package does, `--roomy` only what needs no room, for that long. Needs dist/ and Node 26. Skipped, with the reason, where the checker cannot
// be built.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildGo } from "../../scripts/lib/go.mjs";
import { endChildrenOnSignal, run } from "../../scripts/lib/process.mjs";
import { root } from "../../scripts/lib/tools.mjs";
import { record, removeSegment } from "./record.mjs";

const CHECK_SECONDS_MAX = 600;
const folder = join(root, "zig-out/history");
const checker = join(folder, "checker");

const short = [
  [
    { name: "roomy", seconds: 3 },
    { name: "full", seconds: 2 },
  ],
];
const long = Array.from({ length: 3 }, () => [
  { name: "roomy", seconds: 25 },
  { name: "full", seconds: 15, eviction: "lru" },
  { name: "full", seconds: 15, eviction: "s3-fifo" },
]);

const args = process.argv.slice(2);
const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const seed = Number(option("--seed") ?? Date.now() % 2 ** 31);
const module = option("--module") ?? "fastcache";
const roomy = option("--roomy");
const rounds = args.includes("--long") ? long : roomy ? [[{ name: "roomy", seconds: Number(roomy) }]] : short;

endChildrenOnSignal(() => removeSegment());
mkdirSync(folder, { recursive: true });
const reason = await buildGo(join(root, "test/history/checker"), checker);
if (reason === undefined) await attack();
else console.log(`skipped: histories are not checked: ${reason}`);

async function attack() {
  console.log(`# seed ${seed}`);
  const place = join(folder, String(process.pid));
  for (const [number, phases] of rounds.entries()) {
    const isGood = await attackOnce(place, phases, (seed + number * phases.length) % 2 ** 31);
    if (!isGood) {
      console.log(`# the journals are in ${place}; seed ${seed}`);
      process.exitCode = 1;
      return;
    }
    rmSync(place, { recursive: true });
  }
}

/** Records the phases, then checks them; what goes wrong is printed. */
async function attackOnce(place, phases, phaseSeed) {
  const recorded = [];
  for (const [i, { name, seconds, eviction = seed % 2 ? "lru" : "s3-fifo" }] of phases.entries()) {
    const journals = join(place, String(i));
    try {
      recorded.push(await record({ name, seconds, eviction, seed: phaseSeed + i, module, folder: journals }));
    } catch (error) {
      console.log(`not ok 1 - recording, ${name}: ${error.message}`);
      return false;
    }
  }
  const manifest = join(place, "manifest.json");
  writeFileSync(manifest, JSON.stringify(recorded));
  const { code } = await run([checker, manifest, String(seed)], { limitSeconds: CHECK_SECONDS_MAX });
  return code === 0;
}
