// Small rules that no other tool checks: lengths of files and of comments, and what must not be written in any file.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { files } from "./lib/files.mjs";
import { root } from "./lib/tools.mjs";

const LINES_MAX = [
  [/\.ts$/, 400],
  [/\.c$/, 600],
];
/** clang-format leaves comments as they are. */
const C_SOURCE = /^core\/.*\.[ch]$/;
const COLUMNS_MAX = 100;
const TEXT = /\.(c|h|zig|zon|map|ts|mjs|json|md|txt)$|^\.[\w-]+$|^\.ci\/|LICENSE$/;
const FORBIDDEN = [
  [/\bregistry\.[a-z]+\.[a-z]+/, "names a package registry's host"],
  [/"resolved": "\w+:/, "says where a package was downloaded; see .npmrc"],
  [/\/(home|root|work|Users)\/\w/, "has a path of somebody's machine"],
];

/** Each offence as one line of text. */
export function untidiness() {
  const found = [];
  if (files(/^package-lock\.json$/).length === 0) found.push("package-lock.json is missing");
  for (const path of files(TEXT)) {
    const text = readFileSync(join(root, path), "utf8");
    const lines = text.split("\n").length - 1;
    if (C_SOURCE.test(path)) found.push(...wideLines(path, text));
    for (const [pattern, max] of LINES_MAX) {
      if (pattern.test(path) && lines > max) found.push(`${path} has ${lines} lines; the limit is ${max}`);
    }
    for (const [pattern, offence] of FORBIDDEN) {
      if (pattern.test(text)) found.push(`${path} ${offence}: ${pattern.exec(text)[0]}`);
    }
  }
  return found;
}

/** Only comments can be too wide: clang-format breaks code. */
function wideLines(path, text) {
  return text.split("\n").flatMap((line, i) => {
    const columns = [...line].length;
    return columns > COLUMNS_MAX
      ? [`${path}:${i + 1} has ${columns} columns; the limit is ${COLUMNS_MAX}`]
      : [];
  });
}
