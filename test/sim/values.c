/* SPDX-License-Identifier: MIT
 *
 * values.c: see values.h.
 */
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "oracle.h"
#include "world.h"

#define HASH_SEED 0x5eed5eed5eed5eedull /* as os_random gives it: see system.c */
#define CANDIDATES 20000u
#define CROWDED_MASK 63u
#define CROWDED_FIRST 5u
#define CROWDED_SECOND 9u
#define DECOYS 64u

typedef struct label {
    uint64_t id;
    uint32_t key, len;
    uint64_t decoy;
} label;

static uint8_t twins[ORACLE_KEYS_MAX][KEY_LEN], crowded[ORACLE_KEYS_MAX][KEY_LEN];
static uint8_t fillers[FILLERS_MAX][KEY_LEN];
static const settings *now;
static uint64_t decoys[DECOYS];
static uint64_t decoy_count;

/* -------------------------------------------------------------------- keys */

static void name_make(uint8_t name[KEY_LEN], const char *kind, uint32_t number) {
    char text[KEY_LEN + 1];
    snprintf(text, sizeof text, "%s%012u", kind, number % 1000000000u);
    memcpy(name, text, KEY_LEN);
}

static uint64_t hash_of(const uint8_t name[KEY_LEN]) { return fc_hash(name, KEY_LEN, HASH_SEED); }

typedef struct candidate {
    uint64_t hash;
    uint32_t number;
} candidate;

static int by_tag(const void *a, const void *b) {
    const uint16_t x = hash_tag(((const candidate *)a)->hash);
    const uint16_t y = hash_tag(((const candidate *)b)->hash);
    return (x > y) - (x < y);
}

/* Keys in pairs that have the same tag, and meet in a bucket of the smallest index. */
static void find_twins(void) {
    static candidate all[CANDIDATES];
    uint8_t name[KEY_LEN];
    for (uint32_t i = 0; i < CANDIDATES; i++) {
        name_make(name, "twin", i);
        all[i] = (candidate){hash_of(name), i};
    }
    qsort(all, CANDIDATES, sizeof *all, by_tag);
    uint32_t found = 0;
    for (uint32_t i = 0; i + 1 < CANDIDATES && found + 2 <= ORACLE_KEYS_MAX; i++) {
        const uint64_t a = all[i].hash, b = all[i + 1].hash;
        if (hash_tag(a) != hash_tag(b) || ((hash_first(a) ^ hash_first(b)) & 7) != 0) continue;
        name_make(twins[found++], "twin", all[i].number);
        name_make(twins[found++], "twin", all[++i].number);
    }
    for (uint32_t i = CANDIDATES; found < ORACLE_KEYS_MAX; i++)
        name_make(twins[found++], "twin", i);
}

static void find_crowded(void) {
    uint8_t name[KEY_LEN];
    uint32_t found = 0;
    for (uint32_t i = 0; found < ORACLE_KEYS_MAX; i++) {
        name_make(name, "same", i);
        const uint64_t hash = hash_of(name);
        if ((hash_first(hash) & CROWDED_MASK) != CROWDED_FIRST) continue;
        if ((hash_second(hash) & CROWDED_MASK) != CROWDED_SECOND) continue;
        memcpy(crowded[found++], name, KEY_LEN);
    }
}

void values_begin(const settings *s) {
    static bool known;
    now = s;
    decoy_count = 0;
    if (known) return;
    known = true;
    find_twins();
    find_crowded();
    for (uint32_t i = 0; i < FILLERS_MAX; i++) name_make(fillers[i], "fill", i);
}

const uint8_t *key_bytes(uint32_t key) {
    if (key >= FILLER_FIRST) return fillers[key - FILLER_FIRST];
    return now->crowd == CROWD_BUCKET ? crowded[key] : twins[key];
}

uint32_t key_tags(uint32_t key, uint8_t *packed) {
    const uint32_t tag = key % 4;
    if (tag >= TAGS || !key_has_tag(key, tag)) return 0;
    const uint32_t words[3] = {1, sizeof tag, tag}; /* fc_tags, fc_packed_key, the tag */
    memcpy(packed, words, sizeof words);
    return sizeof words;
}

bool key_is_number(uint32_t key) { return key < now->keys && key % 4 == 3; }

uint32_t key_number(const uint8_t *bytes, uint32_t len) {
    if (len != KEY_LEN) return NOBODY;
    for (uint32_t i = 0; i < now->keys; i++)
        if (memcmp(bytes, key_bytes(i), KEY_LEN) == 0) return i;
    if (memcmp(bytes, "fill", 4) != 0) return NOBODY;
    char text[KEY_LEN + 1] = {0};
    memcpy(text, bytes, KEY_LEN);
    const uint32_t number = (uint32_t)strtoul(text + 4, NULL, 10);
    return number < now->fillers ? FILLER_FIRST + number : NOBODY;
}

/* ------------------------------------------------------------------ values */

void value_decoy(uint64_t word) { decoys[decoy_count++ % DECOYS] = word; }

static uint64_t word_at(const label *l, uint32_t i) {
    return i % 2 == 0 ? l->decoy : (l->id + i) * 0x9e3779b97f4a7c15ull;
}

void value_make(uint8_t *value, uint32_t len, uint64_t id, uint32_t key) {
    label l = {.id = id, .key = key, .len = len};
    if (decoy_count) l.decoy = decoys[id % (decoy_count < DECOYS ? decoy_count : DECOYS)];
    memcpy(value, &l, sizeof l);
    for (uint32_t at = sizeof l; at < len; at += 8) {
        const uint64_t word = word_at(&l, at / 8);
        memcpy(value + at, &word, len - at < 8 ? len - at : 8);
    }
}

uint64_t value_check(const uint8_t *value, uint32_t len, uint32_t key) {
    label l;
    if (len < sizeof l) world_broken("torn", "key %u has a value of %u bytes", key, len);
    memcpy(&l, value, sizeof l);
    if (l.key != key || l.len != len)
        world_broken("torn",
                     "key %u has a value of %u bytes that says it is one of key %u, %u bytes", key,
                     len, l.key, l.len);
    for (uint32_t at = sizeof l; at < len; at += 8) {
        const uint64_t word = word_at(&l, at / 8);
        if (memcmp(value + at, &word, len - at < 8 ? len - at : 8) != 0)
            world_broken("torn", "key %u: byte %u of value %llx (%u bytes) is another's", key, at,
                         (unsigned long long)l.id, len);
    }
    return l.id;
}
