/* SPDX-License-Identifier: MIT
 *
 * write.c: see write.h. Every operation is: lock, find, decide, make room, append, publish,
 * unlock. A death anywhere leaves the old entry or the new one, as one index word decides. Where
 * values are being computed (lease.h), the key's lease is taken away before anything changes.
 */
#include "write.h"

#include <math.h>

#include "arguments.h"
#include "clean.h"
#include "clock.h"
#include "entry.h"
#include "guard.h"
#include "lease.h"
#include "lock.h"
#include "mark.h"

/* Splits that an operation undoes at most, where little of the index is in use; and one for each
 * entry that it dropped. */
#define SPLITS_UNDONE 4u

typedef struct target {
    shard s;
    uint64_t hash;
    const uint8_t *key;
    uint32_t key_len;
    bool present;
    found entry;
} target;

/* What an operation on the key works on. FC_OK, or what is wrong with the key. */
static int32_t aim(target *t, const cache *c, const void *key, uint32_t key_len) {
    const int32_t status = key_check(key_len);
    if (unlikely(status != FC_OK)) return status;
    const uint64_t hash = fc_hash(key, key_len, c->hash_seed);
    *t = (target){.s = shard_of(c, hash), .hash = hash, .key = key, .key_len = key_len};
    return FC_OK;
}

/* Finds the entry; one that is over, by its deadline or its tags, counts as absent, and goes. */
static void look_up(target *t) {
    t->present = index_find(&t->s, t->hash, t->key, t->key_len, &t->entry);
    if (!t->present || !record_over(t->s.cache, &t->entry.record)) return;
    (void)entry_drop_over(&t->s, &t->entry);
    t->present = false;
}

/* The index grows a little ahead of need. Where that takes an extent, it has to be a certain one:
 * sets move what lies there until it is free. Returns the bytes that this one of `size` moved. */
static uint64_t grow_index(const shard *s, uint64_t size) {
    if (likely(!index_wants_growth(s))) return 0;
    uint64_t moved = 0;
    const uint32_t extent = index_next_extent(s);
    if (extent != EXTENT_NONE && load_u32_relaxed(&s->header->free_extents) > LOG_RESERVE)
        moved = clean_extent(s, extent, size);
    (void)index_grow(s);
    return moved;
}

/* An empty word for a new entry. When both buckets and the stash are full, a bucket is split out of
 * turn; if that does not help, an entry of the two buckets leaves. */
static uint64_t *index_room_for(const target *t) {
    const shard *s = &t->s;
    if (unlikely(load_u32_relaxed(&s->header->stash_count) != 0)) index_drain(s);
    uint64_t *word = index_room(s, t->hash);
    if (!word && index_next_extent(s) == EXTENT_NONE && index_grow(s)) {
        for (uint32_t i = 0; i < STASH_WORDS; i++) index_drain(s);
        word = index_room(s, t->hash);
    }
    if (word) return word;
    found victim;
    if (!index_victim(s, t->hash, &victim)) return NULL;
    if (record_load(s, word_offset(victim.value), &victim.record) && victim.record.key) {
        (void)entry_drop(s, &victim);
        cache_count(s->cache, COUNT_EVICTIONS, 1);
    } else {
        (void)entry_drop_unreadable(s, &victim);
    }
    return index_room(s, t->hash);
}

/* Makes room and stores; t->present and t->entry say what is there now. */
static int32_t store(target *t, const write_value *value, uint64_t deadline_ms) {
    const shard *s = &t->s;
    bool moved;
    uint64_t tagged[ENTRY_WORDS_MAX];
    const uint64_t *in_front = &deadline_ms;
    uint64_t have = deadline_ms != 0 ? SHAPE_DEADLINE | 1ull << SHAPE_WORDS_SHIFT : 0;
    if (unlikely(value->tags != NULL)) {
        have = entry_words(deadline_ms, value->tags, tagged);
        in_front = tagged;
    }
    const uint32_t words = shape_words(have);
    uint64_t spent = 0;
    if (!t->present) {
        const uint64_t size = log_size(s, words, t->key_len, value->len);
        const int32_t status = clean_below(s, s->geometry->shard_entries_max, size);
        if (status != FC_OK) return status;
        spent = grow_index(s, size);
    }
    const placement where = s->cache->policy->admit(s, t->hash, t->present ? &t->entry : NULL);
    const uint64_t replaced = t->present ? entry_bytes(s, &t->entry) : 0;
    const int32_t status =
        clean_for(s, where.lane, words, t->key_len, value->len, replaced, spent, &moved);
    if (status != FC_OK) return status;
    if (moved) look_up(t);
    uint64_t *room = t->present ? NULL : index_room_for(t);
    if (!t->present && !room) return FC_CORRUPT;

    uint64_t version = (load_u64_relaxed(&s->header->version) + 1) & VERSION_MASK;
    store_u64_relaxed(&s->header->version, version);
    const entry_value what = {.bytes = value->bytes,
                              .len = value->len,
                              .type = value->type,
                              .deadline_ms = deadline_ms,
                              .version = version,
                              .have = have,
                              .words = in_front};
    if (!entry_store(s, where, t->hash, t->key, t->key_len, &what, t->present ? &t->entry : NULL,
                     room))
        return lock_is_ours(s->cache, s->header) ? FC_CORRUPT : FC_BUSY;
    if (cache_lost(s->cache)) return FC_CORRUPT;
    cache_count(s->cache, COUNT_SETS, 1);
    return FC_OK;
}

/* Stores what is over at once: nobody could ever see it, so only what it replaces goes. */
static int32_t store_nothing(target *t) {
    if (t->present && !entry_drop(&t->s, &t->entry)) return FC_BUSY;
    cache_count(t->s.cache, COUNT_SETS, 1);
    cache_count(t->s.cache, COUNT_EXPIRATIONS, 1);
    return FC_OK;
}

/* Notes that make no sense are rebuilt once; a second failure is the answer. */
static int32_t store_or_recount(target *t, const write_value *value, uint64_t deadline_ms) {
    if (unlikely(deadline_ms == DEADLINE_PASSED)) return store_nothing(t);
    int32_t status = store(t, value, deadline_ms);
    if (status != FC_CORRUPT) return status;
    status = guard_recount(&t->s);
    if (status != FC_OK) return status;
    look_up(t);
    return store(t, value, deadline_ms);
}

static bool condition_met(const target *t, uint32_t mode, double version) {
    switch (mode) {
    case FC_SET_IF_ABSENT:
        return !t->present;
    case FC_SET_IF_PRESENT:
        return t->present;
    case FC_SET_IF_VERSION:
        return t->present && (double)record_version(&t->entry.record) == version;
    case FC_SET_IF_LEASE:
        return lease_allows(&t->s, t->hash, version);
    default:
        return true;
    }
}

/* The value takes over deadline and tags of the entry that it replaces; of tags, unless it has some
 * of its own. Its birth, too: that was alive, so its tags have not been deleted since. One of now
 * would survive a deletion that came after the look at the entry. */
static void keep_of_entry(const target *t, write_value *value, uint64_t *deadline_ms,
                          tag_set *tags) {
    *deadline_ms = t->entry.record.deadline_ms;
    if (!value->tags && tag_of_record(&t->entry.record, tags)) value->tags = tags;
}

/* Lets the lease go under which the value was computed that has been stored now. */
static lease_news land(const target *t) {
    lease_news news = {0, 0};
    lease_line *line = lease_find(&t->s, t->hash, clock_coarse_ms(t->s.cache), &news);
    return line ? lease_free(&t->s, line) : news;
}

/* With the lock held. `news` is null where no value of the shard is being computed. */
__attribute__((always_inline)) static inline int32_t set_locked(target *t, const write_value *value,
                                                                uint32_t mode, double version,
                                                                uint64_t deadline_ms,
                                                                lease_news *news) {
    const uint32_t condition = mode & ~FC_KEEP_TTL;
    const uint64_t before = load_u64_relaxed(&t->s.header->entries);
    int32_t status = FC_MISS;
    look_up(t);
    write_value kept;
    tag_set tags;
    if (unlikely(mode & FC_KEEP_TTL) && t->present) {
        kept = *value;
        keep_of_entry(t, &kept, &deadline_ms, &tags);
        value = &kept;
    }
    if (condition_met(t, condition, version)) {
        if (news && condition != FC_SET_IF_LEASE) *news = lease_fence(&t->s, t->hash);
        status = store_or_recount(t, value, deadline_ms);
        if (news && condition == FC_SET_IF_LEASE && status == FC_OK) *news = land(t);
    }
    const uint64_t now = load_u64_relaxed(&t->s.header->entries);
    index_shrink(&t->s, SPLITS_UNDONE + (uint32_t)(before - min_u64(now, before)));
    guard_unlock(&t->s);
    return status;
}

__attribute__((noinline)) static int32_t set_beside_leases(target *t, const write_value *value,
                                                           uint32_t mode, double version,
                                                           uint64_t deadline_ms) {
    lease_news news = {0, 0};
    write_value born;
    tag_set tags;
    if (value->tags && (mode & ~FC_KEEP_TTL) == FC_SET_IF_LEASE) {
        born = *value;
        tags = *value->tags;
        born.tags = &tags;
        value = &born;
        if (lease_allows(&t->s, t->hash, version) && !lease_bears(&t->s, t->hash, version, &tags))
            news = lease_fence(&t->s, t->hash);
    }
    const int32_t status = set_locked(t, value, mode, version, deadline_ms, &news);
    lease_tell(t->s.cache, news);
    return status;
}

static int32_t set(target *t, const write_value *value, uint32_t mode, double version) {
    const cache *c = t->s.cache;
    int32_t status = value_check(c, value->len, value->type, value->ttl_ms);
    if (status != FC_OK) return status;
    if ((mode & ~FC_KEEP_TTL) > FC_SET_IF_LEASE ||
        !(version >= 0 && version <= (double)VERSION_MASK))
        return FC_INVALID_ARGUMENT;
    /* Fetch what the lock's holder will need while nobody waits, and read the clock meanwhile. */
    prefetch(&t->s.header->lock);
    prefetch(&t->s.header->entries);
    prefetch(&t->s.header->expired_max);
    bucket_pair pair;
    index_prefetch(&t->s, t->hash, &pair);
    const uint64_t deadline_ms = deadline_after(c, value->ttl_ms);
    (void)index_prefetch_record(&t->s, t->hash, &pair);
    status = guard_lock(&t->s);
    if (status != FC_OK) return status;
    if (lease_any(&t->s)) return set_beside_leases(t, value, mode, version, deadline_ms);
    return set_locked(t, value, mode, version, deadline_ms, NULL);
}

int32_t write_set(const cache *c, const void *key, uint32_t key_len, const write_value *value,
                  uint32_t mode, double version) {
    target t;
    const int32_t status = aim(&t, c, key, key_len);
    return likely(status == FC_OK) ? set(&t, value, mode, version) : status;
}

int32_t write_set_hashed(const cache *c, uint64_t hash, const void *key, uint32_t key_len,
                         const write_value *value, uint32_t mode) {
    target t = {.s = shard_of(c, hash), .hash = hash, .key = key, .key_len = key_len};
    return set(&t, value, mode, 0);
}

static int32_t delete(target *t) {
    lease_news news = {0, 0};
    int32_t status = guard_lock(&t->s);
    if (status != FC_OK) return status;
    if (lease_any(&t->s)) news = lease_fence(&t->s, t->hash);
    look_up(t);
    status = FC_MISS;
    if (t->present) {
        status = entry_drop(&t->s, &t->entry) ? FC_OK : FC_BUSY;
        if (status == FC_OK) cache_count(t->s.cache, COUNT_DELETES, 1);
    }
    index_shrink(&t->s, SPLITS_UNDONE);
    guard_unlock(&t->s);
    lease_tell(t->s.cache, news);
    return status;
}

int32_t write_delete(const cache *c, const void *key, uint32_t key_len) {
    target t;
    const int32_t status = aim(&t, c, key, key_len);
    return likely(status == FC_OK) ? delete(&t) : status;
}

int32_t write_delete_hashed(const cache *c, uint64_t hash, const void *key, uint32_t key_len) {
    target t = {.s = shard_of(c, hash), .hash = hash, .key = key, .key_len = key_len};
    return delete(&t);
}

static int32_t touch(target *t, uint64_t deadline_ms) {
    if (!t->present) return FC_MISS;
    const shard *s = &t->s;
    placement where = {0, 0};
    if (deadline_ms != 0 && entry_lacks_deadline(&t->entry)) {
        /* The record is written anew. */
        const record *r = &t->entry.record;
        bool moved;
        /* It must not leave to make room for itself. */
        mark_store(t->entry.word, s->cache->marks_count_reads ? MARK_READS_MAX : MARK_EPOCHS_MAX);
        where = s->cache->policy->admit(s, t->hash, &t->entry);
        const int32_t status = clean_for(s, where.lane, shape_words(r->shape) + 1, r->key_len,
                                         r->value_len, entry_bytes(s, &t->entry), 0, &moved);
        if (status != FC_OK) return status;
        if (moved) look_up(t);
        if (!t->present) return FC_MISS;
    }
    return entry_touch(s, where, t->hash, &t->entry, deadline_ms) ? FC_OK : FC_BUSY;
}

/* As store_or_recount. */
static int32_t touch_or_recount(target *t, uint64_t deadline_ms) {
    int32_t status = touch(t, deadline_ms);
    if (status != FC_CORRUPT) return status;
    status = guard_recount(&t->s);
    if (status != FC_OK) return status;
    look_up(t);
    return touch(t, deadline_ms);
}

int32_t write_touch(const cache *c, const void *key, uint32_t key_len, double ttl_ms) {
    target t;
    int32_t status = aim(&t, c, key, key_len);
    if (status != FC_OK) return status;
    if (!ttl_valid(ttl_ms)) return FC_INVALID_ARGUMENT;
    if (ttl_ms < 0) return delete(&t);
    const uint64_t deadline_ms = deadline_after(c, ttl_ms);
    status = guard_lock(&t.s);
    if (status != FC_OK) return status;
    look_up(&t);
    status = touch_or_recount(&t, deadline_ms);
    guard_unlock(&t.s);
    return status;
}

/* The number that the entry holds; false if it holds something else. */
static bool number_of(const target *t, double *number) {
    const record *r = &t->entry.record;
    if (r->type != FC_TYPE_NUMBER || r->value_len != sizeof *number) return false;
    if (r->kind != RECORD_INLINE) return false; /* 8 bytes are never cut */
    copy_from_shared(number, r->value, sizeof *number);
    return true;
}

int32_t write_increment(const cache *c, const void *key, uint32_t key_len, double by,
                        double initial, double ttl_ms, double *result) {
    target t;
    int32_t status = aim(&t, c, key, key_len);
    if (status != FC_OK) return status;
    if (!ttl_valid(ttl_ms) || !isfinite(by) || isinf(initial)) return FC_INVALID_ARGUMENT;
    uint64_t deadline_ms = deadline_after(c, ttl_ms);
    status = guard_lock(&t.s);
    if (status != FC_OK) return status;
    look_up(&t);
    lease_news news = {0, 0};
    double number = initial;
    if (t.present && !number_of(&t, &number)) {
        status = FC_INVALID_ARGUMENT;
    } else if (!t.present && isnan(initial)) {
        status = FC_MISS;
    } else {
        tag_set tags;
        const bool tagged =
            t.present && record_is_tagged(&t.entry.record) && tag_of_record(&t.entry.record, &tags);
        if (t.present) deadline_ms = t.entry.record.deadline_ms;
        number += by;
        if (lease_any(&t.s)) news = lease_fence(&t.s, t.hash);
        const write_value value = {&number, sizeof number, FC_TYPE_NUMBER, 0,
                                   tagged ? &tags : NULL};
        status = store_or_recount(&t, &value, deadline_ms);
        if (status == FC_OK) *result = number;
    }
    guard_unlock(&t.s);
    lease_tell(c, news);
    return status;
}

/* ------------------------------------------------------------------- clear */

/* Empties the index, then lets the recount draw the consequences. */
static int32_t clear_shard(shard *s) {
    int32_t status = guard_lock(s);
    if (status != FC_OK) return status;
    const uint64_t entries = load_u64_relaxed(&s->header->entries);
    lease_news news = {0, 0};
    if (lease_any(s)) news = lease_fence_all(s);
    index_clear(s);
    status = guard_recount(s);
    if (status == FC_OK) cache_count(s->cache, COUNT_DELETES, entries);
    guard_unlock(s);
    lease_tell(s->cache, news);
    return status;
}

int32_t write_clear(const cache *c) {
    int32_t result = FC_OK;
    for (uint32_t i = 0; i < c->geometry.shards; i++) {
        shard s = shard_at(c, i);
        int32_t status = clear_shard(&s);
        if (result == FC_OK) result = status;
    }
    return result;
}
