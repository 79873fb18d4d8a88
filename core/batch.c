/* SPDX-License-Identifier: MIT
 *
 * batch.c: see batch.h. Lookups run in windows: hash all keys of the window and begin to fetch
 * their buckets, then their records, then their values, then read; so the cache misses of a
 * window overlap.
 */
#include "batch.h"

#include <string.h>

#include "arguments.h"
#include "expire.h"
#include "index.h"
#include "read.h"
#include "write.h"

#define WINDOW 16u
#define KEY_UNIT 4u
#define ENTRY_UNIT 8u
#define ENTRY_HEADER 24u
#define ANSWER_HEADER 16u

typedef struct packed_key {
    const uint8_t *bytes;
    uint32_t len;
} packed_key;

static uint32_t read_u32(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* The key at *at, which moves behind it. False if it does not lie inside the request. */
static bool next_key(const uint8_t *request, uint32_t request_len, uint64_t *at, packed_key *out) {
    if (*at + 4 > request_len) return false;
    out->len = read_u32(request + *at);
    out->bytes = request + *at + 4;
    uint64_t end = *at + 4 + out->len;
    if (end > request_len) return false;
    *at = round_up(end, KEY_UNIT);
    return true;
}

/* The key's hash, having begun to fetch its buckets. */
static uint64_t hash_ahead(const cache *c, const packed_key *key) {
    const uint64_t hash = fc_hash(key->bytes, key->len, c->hash_seed);
    const shard s = shard_of(c, hash);
    index_prefetch(&s, hash);
    return hash;
}

static void write_answer(uint8_t *at, int32_t length, uint32_t type, double version) {
    memcpy(at, &length, 4);
    memcpy(at + 4, &type, 4);
    memcpy(at + 8, &version, 8);
}

/* Appends one answer at *at. False if it does not fit; *needed is then what it takes. */
static bool answer(const cache *c, const lookup *l, uint8_t *response, uint32_t capacity,
                   uint64_t *at, uint32_t flags, uint64_t *needed) {
    *needed = ANSWER_HEADER;
    if (*at + ANSWER_HEADER > capacity) return false;
    int32_t status = key_check(l->key_len);
    read_result result = {0};
    if (status == FC_OK) {
        uint32_t room = capacity - (uint32_t)*at - ANSWER_HEADER;
        status = read_finish(l, response + *at + ANSWER_HEADER, room, flags, &result);
        if (status == FC_BUFFER_TOO_SMALL) {
            *needed += round_up(result.value_len, ENTRY_UNIT);
            return false;
        }
        if (!(flags & FC_PEEK)) cache_count_read(c, status >= 0 ? COUNT_HITS : COUNT_MISSES);
    }
    write_answer(response + *at, status, result.type, (double)result.version);
    uint64_t end = *at + ANSWER_HEADER + (status > 0 ? (uint32_t)status : 0);
    *at = min_u64(round_up(end, ENTRY_UNIT), capacity);
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
            packed_key key;
            if (!next_key(request, request_len, &from, &key)) return FC_INVALID_ARGUMENT;
            window[i].key = key.bytes;
            window[i].key_len = key.len;
            read_begin(c, &window[i]);
        }
        for (uint32_t i = 0; i < keys; i++) read_approach(&window[i]);
        for (uint32_t i = 0; i < keys; i++) read_approach_value(&window[i]);
        for (uint32_t i = 0; i < keys; i++) {
            if (answer(c, &window[i], response, capacity, &to, flags, &needed)) {
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

typedef struct packed_entry {
    packed_key key;
    uint64_t hash;
    const uint8_t *value;
    uint32_t value_len;
    uint32_t type;
    double ttl_ms;
} packed_entry;

static bool next_entry(const uint8_t *request, uint32_t request_len, uint64_t *at,
                       packed_entry *out) {
    if (*at + ENTRY_HEADER > request_len) return false;
    const uint8_t *header = request + *at;
    out->key.len = read_u32(header);
    out->value_len = read_u32(header + 4);
    out->type = read_u32(header + 8);
    memcpy(&out->ttl_ms, header + 16, 8);
    out->key.bytes = header + ENTRY_HEADER;
    uint64_t end = *at + ENTRY_HEADER + (uint64_t)out->key.len + out->value_len;
    if (end > request_len) return false;
    out->value = out->key.bytes + out->key.len;
    *at = round_up(end, ENTRY_UNIT);
    return true;
}

int32_t batch_set(const cache *c, const uint8_t *request, uint32_t request_len, uint32_t count,
                  uint32_t *done) {
    uint64_t at = 0;
    packed_entry window[WINDOW];
    for (*done = 0; *done < count;) {
        uint32_t entries = min_u32(WINDOW, count - *done);
        for (uint32_t i = 0; i < entries; i++) {
            if (!next_entry(request, request_len, &at, &window[i])) return FC_INVALID_ARGUMENT;
            window[i].hash = hash_ahead(c, &window[i].key);
        }
        for (uint32_t i = 0; i < entries; i++) {
            const packed_entry *e = &window[i];
            int32_t status = key_check(e->key.len);
            if (status == FC_OK) status = value_check(c, e->value_len, e->type, e->ttl_ms);
            if (status != FC_OK) return status;
            write_value value = {e->value, e->value_len, (uint8_t)e->type,
                                 deadline_after(c, e->ttl_ms)};
            status = write_set(c, e->hash, e->key.bytes, e->key.len, &value, FC_SET, 0);
            if (status != FC_OK) return status;
            (*done)++;
        }
    }
    return FC_OK;
}

int32_t batch_delete(const cache *c, const uint8_t *request, uint32_t request_len, uint32_t count,
                     uint32_t *done, uint32_t *removed) {
    uint64_t at = 0;
    packed_key window[WINDOW];
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
                status = write_delete(c, hashes[i], window[i].bytes, window[i].len);
            if (status != FC_OK && status != FC_MISS) return status;
            if (status == FC_OK) (*removed)++;
            (*done)++;
        }
    }
    return FC_OK;
}
