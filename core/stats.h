/* SPDX-License-Identifier: MIT
 *
 * stats.h owns sums over slots and shards.
 */
#ifndef FC_STATS_H
#define FC_STATS_H

#include "cache.h"

void stats_read(const cache *c, fc_stats_fields *stats);
uint64_t stats_entries(const cache *c);
void stats_info(const cache *c, fc_info_fields *info);

#endif
