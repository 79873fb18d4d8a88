// The imports of src/ point one way: a file imports from rooms below its own, never from its own or from one above.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { files } from "./lib/files.mjs";
import { root } from "./lib/tools.mjs";

// From the top down. A name is a path in src/ without its ending; each file is in one room.
const ROOMS = [
  ["program", ["program/main"]],
  ["commands", ["program/get", "program/load", "program/ls", "program/stat", "program/top"]],
  ["commands that others use", ["program/change", "program/dump", "program/keys"]],
  ["dump's format, top's picture", ["program/dump_format", "program/top_view"]],
  ["command line and targets", ["program/arguments", "program/target"]],
  ["raw entries and output", ["program/errors", "program/output", "program/raw"]],
  ["adapters", ["adapters/structured"]],
  ["package", ["index"]],
  ["class", ["cache"]],
  ["flights", ["flights"]],
  ["a flight", ["flight"]],
  ["iterators", ["iterate"]],
  ["batches", ["batch"]],
  ["counters", ["increment"]],
  ["operations", ["lease", "read", "stats", "write"]],
  ["segments", ["segment"]],
  ["arguments of a flight", ["flight_options"]],
  ["arguments", ["options"]],
  ["values", ["wire/value"]],
  ["stored forms", ["wire/annotated"]],
  ["what JSON lacks", ["wire/annotate"]],
  ["keys and answers", ["wire/key", "wire/pool", "wire/tags"]],
  ["long keys", ["wire/long_key"]],
  ["requests", ["wire/request"]],
  ["memory", ["wire/json", "wire/kind", "wire/memory"]],
  ["library", ["binding/library"]],
  ["runtimes", ["binding/bun", "binding/deno", "binding/node"]],
  ["binding", ["binding/binding", "binding/libc", "binding/pin", "binding/platforms"]],
  ["waits", ["binding/waiting"]],
  ["errors", ["errors"]],
  ["ground", ["abi", "types"]],
];

/** Each import that does not point down, and each file or name without its counterpart, as one line of text. */
export function importOffences() {
  const paths = files(/^src\/.*\.ts$/);
  const names = ROOMS.flatMap(([, room]) => room);
  const missing = names.filter((name) => !paths.includes(`src/${name}.ts`));
  const offences = missing.map(
    (name) => `src/${name}.ts has a room in scripts/lint-imports.mjs, but is not there`,
  );
  for (const path of paths) {
    const own = roomOf(path);
    if (own === -1) {
      offences.push(`${path} has no room: give it one in scripts/lint-imports.mjs`);
      continue;
    }
    const imports = readFileSync(join(root, path), "utf8").matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
    for (const [, relative] of imports) {
      const other = join(dirname(path), relative);
      const room = roomOf(other);
      if (room > own) continue;
      const where = room === -1 ? "is in no room" : `is not below it (${ROOMS[room][0]})`;
      offences.push(`${path} (${ROOMS[own][0]}) imports ${other}, which ${where}`);
    }
  }
  return offences;
}

/** 0 is the top; -1 if the file is in no room. */
function roomOf(path) {
  return ROOMS.findIndex(([, room]) => room.some((name) => path === `src/${name}.ts`));
}
