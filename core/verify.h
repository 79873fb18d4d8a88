/* SPDX-License-Identifier: MIT
 *
 * verify.h owns the check of a whole segment, shard by shard, each under its lock. A take-over
 * from a dead owner recounts first; nothing else is repaired.
 */
#ifndef FC_VERIFY_H
#define FC_VERIFY_H

#include "cache.h"

/* FC_OK, FC_BUSY, or FC_CORRUPT with the first broken invariant in the report. */
int32_t verify_segment(const cache *c, fc_report *report);

#endif
