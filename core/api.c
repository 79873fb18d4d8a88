/* SPDX-License-Identifier: MIT
 *
 * api.c is the pointer half of fastcache.h: check the arguments, resolve the handle, delegate.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "batch.h"
#include "expire.h"
#include "handle.h"
#include "hash.h"
#include "iterate.h"
#include "read.h"
#include "report.h"
#include "segment.h"
#include "stats.h"
#include "verify.h"
#include "write.h"

int32_t fc_abi_version(void) { return FC_ABI_VERSION; }

const char *fc_status_text(int32_t status) {
    switch (status) {
#define FC_STATUS_CASE(name, value, meaning) \
    case value:                              \
        return meaning;
        FC_STATUS_TABLE(FC_STATUS_CASE)
#undef FC_STATUS_CASE
    default:
        return "unknown status";
    }
}

/* ------------------------------------------------------------------ opening */

int32_t fc_open(const fc_options *options, const char *name, uint32_t name_len, fc_report *report) {
    report_clear(report);
    if (!options || !report || (!name && name_len))
        return report_fail(report, FC_INVALID_ARGUMENT, "fc_open was given a null pointer");
    cache *c = aligned_alloc(CACHE_LINE, round_up(sizeof *c, CACHE_LINE));
    if (!c) return report_fail(report, FC_NO_SPACE, "no memory for a handle");
    int32_t status = segment_open(options, name, name_len, c, report);
    if (status != FC_OK) {
        free(c);
        return status;
    }
    report->handle = handle_add(c);
    if (report->handle == 0) {
        segment_close(c);
        free(c);
        return report_fail(report, FC_NO_SPACE,
                           "all %u handles of this process are open; close some", HANDLES_MAX);
    }
    return FC_OK;
}

int32_t fc_close(uint32_t handle) {
    cache *c = handle_remove(handle);
    if (!c) return FC_CLOSED;
    segment_close(c);
    free(c);
    return FC_OK;
}

int32_t fc_destroy(uint32_t kind, const char *name, uint32_t name_len, fc_report *report) {
    report_clear(report);
    if (!name) return report_fail(report, FC_INVALID_ARGUMENT, "fc_destroy was given no name");
    return segment_destroy(kind, name, name_len, report);
}

int32_t fc_list(char *buffer, uint32_t capacity) {
    if (!buffer && capacity) return FC_INVALID_ARGUMENT;
    return segment_list(buffer, capacity);
}

int32_t fc_info(uint32_t handle, fc_info_fields *info) {
    const cache *c = handle_get(handle);
    if (!c) return FC_CLOSED;
    stats_info(c, info);
    return FC_OK;
}

int32_t fc_stats(uint32_t handle, fc_stats_fields *stats) {
    const cache *c = handle_get(handle);
    if (!c) return FC_CLOSED;
    stats_read(c, stats);
    return FC_OK;
}

int32_t fc_size(uint32_t handle, double *entries) {
    const cache *c = handle_get(handle);
    if (!c) return FC_CLOSED;
    *entries = (double)stats_entries(c);
    return FC_OK;
}

int32_t fc_verify(uint32_t handle, fc_report *report) {
    const cache *c = handle_get(handle);
    if (!c) return FC_CLOSED;
    return verify_segment(c, report);
}

int32_t fc_clear(uint32_t handle) {
    const cache *c = handle_get(handle);
    if (!c) return FC_CLOSED;
    return write_clear(c);
}

/* ------------------------------------------------------------------ entries */

/* The beginning of every operation on a key. */
#define RESOLVE(handle, key, key_len)                     \
    const cache *c = handle_get(handle);                  \
    if (unlikely(!c)) return FC_CLOSED;                   \
    const int32_t key_status = key_check(key_len);        \
    if (unlikely(key_status != FC_OK)) return key_status; \
    const uint64_t hash = fc_hash(key, key_len, c->hash_seed)

static double ttl_until(const cache *c, uint64_t deadline_ms) {
    if (deadline_ms == 0) return (double)INFINITY;
    uint64_t now = clock_now_ms(c);
    return deadline_ms > now ? (double)(deadline_ms - now) : 0;
}

int32_t fc_get(uint32_t handle, const void *key, uint32_t key_len, void *value, uint32_t capacity,
               uint32_t flags, fc_item *item) {
    RESOLVE(handle, key, key_len);
    read_result result;
    int32_t status = read_entry(c, hash, key, key_len, value, capacity, flags & FC_PEEK, &result);
    if (!(flags & FC_PEEK) && status != FC_BUFFER_TOO_SMALL)
        cache_count_read(c, status != FC_MISS ? COUNT_HITS : COUNT_MISSES);
    if (item && status != FC_MISS)
        *item = (fc_item){result.type, result.value_len, (double)result.version,
                          ttl_until(c, result.deadline_ms)};
    return status;
}

int32_t fc_set(uint32_t handle, const void *key, uint32_t key_len, const void *value,
               uint32_t value_len, uint32_t type, uint32_t mode, double ttl_ms, double version) {
    RESOLVE(handle, key, key_len);
    int32_t status = value_check(c, value_len, type, ttl_ms);
    if (status != FC_OK) return status;
    if (mode > FC_SET_IF_VERSION || !(version >= 0 && version <= (double)VERSION_MASK))
        return FC_INVALID_ARGUMENT;
    write_value what = {value, value_len, (uint8_t)type, deadline_after(c, ttl_ms)};
    return write_set(c, hash, key, key_len, &what, (fc_set_mode)mode, (uint64_t)version);
}

int32_t fc_delete(uint32_t handle, const void *key, uint32_t key_len) {
    RESOLVE(handle, key, key_len);
    return write_delete(c, hash, key, key_len);
}

int32_t fc_has(uint32_t handle, const void *key, uint32_t key_len) {
    RESOLVE(handle, key, key_len);
    read_result result;
    int32_t status = read_entry(c, hash, key, key_len, NULL, 0, FC_PEEK | READ_NO_VALUE, &result);
    return status >= 0 ? FC_OK : status;
}

int32_t fc_increment(uint32_t handle, const void *key, uint32_t key_len, double by, double initial,
                     double ttl_ms, double *result) {
    RESOLVE(handle, key, key_len);
    if (!ttl_valid(ttl_ms) || !isfinite(by) || !isfinite(initial)) return FC_INVALID_ARGUMENT;
    return write_increment(c, hash, key, key_len, by, initial, deadline_after(c, ttl_ms), result);
}

int32_t fc_touch(uint32_t handle, const void *key, uint32_t key_len, double ttl_ms) {
    RESOLVE(handle, key, key_len);
    if (!ttl_valid(ttl_ms)) return FC_INVALID_ARGUMENT;
    return write_touch(c, hash, key, key_len, deadline_after(c, ttl_ms));
}

int32_t fc_ttl(uint32_t handle, const void *key, uint32_t key_len, double *ttl_ms) {
    RESOLVE(handle, key, key_len);
    read_result result;
    int32_t status = read_entry(c, hash, key, key_len, NULL, 0, FC_PEEK | READ_NO_VALUE, &result);
    if (status < 0) return status;
    *ttl_ms = ttl_until(c, result.deadline_ms);
    return FC_OK;
}

/* ------------------------------------------------------------------ batches */

int32_t fc_get_many(uint32_t handle, const void *request, uint32_t request_len, uint32_t count,
                    void *response, uint32_t capacity, uint32_t flags) {
    const cache *c = handle_get(handle);
    if (!c) return FC_CLOSED;
    return batch_get(c, request, request_len, count, response, capacity, flags & FC_PEEK);
}

int32_t fc_set_many(uint32_t handle, const void *request, uint32_t request_len, uint32_t count,
                    uint32_t *done) {
    const cache *c = handle_get(handle);
    if (!c) return FC_CLOSED;
    return batch_set(c, request, request_len, count, done);
}

int32_t fc_delete_many(uint32_t handle, const void *request, uint32_t request_len, uint32_t count,
                       uint32_t *done, uint32_t *removed) {
    const cache *c = handle_get(handle);
    if (!c) return FC_CLOSED;
    return batch_delete(c, request, request_len, count, done, removed);
}

int32_t fc_iterate(uint32_t handle, fc_cursor *cursor, void *response, uint32_t capacity,
                   uint32_t *used) {
    const cache *c = handle_get(handle);
    if (!c) return FC_CLOSED;
    if (capacity < FC_ITERATE_CAPACITY_MIN) return FC_BUFFER_TOO_SMALL;
    return iterate_keys(c, cursor, response, capacity, used);
}
