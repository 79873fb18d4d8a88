/* SPDX-License-Identifier: MIT
 *
 * evict_lru.c approximates LRU with a counter of two bits per entry (a CLOCK that counts, as in
 * Corbató, "A paging experiment with the Multics system", and RRIP): each read raises it to at
 * most 3, each second chance costs one. The log is the queue; it is walked oldest first.
 *
 * A value in several parts is met several times; the mark is spent at the last, its head.
 */
#include "evict.h"

bool evict_lru_leaves(const found *entry, const record *part, eviction_budget *budget,
                      uint32_t *mark) {
    uint32_t now = word_mark(entry->value);
    if (now > WORD_MARK_MAX) now = WORD_MARK_MAX;
    if (now == 0 || budget->second_chances == 0) return true;
    budget->second_chances--;
    *mark = part->header.form == RECORD_CHUNK ? now : now - 1;
    return false;
}
