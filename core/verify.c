/* SPDX-License-Identifier: MIT
 *
 * verify.c: see verify.h.
 */
#include "verify.h"

#include <inttypes.h>

#include "guard.h"
#include "report.h"
#include "walker.h"

static int32_t verify_shard(const cache *c, uint32_t number, fc_report *report) {
    shard s = shard_at(c, number);
    int32_t status = guard_lock(&s);
    if (status != FC_OK)
        return report_fail(report, status, "shard %" PRIu32 ": %s", number, fc_status_text(status));
    status = walker_check(&s, report);
    guard_unlock(&s);
    return status;
}

int32_t verify_segment(const cache *c, fc_report *report) {
    report_clear(report);
    for (uint32_t i = 0; i < c->geometry.shards; i++) {
        int32_t status = verify_shard(c, i, report);
        if (cache_lost(c))
            return report_fail(report, FC_CORRUPT,
                               "the segment's file was cut short while it was in use: what it held "
                               "is lost; close the cache and open it anew");
        if (status != FC_OK) return status;
    }
    return FC_OK;
}
