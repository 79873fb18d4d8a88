/* SPDX-License-Identifier: MIT
 *
 * evict.h owns what an eviction policy provides. clean.c walks the oldest extent and asks, for
 * each live record it meets, whether the entry leaves.
 */
#ifndef FC_EVICT_H
#define FC_EVICT_H

#include "entry.h"

typedef struct eviction_budget {
    uint32_t second_chances; /* left for this set; bounds its work */
} eviction_budget;

#define EVICTION_SECOND_CHANCES 8u

/* Does the entry leave, now that the part at `part` is met? If it stays, *mark is its new mark. */
bool evict_lru_leaves(const found *entry, const record *part, eviction_budget *budget,
                      uint32_t *mark);

#endif
