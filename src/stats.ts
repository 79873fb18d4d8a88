// SPDX-License-Identifier: MIT
//
// The counters of a segment, and the number of its entries.

import { DOUBLE, STATS_FIELDS } from "./abi.ts";
import { type Handle, readFields } from "./segment.ts";
import type { Stats } from "./types.ts";

/** The counters of an open segment. */
export function readStats(handle: Handle): Stats {
  const raw = readFields(handle, handle.native.fc_stats, STATS_FIELDS);
  return {
    hits: raw.hits,
    misses: raw.misses,
    sets: raw.sets,
    deletes: raw.deletes,
    evictions: raw.evictions,
    expirations: raw.expirations,
    entries: raw.entries,
    bytesUsed: raw.bytes_used,
    capacityBytes: raw.capacity_bytes,
    processes: raw.processes,
    lockWaits: raw.lock_waits,
    takeovers: raw.takeovers,
    replaced: raw.replaced === 1,
    invalidations: raw.invalidations,
    falseInvalidations: (raw.tag_slots_raised / raw.tag_slots_looked) ** 2,
    factoryRuns: raw.flights,
    coalescedWaits: raw.flight_waits,
    staleServed: raw.stale_served,
    leasesTakenOver: raw.leases_taken_over,
    leasesRefused: raw.leases_refused,
    leasesFenced: raw.leases_fenced,
    storeFailures: raw.store_failures,
  };
}

/** Number of entries in the segment. */
export function readSize(handle: Handle): number {
  const status = handle.native.fc_size(handle.id, handle.entriesOut);
  if (status < 0) throw handle.failure(status);
  return handle.request.doubles[DOUBLE.entries] as number;
}
