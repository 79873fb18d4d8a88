// SPDX-License-Identifier: MIT
//
// Tells glibc from musl without starting a process: the memory map of this one names
// the loader that it runs on. (The mere existence of musl's loader proves nothing:
// it can be installed beside glibc.)

/** The C libraries to try in this process, the likeliest first. Throws nothing. */
export function likelyLibcs(): readonly ("gnu" | "musl")[] {
  try {
    const fs = process.getBuiltinModule("node:fs");
    const map = fs.readFileSync("/proc/self/maps", "latin1");
    if (map.includes("/ld-musl-")) return ["musl", "gnu"];
  } catch {
    // No /proc, or no permission to read it: what is loaded first decides.
  }
  return ["gnu", "musl"];
}
