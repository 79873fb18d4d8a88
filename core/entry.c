/* SPDX-License-Identifier: MIT
 *
 * entry.c: see entry.h.
 */
#include "entry.h"

#include "lock.h"
#include "mark.h"

static void release_chunks(const shard *s, const record *head) {
    for (uint32_t i = 0; i < head->chunks; i++)
        log_release_chunk(s, load_u64_relaxed(&head->locations[i]), head->deadline_ms);
}

/* How many of the chunks are solid; a last one may not be, and goes to *tail. False if there is one
 * that cannot be a part of this value. */
static bool parts_of(const shard *s, const record *head, uint32_t *solids, record *tail) {
    *solids = head->chunks;
    tail->value_here = 0;
    if (head->chunks == 0) return true;
    if (!record_load(s, load_u64_relaxed(&head->locations[head->chunks - 1]), tail) ||
        tail->kind != RECORD_CHUNK)
        return false;
    if (log_is_solid(s, tail))
        tail->value_here = 0;
    else
        *solids = head->chunks - 1;
    return true;
}

uint64_t entry_bytes(const shard *s, const found *entry) {
    uint64_t bytes = entry->record.size;
    for (uint32_t i = 0; i < entry->record.chunks; i++) {
        record chunk;
        if (record_load(s, load_u64_relaxed(&entry->record.locations[i]), &chunk))
            bytes += chunk.size;
    }
    return bytes;
}

uint64_t entry_moving_bytes(const shard *s, const found *entry) {
    uint32_t solids;
    record tail;
    if (!parts_of(s, &entry->record, &solids, &tail)) return entry->record.size;
    return entry->record.size + (tail.value_here ? tail.size : 0);
}

/* Entries on probation are those whose head lies in an extent of that queue. */
static void count_probation(const shard *s, uint64_t offset, bool comes) {
    if (log_queue(s, offset) != QUEUE_PROBATION) return;
    uint64_t entries = load_u64_relaxed(&s->header->probation_entries);
    if (!comes && entries == 0) return;
    store_u64_relaxed(&s->header->probation_entries, comes ? entries + 1 : entries - 1);
}

/* ----------------------------------------------------------------- storing */

/* The parts of a value that fill extents of their own, into `solids`. */
static bool append_solids(const shard *s, uint32_t lane, uint64_t hash, const entry_value *value,
                          uint64_t *solids, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *bytes = value->bytes + (uint64_t)i * log_solid_bytes(s);
        solids[i] = log_append_solid(s, lane, hash, bytes, value->deadline_ms);
        if (solids[i] != LOG_FULL) continue;
        while (i-- > 0) log_release_chunk(s, solids[i], value->deadline_ms);
        return false;
    }
    return true;
}

void entry_survey(const shard *s) {
    store_u32_relaxed(&s->header->reap_left, s->geometry->extents);
}

/* The hand of reap.c has to come by, and at once if the entry is dead already. */
__attribute__((noinline)) static void note_tagged(const shard *s, uint64_t offset) {
    record r;
    store_u64_relaxed(&s->states[extent_of(s, offset)].tagged, 1);
    if (record_load(s, offset, &r) && record_invalidated(s->cache, &r)) entry_survey(s);
}

static bool publish_new(const shard *s, placement where, uint64_t hash, const log_entry *entry,
                        const found *existing, uint64_t *room) {
    const uint64_t offset = log_append(s, where.lane, entry);
    if (offset == LOG_FULL) return false;
    if (unlikely(entry->shape & SHAPE_BIRTH)) note_tagged(s, offset);
    const uint64_t word = word_make(hash_tag(hash), where.mark, offset);
    const bool published =
        existing ? index_publish(s, existing->word, word | (existing->value & WORD_SECOND))
                 : index_publish_new(s, hash, room, word);
    if (!published) return false;
    count_probation(s, offset, true);
    if (!existing) {
        store_u64_relaxed(&s->header->entries, load_u64_relaxed(&s->header->entries) + 1);
        return true;
    }
    count_probation(s, existing->record.offset, false);
    return true;
}

uint64_t entry_words(uint64_t deadline_ms, const tag_set *tags, uint64_t words[ENTRY_WORDS_MAX]) {
    uint64_t have = SHAPE_BIRTH | (uint64_t)tags->count << SHAPE_TAGS_SHIFT;
    uint32_t count = 0;
    if (deadline_ms != 0) {
        have |= SHAPE_DEADLINE;
        words[count++] = deadline_ms;
    }
    words[count++] = tags->birth;
    for (uint32_t i = 0; i < tags->count; i++) words[count++] = tags->slots[i];
    return have | (uint64_t)count << SHAPE_WORDS_SHIFT;
}

static bool store_behind(const shard *s, placement where, uint64_t hash, const void *key,
                         uint32_t key_len, const entry_value *value, const found *existing,
                         uint64_t *room, const uint64_t *solids, uint32_t count) {
    const log_entry entry = {
        .identity = value->version << IDENTITY_KEY_BITS | key_len,
        .shape = value->len | (uint64_t)value->type << SHAPE_TYPE_SHIFT | value->have,
        .words = value->words,
        .key = key,
        .hash = hash,
        .deadline_ms = value->deadline_ms,
        .piece = {value->bytes + (uint64_t)count * log_solid_bytes(s), NULL},
        .piece_len = {value->len - count * log_solid_bytes(s), 0},
        .solids = solids,
        .solid_count = count,
    };
    if (!publish_new(s, where, hash, &entry, existing, room)) return false;
    if (!existing) {
        store_u64_relaxed(&s->header->epoch_bytes,
                          load_u64_relaxed(&s->header->epoch_bytes) +
                              log_size(s, shape_words(value->have), key_len, value->len));
        return true;
    }
    release_chunks(s, &existing->record);
    log_release(s, &existing->record, existing->record.deadline_ms);
    return true;
}

/* Apart, because the places of the parts take much of the stack. */
__attribute__((noinline)) static bool store_large(const shard *s, placement where, uint64_t hash,
                                                  const void *key, uint32_t key_len,
                                                  const entry_value *value, const found *existing,
                                                  uint64_t *room, uint32_t count) {
    uint64_t solids[CHUNKS_MAX];
    if (count >= CHUNKS_MAX || !append_solids(s, where.lane, hash, value, solids, count))
        return false;
    if (store_behind(s, where, hash, key, key_len, value, existing, room, solids, count))
        return true;
    for (uint32_t i = 0; i < count; i++) log_release_chunk(s, solids[i], value->deadline_ms);
    return false;
}

bool entry_store(const shard *s, placement where, uint64_t hash, const void *key, uint32_t key_len,
                 const entry_value *value, const found *existing, uint64_t *room) {
    const uint32_t count = value->len / log_solid_bytes(s);
    if (unlikely(count > 0))
        return store_large(s, where, hash, key, key_len, value, existing, room, count);
    return store_behind(s, where, hash, key, key_len, value, existing, room, NULL, 0);
}

/* ---------------------------------------------------------------- dropping */

/* One entry less, whose record lies at `offset`. */
static void uncount(const shard *s, uint64_t offset) {
    count_probation(s, offset, false);
    uint64_t entries = load_u64_relaxed(&s->header->entries);
    if (entries) store_u64_relaxed(&s->header->entries, entries - 1);
}

/* The entry's word is gone already. */
static void forget(const shard *s, const found *entry) {
    uncount(s, entry->record.offset);
    release_chunks(s, &entry->record);
    log_release(s, &entry->record, entry->record.deadline_ms);
}

bool entry_drop(const shard *s, const found *entry) {
    if (!index_clear_word(s, entry->word)) return false;
    forget(s, entry);
    return true;
}

bool entry_drop_over(const shard *s, const found *entry) {
    const bool invalidated = record_invalidated(s->cache, &entry->record);
    if (!entry_drop(s, entry)) return false;
    cache_count(s->cache, invalidated ? COUNT_DELETES : COUNT_EXPIRATIONS, 1);
    return true;
}

bool entry_drop_to_ghost(const shard *s, const found *entry) {
    if (!index_leave_ghost(s, entry->word)) return false;
    forget(s, entry);
    return true;
}

bool entry_drop_unreadable(const shard *s, const found *entry) {
    if (!index_clear_word(s, entry->word)) return false;
    uncount(s, word_offset(entry->value));
    return true;
}

/* ------------------------------------------------------------------ moving */

/* Writes the entry's record anew, with the given words. */
static bool rewrite(const shard *s, placement where, uint64_t hash, const found *entry,
                    uint64_t have, const uint64_t *words, uint64_t deadline_ms) {
    const record *head = &entry->record;
    uint32_t solid_count;
    record tail;
    if (!parts_of(s, head, &solid_count, &tail)) return false;
    const log_entry moved = {
        .identity = head->identity,
        .shape = head->value_len | (uint64_t)head->type << SHAPE_TYPE_SHIFT | have,
        .words = words,
        .key = head->key,
        .hash = hash,
        .deadline_ms = deadline_ms,
        .piece = {tail.value_here ? tail.value : NULL, head->value},
        .piece_len = {tail.value_here, head->value_here},
        .solids = head->locations, /* in the segment; they stay while the old record does */
        .solid_count = solid_count,
    };
    if (!publish_new(s, where, hash, &moved, entry, NULL)) return false;
    if (tail.value_here) log_release(s, &tail, head->deadline_ms);
    log_release(s, head, head->deadline_ms);
    for (uint32_t i = 0; i < solid_count; i++) {
        const uint64_t offset = load_u64_relaxed(&head->locations[i]);
        log_move_solid(s, offset, where.lane);
        record solid;
        if (deadline_ms != head->deadline_ms && record_load(s, offset, &solid))
            log_change_deadline(s, &solid, head->deadline_ms, deadline_ms);
    }
    return true;
}

/* The bits that say which words there are, and how many. */
#define HAVE_BITS                                                 \
    (SHAPE_DEADLINE | SHAPE_FRESH | SHAPE_CREATED | SHAPE_BIRTH | \
     SHAPE_FIVE_BITS << SHAPE_TAGS_SHIFT | SHAPE_FIVE_BITS << SHAPE_WORDS_SHIFT)

bool entry_move(const shard *s, placement where, uint64_t hash, const found *entry) {
    const record *head = &entry->record;
    const uint64_t *words = (const uint64_t *)(const void *)(head->at + RECORD_HEADER);
    return rewrite(s, where, hash, entry, head->shape & HAVE_BITS, words, head->deadline_ms);
}

bool entry_move_solid(const shard *s, const found *entry, const record *chunk) {
    const record *head = &entry->record;
    for (uint32_t i = 0; i < head->chunks; i++) {
        if (load_u64_relaxed(&head->locations[i]) != chunk->offset) continue;
        const uint64_t offset = log_copy_solid(s, chunk, head->deadline_ms);
        if (offset == LOG_FULL) return false;
        if (!lock_is_ours(s->cache, s->header)) return false;
        store_u64_release(&head->locations[i], offset); /* read like an index word */
        log_release(s, chunk, head->deadline_ms);
        return true;
    }
    return false;
}

/* Puts a deadline in front of the words that are there. */
static bool rewrite_with_deadline(const shard *s, placement where, uint64_t hash,
                                  const found *entry, uint64_t deadline_ms) {
    const record *head = &entry->record;
    uint64_t words[RECORD_WORDS_MAX + 1] = {deadline_ms};
    const uint32_t before = shape_words(head->shape);
    copy_from_shared(words + 1, head->at + RECORD_HEADER, 8 * (size_t)before);
    const uint64_t have =
        ((head->shape & HAVE_BITS) | SHAPE_DEADLINE) + (1ull << SHAPE_WORDS_SHIFT);
    return rewrite(s, where, hash, entry, have, words, deadline_ms);
}

/* The deadline is part of the record. */
static void change_deadline(const shard *s, const record *head, uint64_t deadline_ms) {
    uint64_t *word = (uint64_t *)(void *)(s->extents + head->offset) + 2;
    log_change_deadline(s, head, head->deadline_ms, deadline_ms);
    for (uint32_t i = 0; i < head->chunks; i++) {
        record chunk;
        if (record_load(s, load_u64_relaxed(&head->locations[i]), &chunk))
            log_change_deadline(s, &chunk, head->deadline_ms, deadline_ms);
    }
    store_u64_release(word, deadline_ms);
}

bool entry_touch(const shard *s, placement where, uint64_t hash, const found *entry,
                 uint64_t deadline_ms) {
    if (entry_lacks_deadline(entry) && deadline_ms != 0)
        return rewrite_with_deadline(s, where, hash, entry, deadline_ms);
    if (!lock_is_ours(s->cache, s->header)) return false;
    if (!entry_lacks_deadline(entry)) change_deadline(s, &entry->record, deadline_ms);
    mark_store(entry->word, mark_after_use(s, entry->record.extent, word_mark(entry->value)));
    return true;
}
