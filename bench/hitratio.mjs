// Hit ratios: replays access traces through the real cache, with either policy, beside the ratios of exact LRU and of
// S3-FIFO's reference that a README.md in the same folder has as rows "| trace | share % | objects | fifo | lru | ...".

import { spawn } from "node:child_process";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { root } from "../scripts/lib/tools.mjs";

const REPLAY = join(root, "zig-out/bench/replay");

/** A row for every row of the reference table whose trace is there; none if there is no table. */
export async function measureHitRatios(folder) {
  if (!existsSync(join(folder, "README.md"))) {
    console.error(`hit ratios are left out: there are no traces in ${folder} (--traces DIR)`);
    return [];
  }
  const rows = [];
  const text = readFileSync(join(folder, "README.md"), "utf8");
  const number = "\\s*([\\d.]+)\\s*\\|";
  const pattern = new RegExp(`^\\| (\\w+) \\| ([\\d.]+ %) \\|${number.repeat(5)}`, "gm");
  for (const [, trace, share, objects, , lru, s3fifo] of text.matchAll(pattern)) {
    const path = join(folder, `${trace}.txt.gz`);
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
    const child = spawn(REPLAY, [objects, policy], { stdio: ["pipe", "pipe", "inherit"] });
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
