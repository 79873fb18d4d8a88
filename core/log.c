/* SPDX-License-Identifier: MIT
 *
 * log.c: see log.h.
 */
#include "log.h"

/* A chunk must be worth its header. */
#define CHUNK_PAYLOAD_MIN 64u

/* Fetched behind the tail. */
#define LINES_AHEAD 16u

static uint32_t open_extent(const shard *s, uint32_t lane) {
    uint32_t extent = load_u32_relaxed(&s->header->open_extents[lane]);
    return extent < s->geometry->extents ? extent : EXTENT_NONE;
}

bool log_is_open(const shard *s, uint32_t extent) {
    for (uint32_t lane = 0; lane < LANES; lane++)
        if (load_u32_relaxed(&s->header->open_extents[lane]) == extent) return true;
    return false;
}

enum queue log_queue(const shard *s, uint64_t offset) {
    const uint64_t extent = extent_of(s, offset);
    if (extent >= s->geometry->extents) return QUEUE_MAIN;
    return load_u32_relaxed(&s->states[extent].queue) == QUEUE_PROBATION ? QUEUE_PROBATION
                                                                         : QUEUE_MAIN;
}

/* Live bytes come and go in the extent, its queue, and the shard. */
static void live_add(const shard *s, uint32_t extent, uint32_t size) {
    extent_state *state = &s->states[extent];
    shard_header *h = s->header;
    store_u32_relaxed(&state->live, load_u32_relaxed(&state->live) + size);
    store_u64_relaxed(&h->live_bytes, load_u64_relaxed(&h->live_bytes) + size);
    if (load_u32_relaxed(&state->queue) == QUEUE_PROBATION)
        store_u64_relaxed(&h->probation_bytes, load_u64_relaxed(&h->probation_bytes) + size);
}

static void subtract(uint64_t *sum, uint64_t less) {
    uint64_t now = load_u64_relaxed(sum);
    store_u64_relaxed(sum, now - min_u64(less, now));
}

/* Returns what is left in the extent. */
static uint32_t live_subtract(const shard *s, uint32_t extent, uint32_t size) {
    extent_state *state = &s->states[extent];
    uint32_t live = load_u32_relaxed(&state->live);
    uint32_t less = min_u32(size, live);
    store_u32_relaxed(&state->live, live - less);
    subtract(&s->header->live_bytes, less);
    if (load_u32_relaxed(&state->queue) == QUEUE_PROBATION)
        subtract(&s->header->probation_bytes, less);
    return live - less;
}

uint32_t log_chunks_max(const shard *s) {
    uint64_t fixed = record_head_size(FC_KEY_LEN_MAX, 0, CHUNK_PAYLOAD_MIN);
    return (uint32_t)min_u64((s->geometry->extent_bytes - fixed) / 8, CHUNKS_MAX);
}

static uint32_t extent_used(const shard *s, uint32_t extent) {
    return min_u32(load_u32_relaxed(&s->states[extent].used), s->geometry->extent_bytes);
}

uint64_t log_capacity(const shard *s) {
    uint32_t index = min_u32(load_u32_relaxed(&s->header->index_extents), s->geometry->extents);
    return (uint64_t)(s->geometry->extents - index) << s->geometry->extent_shift;
}

/* ------------------------------------------------------- freeing and opening */

static void kind_set(const shard *s, uint32_t extent, enum extent_kind kind) {
    store_u32_relaxed(&s->states[extent].kind, kind);
    uint32_t free_extents = load_u32_relaxed(&s->header->free_extents);
    if (kind == EXTENT_FREE)
        store_u32_relaxed(&s->header->free_extents, free_extents + 1);
    else if (free_extents)
        store_u32_relaxed(&s->header->free_extents, free_extents - 1);
}

void log_free(const shard *s, uint32_t extent) {
    extent_state *state = &s->states[extent];
    if (load_u32_relaxed(&state->kind) != EXTENT_DATA) return;
    live_subtract(s, extent, UINT32_MAX);
    store_u64_relaxed(&state->deadline_min, DEADLINE_NONE);
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

void log_note_deadline(const shard *s, uint32_t extent, uint64_t deadline_ms) {
    if (deadline_ms == 0) return;
    log_lower_deadline(&s->states[extent].deadline_min, deadline_ms);
    log_lower_deadline(&s->header->deadline_min, deadline_ms);
    if (load_u32_relaxed(&s->header->walks[WALK_SWEEP].extent) == extent)
        log_lower_deadline(&s->header->sweep_deadline_min, deadline_ms);
}

/* The free extent that was opened longest ago: readers that still look at it are the fewest. */
static uint32_t oldest_free(const shard *s) {
    uint32_t best = EXTENT_NONE;
    uint64_t best_generation = UINT64_MAX;
    for (uint32_t e = 0; e < s->geometry->extents; e++) {
        if (load_u32_relaxed(&s->states[e].kind) != EXTENT_FREE) continue;
        uint64_t generation = load_u64_relaxed(&s->generations[e]);
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
    store_u64_relaxed(&s->generations[extent], sequence);
    fence_release();                                   /* pairs with the acquire fence in read.c */
    store_u64_release(&s->header->sequence, sequence); /* pairs with the acquire in read.c */
}

static bool open_next(const shard *s, uint32_t lane) {
    log_seal(s, lane);
    uint32_t extent = oldest_free(s);
    if (extent == EXTENT_NONE) return false;
    generation_raise(s, extent);
    extent_state *state = &s->states[extent];
    store_u32_relaxed(&state->used, 0);
    store_u32_relaxed(&state->live, 0);
    const bool lru = s->cache->eviction != FC_EVICTION_S3FIFO;
    store_u32_relaxed(&state->queue, lru ? QUEUE_MAIN : lane);
    store_u64_relaxed(&state->epoch, lru ? load_u64_relaxed(&s->header->epoch) - lane : 0);
    store_u64_relaxed(&state->deadline_min, DEADLINE_NONE);
    kind_set(s, extent, EXTENT_DATA);
    store_u32_relaxed(&s->header->open_extents[lane], extent);
    return true;
}

uint32_t log_take_for_index(const shard *s) {
    if (load_u32_relaxed(&s->header->free_extents) <= LOG_RESERVE) return EXTENT_NONE;
    uint32_t extent = oldest_free(s);
    if (extent == EXTENT_NONE) return EXTENT_NONE;
    generation_raise(s, extent); /* it holds no records from now on */
    kind_set(s, extent, EXTENT_INDEX);
    store_u32_relaxed(&s->header->index_extents, load_u32_relaxed(&s->header->index_extents) + 1);
    return extent;
}

void log_release(const shard *s, uint64_t offset, uint32_t size) {
    const uint64_t extent = extent_of(s, offset);
    if (extent >= s->geometry->extents) return;
    if (live_subtract(s, (uint32_t)extent, size) == 0 && !log_is_open(s, (uint32_t)extent))
        log_free(s, (uint32_t)extent);
}

void log_release_chunk(const shard *s, uint64_t offset) {
    record chunk;
    if (record_load(s, offset, &chunk) && chunk.header.form == RECORD_CHUNK)
        log_release(s, offset, chunk.size);
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
    uint32_t position = (uint32_t)round_up(extent_used(s, extent), RECORD_ALIGN);
    return (tail){extent_offset(s, extent) + position, s->geometry->extent_bytes - position};
}

bool log_fits_tail(const shard *s, uint32_t lane, uint64_t size) {
    return size <= tail_of(s, lane).room;
}

/* Counts a complete record at the tail; before this a walk does not see it. */
static void tail_commit(const shard *s, uint64_t offset, uint32_t size) {
    const uint32_t extent = (uint32_t)extent_of(s, offset);
    extent_state *state = &s->states[extent];
    const uint32_t position = extent_position(s, offset);
    FC_ASSERT(position + size <= s->geometry->extent_bytes && size % RECORD_ALIGN == 0);
    store_u32_release(&state->used, position + size);
    live_add(s, extent, size);
}

static uint64_t append_chunk(const shard *s, uint64_t offset, uint64_t hash, const uint8_t *payload,
                             uint32_t len) {
    record_header header = {.version = hash, .value_len = len, .form = RECORD_CHUNK};
    uint8_t *at = s->extents + offset;
    copy_to_shared(at, &header, sizeof header);
    copy_to_shared(at + RECORD_HEADER, payload, len);
    tail_commit(s, offset, (uint32_t)record_chunk_size(len));
    return offset;
}

uint32_t log_split_min_moving(const shard *s) { return s->geometry->extent_bytes / 8; }

bool log_append_chunks(const shard *s, uint32_t lane, uint64_t hash, const uint8_t *bytes,
                       uint32_t len, uint64_t *locations, uint32_t *count, uint32_t count_max) {
    const geometry *g = s->geometry;
    uint32_t opened = 0;
    while (len > 0) {
        const tail end = tail_of(s, lane);
        /* The last location that is left has to take all the rest. */
        bool may_cut = end.room >= log_split_min_moving(s) && *count + 1 < count_max;
        bool useful = may_cut || record_chunk_size(len) <= end.room;
        if (!useful) {
            if (opened++ > g->extents || !open_next(s, lane)) return false;
            continue;
        }
        if (*count >= count_max) return false;
        uint32_t part = min_u32(len, end.room - (uint32_t)RECORD_HEADER);
        locations[(*count)++] = append_chunk(s, end.offset, hash, bytes, part);
        bytes += part;
        len -= part;
    }
    return true;
}

static uint64_t append_record(const shard *s, uint64_t offset, record_header header,
                              const uint8_t *key, const log_value *value) {
    uint8_t *at = s->extents + offset;
    uint64_t size;
    if (value->chunks == 0) {
        header.form = RECORD_INLINE;
        copy_to_shared(at + RECORD_HEADER, key, header.key_len);
        copy_to_shared(at + RECORD_HEADER + header.key_len, value->rest, value->rest_len);
        size = record_inline_size(header.key_len, value->rest_len);
    } else {
        header.form = RECORD_HEAD;
        uint8_t *counts_at = at + record_head_size(header.key_len, 0, 0) - 8;
        const uint32_t counts[2] = {value->chunks, value->rest_len};
        copy_to_shared(at + RECORD_HEADER, key, header.key_len);
        copy_to_shared(counts_at, counts, sizeof counts);
        copy_to_shared(counts_at + 8, value->locations, 8 * (size_t)value->chunks);
        copy_to_shared(counts_at + 8 + 8 * (size_t)value->chunks, value->rest, value->rest_len);
        size = record_head_size(header.key_len, value->chunks, value->rest_len);
    }
    copy_to_shared(at, &header, sizeof header);
    tail_commit(s, offset, (uint32_t)size);
    /* The next record goes here: its lines come while sets work on other shards. */
    for (uint32_t line = 0; line < LINES_AHEAD; line++) prefetch(at + size + line * CACHE_LINE);
    return offset;
}

static uint64_t record_size(const record_header *header, const log_value *value) {
    return value->chunks ? record_head_size(header->key_len, value->chunks, value->rest_len)
                         : record_inline_size(header->key_len, value->rest_len);
}

/* Bytes of the value to put into a chunk at a tail with so much room; 0 for none. */
static uint32_t chunk_at_tail(const shard *s, uint32_t room, const log_value *value) {
    if (room < value->split_min || value->chunks >= log_chunks_max(s)) return 0;
    uint32_t payload = min_u32(value->rest_len, room - (uint32_t)RECORD_HEADER);
    return payload >= CHUNK_PAYLOAD_MIN ? payload : 0;
}

uint64_t log_append(const shard *s, uint32_t lane, uint64_t hash, record_header header,
                    const uint8_t *key, log_value *value) {
    const uint32_t chunks_before = value->chunks;
    /* Each round fills or leaves one extent, so there are at most as many as extents. */
    for (uint32_t rounds = 0; rounds <= 2 * s->geometry->extents; rounds++) {
        const tail end = tail_of(s, lane);
        if (record_size(&header, value) <= end.room)
            return append_record(s, end.offset, header, key, value);
        uint32_t payload = chunk_at_tail(s, end.room, value);
        if (payload == 0) {
            if (!open_next(s, lane)) break;
            continue;
        }
        value->locations[value->chunks++] = append_chunk(s, end.offset, hash, value->rest, payload);
        value->rest += payload;
        value->rest_len -= payload;
    }
    while (value->chunks > chunks_before) log_release_chunk(s, value->locations[--value->chunks]);
    return LOG_FULL;
}

uint32_t log_needs(const shard *s, uint32_t lane, uint32_t key_len, uint32_t value_len) {
    uint64_t size = record_inline_size(key_len, value_len);
    if (log_fits_tail(s, lane, size)) return 0;
    uint64_t per_extent =
        s->geometry->extent_bytes - s->geometry->tail_split_min - 2 * RECORD_HEADER;
    /* One for the rest of the division, one for a head that has to begin a fresh extent. */
    return size <= s->geometry->extent_bytes / 2 ? 1 : (uint32_t)(size / per_extent) + 2;
}
