/* SPDX-License-Identifier: MIT
 *
 * flight.h owns single flight across processes: of all who want to compute the value of a key, one
 * gets its lease, and the others wait until it is stored, given up, or its owner dead (contract F).
 * The calls check their arguments; what they do is in fastcache.h, under the same names.
 */
#ifndef FC_FLIGHT_H
#define FC_FLIGHT_H

#include "cache.h"
#include "include/fastcache.h"

/* As fc_lease_begin, fc_lease_end, fc_wait, fc_wake, fc_note. */
int32_t flight_begin(cache *c, const void *key, uint32_t key_len, double lease_ms, uint32_t flags,
                     double seen_version, fc_lease *lease);
int32_t flight_end(const cache *c, const void *key, uint32_t key_len, double token, uint32_t how,
                   double ms, const void *text, uint32_t text_len);
int32_t flight_wait(cache *c, double timeout_ms);
void flight_wake(const cache *c);
int32_t flight_note(const cache *c, uint32_t what);

#endif
