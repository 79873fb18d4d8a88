/* SPDX-License-Identifier: MIT
 *
 * tags.h owns what the tests of tags share: one private segment, and packed lists of tags.
 */
#ifndef FC_TEST_TAGS_H
#define FC_TEST_TAGS_H

#include "harness.h"

#include "cache.h"
#include "handle.h"
#include "tag.h"

#define TAG_ROOM (FC_TAGS_MAX * (sizeof(fc_packed_key) + FC_TAG_LEN_MAX) + sizeof(fc_tags))

static uint32_t handle;
static cache *c;

static inline void open_for(uint32_t policy, uint64_t size_bytes, uint32_t shards) {
    handle = private_open_with(policy, size_bytes, shards, 0);
    c = (cache *)handle_get(handle);
}

typedef struct packed {
    uint8_t bytes[TAG_ROOM];
    uint32_t len;
} packed;

static inline void pack_begin(packed *p) {
    memset(p->bytes, 0, sizeof(fc_tags));
    p->len = sizeof(fc_tags);
}
static inline void pack(packed *p, const void *name, uint32_t len) {
    const fc_packed_key header = {len};
    fc_tags *tags = (fc_tags *)(void *)p->bytes;
    tags->count++;
    memcpy(p->bytes + p->len, &header, sizeof header);
    memcpy(p->bytes + p->len + sizeof header, name, len);
    p->len = (p->len + (uint32_t)sizeof header + len + 3) & ~3u;
}

static inline int32_t set_with(const void *key, uint32_t key_len, const void *value, uint32_t len,
                               uint32_t mode, double ttl_ms, double version, const packed *tags) {
    return tags ? fc_set_tagged(handle, key, key_len, value, len, FC_TYPE_BYTES, mode, ttl_ms,
                                version, tags->bytes, tags->len)
                : fc_set(handle, key, key_len, value, len, FC_TYPE_BYTES, mode, ttl_ms, version);
}

static inline int32_t set_one(const char *key, const char *tag) {
    packed tags;
    pack_begin(&tags);
    pack(&tags, tag, (uint32_t)strlen(tag));
    return set_with(key, (uint32_t)strlen(key), "value", 5, FC_SET, 0, 0, &tags);
}
static inline int32_t has(const char *key) { return fc_has(handle, key, (uint32_t)strlen(key)); }
static inline int32_t delete_tag(const char *tag) {
    return fc_delete_by_tag(handle, tag, (uint32_t)strlen(tag));
}

static inline uint64_t slots_of_tag(const void *name, uint32_t len) {
    packed one;
    tag_set set;
    pack_begin(&one);
    pack(&one, name, len);
    CHECK(tag_read(c, one.bytes, one.len, &set) == (int32_t)one.len, "not read");
    return set.slots[0];
}

#endif
