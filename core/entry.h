/* SPDX-License-Identifier: MIT
 *
 * entry.h owns what happens to a whole entry: it enters the index and the log together,
 * leaves both together, and its parts move in the log without a reader noticing. All calls
 * need the shard's lock.
 *
 * Order everywhere: complete bytes first, then the word that makes them reachable, then the
 * release of what became unreachable.
 */
#ifndef FC_ENTRY_H
#define FC_ENTRY_H

#include "index.h"
#include "log.h"

/* Where a record goes: the lane it is appended to, and the mark its entry has then. */
typedef struct placement {
    uint32_t lane;
    uint32_t mark;
} placement;

/* Appends a record and publishes it: over `existing` if that is not null, else into the empty
 * word `room`. Counts entries and deadlines. False if the log has no room; nothing changed then. */
bool entry_store(const shard *s, placement where, uint64_t hash, record_header header,
                 const uint8_t *key, log_value *value, const found *existing, uint64_t *room);

/* Live bytes of all its parts. */
uint64_t entry_bytes(const shard *s, const found *entry);

/* Takes the entry out of the index and forgets its bytes. False, here and below, if the lock is no
 * longer ours: see lock_is_ours. */
bool entry_drop(const shard *s, const found *entry);
/* The same, but a ghost stays. */
bool entry_drop_to_ghost(const shard *s, const found *entry);
/* Gives the entry another deadline, 0 for none, and marks it as used. */
bool entry_touch(const shard *s, const found *entry, uint64_t deadline_ms);

/* Moves the part of an entry that lies at `part`. False, and nothing changed, if no room. */
bool entry_move_part(const shard *s, placement where, uint64_t hash, const found *entry,
                     const record *part);

#endif
