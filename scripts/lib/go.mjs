// Builds programs in Go where there is a Go on the machine: nothing needs one, so what lacks it is left out, with a reason.

import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { run } from "./process.mjs";
import { systemPath } from "./tools.mjs";

const INSTALLED = "/usr/local/go/bin";
const DOWNLOAD_SECONDS_MAX = 90;
const REASON_LENGTH_MAX = 200;

/**
 * Builds the module in `folder` into `program`, with the dependencies that its go.sum names, which go downloads into its own
 * cache if they are not there. Resolves to why that is not possible, or `undefined`.
 */
export async function buildGo(folder, program) {
  const go = findGo();
  if (go === undefined) return `there is no go on PATH or in ${INSTALLED}`;
  const caches = usableCaches();
  const options = {
    cwd: folder,
    quiet: true,
    env: { GOFLAGS: "-mod=readonly -modcacherw", GOTOOLCHAIN: "local", ...caches.env },
  };
  try {
    const limit = { limitSeconds: DOWNLOAD_SECONDS_MAX };
    const download = await run([go, "mod", "download"], { ...options, ...limit });
    if (download.code !== 0) return `not to be downloaded: ${lastLine(download.output)}`;
    const built = await run([go, "build", "-buildvcs=false", "-o", program, "."], options);
    return built.code === 0 ? undefined : `not to be built: ${lastLine(built.output)}`;
  } finally {
    caches.remove();
  }
}

function findGo() {
  return [...systemPath().split(delimiter), INSTALLED]
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, "go"))
    .find((path) => existsSync(path));
}

/** Go's own caches, or temporary ones for a user without a home folder to write to. */
function usableCaches() {
  const home = homedir();
  try {
    mkdirSync(join(home, ".cache"), { recursive: true });
    for (const folder of [home, join(home, ".cache")]) accessSync(folder, constants.W_OK);
    return { env: {}, remove() {} };
  } catch {
    const folder = mkdtempSync(join(tmpdir(), "fastcache-go-"));
    const env = { GOCACHE: join(folder, "build"), GOPATH: join(folder, "path") };
    return { env, remove: () => rmSync(folder, { recursive: true }) };
  }
}

/** go's last line says most. */
function lastLine(output) {
  return output.trim().split("\n").at(-1).trim().slice(0, REASON_LENGTH_MAX);
}
