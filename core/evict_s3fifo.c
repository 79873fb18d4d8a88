/* SPDX-License-Identifier: MIT
 *
 * evict_s3fifo.c is S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction",
 * SOSP 2023): a new entry is on probation in a queue of a tenth of the cache. Read at least
 * twice there, it moves to the main queue; else it leaves, and its ghost is remembered about as
 * long as an entry stays in the main queue. Who comes back to a ghost goes to the main queue at
 * once, where entries that were read go round again, once for each read up to 3.
 *
 * Ghosts live in the index, in place of the word of the entry that left.
 */
#include "entry.h"
#include "mark.h"

#define INDEX_LOAD 24u /* leaves room for about as many ghosts as entries */
#define PROBATION_SHARE 10u
#define READS_TO_STAY 2u

static placement admit(const shard *s, uint64_t hash, const found *existing) {
    if (existing)
        return (placement){log_queue(s, existing->record.offset), word_mark(existing->value)};
    /* The paper keeps as many ghosts as the main queue has entries. Ours count also those that
     * were taken meanwhile, hence a little more. */
    uint64_t age_max = load_u64_relaxed(&s->header->entries);
    return (placement){index_take_ghost(s, hash, age_max) ? QUEUE_MAIN : QUEUE_PROBATION, 0};
}

static placement keep(const shard *s, const found *entry) {
    return (placement){log_queue(s, entry->record.offset), word_mark(entry->value)};
}

static enum queue choose(const shard *s, bool by_count) {
    const shard_header *h = s->header;
    uint64_t all = load_u64_relaxed(by_count ? &h->entries : &h->live_bytes);
    uint64_t on_probation =
        load_u64_relaxed(by_count ? &h->probation_entries : &h->probation_bytes);
    return on_probation >= all / PROBATION_SHARE ? QUEUE_PROBATION : QUEUE_MAIN;
}

static verdict judge(const shard *s, enum queue queue, const found *entry) {
    (void)s;
    const uint32_t mark = min_u32(word_mark(entry->value), MARK_READS_MAX);
    if (queue == QUEUE_PROBATION)
        return (verdict){
            .stays = mark >= READS_TO_STAY, .leaves_ghost = true, .where = {QUEUE_MAIN, 0}};
    return (verdict){.stays = mark > 0, .where = {QUEUE_MAIN, mark ? mark - 1 : 0}};
}

/* The lanes are the queues. */
const eviction_policy evict_s3fifo = {
    .name = "s3-fifo",
    .index_load = INDEX_LOAD,
    .marks_count_reads = true,
    .lane_queue = {[QUEUE_MAIN] = QUEUE_MAIN, [QUEUE_PROBATION] = QUEUE_PROBATION},
    .admit = admit,
    .keep = keep,
    .choose = choose,
    .judge = judge,
};
