/* SPDX-License-Identifier: MIT
 *
 * reap.c: see reap.h. The hand is one of the shard's walks (layout.h), so that it lets go of an
 * extent that becomes free; behind the extent that it is in come `reap_left` more, from `reap_next`
 * on.
 */
#include "reap.h"

#include "entry.h"
#include "tag.h"

/* Begins a lap if there is reason for one. */
static void look_at_counter(const shard *s) {
    const uint64_t ended = tag_ended(s->cache);
    if (load_u64_relaxed(&s->header->reap_seen) == ended) return;
    store_u64_relaxed(&s->header->reap_seen, ended);
    entry_survey(s);
}

/* The hand goes to the next extent of the lap. False at its end. */
static bool next_extent(const shard *s) {
    shard_header *h = s->header;
    const uint32_t extents = s->geometry->extents;
    const uint32_t left = min_u32(load_u32_relaxed(&h->reap_left), extents);
    const uint32_t next = load_u32_relaxed(&h->reap_next) % extents;
    if (left == 0) return false;
    store_u32_relaxed(&h->reap_left, left - 1);
    store_u32_relaxed(&h->reap_next, next + 1);
    const extent_state *state = &s->states[next];
    if (load_u16_relaxed(&state->kind) != EXTENT_DATA || load_u64_relaxed(&state->tagged) == 0)
        return true;
    store_u32_relaxed(&h->walks[WALK_REAP].position, 0);
    store_u32_relaxed(&h->walks[WALK_REAP].extent, next);
    return true;
}

static bool drop_if_invalidated(const shard *s, const record *part) {
    found entry;
    if (record_is_dead(part) || !record_invalidated(s->cache, part)) return false;
    if (!index_find_part(s, record_owner_hash(s, part), part->offset, &entry)) return false;
    return entry_drop_over(s, &entry);
}

uint64_t reap(const shard *s, uint64_t advance, bool *dropped) {
    walk *hand = &s->header->walks[WALK_REAP];
    uint64_t passed = 0, looked = 0;
    look_at_counter(s);
    while (passed < advance) {
        const uint32_t extent = load_u32_relaxed(&hand->extent);
        if (extent >= s->geometry->extents) {
            if (!next_extent(s)) break;
            passed += sizeof(extent_state);
            looked += sizeof(extent_state);
            continue;
        }
        const uint32_t position = load_u32_relaxed(&hand->position);
        record part;
        if (position >= log_used(s, extent) ||
            !record_load(s, extent_offset(s, extent) + position, &part)) {
            store_u32_relaxed(&hand->extent, EXTENT_NONE);
            continue;
        }
        store_u32_relaxed(&hand->position, position + part.size);
        passed += part.size;
        looked += min_u64(part.size, record_prefix(shape_words(part.shape)));
        if (drop_if_invalidated(s, &part)) *dropped = true;
    }
    return looked;
}
