/* SPDX-License-Identifier: MIT
 *
 * api.c is the pointer half of fastcache.h: it resolves the handle and delegates.
 */
#include <stdlib.h>

#include "batch.h"
#include "clock.h"
#include "flight.h"
#include "handle.h"
#include "iterate.h"
#include "place.h"
#include "read.h"
#include "report.h"
#include "segment.h"
#include "stats.h"
#include "verify.h"
#include "write.h"

int32_t fc_abi_version(void) { return FC_ABI_VERSION; }

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

int32_t fc_close(uint32_t handle) { return handle_close(handle); }

int32_t fc_destroy(uint32_t kind, const char *name, uint32_t name_len, fc_report *report) {
    report_clear(report);
    if (!name) return report_fail(report, FC_INVALID_ARGUMENT, "fc_destroy was given no name");
    return place_destroy(kind, name, name_len, report);
}

int32_t fc_list(char *buffer, uint32_t capacity) {
    if (!buffer && capacity) return FC_INVALID_ARGUMENT;
    return place_list(buffer, capacity);
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

int32_t fc_get(uint32_t handle, const void *key, uint32_t key_len, void *value, uint32_t capacity,
               uint32_t flags, fc_item *item) {
    const cache *c = handle_get(handle);
    if (unlikely(!c)) return FC_CLOSED;
    read_result result;
    result.deadline_ms = 0;
    int32_t status = read_get(c, key, key_len, value, capacity, flags & FC_PEEK, &result);
    if (item && (status >= 0 || status == FC_BUFFER_TOO_SMALL))
        *item = (fc_item){result.type, result.value_len, (double)result.version,
                          deadline_distance(c, result.deadline_ms)};
    return status;
}

int32_t fc_set(uint32_t handle, const void *key, uint32_t key_len, const void *value,
               uint32_t value_len, uint32_t type, uint32_t mode, double ttl_ms, double version) {
    const cache *c = handle_get(handle);
    if (unlikely(!c)) return FC_CLOSED;
    const write_value what = {value, value_len, type, ttl_ms, NULL};
    return write_set(c, key, key_len, &what, mode, version);
}

int32_t fc_set_tagged(uint32_t handle, const void *key, uint32_t key_len, const void *value,
                      uint32_t value_len, uint32_t type, uint32_t mode, double ttl_ms,
                      double version, const void *tags, uint32_t tags_len) {
    const cache *c = handle_get(handle);
    if (unlikely(!c)) return FC_CLOSED;
    tag_set set;
    const int32_t status = tag_read(c, tags, tags_len, &set);
    if (status < 0) return status;
    const write_value what = {value, value_len, type, ttl_ms, &set};
    return write_set(c, key, key_len, &what, mode, version);
}

int32_t fc_delete_by_tag(uint32_t handle, const void *tag, uint32_t tag_len) {
    const cache *c = handle_get(handle);
    return likely(c != NULL) ? tag_invalidate(c, tag, tag_len) : FC_CLOSED;
}

int32_t fc_delete(uint32_t handle, const void *key, uint32_t key_len) {
    const cache *c = handle_get(handle);
    return likely(c != NULL) ? write_delete(c, key, key_len) : FC_CLOSED;
}

int32_t fc_has(uint32_t handle, const void *key, uint32_t key_len) {
    const cache *c = handle_get(handle);
    return likely(c != NULL) ? read_has(c, key, key_len) : FC_CLOSED;
}

int32_t fc_increment(uint32_t handle, const void *key, uint32_t key_len, double by, double initial,
                     double ttl_ms, double *result) {
    const cache *c = handle_get(handle);
    if (unlikely(!c)) return FC_CLOSED;
    return write_increment(c, key, key_len, by, initial, ttl_ms, result);
}

int32_t fc_touch(uint32_t handle, const void *key, uint32_t key_len, double ttl_ms) {
    const cache *c = handle_get(handle);
    return likely(c != NULL) ? write_touch(c, key, key_len, ttl_ms) : FC_CLOSED;
}

int32_t fc_ttl(uint32_t handle, const void *key, uint32_t key_len, double *ttl_ms) {
    const cache *c = handle_get(handle);
    return likely(c != NULL) ? read_ttl(c, key, key_len, ttl_ms) : FC_CLOSED;
}

/* ------------------------------------------------------------ single flight */

int32_t fc_lease_begin(uint32_t handle, const void *key, uint32_t key_len, double lease_ms,
                       uint32_t flags, double seen_version, fc_lease *lease) {
    cache *c = (cache *)handle_get(handle);
    return c ? flight_begin(c, key, key_len, lease_ms, flags, seen_version, lease) : FC_CLOSED;
}

int32_t fc_lease_end(uint32_t handle, const void *key, uint32_t key_len, double token, uint32_t how,
                     double ms, const void *text, uint32_t text_len) {
    const cache *c = handle_get(handle);
    return c ? flight_end(c, key, key_len, token, how, ms, text, text_len) : FC_CLOSED;
}

int32_t fc_wait(uint32_t handle, double timeout_ms) {
    cache *c = handle_hold(handle);
    if (!c) return FC_CLOSED;
    const int32_t result = flight_wait(c, timeout_ms);
    handle_let_go(c);
    return result;
}

int32_t fc_wake(uint32_t handle) {
    const cache *c = handle_get(handle);
    if (!c) return FC_CLOSED;
    flight_wake(c);
    return FC_OK;
}

int32_t fc_note(uint32_t handle, uint32_t noted) {
    const cache *c = handle_get(handle);
    return c ? flight_note(c, noted) : FC_CLOSED;
}

/* ------------------------------------------------------------------ batches */

int32_t fc_get_many(uint32_t handle, const void *request, uint32_t request_len, uint32_t count,
                    void *response, uint32_t capacity, uint32_t flags) {
    const cache *c = handle_get(handle);
    if (!c) return FC_CLOSED;
    return batch_get(c, request, request_len, count, response, capacity,
                     flags & (FC_PEEK | FC_NO_VALUE));
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
    return iterate_keys(c, cursor, response, capacity, used);
}
