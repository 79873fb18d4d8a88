/* SPDX-License-Identifier: MIT
 *
 * log.c: see log.h.
 */
#include "log.h"

#include "clock.h"
#include "due.h"

/* A chunk must be worth its header. */
#define CHUNK_PAYLOAD_MIN 64u

/* Fetched behind the tail. */
#define LINES_AHEAD 16u

static uint32_t open_extent(const shard *s, uint32_t lane) {
    uint32_t extent = load_u32_relaxed(&s->header->open_extents[lane]);
    return extent < s->geometry->extents ? extent : EXTENT_NONE;
}

static bool holds_records(const extent_state *state) {
    const uint16_t kind = load_u16_relaxed(&state->kind);
    return kind == EXTENT_DATA || kind == EXTENT_SOLID;
}

enum queue log_queue(const shard *s, uint64_t offset) {
    const uint64_t extent = extent_of(s, offset);
    if (extent >= s->geometry->extents) return QUEUE_MAIN;
    return load_u16_relaxed(&s->states[extent].queue) == QUEUE_PROBATION ? QUEUE_PROBATION
                                                                         : QUEUE_MAIN;
}

uint64_t log_capacity(const shard *s) {
    uint32_t index = min_u32(load_u32_relaxed(&s->header->index_extents), s->geometry->extents);
    return (uint64_t)(s->geometry->extents - index) << s->geometry->extent_shift;
}

/* ------------------------------------------------------------- live bytes */

static void add(uint64_t *sum, uint64_t more) {
    store_u64_relaxed(sum, load_u64_relaxed(sum) + more);
}
static void subtract(uint64_t *sum, uint64_t less) {
    uint64_t now = load_u64_relaxed(sum);
    store_u64_relaxed(sum, now - min_u64(less, now));
}

/* What is known of expired bytes holds only before the deadline. */
static void note_deadline(const shard *s, uint32_t extent, uint64_t deadline_ms, uint32_t size) {
    extent_state *state = &s->states[extent];
    const bool first = load_u64_relaxed(&state->base_ms) == 0;
    due_add(state, deadline_ms, size, first ? clock_now_ms(s->cache) : 0);
    if (deadline_ms < load_u64_relaxed(&s->header->expired_until_ms))
        store_u64_relaxed(&s->header->expired_until_ms, deadline_ms);
}

/* Live bytes come and go in the extent, its queue, and the shard. */
static void live_add(const shard *s, uint32_t extent, uint32_t size, uint64_t deadline_ms) {
    extent_state *state = &s->states[extent];
    shard_header *h = s->header;
    /* Words that share parts, in a damaged index, must not make it wrap to 0. */
    const uint64_t live = (uint64_t)load_u32_relaxed(&state->live) + size;
    store_u32_relaxed(&state->live, (uint32_t)min_u64(live, UINT32_MAX));
    add(&h->live_bytes, size);
    if (load_u16_relaxed(&state->queue) == QUEUE_PROBATION) add(&h->probation_bytes, size);
    if (unlikely(deadline_ms != 0)) note_deadline(s, extent, deadline_ms, size);
}

/* Returns what is left in the extent. */
static uint32_t live_subtract(const shard *s, uint32_t extent, uint32_t size) {
    extent_state *state = &s->states[extent];
    uint32_t live = load_u32_relaxed(&state->live);
    uint32_t less = min_u32(size, live);
    store_u32_relaxed(&state->live, live - less);
    subtract(&s->header->live_bytes, less);
    if (load_u16_relaxed(&state->queue) == QUEUE_PROBATION)
        subtract(&s->header->probation_bytes, less);
    return live - less;
}

void log_release(const shard *s, const record *r, uint64_t deadline_ms) {
    if (r->extent >= s->geometry->extents || record_is_dead(r)) return;
    uint64_t *shape = (uint64_t *)(void *)(s->extents + r->offset) + 1;
    store_u64_relaxed(shape, r->shape | SHAPE_DEAD);
    if (unlikely(deadline_ms != 0)) due_subtract(&s->states[r->extent], deadline_ms, r->size);
    if (live_subtract(s, r->extent, r->size) == 0 && !log_is_open(s, r->extent))
        log_free(s, r->extent);
}

void log_release_chunk(const shard *s, uint64_t offset, uint64_t deadline_ms) {
    record chunk;
    if (record_load(s, offset, &chunk) && chunk.kind == RECORD_CHUNK)
        log_release(s, &chunk, deadline_ms);
}

void log_count_live(const shard *s, const record *r, uint64_t deadline_ms) {
    uint64_t *shape = (uint64_t *)(void *)(s->extents + r->offset) + 1;
    store_u64_relaxed(shape, r->shape & ~SHAPE_DEAD);
    live_add(s, r->extent, r->size, deadline_ms);
}

void log_change_deadline(const shard *s, const record *r, uint64_t before_ms, uint64_t after_ms) {
    if (before_ms != 0) due_subtract(&s->states[r->extent], before_ms, r->size);
    if (after_ms != 0) note_deadline(s, r->extent, after_ms, r->size);
}

/* ------------------------------------------------------- freeing and opening */

static void kind_set(const shard *s, uint32_t extent, enum extent_kind kind) {
    store_u16_relaxed(&s->states[extent].kind, (uint16_t)kind);
    uint32_t free_extents = load_u32_relaxed(&s->header->free_extents);
    if (kind == EXTENT_FREE)
        store_u32_relaxed(&s->header->free_extents, free_extents + 1);
    else if (free_extents)
        store_u32_relaxed(&s->header->free_extents, free_extents - 1);
}

void log_free(const shard *s, uint32_t extent) {
    extent_state *state = &s->states[extent];
    if (!holds_records(state)) return;
    live_subtract(s, extent, UINT32_MAX);
    due_reset(state);
    for (int i = 0; i < WALKS; i++)
        if (load_u32_relaxed(&s->header->walks[i].extent) == extent)
            store_u32_relaxed(&s->header->walks[i].extent, EXTENT_NONE);
    kind_set(s, extent, EXTENT_FREE);
}

void log_seal(const shard *s, uint32_t lane) {
    uint32_t extent = open_extent(s, lane);
    store_u32_relaxed(&s->header->open_extents[lane], EXTENT_NONE);
    if (extent != EXTENT_NONE && load_u32_relaxed(&s->states[extent].live) == 0)
        log_free(s, extent);
}

void log_epoch_end(const shard *s) {
    log_seal(s, 1);
    store_u32_relaxed(&s->header->open_extents[1], open_extent(s, 0));
    store_u32_relaxed(&s->header->open_extents[0], EXTENT_NONE);
    store_u64_relaxed(&s->header->epoch, load_u64_relaxed(&s->header->epoch) + 1);
    store_u64_relaxed(&s->header->epoch_bytes, 0);
    store_u64_relaxed(&s->header->epoch_entries, 0);
}

/* The free extent that was opened longest ago: readers that still look at it are the fewest. */
static uint32_t oldest_free(const shard *s) {
    uint32_t best = EXTENT_NONE;
    uint64_t best_generation = UINT64_MAX;
    for (uint32_t e = 0; e < s->geometry->extents; e++) {
        if (load_u16_relaxed(&s->states[e].kind) != EXTENT_FREE) continue;
        uint64_t generation = load_u64_relaxed(&s->lives[e].generation);
        if (generation < best_generation) {
            best = e;
            best_generation = generation;
        }
    }
    return best;
}

/* See log.h for the order of these stores. */
static void generation_raise(const shard *s, uint32_t extent) {
    uint64_t sequence = load_u64_relaxed(&s->header->sequence) + 1;
    store_u64_relaxed(&s->lives[extent].generation, sequence);
    fence_release();                                   /* pairs with the acquire fence in read.c */
    store_u64_release(&s->header->sequence, sequence); /* pairs with the acquire in read.c */
}

/* Lanes bear the queue and the epoch of what is appended to them. */
static void lane_adopt(const shard *s, uint32_t lane, uint32_t extent) {
    const eviction_policy *policy = s->cache->policy;
    store_u16_relaxed(&s->states[extent].queue, (uint16_t)policy->lane_queue[lane]);
    store_u64_relaxed(&s->lives[extent].epoch,
                      load_u64_relaxed(&s->header->epoch) - policy->lane_age[lane]);
}

static uint32_t take_free(const shard *s, uint32_t lane, enum extent_kind kind) {
    const uint32_t extent = oldest_free(s);
    if (extent == EXTENT_NONE) return EXTENT_NONE;
    generation_raise(s, extent);
    extent_state *state = &s->states[extent];
    store_u32_relaxed(&state->used, 0);
    store_u32_relaxed(&state->live, 0);
    store_u64_relaxed(&state->tagged, 0);
    due_reset(state);
    lane_adopt(s, lane, extent);
    kind_set(s, extent, kind);
    return extent;
}

static bool open_next(const shard *s, uint32_t lane) {
    log_seal(s, lane);
    const uint32_t extent = take_free(s, lane, EXTENT_DATA);
    store_u32_relaxed(&s->header->open_extents[lane], extent);
    return extent != EXTENT_NONE;
}

bool log_take_for_index(const shard *s, uint32_t extent) {
    if (load_u32_relaxed(&s->header->free_extents) <= LOG_RESERVE) return false;
    if (load_u16_relaxed(&s->states[extent].kind) != EXTENT_FREE) return false;
    generation_raise(s, extent); /* it holds no records from now on */
    kind_set(s, extent, EXTENT_INDEX);
    store_u32_relaxed(&s->header->index_extents, load_u32_relaxed(&s->header->index_extents) + 1);
    return true;
}

void log_free_from_index(const shard *s, uint32_t extents) {
    const uint32_t extent = s->geometry->extents - 1 - extents;
    if (load_u16_relaxed(&s->states[extent].kind) != EXTENT_INDEX) return;
    store_u32_relaxed(&s->states[extent].live, 0);
    kind_set(s, extent, EXTENT_FREE);
    store_u32_relaxed(&s->header->index_extents, extents);
}

void log_move_solid(const shard *s, uint64_t offset, uint32_t lane) {
    const uint64_t extent = extent_of(s, offset);
    if (extent >= s->geometry->extents) return;
    extent_state *state = &s->states[extent];
    if (load_u16_relaxed(&state->kind) != EXTENT_SOLID) return;
    const uint32_t live = load_u32_relaxed(&state->live);
    if (load_u16_relaxed(&state->queue) == QUEUE_PROBATION)
        subtract(&s->header->probation_bytes, live);
    lane_adopt(s, lane, (uint32_t)extent);
    if (load_u16_relaxed(&state->queue) == QUEUE_PROBATION) add(&s->header->probation_bytes, live);
}

/* --------------------------------------------------------------- appending */

/* Where the next record goes, from one look at the notes: what fits `room` is written at `offset`,
 * inside the extent, also when somebody scribbles over the notes meanwhile. */
typedef struct tail {
    uint64_t offset;
    uint32_t room; /* 0 if no extent is open */
} tail;

static tail tail_of(const shard *s, uint32_t lane) {
    uint32_t extent = open_extent(s, lane);
    if (extent == EXTENT_NONE) return (tail){0, 0};
    const uint32_t position = (uint32_t)round_up(log_used(s, extent), RECORD_ALIGN);
    return (tail){extent_offset(s, extent) + position, s->geometry->extent_bytes - position};
}

/* Counts a complete record at the tail; before this a walk does not see it. */
static void tail_commit(const shard *s, uint64_t offset, uint32_t size, uint64_t deadline_ms) {
    const uint32_t extent = (uint32_t)extent_of(s, offset);
    const uint32_t position = extent_position(s, offset);
    FC_ASSERT(position + size <= s->geometry->extent_bytes && size % RECORD_ALIGN == 0);
    store_u32_release(&s->states[extent].used, position + size);
    live_add(s, extent, size, deadline_ms);
}

/* Copies `len` bytes of the pieces, from byte `from` on. */
static void copy_pieces(uint8_t *to, const log_entry *entry, uint32_t from, uint32_t len) {
    for (int i = 0; i < 2 && len > 0; i++) {
        if (from >= entry->piece_len[i]) {
            from -= entry->piece_len[i];
            continue;
        }
        const uint32_t part = min_u32(len, entry->piece_len[i] - from);
        copy_to_shared(to, entry->piece[i] + from, part);
        to += part;
        len -= part;
        from = 0;
    }
}

static void write_header(uint8_t *at, uint64_t identity, uint64_t shape) {
    const record_header header = {identity, shape};
    copy_to_shared(at, &header, sizeof header);
}

static uint64_t chunk_shape(uint32_t len) {
    return (uint64_t)RECORD_CHUNK << SHAPE_KIND_SHIFT | len;
}

uint64_t log_append_solid(const shard *s, uint32_t lane, uint64_t hash, const uint8_t *bytes,
                          uint64_t deadline_ms) {
    const uint32_t extent = take_free(s, lane, EXTENT_SOLID);
    if (extent == EXTENT_NONE) return LOG_FULL;
    const uint64_t offset = extent_offset(s, extent);
    uint8_t *at = s->extents + offset;
    copy_to_shared(at + RECORD_HEADER, bytes, log_solid_bytes(s));
    write_header(at, hash, chunk_shape(log_solid_bytes(s)));
    tail_commit(s, offset, s->geometry->extent_bytes, deadline_ms);
    return offset;
}

uint64_t log_copy_solid(const shard *s, const record *chunk, uint64_t deadline_ms) {
    const extent_state *state = &s->states[chunk->extent];
    const uint32_t lane = load_u16_relaxed(&state->queue) == QUEUE_PROBATION ? 1 : 0;
    const uint64_t epoch = load_u64_relaxed(&s->lives[chunk->extent].epoch);
    const uint64_t offset = log_append_solid(s, lane, chunk->identity, chunk->value, deadline_ms);
    if (offset != LOG_FULL) store_u64_relaxed(&s->lives[extent_of(s, offset)].epoch, epoch);
    return offset;
}

/* Writes the record at a tail that has room for it; the value from byte `from` of the pieces on,
 * what comes before lies in the solid extents and at `tail_chunk`, if that is not LOG_FULL. */
static uint64_t write_record(const shard *s, uint64_t offset, const log_entry *entry,
                             uint64_t tail_chunk, uint32_t from) {
    uint8_t *at = s->extents + offset;
    const uint32_t words = shape_words(entry->shape);
    const uint32_t key_len = (uint32_t)(entry->identity & IDENTITY_KEY_MASK);
    const uint32_t rest = entry->piece_len[0] + entry->piece_len[1] - from;
    const uint32_t chunks = entry->solid_count + (tail_chunk != LOG_FULL);
    uint64_t kind = RECORD_INLINE, size = record_inline_size(words, key_len, rest);
    copy_to_shared(at + RECORD_HEADER, entry->words, 8 * (size_t)words);
    copy_to_shared(at + record_prefix(words), entry->key, key_len);
    uint8_t *value_at = at + record_prefix(words) + key_len;
    if (chunks) {
        kind = RECORD_HEAD;
        size = record_head_size(words, key_len, chunks, rest);
        const uint32_t counts[2] = {chunks, rest};
        uint8_t *counts_at = at + record_head_size(words, key_len, 0, 0) - 8;
        copy_to_shared(counts_at, counts, sizeof counts);
        copy_to_shared(counts_at + 8, entry->solids, 8 * (size_t)entry->solid_count);
        value_at = counts_at + 8 + 8 * (size_t)chunks;
        if (tail_chunk != LOG_FULL) copy_to_shared(value_at - 8, &tail_chunk, 8);
    }
    copy_pieces(value_at, entry, from, rest);
    write_header(at, entry->identity, entry->shape | kind << SHAPE_KIND_SHIFT);
    tail_commit(s, offset, (uint32_t)size, entry->deadline_ms);
    /* The next record goes here: its lines come while sets work on other shards. */
    for (uint32_t line = 0; line < LINES_AHEAD; line++) prefetch(at + size + line * CACHE_LINE);
    return offset;
}

static uint64_t size_with(const log_entry *entry, uint32_t chunks, uint32_t rest) {
    const uint32_t words = shape_words(entry->shape);
    const uint32_t key_len = (uint32_t)(entry->identity & IDENTITY_KEY_MASK);
    return chunks ? record_head_size(words, key_len, chunks, rest)
                  : record_inline_size(words, key_len, rest);
}

/* Puts the record into the lane's next extent, and as much of the value as fits into a chunk at the
 * end of the present one. LOG_FULL if there is no room. */
static uint64_t append_in_two(const shard *s, uint32_t lane, const log_entry *entry,
                              const tail *end, uint32_t payload) {
    uint8_t *at = s->extents + end->offset;
    copy_pieces(at + RECORD_HEADER, entry, 0, payload);
    write_header(at, entry->hash, chunk_shape(payload));
    tail_commit(s, end->offset, (uint32_t)record_chunk_size(payload), entry->deadline_ms);
    const uint32_t rest = entry->piece_len[0] + entry->piece_len[1] - payload;
    const tail next = open_next(s, lane) ? tail_of(s, lane) : (tail){0, 0};
    /* An empty extent has room, unless somebody scribbles over the notes. */
    if (size_with(entry, entry->solid_count + 1, rest) <= next.room)
        return write_record(s, next.offset, entry, end->offset, payload);
    log_release_chunk(s, end->offset, entry->deadline_ms);
    return LOG_FULL;
}

uint64_t log_append(const shard *s, uint32_t lane, const log_entry *entry) {
    const uint32_t rest = entry->piece_len[0] + entry->piece_len[1];
    /* At the second try, if not the first, an extent is empty. */
    for (int tries = 0; tries < 3; tries++) {
        const tail end = tail_of(s, lane);
        if (size_with(entry, entry->solid_count, rest) <= end.room)
            return write_record(s, end.offset, entry, LOG_FULL, 0);
        const uint32_t payload =
            end.room < s->geometry->tail_split_min
                ? 0
                : min_u32(rest, end.room - (uint32_t)RECORD_HEADER) & ~(RECORD_ALIGN - 1);
        if (payload >= CHUNK_PAYLOAD_MIN &&
            size_with(entry, entry->solid_count + 1, rest - payload) <= s->geometry->extent_bytes)
            return append_in_two(s, lane, entry, &end, payload);
        if (!open_next(s, lane)) break;
    }
    return LOG_FULL;
}

uint64_t log_size(const shard *s, uint32_t words, uint32_t key_len, uint32_t value_len) {
    const uint32_t solids = value_len / log_solid_bytes(s);
    const uint32_t rest = value_len % log_solid_bytes(s);
    return (uint64_t)solids * s->geometry->extent_bytes +
           (solids ? record_head_size(words, key_len, solids, rest)
                   : record_inline_size(words, key_len, rest));
}

uint32_t log_needs(const shard *s, uint32_t lane, uint32_t words, uint32_t key_len,
                   uint32_t value_len) {
    const uint32_t solids = value_len / log_solid_bytes(s);
    const uint64_t size =
        log_size(s, words, key_len, value_len) - (uint64_t)solids * s->geometry->extent_bytes;
    if (size <= tail_of(s, lane).room) return solids;
    return solids + (size + 16 <= s->geometry->extent_bytes ? 1 : 2);
}
