/* SPDX-License-Identifier: MIT
 *
 * clean.c: see clean.h. The cleaner has one job at a time, which goes on from set to set: to walk
 * one extent, record by record, and move what is live there (JOB_COMPACT) or ask the eviction
 * policy what becomes of it (JOB_EVICT). Expired entries are dropped wherever they are met. When a
 * job ends, the next is chosen from the exact sums of due.h. With X bytes that have expired for
 * sure and P that may have, of all extents, and x and p of one:
 *
 *   1. live - X - P and what is added would be 90 % or more: evict from the policy's first extent.
 *   2. The extent e that has most to give (dead, expired, undecided) has p > 2 %: survey it.
 *   3. live - X and what is added are under 90 %, or no extent has p > 2 %: compact e.
 *   4. Else survey the extent with the largest p.
 *
 * A survey reads the records of one extent, drops what has expired, and moves the histogram's base
 * to now, its unit to the largest under which at most 2 % of the extent is due. So each one, after
 * an extent's first, frees 2 % or halves the remaining time of as many bytes.
 */
#include "clean.h"

#include "clock.h"
#include "due.h"
#include "entry.h"
#include "reap.h"

#define FREE_SOFT_MIN 8u /* extents to be kept free beyond the reserve, while there is garbage */
#define FREE_SOFT_SHARE 32u
#define FREE_SOFT_EVICT 4u /* and while there is none */
#define MOVED_FACTOR 16u
#define LOOKED_FACTOR 32u
#define UNDECIDED_SHARE 50u /* of an extent, 2 % */
/* Entries that the policy may spare when a set cannot wait; then it drops what comes next. */
#define SPARED_MAX 1024u
/* Jobs that one call may choose for each extent before it stops believing in the notes. */
#define LAPS_MAX 8u

typedef struct cleaning {
    const shard *s;
    bool by_count;   /* the cap on entries is the reason: space does not matter */
    uint64_t size;   /* bytes that the set stores */
    uint64_t adding; /* bytes by which live bytes will grow */
    uint64_t moved;  /* bytes */
    uint64_t looked; /* bytes of records */
    uint32_t jobs;
    uint32_t spared; /* by the eviction policy */
    bool changed;    /* entries moved or went */
} cleaning;

static void look(cleaning *work, uint64_t bytes) {
    uint64_t *ever = &work->s->header->work_looked;
    work->looked += bytes;
    store_u64_relaxed(ever, load_u64_relaxed(ever) + bytes);
}

static void count_moved(cleaning *work, uint64_t bytes) {
    uint64_t *ever = &work->s->header->work_moved;
    work->moved += bytes;
    store_u64_relaxed(ever, load_u64_relaxed(ever) + bytes);
}

static bool endless(const cleaning *work) {
    return work->jobs > LAPS_MAX * work->s->geometry->extents;
}

/* ------------------------------------------------------------ what is truly live */

static bool is_data(const shard *s, uint32_t extent) {
    const uint16_t kind = load_u16_relaxed(&s->states[extent].kind);
    return kind == EXTENT_DATA || kind == EXTENT_SOLID;
}

typedef struct sums {
    uint64_t expired, undecided; /* X, P */
    uint32_t emptiest;           /* the closed extent with most to give; EXTENT_NONE */
    uint32_t emptiest_undecided; /* its p */
    uint32_t vaguest;            /* the one with the largest p */
    uint32_t vaguest_undecided;
} sums;

/* One look at the states of all extents; notes what it finds for room_left. */
static sums sum_up(const shard *s, uint64_t now_ms) {
    sums all = {.emptiest = EXTENT_NONE, .vaguest = EXTENT_NONE};
    uint64_t until_ms = TIME_NONE, best = 0;
    const uint32_t extent_bytes = s->geometry->extent_bytes;
    const open_lanes open = log_open_lanes(s);
    for (uint32_t e = 0; e < s->geometry->extents; e++) {
        if (!is_data(s, e)) continue;
        const extent_state *state = &s->states[e];
        const due_sums due = due_at(state, now_ms);
        all.expired += due.expired;
        all.undecided += due.undecided;
        until_ms = min_u64(until_ms, due.until_ms);
        if (lane_is_open(&open, e)) continue;
        const uint32_t live = min_u32(load_u32_relaxed(&state->live), extent_bytes);
        const uint64_t gives = (uint64_t)extent_bytes - live + due.expired + due.undecided;
        if (gives > best) {
            best = gives;
            all.emptiest = e;
            all.emptiest_undecided = due.undecided;
        }
        if (due.undecided > all.vaguest_undecided) {
            all.vaguest = e;
            all.vaguest_undecided = due.undecided;
        }
    }
    store_u64_relaxed(&s->header->expired_max, all.expired + all.undecided);
    store_u64_relaxed(&s->header->expired_until_ms, until_ms);
    return all;
}

/* The present time, as far as any deadline matters. */
static uint64_t now_for(const shard *s) {
    const bool any = load_u64_relaxed(&s->header->expired_until_ms) != TIME_NONE ||
                     load_u64_relaxed(&s->header->expired_max) != 0;
    return any ? clock_now_ms(s->cache) : 0;
}

/* Would `live` bytes be under 90 % with what the set adds? While it is stored, an old value and the
 * new one are there side by side: up to 95 %, which matters for values larger than a twentieth of
 * the shard only. Not if moving gains nothing: where keys, which are never cut, are long for the
 * extents, the ends of these stay empty. */
static bool fits(const cleaning *work, uint64_t live) {
    const geometry *g = work->s->geometry;
    if (work->moved > MOVED_FACTOR * work->size + g->extent_bytes) return false;
    const uint64_t capacity = log_capacity(work->s);
    return live + work->adding < capacity - capacity / 10 &&
           live + work->size < capacity - capacity / 20;
}

static uint64_t live_without(const shard *s, uint64_t bytes) {
    const uint64_t live = load_u64_relaxed(&s->header->live_bytes);
    return live - min_u64(bytes, live);
}

/* Contract W3: is there room without evicting? */
static bool room_left(const cleaning *work) {
    const shard_header *h = work->s->header;
    if (work->by_count) return false;
    const uint64_t until_ms = load_u64_relaxed(&h->expired_until_ms);
    if (until_ms != TIME_NONE && deadline_passed(work->s->cache, until_ms))
        (void)sum_up(work->s, clock_now_ms(work->s->cache));
    return fits(work, live_without(work->s, load_u64_relaxed(&h->expired_max)));
}

/* ------------------------------------------------------------------- surveys */

/* The histogram anew, from bytes counted by the binary logarithm of their remaining time. */
static void rebase(const shard *s, uint32_t extent, const uint32_t by_log[64], uint64_t now_ms) {
    extent_state *state = &s->states[extent];
    due_reset(state);
    uint64_t before = 0; /* bytes that are due within 2^unit ms */
    uint32_t unit = 0, last = 0;
    for (uint32_t i = 0; i < 64; i++)
        if (by_log[i]) last = i;
    while (unit < last && before + by_log[unit] <= s->geometry->extent_bytes / UNDECIDED_SHARE)
        before += by_log[unit++];
    if (last == 0 && by_log[0] == 0) return;
    store_u64_relaxed(&state->base_ms, now_ms);
    store_u32_relaxed(&state->unit_shift, unit);
    store_u32_relaxed(&state->due[0], (uint32_t)before);
    for (uint32_t i = unit; i <= last; i++) {
        uint32_t *bytes = &state->due[min_u32(i - unit + 1, DUE_BUCKETS - 1)];
        store_u32_relaxed(bytes, load_u32_relaxed(bytes) + by_log[i]);
    }
}

static bool is_over(const shard *s, const record *r, uint64_t now_ms) {
    return (r->deadline_ms != 0 && r->deadline_ms <= now_ms) || record_invalidated(s->cache, r);
}

/* Reads all records of an extent. Returns the bytes looked at: of a solid one only the header. */
static uint32_t survey(const shard *s, uint32_t extent, uint64_t now_ms) {
    const bool is_solid = load_u16_relaxed(&s->states[extent].kind) == EXTENT_SOLID;
    uint32_t by_log[64] = {0};
    uint32_t position = 0;
    const uint32_t used = log_used(s, extent);
    record part;
    for (; position < used; position += part.size) {
        const uint64_t offset = extent_offset(s, extent) + position;
        if (!record_load(s, offset, &part)) break;
        if (record_is_dead(&part)) continue;
        uint64_t deadline_ms = part.deadline_ms;
        found entry;
        bool over = part.key && is_over(s, &part, now_ms);
        if (over || !part.key) {
            if (!index_find_part(s, record_owner_hash(s, &part), offset, &entry)) continue;
            deadline_ms = entry.record.deadline_ms;
            over = is_over(s, &entry.record, now_ms);
        }
        if (over) {
            (void)entry_drop_over(s, &entry);
            if (!is_data(s, extent))
                return is_solid ? (uint32_t)RECORD_HEADER : position + part.size;
            continue;
        }
        if (deadline_ms == 0) continue;
        by_log[63 - (uint32_t)__builtin_clzll(deadline_ms - now_ms)] += part.size;
    }
    rebase(s, extent, by_log, now_ms);
    return is_solid ? (uint32_t)RECORD_HEADER : position;
}

static void survey_for(cleaning *work, uint32_t extent, uint64_t now_ms) {
    work->jobs++;
    work->changed = true;
    look(work, survey(work->s, extent, now_ms));
}

/* ---------------------------------------------------------------------- jobs */

/* Lowest epoch, then opened first. */
static uint32_t first_of(const shard *s, enum queue queue) {
    uint32_t best = EXTENT_NONE;
    uint64_t best_epoch = UINT64_MAX, best_generation = UINT64_MAX;
    const open_lanes open = log_open_lanes(s);
    for (uint32_t e = 0; e < s->geometry->extents; e++) {
        const extent_state *state = &s->states[e];
        if (load_u16_relaxed(&state->kind) != EXTENT_DATA || lane_is_open(&open, e)) continue;
        if (load_u16_relaxed(&state->queue) != queue) continue;
        const uint64_t epoch = load_u64_relaxed(&s->lives[e].epoch);
        const uint64_t generation = load_u64_relaxed(&s->lives[e].generation);
        if (epoch > best_epoch || (epoch == best_epoch && generation >= best_generation)) continue;
        best = e;
        best_epoch = epoch;
        best_generation = generation;
    }
    return best;
}

/* The extent that this walk goes on in, or EXTENT_NONE. */
static uint32_t walk_extent(const shard *s, enum walk_purpose purpose) {
    const uint32_t extent = load_u32_relaxed(&s->header->walks[purpose].extent);
    const bool good = extent < s->geometry->extents && is_data(s, extent);
    return good && !log_is_open(s, extent) ? extent : EXTENT_NONE;
}

static bool walks_on(const shard *s, enum walk_purpose purpose) {
    return walk_extent(s, purpose) != EXTENT_NONE;
}

static bool begin(cleaning *work, enum walk_purpose purpose, uint32_t extent) {
    if (extent == EXTENT_NONE) return false;
    walk *at = &work->s->header->walks[purpose];
    store_u32_relaxed(&at->position, 0);
    store_u32_relaxed(&at->extent, extent);
    store_u64_relaxed(&work->s->header->job, purpose == WALK_COMPACT ? JOB_COMPACT : JOB_EVICT);
    work->jobs++;
    return true;
}

/* Everything may lie in the open extents. */
static void seal_lanes(const shard *s) {
    for (uint32_t lane = 0; lane < LANES; lane++) log_seal(s, lane);
}

/* The walk of a queue goes on, or begins in the queue's first extent. */
static bool evict_from(cleaning *work, enum queue queue) {
    const shard *s = work->s;
    store_u64_relaxed(&s->header->job, JOB_EVICT);
    if (walks_on(s, (enum walk_purpose)queue)) return true;
    uint32_t extent = first_of(s, queue);
    if (extent == EXTENT_NONE) {
        seal_lanes(s);
        extent = first_of(s, queue);
    }
    return begin(work, (enum walk_purpose)queue, extent);
}

/* The walk of the queue that has to give; of the other one if that is empty. False if both are. */
static bool choose_victims(cleaning *work, enum walk_purpose *purpose) {
    const enum queue queue = work->s->cache->policy->choose(work->s, work->by_count);
    const enum queue other = queue == QUEUE_MAIN ? QUEUE_PROBATION : QUEUE_MAIN;
    *purpose = (enum walk_purpose)queue;
    if (evict_from(work, queue)) return true;
    *purpose = (enum walk_purpose)other;
    return evict_from(work, other);
}

static bool begin_evicting(cleaning *work) {
    enum walk_purpose purpose;
    return choose_victims(work, &purpose);
}

/* See the head of this file. False if nothing can be done. */
static bool choose_job(cleaning *work) {
    const shard *s = work->s;
    const uint64_t now_ms = now_for(s);
    /* Without deadlines there is nothing to sum up. */
    if (now_ms == 0 && (work->by_count || !fits(work, live_without(s, 0))))
        return begin_evicting(work);
    const sums all = sum_up(s, now_ms);
    const uint32_t vague = s->geometry->extent_bytes / UNDECIDED_SHARE;
    if (work->by_count || !fits(work, live_without(s, all.expired + all.undecided)))
        return begin_evicting(work);
    if (all.emptiest_undecided > vague) {
        survey_for(work, all.emptiest, now_ms);
        return true;
    }
    if (fits(work, live_without(s, all.expired)) || all.vaguest_undecided <= vague)
        return begin(work, WALK_COMPACT, all.emptiest);
    survey_for(work, all.vaguest, now_ms);
    return true;
}

static bool choose_job_or_seal(cleaning *work) {
    if (choose_job(work)) return true;
    seal_lanes(work->s);
    return choose_job(work);
}

/* ------------------------------------------------------------------ walking */

static bool move(cleaning *work, placement where, uint64_t hash, const found *entry) {
    const uint64_t bytes = entry_moving_bytes(work->s, entry);
    if (!entry_move(work->s, where, hash, entry)) return false;
    count_moved(work, bytes);
    return true;
}

/* A live entry that a walk meets by one of its parts; it moves, or leaves. */
static void meet(cleaning *work, enum walk_purpose purpose, uint64_t hash, const found *entry) {
    const shard *s = work->s;
    work->changed = true;
    if (record_over(s->cache, &entry->record)) {
        (void)entry_drop_over(s, entry);
        return;
    }
    verdict v = {.stays = true};
    if (purpose == WALK_COMPACT || room_left(work)) {
        v.where = s->cache->policy->keep(s, entry);
    } else {
        v = s->cache->policy->judge(s, (enum queue)purpose, entry);
        if (v.stays && work->spared++ >= SPARED_MAX) v.stays = false;
    }
    if (v.stays && move(work, v.where, hash, entry)) return;
    if (v.leaves_ghost ? entry_drop_to_ghost(s, entry) : entry_drop(s, entry))
        cache_count(s->cache, COUNT_EVICTIONS, 1);
}

typedef struct purge {
    const shard *s;
    uint32_t extent;
} purge;

static void purge_visit(void *context, uint64_t *word, uint32_t number) {
    (void)number;
    const purge *p = context;
    found entry = {.word = word, .value = load_u64_relaxed(word)};
    if (word_is_ghost(entry.value)) return;
    const uint64_t offset = word_offset(entry.value);
    const bool whole = record_load(p->s, offset, &entry.record) && entry.record.key;
    bool here = extent_of(p->s, offset) == p->extent;
    for (uint32_t i = 0; whole && i < entry.record.chunks; i++)
        here |= extent_of(p->s, load_u64_relaxed(&entry.record.locations[i])) == p->extent;
    if (!here) return;
    (void)(whole ? entry_drop(p->s, &entry) : entry_drop_unreadable(p->s, &entry));
}

/* Afterwards nothing reaches the extent, also if its records could not be understood. */
static void job_end(cleaning *work, uint32_t extent) {
    const shard *s = work->s;
    store_u64_relaxed(&s->header->job, JOB_NONE);
    if (!is_data(s, extent)) return;
    if (load_u32_relaxed(&s->states[extent].live) != 0) {
        purge p = {s, extent};
        index_walk(s, purge_visit, &p);
    }
    log_free(s, extent);
}

/* Begins to fetch the buckets of the record after the next that is live: by the time the walk comes
 * there, in this set or in a later one, they have arrived. */
static void look_ahead(const shard *s, uint64_t offset, uint64_t end) {
    record part;
    for (int ahead = 0; ahead < 2; ahead++) {
        if (offset >= end || !record_load(s, offset, &part)) return;
        offset += part.size;
    }
    if (record_is_dead(&part)) return;
    bucket_pair pair;
    index_prefetch(s, record_owner_hash(s, &part), &pair);
}

/* The walk that the present job goes on with. False if another job has to be chosen. */
static bool present_walk(cleaning *work, enum walk_purpose *purpose) {
    const uint64_t job = load_u64_relaxed(&work->s->header->job);
    *purpose = WALK_COMPACT;
    if (job == JOB_COMPACT) return !work->by_count && walks_on(work->s, WALK_COMPACT);
    if (job != JOB_EVICT) return false;
    if (work->by_count) return choose_victims(work, purpose);
    /* At the end of an extent it has to be asked anew whether there is no room. Where the queue
     * that has to give is empty, the walk of the other one goes on. */
    const enum queue queue = work->s->cache->policy->choose(work->s, false);
    *purpose = (enum walk_purpose)queue;
    if (walks_on(work->s, *purpose)) return true;
    if (first_of(work->s, queue) != EXTENT_NONE) return false;
    *purpose = queue == QUEUE_MAIN ? WALK_EVICT_PROBATION : WALK_EVICT_MAIN;
    return walks_on(work->s, *purpose);
}

/* One record of the present job, or the choice of one. False if nothing can be done. */
static bool step(cleaning *work) {
    const shard *s = work->s;
    enum walk_purpose purpose;
    if (!present_walk(work, &purpose)) {
        work->jobs++; /* also where the choice is none: so it ends */
        return choose_job_or_seal(work);
    }
    walk *at = &s->header->walks[purpose];
    const uint32_t extent =
        walk_extent(s, purpose); /* anew: whoever damages may do so at any time */
    if (extent == EXTENT_NONE) {
        work->jobs++;
        return true;
    }
    const uint32_t position = load_u32_relaxed(&at->position);
    const uint32_t used = log_used(s, extent);
    const uint64_t offset = extent_offset(s, extent) + position;
    record part;
    if (position >= used || !record_load(s, offset, &part)) {
        job_end(work, extent);
        return true;
    }
    /* Step on before the work: if we die in it, nobody works on this record twice. */
    store_u32_relaxed(&at->position, position + part.size);
    look(work, part.size);
    if (record_is_dead(&part)) return true;
    look_ahead(s, offset + part.size, extent_offset(s, extent) + used);
    const uint64_t hash = record_owner_hash(s, &part);
    found entry;
    if (index_find_part(s, hash, offset, &entry)) meet(work, purpose, hash, &entry);
    return true;
}

/* ------------------------------------------------------------------- callers */

/* How many extents should be free beyond the reserve: few when there is little garbage to make
 * them of, lest the same bytes are moved again and again. */
static uint32_t free_soft(const cleaning *work) {
    const shard *s = work->s;
    if (!room_left(work)) return FREE_SOFT_EVICT;
    const uint64_t live = live_without(s, load_u64_relaxed(&s->header->expired_max));
    const uint64_t capacity = log_capacity(s);
    const uint64_t garbage = (capacity - min_u64(live, capacity)) >> s->geometry->extent_shift;
    const uint32_t wanted = s->geometry->extents / FREE_SOFT_SHARE;
    return min_u32(wanted > FREE_SOFT_MIN ? wanted : FREE_SOFT_MIN, (uint32_t)garbage / 4);
}

/* The hand goes round while little is free: once while a thirty-second of the shard is stored, and
 * so at least once before anything leaves. */
static void reap_for(cleaning *work) {
    if (unlikely(reap_due(work->s)))
        look(work, reap(work->s, LOOKED_FACTOR * work->size, &work->changed));
}

int32_t clean_for(const shard *s, uint32_t lane, uint32_t words, uint32_t key_len,
                  uint32_t value_len, uint64_t replaced, uint64_t spent, bool *moved) {
    const uint32_t wanted_most = s->geometry->extents / FREE_SOFT_SHARE + FREE_SOFT_MIN;
    *moved = false;
    if (likely(load_u32_relaxed(&s->header->free_extents) >=
               log_needs(s, lane, words, key_len, value_len) + LOG_RESERVE + wanted_most))
        return FC_OK;
    cleaning work = {.s = s, .size = log_size(s, words, key_len, value_len)};
    work.adding = work.size - min_u64(replaced, work.size);
    work.moved = spent;
    reap_for(&work);
    const uint32_t soft = free_soft(&work);
    for (;;) {
        const uint32_t needs = log_needs(s, lane, words, key_len, value_len) + LOG_RESERVE;
        const uint32_t free_extents = load_u32_relaxed(&s->header->free_extents);
        if (free_extents >= needs + soft) break;
        /* The fewer are free, the more a set pays. */
        const uint64_t lacking = needs + soft - free_extents;
        const bool paid = work.moved * soft >= MOVED_FACTOR * work.size * lacking ||
                          work.looked * soft >= LOOKED_FACTOR * work.size * lacking;
        if (free_extents >= needs && paid) break;
        if (endless(&work) || !step(&work)) {
            *moved = true;
            return free_extents >= needs ? FC_OK : FC_CORRUPT;
        }
    }
    *moved = work.changed;
    return FC_OK;
}

/* A live record of an extent that is wanted for something else. */
static bool make_way(cleaning *work, const record *part) {
    const shard *s = work->s;
    const uint64_t hash = record_owner_hash(s, part);
    found entry;
    if (!index_find_part(s, hash, part->offset, &entry)) return true;
    if (record_over(s->cache, &entry.record)) {
        (void)entry_drop_over(s, &entry);
        return true;
    }
    if (!log_is_solid(s, part)) return move(work, s->cache->policy->keep(s, &entry), hash, &entry);
    if (!entry_move_solid(s, &entry, part)) return false;
    count_moved(work, part->size);
    return true;
}

uint64_t clean_extent(const shard *s, uint32_t extent, uint64_t size) {
    cleaning work = {.s = s};
    const open_lanes open = log_open_lanes(s);
    for (uint32_t lane = 0; lane < LANES; lane++)
        if (open.extents[lane] == extent) log_seal(s, lane);
    const uint32_t used = log_used(s, extent);
    record part;
    uint32_t position = 0;
    for (; is_data(s, extent) && position < used; position += part.size) {
        if (work.moved >= MOVED_FACTOR * size) return work.moved;
        if (!record_load(s, extent_offset(s, extent) + position, &part)) break;
        look(&work, part.size);
        if (!record_is_dead(&part) && !make_way(&work, &part)) return work.moved;
    }
    if (is_data(s, extent)) job_end(&work, extent);
    return work.moved;
}

/* The extent, open or not, with most expired and undecided bytes, but for one that was surveyed
 * just now, or has nothing expired for sure and no more than `vague` bytes undecided. */
static uint32_t most_due(const shard *s, uint64_t now_ms, uint32_t vague) {
    uint32_t best = EXTENT_NONE;
    uint64_t most = 0;
    for (uint32_t e = 0; e < s->geometry->extents; e++) {
        if (!is_data(s, e) || load_u64_relaxed(&s->states[e].base_ms) >= now_ms) continue;
        const due_sums due = due_at(&s->states[e], now_ms);
        const uint64_t bytes = (uint64_t)due.expired + due.undecided;
        if (bytes <= most || (due.expired == 0 && due.undecided <= vague)) continue;
        most = bytes;
        best = e;
    }
    return best;
}

int32_t clean_below(const shard *s, uint64_t entries_max, uint64_t size) {
    cleaning work = {.s = s, .by_count = true, .size = size};
    if (unlikely(load_u64_relaxed(&s->header->entries) >= entries_max)) reap_for(&work);
    while (load_u64_relaxed(&s->header->entries) >= entries_max) {
        const uint64_t now_ms = now_for(s);
        if (now_ms >= load_u64_relaxed(&s->header->expired_until_ms) ||
            load_u64_relaxed(&s->header->expired_max) != 0) {
            const uint32_t extent =
                most_due(s, now_ms, s->geometry->extent_bytes / UNDECIDED_SHARE);
            if (extent != EXTENT_NONE && work.looked < 2 * s->geometry->extent_bytes) {
                survey_for(&work, extent, now_ms);
                continue;
            }
            (void)sum_up(s, now_ms);
        }
        if (endless(&work) || !step(&work)) return FC_CORRUPT;
    }
    return FC_OK;
}

bool clean_expired(const shard *s, uint64_t looked_max) {
    const uint64_t now_ms = now_for(s);
    cleaning work = {.s = s};
    look(&work, reap(s, looked_max, &work.changed));
    const bool more = reap_due(s);
    while (work.looked < looked_max) {
        const uint32_t extent = now_ms ? most_due(s, now_ms, 0) : EXTENT_NONE;
        if (extent == EXTENT_NONE) {
            (void)sum_up(s, now_ms);
            return more;
        }
        survey_for(&work, extent, now_ms);
    }
    return true;
}
