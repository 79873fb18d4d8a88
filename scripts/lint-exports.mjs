// core/exports.map names the functions that core/include/fastcache.h declares, those that Node looks for in an
// addon, and no other.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./lib/tools.mjs";

const ADDON = ["napi_register_module_v1", "node_api_module_get_api_version_v1"];

/** Each function that only one of the two names, as one line of text. */
export function exportDifferences() {
  const header = read("core/include/fastcache.h").matchAll(/^FC_API [^;(]*?\b(fc_\w+)\(/gm);
  const declared = new Set([...[...header].map((match) => match[1]), ...ADDON]);
  const map = read("core/exports.map").matchAll(/^\s+(\w+);$/gm);
  const exported = new Set([...map].map((match) => match[1]));
  return [
    ...[...declared]
      .filter((name) => !exported.has(name))
      .map((name) => `${name} is not in core/exports.map`),
    ...[...exported].filter((name) => !declared.has(name)).map((name) => `${name} is not in the header`),
  ];
}

function read(path) {
  return readFileSync(join(root, path), "utf8");
}
