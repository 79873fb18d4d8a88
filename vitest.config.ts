// The tests' settings. The same files run inside Bun, Deno and Node: `npm test` starts vitest in each.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

function source(name: string): string {
  return fileURLToPath(new URL(`src/${name}.ts`, import.meta.url));
}

export default defineConfig({
  resolve: {
    alias: [
      { find: /^fastcache$/, replacement: source("index") },
      { find: /^fastcache\/(\w+)$/, replacement: source("adapters/$1") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    // Bun's child processes lack what the pool of forks asks for; Deno's workers what the threads do.
    pool: process.versions.bun ? "threads" : "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
