// The core's includes point one way: a file includes headers of its own layer or of those below, never of one above.

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { files } from "./lib/files.mjs";
import { root } from "./lib/tools.mjs";

// From the top down. A name without an ending stands for its .c and its .h. All of core/os/ is ground.
const LAYERS = [
  ["interface", ["api", "handle", "io"]],
  ["operations", ["arguments", "batch", "iterate", "read", "segment", "stats", "update", "verify", "write"]],
  ["shards", ["clean", "entry", "evict", "evict_lru", "evict_s3fifo", "expire", "shard.c"]],
  ["structures", ["index", "lock", "log", "mark", "process", "record", "superblock"]],
  ["ground", ["atomic", "cache", "check", "geometry", "hash", "layout", "report", "shard.h", "fastcache"]],
];

/** Each include that points up, and each file without a layer, as one line of text. */
export function includeOffences() {
  const offences = [];
  for (const path of files(/^core\/.*\.[ch]$/)) {
    const own = layerOf(path);
    if (own === undefined) {
      offences.push(`${path} has no layer: give it one in scripts/lint-includes.mjs`);
      continue;
    }
    const includes = readFileSync(join(root, path), "utf8").matchAll(/^\s*#\s*include\s*"([^"]+)"/gm);
    for (const [, header] of includes) {
      const other = layerOf(header);
      if (other !== undefined && other < own) {
        offences.push(
          `${path} (${LAYERS[own][0]}) includes ${header} (${LAYERS[other][0]}), which is above it`,
        );
      }
    }
  }
  return offences;
}

/** 0 is the top; undefined if the file is in no layer. */
function layerOf(path) {
  if (/(^|\/)os\//.test(path)) return LAYERS.length - 1;
  const file = basename(path);
  const stem = file.replace(/\.[ch]$/, "");
  const layer = LAYERS.findIndex(([, names]) => names.includes(file) || names.includes(stem));
  return layer === -1 ? undefined : layer;
}
