/* SPDX-License-Identifier: MIT
 *
 * tag.c: see tag.h. The slots of a tag follow from its hash as the two buckets of a key do.
 */
#include "tag.h"

#include <string.h>

static uint64_t *table_of(const cache *c) {
    return (uint64_t *)(void *)(c->base + c->geometry.tags_offset);
}

static uint64_t slots_of(const cache *c, const void *tag, uint32_t tag_len) {
    const uint64_t hash = fc_hash(tag, tag_len, c->hash_seed);
    const uint64_t count = c->geometry.tag_slots - TAG_SLOTS_FIRST;
    const uint64_t first = hash_first(hash) * count >> 32;
    uint64_t second = hash_second(hash) * count >> 32;
    if (second == first) second = first + 1 < count ? first + 1 : 0;
    return (TAG_SLOTS_FIRST + first) | (TAG_SLOTS_FIRST + second) << 32;
}

static bool tag_len_valid(uint32_t len) { return len >= 1 && len <= FC_TAG_LEN_MAX; }

int32_t tag_read(const cache *c, const uint8_t *packed, uint64_t len, tag_set *out) {
    fc_tags header;
    if (len < sizeof header) return FC_INVALID_ARGUMENT;
    memcpy(&header, packed, sizeof header);
    if (header.count < 1 || header.count > FC_TAGS_MAX) return FC_INVALID_ARGUMENT;
    uint64_t at = sizeof header;
    for (uint32_t i = 0; i < header.count; i++) {
        fc_packed_key tag;
        if (at + sizeof tag > len) return FC_INVALID_ARGUMENT;
        memcpy(&tag, packed + at, sizeof tag);
        at += sizeof tag;
        if (!tag_len_valid(tag.key_len) || at + tag.key_len > len) return FC_INVALID_ARGUMENT;
        out->slots[i] = slots_of(c, packed + at, tag.key_len);
        at = round_up(at + tag.key_len, FC_PACKED_KEY_UNIT);
    }
    out->count = header.count;
    out->birth = tag_birth(c);
    return (int32_t)at;
}

/* Where a record bears its birth, and behind it the slots of its tags. Null if it bears none, or if
 * its shape is damaged. */
static const uint64_t *borne_by(const record *r, uint32_t *count) {
    const uint64_t before = r->shape & (SHAPE_DEADLINE | SHAPE_FRESH | SHAPE_CREATED);
    const uint32_t words = (uint32_t)__builtin_popcountll(before);
    *count = shape_tags(r->shape);
    if (!(r->shape & SHAPE_BIRTH) || !r->key || *count < 1 || *count > RECORD_TAGS_MAX) return NULL;
    if (words + 1 + *count != shape_words(r->shape)) return NULL;
    return (const uint64_t *)(const void *)(r->at + record_prefix(words));
}

bool tag_of_record(const record *r, tag_set *out) {
    const uint64_t *words = borne_by(r, &out->count);
    if (!words) return false;
    out->birth = load_u64_relaxed(words);
    for (uint32_t i = 0; i < out->count; i++) out->slots[i] = load_u64_relaxed(&words[1 + i]);
    return true;
}

static void raise(uint64_t *slot, uint64_t number) {
    uint64_t before = load_u64_relaxed(slot);
    while (before < number) /* each time round, somebody else has raised it */
        if (cas_u64_release(slot, &before, number)) return; /* pairs with is_raised */
}

int32_t tag_invalidate(const cache *c, const void *tag, uint32_t tag_len) {
    if (!tag_len_valid(tag_len)) return FC_INVALID_ARGUMENT;
    if (cache_lost(c)) return FC_CORRUPT;
    const uint64_t slots = slots_of(c, tag, tag_len);
    const uint64_t number =
        add_u64_release(&table_of(c)[TAG_COUNTER], 1) + 1; /* pairs with tag_birth */
    raise(&table_of(c)[(uint32_t)slots], number);
    raise(&table_of(c)[slots >> 32], number);
    (void)add_u64_release(&table_of(c)[TAG_ENDED], 1); /* pairs with tag_ended */
    return cache_lost(c) ? FC_CORRUPT : FC_OK;
}

/* Is the slot above `birth`? Impossible slots are. */
static bool is_raised(const cache *c, uint64_t slot, uint64_t birth) {
    if (slot < TAG_SLOTS_FIRST || slot >= c->geometry.tag_slots) return true;
    return load_u64_acquire(&table_of(c)[slot]) > birth; /* pairs with raise */
}

static bool invalidated(const cache *c, uint64_t birth, const uint64_t *slots, uint32_t count) {
    const uint64_t now = tag_now(c);
    if (likely(now == birth)) return false;
    if (now < birth) return true; /* damage: nothing is born in the future */
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t both = load_u64_relaxed(&slots[i]);
        if (is_raised(c, (uint32_t)both, birth) && is_raised(c, both >> 32, birth)) return true;
    }
    return false;
}

bool tag_invalidated(const cache *c, const record *r) {
    uint32_t count;
    const uint64_t *words = borne_by(r, &count);
    return !words || invalidated(c, load_u64_relaxed(words), words + 1, count);
}

bool tag_set_invalidated(const cache *c, const tag_set *tags) {
    return invalidated(c, tags->birth, tags->slots, tags->count);
}

uint64_t tag_raised(const cache *c, uint64_t *looked) {
    const uint64_t end = min_u64(c->geometry.tag_slots, TAG_SLOTS_FIRST + *looked);
    uint64_t raised = 0;
    for (uint64_t slot = TAG_SLOTS_FIRST; slot < end; slot++)
        raised += load_u64_relaxed(&tag_table(c)[slot]) != 0;
    *looked = end - TAG_SLOTS_FIRST;
    return raised;
}
