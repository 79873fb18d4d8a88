// The JavaScript benchmark in all three runtimes, beside other stores; see js/suite.mjs for what it measures.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, runtime } from "../scripts/lib/tools.mjs";
import { measure } from "./measure.mjs";
import { startServers } from "./servers.mjs";

const SUITE = join(root, "bench/js/suite.mjs");

/** Rows of { runtime, group, values, store, operation, order, ns }. */
export async function measureJavaScript({ isQuick }) {
  const folder = mkdtempSync("/dev/shm/fastcache-bench-");
  const clear = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", clear);
  const { sockets, stop } = await startServers();
  const parameters = [folder, ...(isQuick ? ["--quick"] : [])];
  for (const [name, socket] of Object.entries(sockets)) parameters.push(`--${name}`, socket);
  try {
    const rows = [];
    for (const name of ["bun", "deno", "node"]) {
      const [program, ...options] = runtime(name);
      const found = await measure(`the stores in ${name}`, program, [...options, SUITE, ...parameters]);
      rows.push(...found.map((row) => ({ runtime: name, ...row })));
    }
    return rows;
  } finally {
    stop();
    process.off("exit", clear);
    clear();
  }
}
