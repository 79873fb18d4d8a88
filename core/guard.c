/* SPDX-License-Identifier: MIT
 *
 * guard.c: see guard.h.
 */
#include "guard.h"

#include "due.h"
#include "entry.h"
#include "index.h"
#include "lease.h"
#include "lock.h"
#include "log.h"
#include "walker.h"

/* ----------------------------------------------------------------- recount */

typedef struct recount {
    const shard *s;
    uint32_t buckets;
    uint64_t entries;
    uint64_t probation_entries;
    uint64_t version;
    uint32_t stash_count;
} recount;

static bool complete_part(const recount *r, uint64_t offset, record *part) {
    const shard *s = r->s;
    if (!record_load(s, offset, part)) return false;
    const extent_state *state = &s->states[part->extent];
    const uint32_t position = extent_position(s, offset);
    return load_u16_relaxed(&state->kind) != EXTENT_INDEX &&
           position + part->size <= load_u32_relaxed(&state->used);
}

static bool complete_entry(const recount *r, uint64_t hash, record *head) {
    uint64_t value_len = head->value_here;
    for (uint32_t i = 0; i < head->chunks; i++) {
        record chunk;
        if (!complete_part(r, load_u64_relaxed(&head->locations[i]), &chunk)) return false;
        if (chunk.kind != RECORD_CHUNK || chunk.identity != hash) return false;
        value_len += chunk.value_len;
    }
    return value_len == head->value_len;
}

/* Keeps the word if it names a complete record of that bucket, and is the first of its key. */
static void recount_word(void *context, uint64_t *word, uint32_t number) {
    recount *r = context;
    const shard *s = r->s;
    record head;
    found first;
    uint64_t value = load_u64_relaxed(word);
    bool good = complete_part(r, word_offset(value), &head) && head.key != NULL;
    uint64_t hash = good ? record_hash(s, &head) : 0;
    good =
        good && hash_tag(hash) == word_tag(value) && shard_of(s->cache, hash).header == s->header;
    good = good && (number == INDEX_STASH || index_belongs(hash, value, number, r->buckets));
    good = good && complete_entry(r, hash, &head);
    good = good && index_find(s, hash, head.key, head.key_len, &first) && first.word == word;
    if (!good) {
        store_u64_release(word, 0);
        return;
    }
    r->entries++;
    if (log_queue(s, head.offset) == QUEUE_PROBATION) r->probation_entries++;
    r->version = max_u64(r->version, record_version(&head));
    if (number == INDEX_STASH) r->stash_count++;
    if (head.shape & SHAPE_BIRTH) store_u64_relaxed(&s->states[head.extent].tagged, 1);
    log_count_live(s, &head, head.deadline_ms);
    for (uint32_t i = 0; i < head.chunks; i++) {
        record chunk;
        if (!record_load(s, load_u64_relaxed(&head.locations[i]), &chunk)) continue;
        if (log_is_solid(s, &chunk)) store_u16_relaxed(&s->states[chunk.extent].kind, EXTENT_SOLID);
        log_count_live(s, &chunk, head.deadline_ms);
    }
}

/* Which extents hold buckets follows from their number. */
static void recount_kinds(const shard *s, uint32_t buckets) {
    const geometry *g = s->geometry;
    const uint32_t index_extents = index_extents_of(s, buckets);
    for (uint32_t e = 0; e < g->extents; e++) {
        extent_state *state = &s->states[e];
        const bool data = e < g->extents - index_extents;
        store_u16_relaxed(&state->kind, data ? EXTENT_DATA : EXTENT_INDEX);
        store_u32_relaxed(&state->live, 0);
        store_u64_relaxed(&state->tagged, 0);
        due_reset(state);
        uint32_t used = min_u32(load_u32_relaxed(&state->used), g->extent_bytes);
        store_u32_relaxed(&state->used, data ? used & ~(RECORD_ALIGN - 1) : 0);
    }
    store_u32_relaxed(&s->header->index_extents, index_extents);
}

/* Takes all records for dead, until the index says otherwise. */
static void recount_records(const shard *s) {
    for (uint32_t e = 0; e < s->geometry->extents; e++) {
        if (load_u16_relaxed(&s->states[e].kind) != EXTENT_DATA) continue;
        record part;
        const uint32_t used = load_u32_relaxed(&s->states[e].used);
        for (uint32_t position = 0; position < used; position += part.size) {
            const uint64_t offset = extent_offset(s, e) + position;
            if (!record_load(s, offset, &part)) break;
            uint64_t *shape = (uint64_t *)(void *)(s->extents + offset) + 1;
            store_u64_relaxed(shape, part.shape | SHAPE_DEAD);
        }
    }
}

static void recount_extents(const shard *s) {
    uint32_t free_extents = 0;
    uint64_t sequence = load_u64_relaxed(&s->header->sequence);
    for (uint32_t e = 0; e < s->geometry->extents; e++) {
        extent_state *state = &s->states[e];
        sequence = max_u64(sequence, load_u64_relaxed(&s->lives[e].generation));
        if (load_u16_relaxed(&state->kind) != EXTENT_DATA || load_u32_relaxed(&state->live) != 0)
            continue;
        store_u16_relaxed(&state->kind, EXTENT_FREE);
        due_reset(state);
        free_extents++;
    }
    store_u32_relaxed(&s->header->free_extents, free_extents);
    /* The dead owner may have raised a generation and not yet the sequence. */
    store_u64_release(&s->header->sequence, sequence);
}

int32_t guard_recount(const shard *s) {
    recount r = {.s = s, .buckets = index_size(s)};
    r.version = load_u64_relaxed(&s->header->version) & VERSION_MASK;
    if (r.buckets == 0) return FC_CORRUPT;
    recount_kinds(s, r.buckets);
    shard_header *header = s->header;
    /* Never append to the extent where a holder that only seemed dead may still write. */
    for (uint32_t i = 0; i < LANES; i++) store_u32_relaxed(&header->open_extents[i], EXTENT_NONE);
    for (int i = 0; i < WALKS; i++) store_u32_relaxed(&header->walks[i].extent, EXTENT_NONE);
    store_u64_relaxed(&header->job, JOB_NONE);
    entry_survey(s);
    store_u64_relaxed(&header->expired_until_ms, TIME_NONE);
    store_u64_relaxed(&header->expired_max, 0);
    store_u64_relaxed(&header->live_bytes, 0);
    store_u64_relaxed(&header->probation_bytes, 0);
    recount_records(s);
    /* The dead owner may have moved words without counting that yet. */
    index_count_move(s);
    /* index_find looks into the stash only if this says so. */
    store_u32_release(&header->stash_count, STASH_WORDS);
    index_walk(s, recount_word, &r);
    store_u32_release(&header->stash_count, r.stash_count);
    store_u64_relaxed(&header->entries, r.entries);
    store_u64_relaxed(&header->probation_entries, r.probation_entries);
    store_u64_relaxed(&header->version, r.version);
    recount_extents(s);
    lease_recount(s);
    return FC_OK;
}

/* ----------------------------------------------------------------- locking */

/* Cheap signs that the holder's notes cannot be right. */
static bool notes_plausible(const shard *s) {
    const geometry *g = s->geometry;
    const shard_header *h = s->header;
    uint32_t index = load_u32_relaxed(&h->index_extents);
    for (uint32_t i = 0; i < LANES; i++) {
        uint32_t open = load_u32_relaxed(&h->open_extents[i]);
        if (open == EXTENT_NONE) continue;
        if (open >= g->extents || load_u16_relaxed(&s->states[open].kind) != EXTENT_DATA)
            return false;
    }
    return index_size(s) != 0 && index >= 1 && index <= g->extents / 2 + 1 &&
           (uint64_t)load_u32_relaxed(&h->free_extents) + index <= g->extents &&
           load_u64_relaxed(&h->live_bytes) <= g->shard_data_bytes &&
           load_u64_relaxed(&h->entries) <= g->shard_data_bytes / sizeof(record_header) &&
           load_u32_relaxed(&h->stash_count) <= STASH_WORDS;
}

static int32_t locked(const shard *s, lock_result result) {
    if (result == LOCK_BUSY) return FC_BUSY;
    if (likely(result == LOCK_TAKEN && notes_plausible(s))) return FC_OK;
    int32_t status = guard_recount(s);
    if (status != FC_OK) guard_unlock(s);
    return status;
}

int32_t guard_lock(const shard *s) {
    if (cache_lost(s->cache)) return FC_CORRUPT;
    return locked(s, lock_acquire(s->cache, s->header));
}

int32_t guard_try_lock(const shard *s) {
    if (cache_lost(s->cache)) return FC_CORRUPT;
    return locked(s, lock_try(s->cache, s->header));
}

#if !defined(NDEBUG)
static void check_before_unlock(const shard *s) {
    cache *c = (cache *)s->cache;
    const uint32_t left = load_u32_relaxed(&c->unlocks_until_walk);
    if (left == WALK_NEVER || cache_lost(c) || !lock_is_ours(c, s->header)) return;
    if (left > 0) {
        store_u32_relaxed(&c->unlocks_until_walk, left - 1);
        return;
    }
    const uint64_t entries = load_u64_relaxed(&s->header->entries);
    store_u32_relaxed(&c->unlocks_until_walk, (uint32_t)min_u64(entries, WALK_NEVER - 1));
    FC_ASSERT(walker_check(s, NULL) != FC_CORRUPT || cache_lost(c));
}
#else
static void check_before_unlock(const shard *s) { (void)s; }
#endif

void guard_unlock(const shard *s) {
    check_before_unlock(s);
    lock_release(s->cache, s->header);
}
