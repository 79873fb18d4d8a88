/* SPDX-License-Identifier: MIT
 *
 * walker.c: see walker.h. It recomputes from the index what the lock holder's notes say, and
 * compares.
 */
#include "walker.h"

#include <inttypes.h>
#include <stdlib.h>

#include "clock.h"
#include "due.h"
#include "index.h"
#include "lease.h"
#include "log.h"
#include "report.h"

/* What an extent's state should say. */
typedef struct live_sums {
    uint64_t live;
    uint64_t due[DUE_BUCKETS];
} live_sums;

typedef struct check {
    const shard *s;
    uint32_t number; /* of the shard */
    uint32_t buckets;
    uint32_t index_extents;
    uint64_t entries;
    uint64_t stash_count;
    uint64_t live_bytes;
    uint64_t probation_entries;
    uint64_t probation_bytes;
    uint64_t now_ms;
    uint64_t expired_bytes;
    live_sums *live; /* per extent */
    fc_report *report;
    int32_t status;
} check;

#define BROKEN(k, ...)                                                                             \
    do {                                                                                           \
        if ((k)->status == FC_OK) (k)->status = report_fail((k)->report, FC_CORRUPT, __VA_ARGS__); \
        return;                                                                                    \
    } while (0)

static void check_part(check *k, const record *part, uint64_t deadline_ms) {
    const shard *s = k->s;
    const extent_state *state = &s->states[part->extent];
    const uint32_t position = extent_position(s, part->offset);
    const uint16_t kind = load_u16_relaxed(&state->kind);
    const uint32_t used = load_u32_relaxed(&state->used);
    const bool solid = part->kind == RECORD_CHUNK && log_is_solid(s, part);
    if (kind != (solid ? EXTENT_SOLID : EXTENT_DATA))
        BROKEN(k, "shard %" PRIu32 ": a live record lies in extent %" PRIu32 " of kind %" PRIu32,
               k->number, part->extent, (uint32_t)kind);
    if (position + part->size > used)
        BROKEN(k,
               "shard %" PRIu32 ": a live record ends at %" PRIu32 " of extent %" PRIu32
               ", which is used up to %" PRIu32,
               k->number, position + part->size, part->extent, used);
    if (record_is_dead(part))
        BROKEN(k, "shard %" PRIu32 ": the live record at %" PRIu64 " is marked as dead", k->number,
               part->offset);
    live_sums *sums = &k->live[part->extent];
    sums->live += part->size;
    k->live_bytes += part->size;
    if (log_queue(s, part->offset) == QUEUE_PROBATION) k->probation_bytes += part->size;
    if (deadline_ms == 0) return;
    sums->due[due_bucket(state, deadline_ms)] += part->size;
    if (deadline_ms <= k->now_ms) k->expired_bytes += part->size;
}

static void check_chunks(check *k, const record *head, uint64_t hash) {
    uint64_t value_len = head->value_here;
    for (uint32_t i = 0; i < head->chunks; i++) {
        record chunk;
        uint64_t offset = load_u64_relaxed(&head->locations[i]);
        if (!record_load(k->s, offset, &chunk) || chunk.kind != RECORD_CHUNK)
            BROKEN(k, "shard %" PRIu32 ": no chunk at %" PRIu64, k->number, offset);
        if (chunk.identity != hash)
            BROKEN(k, "shard %" PRIu32 ": the chunk at %" PRIu64 " belongs to another key",
                   k->number, offset);
        value_len += chunk.value_len;
        check_part(k, &chunk, head->deadline_ms);
    }
    if (value_len != head->value_len)
        BROKEN(k, "shard %" PRIu32 ": a value of %" PRIu32 " bytes has parts of %" PRIu64,
               k->number, head->value_len, value_len);
}

static void check_word(void *context, uint64_t *word, uint32_t number) {
    check *k = context;
    if (k->status != FC_OK) return;
    const shard *s = k->s;
    uint64_t value = load_u64_relaxed(word);
    record head;
    if (word_is_ghost(value)) return;
    if (!record_load(s, word_offset(value), &head) || !head.key)
        BROKEN(k, "shard %" PRIu32 ": bucket %" PRIu32 " names no record at %" PRIu64, k->number,
               number, word_offset(value));
    uint64_t hash = record_hash(s, &head);
    if (shard_of(s->cache, hash).header != s->header || hash_tag(hash) != word_tag(value) ||
        (number != INDEX_STASH && !index_belongs(hash, value, number, k->buckets)))
        BROKEN(k, "shard %" PRIu32 ": the key at %" PRIu64 " does not belong into bucket %" PRIu32,
               k->number, head.offset, number);
    found first;
    if (!index_find(s, hash, head.key, head.key_len, &first) || first.word != word)
        BROKEN(k, "shard %" PRIu32 ": the key at %" PRIu64 " is in the index twice", k->number,
               head.offset);
    if (record_version(&head) > load_u64_relaxed(&s->header->version))
        BROKEN(k, "shard %" PRIu32 ": version %" PRIu64 " is ahead of the counter", k->number,
               record_version(&head));
    k->entries++;
    if (log_queue(s, head.offset) == QUEUE_PROBATION) k->probation_entries++;
    if (number == INDEX_STASH) k->stash_count++;
    check_part(k, &head, head.deadline_ms);
    if (k->status == FC_OK) check_chunks(k, &head, hash);
}

static void check_index_extents(check *k) {
    const shard *s = k->s;
    if (k->buckets == 0)
        BROKEN(k, "shard %" PRIu32 ": the size of its index is impossible", k->number);
    k->index_extents = index_extents_of(s, k->buckets);
    for (uint32_t i = 1; i <= k->index_extents; i++) {
        const uint32_t extent = s->geometry->extents - i;
        if (load_u16_relaxed(&s->states[extent].kind) != EXTENT_INDEX)
            BROKEN(k, "shard %" PRIu32 ": extent %" PRIu32 " has to hold buckets, but does not",
                   k->number, extent);
    }
}

static void check_extents(check *k) {
    const shard *s = k->s;
    uint32_t kinds[EXTENT_SOLID + 1] = {0};
    for (uint32_t e = 0; e < s->geometry->extents; e++) {
        const extent_state *state = &s->states[e];
        const uint16_t kind = load_u16_relaxed(&state->kind);
        const uint32_t live = load_u32_relaxed(&state->live);
        if (kind > EXTENT_SOLID)
            BROKEN(k, "shard %" PRIu32 ": extent %" PRIu32 " is of kind %" PRIu32, k->number, e,
                   (uint32_t)kind);
        kinds[kind]++;
        const live_sums *sums = &k->live[e];
        const bool data = kind == EXTENT_DATA || kind == EXTENT_SOLID;
        if (data && live != sums->live)
            BROKEN(k,
                   "shard %" PRIu32 ": extent %" PRIu32 " has %" PRIu64
                   " live bytes, its state says %" PRIu32,
                   k->number, e, sums->live, live);
        for (uint32_t j = 0; data && j < DUE_BUCKETS; j++)
            if (load_u32_relaxed(&state->due[j]) != sums->due[j])
                BROKEN(k,
                       "shard %" PRIu32 ": extent %" PRIu32 " has %" PRIu64
                       " live bytes due in bucket %" PRIu32 ", its state says %" PRIu32,
                       k->number, e, sums->due[j], j, load_u32_relaxed(&state->due[j]));
        if (load_u64_relaxed(&s->lives[e].generation) > load_u64_relaxed(&s->header->sequence))
            BROKEN(k,
                   "shard %" PRIu32 ": the generation of extent %" PRIu32 " is ahead of the shard",
                   k->number, e);
    }
    const uint32_t free_said = load_u32_relaxed(&s->header->free_extents);
    const uint32_t index_said = load_u32_relaxed(&s->header->index_extents);
    if (kinds[EXTENT_FREE] != free_said || kinds[EXTENT_INDEX] != k->index_extents ||
        index_said != k->index_extents)
        BROKEN(k,
               "shard %" PRIu32 ": %" PRIu32 " free and %" PRIu32
               " index extents, the header says %" PRIu32 " and %" PRIu32,
               k->number, kinds[EXTENT_FREE], kinds[EXTENT_INDEX], free_said, index_said);
}

static void check_sums(check *k) {
    const shard_header *h = k->s->header;
    if (k->now_ms < h->expired_until_ms && k->expired_bytes > h->expired_max)
        BROKEN(k,
               "shard %" PRIu32 ": %" PRIu64
               " live bytes have expired; the header says at most %" PRIu64,
               k->number, k->expired_bytes, h->expired_max);
    if (h->entries != k->entries || h->live_bytes != k->live_bytes ||
        h->stash_count != k->stash_count)
        BROKEN(k,
               "shard %" PRIu32 ": %" PRIu64 " entries, %" PRIu64 " live bytes and %" PRIu64
               " in the stash; the header says %" PRIu64 ", %" PRIu64 " and %" PRIu32,
               k->number, k->entries, k->live_bytes, k->stash_count, h->entries, h->live_bytes,
               h->stash_count);
    if (h->probation_entries != k->probation_entries || h->probation_bytes != k->probation_bytes)
        BROKEN(k,
               "shard %" PRIu32 ": %" PRIu64 " entries and %" PRIu64
               " bytes on probation; the header says %" PRIu64 " and %" PRIu64,
               k->number, k->probation_entries, k->probation_bytes, h->probation_entries,
               h->probation_bytes);
    if (h->entries > k->s->geometry->shard_entries_max)
        BROKEN(k, "shard %" PRIu32 ": %" PRIu64 " entries are more than the limit of %" PRIu64,
               k->number, h->entries, k->s->geometry->shard_entries_max);
}

static void check_leases(check *k) {
    const uint32_t used = lease_count(k->s);
    if (used == UINT32_MAX) BROKEN(k, "shard %" PRIu32 ": a lease line makes no sense", k->number);
    if (used != k->s->header->leases_held)
        BROKEN(k, "shard %" PRIu32 ": %" PRIu32 " leases, the header says %" PRIu64, k->number,
               used, k->s->header->leases_held);
}

int32_t walker_check(const shard *s, fc_report *report) {
    const uint64_t stride = s->geometry->shard_stride;
    const uint8_t *first = s->cache->base + s->geometry->shards_offset;
    check k = {
        .s = s, .buckets = index_size(s), .now_ms = clock_now_ms(s->cache), .report = report};
    k.number = (uint32_t)((uint64_t)((const uint8_t *)s->header - first) / stride);
    k.live = calloc(s->geometry->extents, sizeof *k.live);
    if (!k.live) return report_fail(report, FC_NO_SPACE, "no memory to verify with");
    check_index_extents(&k);
    if (k.status == FC_OK) index_walk(s, check_word, &k);
    if (k.status == FC_OK) check_extents(&k);
    if (k.status == FC_OK) check_sums(&k);
    if (k.status == FC_OK) check_leases(&k);
    free(k.live);
    return k.status;
}
