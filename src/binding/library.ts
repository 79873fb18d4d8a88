// SPDX-License-Identifier: MIT
//
// Finds and loads the native library, once per process (or worker). Nothing here runs
// at import: every failure becomes an error of `FastCache.open` that says what was
// tried, what happened, and what to do.

import { ABI_VERSION, FUNCTIONS } from "../abi.ts";
import { FastCacheError } from "../errors.ts";
import type { Binding, Runtime } from "./binding.ts";
import { bunRuntime } from "./bun.ts";
import { denoRuntime } from "./deno.ts";
import { nodeRuntime } from "./node.ts";

const PLATFORMS = ["linux-x64", "linux-arm64"];

let loaded: Binding | undefined;

/**
 * The native library for this runtime; loaded by the first call, the same object afterwards.
 *
 * @throws FastCacheError `FFI_UNAVAILABLE`
 */
export function loadBinding(): Binding {
  loaded ??= loadLibrary(currentRuntime());
  return loaded;
}

function currentRuntime(): Runtime {
  const runtime = bunRuntime() ?? denoRuntime() ?? nodeRuntime();
  if (runtime === undefined) {
    throw unavailable("this JavaScript runtime is unknown: use Bun, Deno, or Node 26 or later");
  }
  return runtime;
}

/** As `loadBinding`, for a given runtime and folder, and without the memory. */
export function loadLibrary(runtime: Runtime, folder: string = nativeFolder()): Binding {
  const failures: string[] = [];
  let cause: unknown;
  for (const path of libraryPaths(runtime, folder)) {
    try {
      checkVersion(runtime, path);
      const native = runtime.open(path, FUNCTIONS);
      return { native, traits: runtime.traits, pin: runtime.pin };
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
  throw unavailable(
    `the native library could not be loaded. Tried ${failures.join(" and ")}. ` +
      "In a clone of the repository, build it with `npm run build`; otherwise reinstall the package",
    cause,
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

/** The files to try, the likeliest first. */
export function libraryPaths(
  runtime: Pick<Runtime, "platform" | "arch" | "libcs" | "version">,
  folder: string,
): string[] {
  const platform = `${runtime.platform}-${runtime.arch}`;
  if (!PLATFORMS.includes(platform)) {
    throw unavailable(
      `there is no native library for ${platform} (${runtime.version}): ` +
        `the platforms are ${PLATFORMS.join(" and ")}, with glibc or musl`,
    );
  }
  return runtime.libcs.map((libc) => `${folder}${platform}-${libc}/libfastcache.so`);
}

/** `dist/native/`, seen from this file: compiled (dist/binding/) or as source (src/binding/). */
function nativeFolder(): string {
  const relative = import.meta.url.endsWith(".ts") ? "../../dist/native/" : "../native/";
  const url = new URL(relative, import.meta.url);
  if (url.protocol !== "file:") {
    throw unavailable(`the package must lie in the file system, but is at ${url.protocol}//`);
  }
  return decodeURIComponent(url.pathname);
}

function unavailable(message: string, cause?: unknown): FastCacheError {
  const options = cause === undefined ? undefined : { cause };
  return new FastCacheError("ERR_FASTCACHE_FFI_UNAVAILABLE", message, options);
}
