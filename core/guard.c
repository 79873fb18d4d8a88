/* SPDX-License-Identifier: MIT
 *
 * guard.c: see guard.h.
 */
#include "guard.h"

#include "index.h"
#include "lock.h"
#include "log.h"
#include "walker.h"

/* ----------------------------------------------------------------- recount */

typedef struct recount {
    const shard *s;
    uint32_t buckets;
    uint64_t entries;
    uint64_t live_bytes;
    uint64_t probation_entries;
    uint64_t probation_bytes;
    uint64_t version;
    uint32_t stash_count;
} recount;

static bool complete_part(const recount *r, uint64_t offset, record *part) {
    const shard *s = r->s;
    if (!record_load(s, offset, part)) return false;
    const extent_state *state = &s->states[part->extent];
    const uint32_t position = extent_position(s, offset);
    return load_u32_relaxed(&state->kind) != EXTENT_INDEX &&
           position + part->size <= load_u32_relaxed(&state->used);
}

static bool complete_entry(const recount *r, uint64_t hash, record *head) {
    if (head->header.form == RECORD_CHUNK) return false;
    uint64_t value_len = head->value_here;
    for (uint32_t i = 0; i < head->chunks; i++) {
        record chunk;
        if (!complete_part(r, load_u64_relaxed(&head->locations[i]), &chunk)) return false;
        if (chunk.header.form != RECORD_CHUNK || chunk.header.version != hash) return false;
        value_len += chunk.header.value_len;
    }
    return value_len == head->header.value_len;
}

static void count_live(recount *r, uint64_t offset, uint32_t size, uint64_t deadline_ms) {
    const uint32_t extent = (uint32_t)extent_of(r->s, offset);
    extent_state *state = &r->s->states[extent];
    /* Words that share parts, in a damaged index, must not make it wrap to 0. */
    uint64_t live = (uint64_t)load_u32_relaxed(&state->live) + size;
    store_u32_relaxed(&state->live, (uint32_t)min_u64(live, UINT32_MAX));
    r->live_bytes += size;
    if (load_u32_relaxed(&state->queue) == QUEUE_PROBATION) r->probation_bytes += size;
    if (deadline_ms) log_note_deadline(r->s, extent, deadline_ms);
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
    good = good && (number == INDEX_STASH || index_belongs(hash, number, r->buckets));
    good = good && complete_entry(r, hash, &head);
    good = good && index_find(s, hash, head.key, head.header.key_len, &first) && first.word == word;
    if (!good) {
        store_u64_release(word, 0);
        return;
    }
    r->entries++;
    if (log_queue(s, head.offset) == QUEUE_PROBATION) r->probation_entries++;
    r->version = max_u64(r->version, head.header.version & VERSION_MASK);
    if (number == INDEX_STASH) r->stash_count++;
    count_live(r, head.offset, head.size, head.header.deadline_ms);
    for (uint32_t i = 0; i < head.chunks; i++) {
        record chunk;
        uint64_t offset = load_u64_relaxed(&head.locations[i]);
        if (record_load(s, offset, &chunk)) count_live(r, offset, chunk.size, 0);
    }
}

/* The directory says which extents hold buckets; false if two entries name the same one. */
static bool recount_directory(const shard *s, uint32_t buckets) {
    const geometry *g = s->geometry;
    for (uint32_t e = 0; e < g->extents; e++) {
        extent_state *state = &s->states[e];
        store_u32_relaxed(&state->kind, EXTENT_DATA);
        store_u32_relaxed(&state->live, 0);
        store_u64_relaxed(&state->deadline_min, DEADLINE_NONE);
        uint32_t used = min_u32(load_u32_relaxed(&state->used), g->extent_bytes);
        store_u32_relaxed(&state->used, used & ~(RECORD_ALIGN - 1));
    }
    uint32_t chunks = ((buckets - 1) >> g->buckets_per_extent_shift) + 1;
    for (uint32_t i = 0; i < chunks; i++) {
        uint32_t extent = load_u32_relaxed(&s->directory[i]);
        if (extent >= g->extents) return false;
        if (load_u32_relaxed(&s->states[extent].kind) == EXTENT_INDEX) return false;
        store_u32_relaxed(&s->states[extent].kind, EXTENT_INDEX);
    }
    for (uint32_t i = chunks; i < g->extents; i++) store_u32_relaxed(&s->directory[i], EXTENT_NONE);
    store_u32_relaxed(&s->header->index_extents, chunks);
    return true;
}

static void recount_extents(const shard *s) {
    uint32_t free_extents = 0;
    uint64_t sequence = load_u64_relaxed(&s->header->sequence);
    for (uint32_t e = 0; e < s->geometry->extents; e++) {
        extent_state *state = &s->states[e];
        sequence = max_u64(sequence, load_u64_relaxed(&s->generations[e]));
        if (load_u32_relaxed(&state->kind) != EXTENT_DATA || load_u32_relaxed(&state->live) != 0)
            continue;
        store_u32_relaxed(&state->kind, EXTENT_FREE);
        store_u64_relaxed(&state->deadline_min, DEADLINE_NONE);
        free_extents++;
    }
    store_u32_relaxed(&s->header->free_extents, free_extents);
    /* The dead owner may have raised a generation and not yet the sequence. */
    store_u64_release(&s->header->sequence, sequence);
}

int32_t guard_recount(const shard *s) {
    recount r = {.s = s, .buckets = index_size(s)};
    r.version = load_u64_relaxed(&s->header->version) & VERSION_MASK;
    if (r.buckets == 0 || !recount_directory(s, r.buckets)) return FC_CORRUPT;
    shard_header *header = s->header;
    /* Never append to the extent where a holder that only seemed dead may still write. */
    for (uint32_t i = 0; i < LANES; i++) store_u32_relaxed(&header->open_extents[i], EXTENT_NONE);
    for (int i = 0; i < WALKS; i++) store_u32_relaxed(&header->walks[i].extent, EXTENT_NONE);
    store_u64_relaxed(&header->deadline_min, DEADLINE_NONE);
    /* index_find looks into the stash only if this says so. */
    store_u32_release(&header->stash_count, STASH_WORDS);
    index_walk(s, recount_word, &r);
    store_u32_release(&header->stash_count, r.stash_count);
    store_u64_relaxed(&header->entries, r.entries);
    store_u64_relaxed(&header->live_bytes, r.live_bytes);
    store_u64_relaxed(&header->probation_entries, r.probation_entries);
    store_u64_relaxed(&header->probation_bytes, r.probation_bytes);
    store_u64_relaxed(&header->version, r.version);
    recount_extents(s);
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
        if (open >= g->extents || load_u32_relaxed(&s->states[open].kind) != EXTENT_DATA)
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
    store_u32_relaxed(&c->unlocks_until_walk, (uint32_t)min_u64(entries / 4, WALK_NEVER - 1));
    FC_ASSERT(walker_check(s, NULL) != FC_CORRUPT || cache_lost(c));
}
#else
static void check_before_unlock(const shard *s) { (void)s; }
#endif

void guard_unlock(const shard *s) {
    check_before_unlock(s);
    lock_release(s->cache, s->header);
}
