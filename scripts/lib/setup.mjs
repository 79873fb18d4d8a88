// Makes a fresh clone ready: installs the dependencies when they are missing or not those of the lockfile.
// Uses nothing but Node and npm, so that it runs before anything is installed.

import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { must } from "./process.mjs";
import { modules, root, systemPath } from "./tools.mjs";

const INSTALL_SECONDS_MAX = 1200;

export async function setUp() {
  const reason = staleness();
  if (reason === undefined) return;
  console.log(`setup: ${reason}; running npm ci`);
  const cache = usableCache();
  // Not with the runtimes that are about to be replaced.
  const env = { PATH: systemPath(), npm_config_cache: cache.folder };
  try {
    const command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"];
    await must(command, { env, limitSeconds: INSTALL_SECONDS_MAX });
  } finally {
    cache.remove();
  }
}

/** npm's cache, or a temporary one for a user without a home folder to write to. */
function usableCache() {
  const folder = process.env.npm_config_cache ?? join(homedir(), ".npm");
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return { folder, remove() {} };
  } catch (error) {
    console.log(`setup: npm's cache is not to be used (${error.message}); using a temporary one`);
    const temporary = mkdtempSync(join(tmpdir(), "fastcache-npm-"));
    return { folder: temporary, remove: () => rmSync(temporary, { recursive: true }) };
  }
}

/** Why node_modules is not what the lockfile says, or undefined if it is. */
function staleness() {
  const installedPath = join(modules, ".package-lock.json");
  if (!existsSync(installedPath)) return "the dependencies are not installed";
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(installedPath, "utf8")).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    const isDependency = /(^|\/)node_modules\//.test(path) && !entry.link;
    const found = installed[path];
    if (isDependency && !entry.optional && found === undefined) return `${path} is not installed`;
    if (isDependency && found !== undefined && found.integrity !== entry.integrity) {
      return `${path} is not version ${entry.version}`;
    }
  }
  return undefined;
}
