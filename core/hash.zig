// SPDX-License-Identifier: MIT
//
// hash.zig exports the standard library's seeded Wyhash to the C core. The seed is
// drawn per segment from the system's random source, so that nobody outside can
// choose keys that collide.

const std = @import("std");

export fn fc_hash(key: [*]const u8, len: usize, seed: u64) u64 {
    return std.hash.Wyhash.hash(seed, key[0..len]);
}
