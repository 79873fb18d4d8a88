// Go libraries on the core's seed workload: builds and runs the module in bench/go, and says what the figures mean.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "../scripts/lib/process.mjs";
import { root, systemPath } from "../scripts/lib/tools.mjs";
import { measure } from "./measure.mjs";

const MODULE = join(root, "bench/go");
const PROGRAM = join(root, "zig-out/bench/go-caches");
const INSTALLED = "/usr/local/go/bin";
const REASON_LENGTH_MAX = 200;

/** What is compared, in words, for the report. */
export const goNote = `\
Go libraries, each through its own public API in one process, on the seed workload. bigcache copies values in and out,
as a cache in shared memory must; ristretto and theine keep and return pointers to the caller's memory, and ristretto
drops sets when its queue is full: see 'hits'. leslie-fei/fastcache, whose workload this is, is not among them.
What is known of it at commit c9d4d20 was measured apart, on a busy virtual machine with
two processors: its allocator does not align what it hands out, so of 128 shards 64 have a lock word that is not
naturally aligned, and 4 one that straddles a cache line. An atomic operation on such a word locks the bus, and Linux
traps that where the processor can report it: two traps of about 165 µs (median) for each operation on those shards,
which is about 10 µs per operation over all keys, and most of its time. With allocations aligned to 64 bytes it takes
about an eighth. It is the trap that costs, so elsewhere the difference can be far smaller.`;

/** Rows of { library, name, keys, threads, ns, hits }; none, with a word why, where they cannot be built. */
export async function measureGo({ isQuick }) {
  const go = findGo();
  if (go === undefined) return leftOut(`there is no go on PATH or in ${INSTALLED}`);
  const options = { cwd: MODULE, quiet: true, env: { GOFLAGS: "-mod=readonly" } };

  const download = await run([go, "mod", "download"], options);
  if (download.code !== 0)
    return leftOut(`their modules cannot be downloaded: ${shortened(download.output)}`);
  const built = await run([go, "build", "-buildvcs=false", "-o", PROGRAM, "."], options);
  if (built.code !== 0) return leftOut(`they cannot be built: ${shortened(built.output)}`);
  return await measure("the Go libraries", PROGRAM, isQuick ? ["--quick"] : []);
}

function leftOut(reason) {
  console.error(`the Go libraries are left out: ${reason}`);
  return [];
}

function findGo() {
  return [...systemPath().split(delimiter), INSTALLED]
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, "go"))
    .find((path) => existsSync(path));
}

/** go's last line says most. */
function shortened(output) {
  return output.trim().split("\n").at(-1).slice(0, REASON_LENGTH_MAX);
}
