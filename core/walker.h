/* SPDX-License-Identifier: MIT
 *
 * walker.h owns the check of every invariant of one shard. It repairs nothing.
 */
#ifndef FC_WALKER_H
#define FC_WALKER_H

#include "shard.h"

/* FC_OK, FC_CORRUPT with the first broken invariant in the report (which may be null), or
 * FC_NO_SPACE. Needs the shard's lock. */
int32_t walker_check(const shard *s, fc_report *report);

#endif
