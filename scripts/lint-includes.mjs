// The core's includes point one way. ARCHITECTURE.md states one total order of all rooms, from the top down; a file
// includes headers of its own room or of rooms below it, never of one above.

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { files } from "./lib/files.mjs";
import { root } from "./lib/tools.mjs";

const rooms = orderOf("The rooms of core/, from the top down");

/** Each include that points up, each file without a room, and each room without a file, as one line of text. */
export function includeOffences() {
  const offences = [];
  const paths = files(/^core\/.*\.[ch]$/);
  for (const path of paths) {
    const own = rooms.indexOf(roomOf(path));
    if (own === -1) {
      offences.push(`${path} has no place in the order of ARCHITECTURE.md`);
      continue;
    }
    const includes = readFileSync(join(root, path), "utf8").matchAll(/^\s*#\s*include\s*"([^"]+)"/gm);
    for (const [, header] of includes) {
      const other = rooms.indexOf(roomOf(header));
      if (other < own) offences.push(`${path} includes ${header}, which is above it`);
    }
  }
  const used = new Set(paths.map(roomOf));
  for (const room of rooms.filter((room) => !used.has(room))) offences.push(`core/ has no room ${room}`);
  return offences;
}

/** A file and its header are one room; so is all of core/os/. */
function roomOf(path) {
  if (/(^|\/)os\/|internal\.h$/.test(path)) return "os";
  return basename(path).replace(/\.[ch]$/, "");
}

/** The words of the code block behind the sentence that begins so. */
export function orderOf(sentence) {
  const text = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
  const block = text.slice(text.indexOf(sentence)).split("```")[1] ?? "";
  return block.split(/\s+/).filter((word) => word !== "" && word !== "text");
}
