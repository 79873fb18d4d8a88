/* SPDX-License-Identifier: MIT
 *
 * clean.c: see clean.h. Three walks go on from call to call: one for each queue that entries
 * leave from, and WALK_COMPACT.
 *
 * Work is paid as you go: a set that finds fewer than FREE_WANTED extents free walks on until it
 * has passed by a little more dead bytes than it adds, or looked at as many records as steps_max()
 * says: few while many extents are free, twice as many with each one less, so that most sets share
 * the work and few have much. Only under LOG_RESERVE free extents does it go on until there is
 * room.
 */
#include "clean.h"

#include "clock.h"
#include "entry.h"
#include "evict.h"
#include "expire.h"

#define FREE_SPARE 4u
#define FREE_WANTED (LOG_RESERVE + FREE_SPARE)
#define STEPS_MAX_LEAST 2u
/* Records that the policy may spare when a set cannot wait; then it drops what comes next. */
#define SPARED_MAX 1024u
#define SWEEP_RECORDS 16u
/* Records that one call sweeps before it evicts although more may be due. */
#define SWEPT_MAX 1024u
/* Extents one call may finish before it stops believing in compaction, and in the notes. */
#define COMPACT_LAPS 1u
#define WALK_LAPS 4u

typedef struct cleaning {
    const shard *s;
    bool by_count;    /* the cap on entries is the reason: space does not matter */
    uint64_t size;    /* bytes that the set stores */
    uint64_t adding;  /* bytes by which live bytes will grow */
    uint64_t gained;  /* dead bytes passed by */
    uint64_t steps;   /* records looked at */
    uint32_t swept;   /* of these, for their deadlines */
    uint32_t extents; /* walks begun */
    uint32_t spared;  /* by the eviction policy */
    bool moved;
} cleaning;

/* More work than any sound shard takes: its notes must be wrong. */
static bool endless(const cleaning *work) {
    const geometry *g = work->s->geometry;
    return work->extents > WALK_LAPS * g->extents ||
           work->steps > WALK_LAPS * (g->shard_data_bytes / RECORD_HEADER);
}

/* Contract W3: room means live bytes under 90 % of the data space once the set is done. While it
 * is done, an old value and the new one are there side by side: up to 95 %, which matters for
 * values larger than a twentieth of the shard only. A lap without success ends the belief. */
static bool has_room(const cleaning *work) {
    if (work->extents > COMPACT_LAPS * work->s->geometry->extents) return false;
    uint64_t capacity = log_capacity(work->s);
    uint64_t live = load_u64_relaxed(&work->s->header->live_bytes);
    return live + work->adding < capacity - capacity / 10 &&
           live + work->size < capacity - capacity / 20;
}

/* ---------------------------------------------------------- choosing extents */

static bool cleanable(const shard *s, uint32_t extent) {
    return load_u32_relaxed(&s->states[extent].kind) == EXTENT_DATA && !log_is_open(s, extent);
}

static bool evicted_from(const shard *s, uint32_t extent) {
    for (int queue = 0; queue < QUEUES; queue++)
        if (load_u32_relaxed(&s->header->walks[queue].extent) == extent) return true;
    return false;
}

/* Fewest live bytes, leaving alone what the other walks are at. */
static uint32_t emptiest(const shard *s) {
    uint32_t best = EXTENT_NONE, best_live = UINT32_MAX;
    for (uint32_t e = 0; e < s->geometry->extents; e++) {
        uint32_t live = load_u32_relaxed(&s->states[e].live);
        if (live >= best_live || !cleanable(s, e) || evicted_from(s, e)) continue;
        best = e;
        best_live = live;
    }
    return best;
}

/* Lowest epoch, then opened first. */
static uint32_t first_of(const shard *s, enum queue queue) {
    uint32_t best = EXTENT_NONE;
    uint64_t best_epoch = UINT64_MAX, best_generation = UINT64_MAX;
    for (uint32_t e = 0; e < s->geometry->extents; e++) {
        if (!cleanable(s, e) || load_u32_relaxed(&s->states[e].queue) != queue) continue;
        uint64_t epoch = load_u64_relaxed(&s->states[e].epoch);
        uint64_t generation = load_u64_relaxed(&s->generations[e]);
        if (epoch > best_epoch || (epoch == best_epoch && generation >= best_generation)) continue;
        best = e;
        best_epoch = epoch;
        best_generation = generation;
    }
    return best;
}

static uint32_t next_extent(const shard *s, enum walk_purpose purpose) {
    return purpose == WALK_COMPACT ? emptiest(s) : first_of(s, (enum queue)purpose);
}

static bool walk_begin(cleaning *work, enum walk_purpose purpose) {
    const shard *s = work->s;
    uint32_t extent = next_extent(s, purpose);
    if (extent == EXTENT_NONE) {
        /* Everything lies in the open extents. */
        for (uint32_t lane = 0; lane < LANES; lane++) log_seal(s, lane);
        extent = next_extent(s, purpose);
    }
    if (extent == EXTENT_NONE) return false;
    walk *at = &s->header->walks[purpose];
    store_u32_relaxed(&at->position, 0);
    store_u32_relaxed(&at->extent, extent);
    work->extents++;
    return true;
}

/* ------------------------------------------------------------------ walking */

/* A live record that the walk meets; it moves, or its entry leaves. */
static void meet(cleaning *work, enum walk_purpose purpose, uint64_t hash, const found *entry,
                 const record *part) {
    const shard *s = work->s;
    work->moved = true;
    if (deadline_passed(s->cache, entry->record.header.deadline_ms)) {
        (void)entry_drop(s, entry);
        cache_count(s->cache, COUNT_EXPIRATIONS, 1);
        work->gained += part->size;
        return;
    }
    verdict v = {.stays = true};
    if (purpose == WALK_COMPACT || (!work->by_count && has_room(work))) {
        v.where = eviction_of(s)->keep(s, entry, part);
    } else {
        v = eviction_of(s)->judge(s, (enum queue)purpose, entry, part);
        if (v.stays && work->spared++ >= SPARED_MAX) v.stays = false;
    }
    if (v.stays && entry_move_part(s, v.where, hash, entry, part)) return;
    (void)(v.leaves_ghost ? entry_drop_to_ghost(s, entry) : entry_drop(s, entry));
    cache_count(s->cache, COUNT_EVICTIONS, 1);
    work->gained += part->size;
}

typedef struct purge {
    const shard *s;
    uint32_t extent;
} purge;

static void purge_visit(void *context, uint64_t *word, uint32_t number) {
    (void)number;
    const purge *p = context;
    found entry = {.word = word, .value = load_u64_relaxed(word)};
    uint64_t offset = word_offset(entry.value);
    if (extent_of(p->s, offset) != p->extent) return;
    if (record_load(p->s, offset, &entry.record) && entry.record.key)
        (void)entry_drop(p->s, &entry);
    else
        (void)index_clear_word(p->s, word);
}

/* Afterwards nothing reaches the extent, also if its records could not be understood. */
static void walk_end(cleaning *work, enum walk_purpose purpose, uint32_t extent) {
    const shard *s = work->s;
    if (load_u32_relaxed(&s->states[extent].live) != 0) {
        purge p = {s, extent};
        index_walk(s, purge_visit, &p);
    }
    log_free(s, extent); /* also ends the walk */
    store_u32_relaxed(&s->header->walks[purpose].extent, EXTENT_NONE);
}

static uint64_t owner_hash(const shard *s, const record *part) {
    return part->key ? record_hash(s, part) : part->header.version;
}

/* Begins to fetch the buckets of the record after the next: by the time the walk comes there, in
 * this set or in a later one, they have arrived. */
static void look_ahead(const shard *s, uint64_t offset, uint64_t end) {
    record part;
    for (int ahead = 0; ahead < 2; ahead++) {
        if (offset >= end || !record_load(s, offset, &part)) return;
        offset += part.size;
    }
    bucket_pair pair;
    index_prefetch(s, owner_hash(s, &part), &pair);
}

/* One record of a walk. False if there is nothing to walk. */
static bool walk_step(cleaning *work, enum walk_purpose purpose) {
    const shard *s = work->s;
    const geometry *g = s->geometry;
    walk *at = &s->header->walks[purpose];
    uint32_t extent = load_u32_relaxed(&at->extent);
    if (extent >= g->extents || !cleanable(s, extent)) {
        if (!walk_begin(work, purpose)) return false;
        extent = load_u32_relaxed(&at->extent);
        if (extent >= g->extents) return false;
    }
    work->steps++;
    uint32_t position = load_u32_relaxed(&at->position);
    uint32_t used = min_u32(load_u32_relaxed(&s->states[extent].used), g->extent_bytes);
    const uint64_t offset = extent_offset(s, extent) + position;
    record part;
    if (position >= used || !record_load(s, offset, &part)) {
        work->gained += g->extent_bytes - min_u32(position, g->extent_bytes);
        walk_end(work, purpose, extent);
        return true;
    }
    /* Step on before the work: if we die in it, nobody works on this record twice. */
    store_u32_relaxed(&at->position, position + part.size);
    look_ahead(s, offset + part.size, offset - position + used);
    uint64_t hash = owner_hash(s, &part);
    found entry;
    if (index_find_part(s, hash, offset, &entry))
        meet(work, purpose, hash, &entry, &part);
    else
        work->gained += part.size;
    return true;
}

/* ----------------------------------------------------------------- policies */

static bool sweep_due(cleaning *work, uint32_t records) {
    const shard *s = work->s;
    if (load_u64_relaxed(&s->header->deadline_min) == DEADLINE_NONE) return false;
    uint64_t live = load_u64_relaxed(&s->header->live_bytes);
    uint32_t looked_at = expire_sweep(s, clock_now_ms(s->cache), records);
    uint64_t live_now = load_u64_relaxed(&s->header->live_bytes);
    work->steps += looked_at;
    work->swept += looked_at;
    if (live_now < live) {
        work->gained += live - live_now;
        work->moved = true;
    }
    return looked_at != 0;
}

/* One record of the queue that has to give; of the other one if that is empty. */
static bool evict_step(cleaning *work) {
    enum queue queue = eviction_of(work->s)->choose(work->s, work->by_count);
    enum queue other = queue == QUEUE_MAIN ? QUEUE_PROBATION : QUEUE_MAIN;
    return walk_step(work, (enum walk_purpose)queue) || walk_step(work, (enum walk_purpose)other);
}

/* One step towards more free extents, in the order that clean.h gives. */
static bool step(cleaning *work) {
    if (has_room(work) && walk_step(work, WALK_COMPACT)) return true;
    if (work->swept < SWEPT_MAX && sweep_due(work, SWEEP_RECORDS)) return true;
    return evict_step(work);
}

static uint32_t steps_max(uint32_t needs, uint32_t free_extents) {
    uint32_t lacking = needs + FREE_WANTED - free_extents; /* 1 to FREE_SPARE, or urgent */
    return STEPS_MAX_LEAST << min_u32(lacking - 1, FREE_SPARE);
}

int32_t clean_for(const shard *s, uint32_t lane, uint32_t key_len, uint32_t value_len,
                  uint64_t replaced, bool *moved) {
    cleaning work = {.s = s};
    work.size = record_inline_size(key_len, value_len);
    work.adding = work.size - min_u64(replaced, work.size);
    const uint64_t quota = work.size + work.size / 8;
    sweep_due(&work, SWEEP_RECORDS);
    work.gained = 0;
    work.steps = 0;
    for (;;) {
        uint32_t needs = log_needs(s, lane, key_len, value_len);
        uint32_t free_extents = load_u32_relaxed(&s->header->free_extents);
        if (free_extents >= needs + FREE_WANTED) break;
        bool paid = work.gained >= quota || work.steps >= steps_max(needs, free_extents);
        if (free_extents >= needs + LOG_RESERVE && paid) break;
        if (endless(&work) || !step(&work)) {
            *moved = true;
            return free_extents >= needs + LOG_RESERVE ? FC_OK : FC_CORRUPT;
        }
    }
    *moved = work.moved;
    return FC_OK;
}

int32_t clean_below(const shard *s, uint64_t entries_max) {
    cleaning work = {.s = s, .by_count = true};
    while (load_u64_relaxed(&s->header->entries) >= entries_max) {
        if (work.swept < SWEPT_MAX && sweep_due(&work, SWEEP_RECORDS)) continue;
        if (endless(&work) || !evict_step(&work)) return FC_CORRUPT;
    }
    return FC_OK;
}
