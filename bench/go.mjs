// Go libraries on the core's upstream workload: builds and runs the modules in bench/go, and says what the figures mean.

import { join } from "node:path";
import { buildGo } from "../scripts/lib/go.mjs";
import { root } from "../scripts/lib/tools.mjs";
import { measure } from "./measure.mjs";

const FOLDER = join(root, "bench/go");
const UPSTREAM = "leslie-fei/fastcache";

/** What is compared, in words, for the report; `rows` are what was measured. */
export function goNote(rows) {
  const upstream = rows.some((row) => row.library.startsWith(UPSTREAM))
    ? `${UPSTREAM}, whose workload this is, is measured as shipped, set up as its own benchmark does`
    : `${UPSTREAM}, whose workload this is, was left out of this run`;
  return `\
Go libraries, each through its own public API in one process, on the upstream workload. bigcache copies values in and out,
as a cache in shared memory must; ristretto and theine keep and return pointers to the caller's memory, and ristretto
drops sets when its queue is full: see 'hits'. ${upstream}.
As shipped (commit c9d4d20) its allocator does not align what it hands out, so of 128 shards 64 have a lock word that is
not naturally aligned, and 4 one that straddles a cache line. An atomic operation on such a word locks the bus, and Linux
traps that where the processor can report it. That is most of its time: with its allocations aligned to 64 bytes it took
about an eighth, on another machine. It is the trap that costs, so the factor between it and any other cache says more
about the machine than about the caches.`;
}

/** Rows of { library, name, keys, threads, ns, hits }; what cannot be built is left out, with a word why. */
export async function measureGo({ isQuick }) {
  const peers = await measureProgram("peers", "the Go libraries", isQuick);
  const upstream = isQuick
    ? leftOut(UPSTREAM, "it takes a minute")
    : await measureProgram("upstream", UPSTREAM, isQuick);
  return [...peers, ...upstream];
}

/** Builds and runs the module in the folder `name`. */
async function measureProgram(name, title, isQuick) {
  const program = join(root, "zig-out/bench", `go-${name}`);
  const reason = await buildGo(join(FOLDER, name), program);
  if (reason !== undefined) return leftOut(title, reason);
  return await measure(title, program, isQuick ? ["--quick"] : []);
}

function leftOut(title, reason) {
  console.error(`left out: ${title}: ${reason}`);
  return [];
}
