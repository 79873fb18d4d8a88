/* SPDX-License-Identifier: MIT
 *
 * iterate.h owns the walk over all keys without a lock.
 *
 * The cursor is a place in the order of bit-reversed hashes (as in Redis' SCAN): bucket b of a
 * table of 2^k covers the interval of reversed hashes that begin with the k reversed bits of b.
 * A split cuts the interval of one bucket in two and changes no key's place; so walking
 * the intervals in order meets each key once, however much the table grows meanwhile. A key in
 * the stash has the place of its first hash, where it goes when it leaves the stash.
 */
#ifndef FC_ITERATE_H
#define FC_ITERATE_H

#include "cache.h"

/* See fc_iterate. */
int32_t iterate_keys(const cache *c, fc_cursor *cursor, uint8_t *response, uint32_t capacity,
                     uint32_t *used);

#endif
