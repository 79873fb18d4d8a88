// The core's includes point one way: when a module (a .c and the .h of its name) includes another, no chain of includes
// leads back. So each can be read, and tested, with only those below it in mind.

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { files } from "./lib/files.mjs";
import { root } from "./lib/tools.mjs";

/** Each circle of includes as one line of text. */
export function includeCircles() {
  const includes = new Map();
  for (const path of files(/^core\/.*\.[ch]$/)) {
    const module = moduleOf(path);
    const found = readFileSync(join(root, path), "utf8").matchAll(/^\s*#\s*include\s*"([^"]+)"/gm);
    const others = [...found].map((match) => moduleOf(match[1])).filter((other) => other !== module);
    includes.set(module, [...(includes.get(module) ?? []), ...others]);
  }
  const circles = [];
  const done = new Set();
  const visit = (module, chain) => {
    if (chain.includes(module)) {
      circles.push([...chain.slice(chain.indexOf(module)), module].join(" -> "));
    } else if (!done.has(module)) {
      for (const other of includes.get(module) ?? []) visit(other, [...chain, module]);
      done.add(module);
    }
  };
  for (const module of includes.keys()) visit(module, []);
  return circles;
}

/** A system's file in core/os/ is part of the module "os". */
function moduleOf(path) {
  return path.includes("os/") ? "os" : basename(path).replace(/\.[ch]$/, "");
}
