/* SPDX-License-Identifier: MIT
 *
 * batch.c: see batch.h. Lookups run in windows: hash all keys of the window and begin to fetch
 * their buckets, then their records, then their values, then read; so the cache misses of a
 * window overlap.
 */
#include "batch.h"

#include <string.h>

#include "arguments.h"
#include "hash.h"
#include "index.h"
#include "read.h"
#include "tag.h"
#include "write.h"

#define WINDOW 16u

typedef struct key_view {
    const uint8_t *bytes;
    uint32_t len;
} key_view;

/* The key at *at, which moves behind it. False if it does not lie inside the request. */
static bool next_key(const uint8_t *request, uint32_t request_len, uint64_t *at, key_view *out) {
    fc_packed_key header;
    if (*at + sizeof header > request_len) return false;
    memcpy(&header, request + *at, sizeof header);
    out->len = header.key_len;
    out->bytes = request + *at + sizeof header;
    const uint64_t end = *at + sizeof header + header.key_len;
    if (end > request_len) return false;
    *at = round_up(end, FC_PACKED_KEY_UNIT);
    return true;
}

/* The key's hash, having begun to fetch its buckets. */
static uint64_t hash_ahead(const cache *c, const key_view *key) {
    const uint64_t hash = fc_hash(key->bytes, key->len, c->hash_seed);
    const shard s = shard_of(c, hash);
    bucket_pair pair;
    index_prefetch(&s, hash, &pair);
    return hash;
}

/* Appends one answer at *at. False if it does not fit; *needed is then what it takes. */
static bool answer(const lookup *l, uint8_t *response, uint32_t capacity, uint64_t *at,
                   uint32_t flags, uint64_t *needed) {
    fc_packed_answer header;
    *needed = sizeof header;
    if (*at + sizeof header > capacity) return false;
    read_result result = {0};
    uint8_t *value = response + *at + sizeof header;
    const uint32_t room = capacity - (uint32_t)*at - (uint32_t)sizeof header;
    int32_t status = read_finish(l, value, room, flags, &result);
    if (status == FC_BUFFER_TOO_SMALL) {
        *needed += round_up(result.value_len, FC_PACKED_ANSWER_UNIT);
        return false;
    }
    if (status > 0 && flags & FC_NO_VALUE) status = FC_OK;
    header = (fc_packed_answer){status, result.type, (double)result.version};
    memcpy(response + *at, &header, sizeof header);
    const uint64_t end = *at + sizeof header + (status > 0 ? (uint32_t)status : 0);
    *at = min_u64(round_up(end, FC_PACKED_ANSWER_UNIT), capacity);
    return true;
}

int32_t batch_get(const cache *c, const uint8_t *request, uint32_t request_len, uint32_t count,
                  uint8_t *response, uint32_t capacity, uint32_t flags) {
    uint64_t from = 0, to = 0, needed;
    uint32_t answered = 0;
    lookup window[WINDOW];
    while (answered < count) {
        const uint32_t keys = min_u32(WINDOW, count - answered);
        for (uint32_t i = 0; i < keys; i++) {
            key_view key;
            if (!next_key(request, request_len, &from, &key)) return FC_INVALID_ARGUMENT;
            window[i].key = key.bytes;
            window[i].key_len = key.len;
            read_begin(c, &window[i]);
        }
        for (uint32_t i = 0; i < keys; i++) read_approach(&window[i]);
        for (uint32_t i = 0; i < keys; i++) read_approach_value(&window[i]);
        for (uint32_t i = 0; i < keys; i++) {
            if (answer(&window[i], response, capacity, &to, flags, &needed)) {
                answered++;
                continue;
            }
            if (answered) return (int32_t)answered;
            uint32_t told = (uint32_t)needed;
            if (capacity >= 4) memcpy(response, &told, 4);
            return FC_BUFFER_TOO_SMALL;
        }
    }
    return (int32_t)answered;
}

typedef struct entry_view {
    key_view key;
    uint64_t hash;
    write_value value;
    uint32_t mode;
    tag_set tags;
} entry_view;

static bool next_entry(const cache *c, const uint8_t *request, uint32_t request_len, uint64_t *at,
                       entry_view *out) {
    fc_packed_entry header;
    if (*at + sizeof header > request_len) return false;
    memcpy(&header, request + *at, sizeof header);
    uint64_t end = *at + sizeof header + (uint64_t)header.key_len + header.value_len;
    if (end > request_len || header.flags & ~(FC_KEEP_TTL | FC_TAGGED)) return false;
    out->key = (key_view){request + *at + sizeof header, header.key_len};
    out->value = (write_value){out->key.bytes + header.key_len, header.value_len, header.type,
                               header.ttl_ms, NULL};
    out->mode = FC_SET | (header.flags & FC_KEEP_TTL);
    if (header.flags & FC_TAGGED) {
        end = round_up(end, FC_PACKED_ENTRY_UNIT);
        if (end > request_len) return false;
        const int32_t used = tag_read(c, request + end, request_len - end, &out->tags);
        if (used < 0) return false;
        end += (uint32_t)used;
        out->value.tags = &out->tags;
    }
    *at = round_up(end, FC_PACKED_ENTRY_UNIT);
    return true;
}

int32_t batch_set(const cache *c, const uint8_t *request, uint32_t request_len, uint32_t count,
                  uint32_t *done) {
    uint64_t at = 0;
    entry_view window[WINDOW];
    for (*done = 0; *done < count;) {
        uint32_t entries = min_u32(WINDOW, count - *done);
        for (uint32_t i = 0; i < entries; i++) {
            if (!next_entry(c, request, request_len, &at, &window[i])) return FC_INVALID_ARGUMENT;
            window[i].hash = hash_ahead(c, &window[i].key);
        }
        for (uint32_t i = 0; i < entries; i++) {
            const entry_view *e = &window[i];
            int32_t status = key_check(e->key.len);
            if (status == FC_OK)
                status = write_set_hashed(c, e->hash, e->key.bytes, e->key.len, &e->value, e->mode);
            if (status != FC_OK) return status;
            (*done)++;
        }
    }
    return FC_OK;
}

int32_t batch_delete(const cache *c, const uint8_t *request, uint32_t request_len, uint32_t count,
                     uint32_t *done, uint32_t *removed) {
    uint64_t at = 0;
    key_view window[WINDOW];
    uint64_t hashes[WINDOW];
    *removed = 0;
    for (*done = 0; *done < count;) {
        uint32_t keys = min_u32(WINDOW, count - *done);
        for (uint32_t i = 0; i < keys; i++) {
            if (!next_key(request, request_len, &at, &window[i])) return FC_INVALID_ARGUMENT;
            hashes[i] = hash_ahead(c, &window[i]);
        }
        for (uint32_t i = 0; i < keys; i++) {
            int32_t status = key_check(window[i].len);
            if (status == FC_OK)
                status = write_delete_hashed(c, hashes[i], window[i].bytes, window[i].len);
            if (status != FC_OK && status != FC_MISS) return status;
            if (status == FC_OK) (*removed)++;
            (*done)++;
        }
    }
    return FC_OK;
}
