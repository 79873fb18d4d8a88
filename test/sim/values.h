/* SPDX-License-Identifier: MIT
 *
 * values.h owns the keys and the values. A value says whose it is: which store of which process, of
 * which key, how long; all its bytes follow from that. So one that is torn, or of another key, is
 * noticed by itself.
 *
 * Every second word of a value is a decoy: a word that the segment's index held for some key. Who
 * takes a value's bytes for a bucket's finds a tag that he may look for, and a place where a record
 * was.
 */
#ifndef SIM_VALUES_H
#define SIM_VALUES_H

#include <stdint.h>

#include "settings.h"

#define KEY_LEN 16u
#define VALUE_LEN_MIN 24u
#define FILLERS_MAX 400u   /* further keys, which are not followed */
#define FILLER_FIRST 1000u /* the number of the first */
#define VALUE_BYTES_MAX (64u << 10)

void values_begin(const settings *s);
/* KEY_LEN bytes of key number `key`, of those that are followed or of the fillers. */
const uint8_t *key_bytes(uint32_t key);
/* The number of a key that was found; NOBODY if there is none such. */
uint32_t key_number(const uint8_t *bytes, uint32_t len);
/* Numbers are what fc_increment works on. */
bool key_is_number(uint32_t key);
static inline bool key_is_followed(uint32_t key) { return key < FILLER_FIRST; }

/* Of the keys that are followed two in four have a tag, the first or the second, whatever is stored.
 * Packs it into TAGS_BYTES; returns the bytes, 0 for none. */
#define TAGS 2u
#define TAGS_BYTES 16u
uint32_t key_tags(uint32_t key, uint8_t *packed);
static inline bool key_has_tag(uint32_t key, uint32_t tag) {
    return key_is_followed(key) && key % 4 == tag;
}

void value_make(uint8_t *value, uint32_t len, uint64_t id, uint32_t key);
/* The id of a value of that key; breaks the run if it is none. */
uint64_t value_check(const uint8_t *value, uint32_t len, uint32_t key);
/* An index word that there was. */
void value_decoy(uint64_t word);

#endif
