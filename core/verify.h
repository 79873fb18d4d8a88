/* SPDX-License-Identifier: MIT
 *
 * verify.h owns the walker that checks every invariant of a segment.
 */
#ifndef FC_VERIFY_H
#define FC_VERIFY_H

#include "cache.h"

/* FC_OK, FC_BUSY, or FC_CORRUPT with the first broken invariant in the report. */
int32_t verify_segment(const cache *c, fc_report *report);

#endif
