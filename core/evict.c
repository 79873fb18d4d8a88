/* SPDX-License-Identifier: MIT
 *
 * evict.c owns the table of policies.
 */
#include "evict.h"

#include "include/fastcache.h"

static const eviction_policy *const policies[] = {
    [FC_EVICTION_LRU] = &evict_lru,
    [FC_EVICTION_S3FIFO] = &evict_s3fifo,
};

const eviction_policy *eviction_policy_of(uint32_t number) {
    return number < sizeof policies / sizeof *policies ? policies[number] : NULL;
}
