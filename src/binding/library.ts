// SPDX-License-Identifier: MIT
//
// Finds and loads the native library, once per process (or worker): the one that the user names, or the
// one of this platform in the package. Nothing here runs at import: every failure becomes an error of
// `FastCache.open` that says what was tried, what happened, and what to do.

import { ABI_VERSION, FUNCTIONS } from "../abi.ts";
import { FastCacheError, invalid } from "../errors.ts";
import type { Binding, Runtime } from "./binding.ts";
import { bunRuntime } from "./bun.ts";
import { denoRuntime } from "./deno.ts";
import { nodeRuntime } from "./node.ts";
import { isBundled, isRemote, libraryFile, platformNames } from "./platforms.ts";
import { waiting } from "./waiting.ts";

/** The environment variable that names the library, as the option `library` does. */
const VARIABLE = "FASTCACHE_LIBRARY";

let loaded: Binding | undefined;

/**
 * The native library for this runtime; loaded by the first call, the same object afterwards. `library` is its
 * path, if the user gave one.
 *
 * @throws FastCacheError `FFI_UNAVAILABLE`; `INVALID_ARGUMENT` if another one is loaded
 */
export function loadBinding(library?: string): Binding {
  loaded ??= loadLibrary(currentRuntime(), library);
  if (library === undefined || library === loaded.path) return loaded;
  throw invalid(
    `library is ${JSON.stringify(library)}, but ${loaded.path} is loaded already, and one serves all caches of a ` +
      "process (or worker): give the same to every open()",
  );
}

function currentRuntime(): Runtime {
  const runtime = bunRuntime() ?? denoRuntime() ?? nodeRuntime();
  if (runtime === undefined) {
    throw unavailable("this JavaScript runtime is unknown: use Bun, Deno, or Node 20 or later");
  }
  return runtime;
}

/** As `loadBinding`, for a given runtime, and without the memory. */
export function loadLibrary(runtime: Runtime, library?: string): Binding {
  // Who sets a variable to nothing means to unset it.
  const chosen = library ?? (runtime.variable(VARIABLE) || undefined);
  if (chosen !== undefined && !chosen.includes("/")) {
    throw unavailable(
      `the native library is said to be ${JSON.stringify(chosen)}, a name without a folder, which the system would ` +
        `look for in folders of its own: write ${JSON.stringify(`./${chosen}`)}, or the whole path`,
    );
  }
  const failures: string[] = [];
  let cause: unknown;
  for (const path of chosen === undefined ? libraryPaths(runtime) : [chosen]) {
    try {
      checkVersion(runtime, path);
      const native = runtime.open(path, FUNCTIONS);
      return { native, wait: waiting(path), path, traits: runtime.traits, pin: runtime.pin };
    } catch (error) {
      if (error instanceof FastCacheError) throw error;
      const remedy = runtime.remedy(error);
      if (remedy !== undefined) {
        throw unavailable(`${runtime.version} cannot call native code here: ${remedy}`, error);
      }
      cause ??= error;
      failures.push(`${path} (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  const tried = `the native library could not be loaded. Tried ${failures.join(" and ")}. `;
  throw unavailable(tried + remedyFor(chosen), cause);
}

function remedyFor(chosen: string | undefined): string {
  if (chosen !== undefined) {
    return `That path comes from the option \`library\` or from ${VARIABLE}: correct it, or leave it out`;
  }
  if (isBundled()) return bundledRemedy();
  return "In a clone of the repository, build it with `npm run build`; otherwise reinstall the package";
}

const REMOTE_REMEDY =
  "fastcache was loaded over the network, from where no native library can be: import it from `npm:fastcache`, or " +
  `give the path of a library in the file system as the option \`library\` or in ${VARIABLE}`;

function bundledRemedy(): string {
  return (
    "fastcache was bundled into the app, without its native library: either tell the bundler that `fastcache` " +
    "is external, or ship node_modules/fastcache/dist/native/<platform>/libfastcache.so with the app and give " +
    `its path as the option \`library\` or in ${VARIABLE}`
  );
}

function checkVersion(runtime: Runtime, path: string): void {
  const { fc_abi_version } = runtime.open(path, { fc_abi_version: FUNCTIONS.fc_abi_version });
  const version = fc_abi_version();
  if (version === ABI_VERSION) return;
  throw unavailable(
    `${path} has ABI version ${version}, this package needs ${ABI_VERSION}: ` +
      "rebuild it with `npm run build`, or reinstall the package",
  );
}

/** The package's files to try, the likeliest first. */
export function libraryPaths(runtime: Pick<Runtime, "platform" | "arch" | "libcs" | "version">): string[] {
  const platform = `${runtime.platform}-${runtime.arch}`;
  try {
    const files = runtime.libcs.map((libc) => libraryFile(`${platform}-${libc}`));
    const paths = files.filter((file) => file !== undefined);
    if (paths.length > 0) return paths;
  } catch (error) {
    const remedy = isRemote() ? REMOTE_REMEDY : bundledRemedy();
    throw unavailable(`there is no telling where the native library lies. ${remedy}`, error);
  }
  const wsl = runtime.platform === "win32" ? "; on Windows it runs in WSL 2" : "";
  throw unavailable(
    `there is no native library for ${platform} (${runtime.version}): ` +
      `the platforms are ${platformNames().join(", ")}${wsl}`,
  );
}

function unavailable(message: string, cause?: unknown): FastCacheError {
  const options = cause === undefined ? undefined : { cause };
  return new FastCacheError("ERR_FASTCACHE_FFI_UNAVAILABLE", message, options);
}
