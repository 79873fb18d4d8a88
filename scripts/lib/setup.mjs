// Makes a fresh clone ready: installs the dependencies when they are missing or not those of the lockfile.
// Uses nothing but Node and npm, so that it runs before anything is installed.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "./process.mjs";
import { modules, root, systemPath } from "./tools.mjs";

export async function setUp() {
  const reason = staleness();
  if (reason === undefined) return;
  console.log(`setup: ${reason}; running npm ci`);
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  // Not with the runtimes that are about to be replaced.
  await must(["npm", ...args], { env: { PATH: systemPath() }, limitSeconds: 1200 });
}

/** Why node_modules is not what the lockfile says, or undefined if it is. */
function staleness() {
  const installedPath = join(modules, ".package-lock.json");
  if (!existsSync(installedPath)) return "the dependencies are not installed";
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(installedPath, "utf8")).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    const isDependency = path.startsWith("node_modules/") && !entry.link;
    const found = installed[path];
    if (isDependency && !entry.optional && found === undefined) return `${path} is not installed`;
    if (isDependency && found !== undefined && found.integrity !== entry.integrity) {
      return `${path} is not version ${entry.version}`;
    }
  }
  return undefined;
}
