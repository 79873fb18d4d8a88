/* SPDX-License-Identifier: MIT
 *
 * entry.c: see entry.h.
 */
#include "entry.h"

#include "lock.h"
#include "mark.h"

/* Values up to this many bytes are put together again, on the stack, when they move. */
#define GATHER_MAX 16384u

static void release_chunks(const shard *s, const record *head) {
    for (uint32_t i = 0; i < head->chunks; i++)
        log_release_chunk(s, load_u64_relaxed(&head->locations[i]));
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

/* Entries on probation are those whose head lies in an extent of that queue. */
static void count_probation(const shard *s, uint64_t offset, bool comes) {
    if (log_queue(s, offset) != QUEUE_PROBATION) return;
    uint64_t entries = load_u64_relaxed(&s->header->probation_entries);
    if (!comes && entries == 0) return;
    store_u64_relaxed(&s->header->probation_entries, comes ? entries + 1 : entries - 1);
}

bool entry_store(const shard *s, placement where, uint64_t hash, record_header header,
                 const uint8_t *key, log_value *value, const found *existing, uint64_t *room) {
    uint64_t offset = log_append(s, where.lane, hash, header, key, value);
    if (offset == LOG_FULL) return false;
    log_note_deadline(s, (uint32_t)extent_of(s, offset), header.deadline_ms);
    const uint64_t word = word_make(hash_tag(hash), where.mark, offset);
    if (!index_publish(s, existing ? existing->word : room, word)) return false;
    count_probation(s, offset, true);
    store_u64_relaxed(&s->header->epoch_bytes,
                      load_u64_relaxed(&s->header->epoch_bytes) +
                          record_inline_size(header.key_len, header.value_len));
    if (!existing) {
        store_u64_relaxed(&s->header->entries, load_u64_relaxed(&s->header->entries) + 1);
        return true;
    }
    count_probation(s, existing->record.offset, false);
    release_chunks(s, &existing->record);
    log_release(s, existing->record.offset, existing->record.size);
    return true;
}

/* The entry's word is gone already. */
static void forget(const shard *s, const found *entry) {
    count_probation(s, entry->record.offset, false);
    uint64_t entries = load_u64_relaxed(&s->header->entries);
    if (entries) store_u64_relaxed(&s->header->entries, entries - 1);
    if (entry->record.header.form == RECORD_HEAD) release_chunks(s, &entry->record);
    log_release(s, entry->record.offset, entry->record.size);
}

bool entry_drop(const shard *s, const found *entry) {
    if (!index_clear_word(s, entry->word)) return false;
    forget(s, entry);
    return true;
}

bool entry_drop_to_ghost(const shard *s, const found *entry) {
    if (!index_leave_ghost(s, entry->word)) return false;
    forget(s, entry);
    return true;
}

bool entry_touch(const shard *s, const found *entry, uint64_t deadline_ms) {
    if (!lock_is_ours(s->cache, s->header)) return false;
    /* The sweep must know of it before it is there. */
    log_note_deadline(s, entry->record.extent, deadline_ms);
    uint64_t *deadline = (uint64_t *)(void *)(s->extents + entry->record.offset);
    store_u64_release(deadline, deadline_ms);
    mark_store(entry->word, mark_after_use(s, word_mark(entry->value)));
    return true;
}

/* ------------------------------------------------------------------ moving */

static uint32_t copy_locations(const record *head, uint32_t from, uint32_t to, uint64_t *out) {
    for (uint32_t i = from; i < to; i++) *out++ = load_u64_relaxed(&head->locations[i]);
    return to - from;
}

/* Publishes a new record for an entry whose chunks stay; releases the old one. */
static bool rewrite(const shard *s, placement where, uint64_t hash, const found *entry,
                    log_value *value) {
    record_header header = entry->record.header;
    uint64_t offset = log_append(s, where.lane, hash, header, entry->record.key, value);
    if (offset == LOG_FULL) return false;
    log_note_deadline(s, (uint32_t)extent_of(s, offset), header.deadline_ms);
    if (!index_publish(s, entry->word, word_make(word_tag(entry->value), where.mark, offset)))
        return false;
    count_probation(s, offset, true);
    count_probation(s, entry->record.offset, false);
    log_release(s, entry->record.offset, entry->record.size);
    return true;
}

static uint32_t chunk_number(const record *head, uint64_t offset) {
    for (uint32_t i = 0; i < head->chunks; i++)
        if (load_u64_relaxed(&head->locations[i]) == offset) return i;
    return head->chunks;
}

static bool move_chunk(const shard *s, placement where, uint64_t hash, const found *entry,
                       const record *chunk) {
    const record *head = &entry->record;
    uint32_t number = chunk_number(head, chunk->offset);
    if (number == head->chunks || chunk->header.value_len == 0) return false;
    const uint64_t old = chunk->offset;
    uint64_t pieces[CHUNKS_MAX];
    uint32_t count = 0;
    uint32_t count_max = log_chunks_max(s) - min_u32(head->chunks, log_chunks_max(s)) + 1;
    if (!log_append_chunks(s, where.lane, hash, chunk->value, chunk->header.value_len, pieces,
                           &count, count_max)) {
        for (uint32_t i = 0; i < count; i++) log_release_chunk(s, pieces[i]);
        return false;
    }
    if (count == 1) {
        if (!lock_is_ours(s->cache, s->header)) return false;
        store_u64_release(&head->locations[number], pieces[0]); /* read like an index word */
        mark_store(entry->word, where.mark);
        log_release(s, old, chunk->size);
        return true;
    }
    log_value value = {
        .rest = head->value, .rest_len = head->value_here, .split_min = log_split_min_moving(s)};
    value.chunks = copy_locations(head, 0, number, value.locations);
    for (uint32_t i = 0; i < count; i++) value.locations[value.chunks++] = pieces[i];
    value.chunks += copy_locations(head, number + 1, head->chunks, value.locations + value.chunks);
    if (!rewrite(s, where, hash, entry, &value)) {
        for (uint32_t i = 0; i < count; i++) log_release_chunk(s, pieces[i]);
        return false;
    }
    log_release(s, old, chunk->size);
    return true;
}

/* A small value that was cut by moves before becomes one piece again. */
static bool move_whole(const shard *s, placement where, uint64_t hash, const found *entry) {
    const record *head = &entry->record;
    uint8_t bytes[GATHER_MAX];
    uint32_t len = 0;
    for (uint32_t i = 0; i < head->chunks; i++) {
        record chunk;
        if (!record_load(s, load_u64_relaxed(&head->locations[i]), &chunk) ||
            chunk.header.form != RECORD_CHUNK || chunk.header.value_len > sizeof bytes - len)
            return false;
        copy_from_shared(bytes + len, chunk.value, chunk.header.value_len);
        len += chunk.header.value_len;
    }
    if (head->value_here > sizeof bytes - len) return false;
    copy_from_shared(bytes + len, head->value, head->value_here);
    log_value value = {.rest = bytes,
                       .rest_len = len + head->value_here,
                       .split_min = s->geometry->tail_split_min};
    if (value.rest_len != head->header.value_len || !rewrite(s, where, hash, entry, &value))
        return false;
    release_chunks(s, head);
    return true;
}

bool entry_move_part(const shard *s, placement where, uint64_t hash, const found *entry,
                     const record *part) {
    /* Whole only if that takes one extent at most: the cleaner may not have more. */
    const uint64_t whole_max = min_u64(GATHER_MAX, s->geometry->extent_bytes / 2);
    if (entry->record.chunks > 1 && entry->record.header.value_len <= whole_max)
        return move_whole(s, where, hash, entry);
    if (part->header.form == RECORD_CHUNK) return move_chunk(s, where, hash, entry, part);
    log_value value = {.rest = part->value,
                       .rest_len = part->value_here,
                       .split_min =
                           part->chunks ? log_split_min_moving(s) : s->geometry->tail_split_min};
    value.chunks = copy_locations(part, 0, part->chunks, value.locations);
    return rewrite(s, where, hash, entry, &value);
}
