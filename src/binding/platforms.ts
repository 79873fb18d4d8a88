// SPDX-License-Identifier: MIT
//
// The platforms that there is a native library for: the only list of them, which build.zig reads, too.
//
// Each reference is a literal `new URL("…", import.meta.url)`: that is what bundlers and tracers of files
// look for, so that the libraries go where the app goes. As source (src/binding/), they lie in dist/.

/**
 * Where each platform's library lies: how npm and Node name systems and processors, then the C library. Throws where a
 * bundler has left no `import.meta.url`. A declared function: into arrow functions the tracer of Next.js does not look.
 */
function libraries(): Readonly<Record<string, URL>> {
  return {
    "linux-x64-gnu": new URL("../native/linux-x64-gnu/libfastcache.so", import.meta.url),
    "linux-x64-musl": new URL("../native/linux-x64-musl/libfastcache.so", import.meta.url),
    "linux-arm64-gnu": new URL("../native/linux-arm64-gnu/libfastcache.so", import.meta.url),
    "linux-arm64-musl": new URL("../native/linux-arm64-musl/libfastcache.so", import.meta.url),
  };
}

/** The names of the platforms; throws as `libraryFile`. */
export function platformNames(): string[] {
  return Object.keys(libraries());
}

/** The file of a platform's library, if there is such a platform; throws where a bundler has left no `import.meta.url`. */
export function libraryFile(platform: string): string | undefined {
  const url = libraries()[platform];
  if (url === undefined) return undefined;
  if (url.protocol !== "file:") throw new TypeError(`${url.href} is not in the file system`);
  const path = decodeURIComponent(url.pathname);
  return isSource() ? path.replace(/\/src\/native\/([^/]+\/[^/]+)$/, "/dist/native/$1") : path;
}

/** True if this module came over the network, where no native library can be loaded from. */
export function isRemote(): boolean {
  return /^https?:/.test(import.meta.url ?? "");
}

/** True if this module is part of another file than its own: a bundle. */
export function isBundled(): boolean {
  return !/\/binding\/platforms\.[jt]s$/.test(import.meta.url ?? "");
}

function isSource(): boolean {
  return import.meta.url.endsWith("/binding/platforms.ts");
}
