/* SPDX-License-Identifier: MIT
 *
 * segment.h owns a segment's coming and going: race-free creation, attaching, replacing, detaching.
 */
#ifndef FC_SEGMENT_H
#define FC_SEGMENT_H

#include "cache.h"

/* Fills in *c. On failure nothing stays open, mapped or half-created. */
int32_t segment_open(const fc_options *options, const char *name, uint32_t name_len, cache *c,
                     fc_report *report);
void segment_close(cache *c);

#endif
