/* SPDX-License-Identifier: MIT
 *
 * io.c is the half of fastcache.h that passes integers only: keys, values and answers lie in
 * the two regions bound to the handle. Each call is the pointer call on those places.
 */
#include "arguments.h"
#include "batch.h"
#include "handle.h"
#include "iterate.h"

FC_LAYOUT_ASSERT(sizeof(fc_control) == FC_IO_KEY);
FC_LAYOUT_ASSERT(FC_IO_VALUE == FC_IO_KEY + FC_KEY_LEN_MAX);

static inline fc_control *control_of(const cache *c) {
    return (fc_control *)(void *)c->request.memory;
}
static inline const uint8_t *key_of(const cache *c) { return c->request.memory + FC_IO_KEY; }
static inline const uint8_t *value_of(const cache *c) { return c->request.memory + FC_IO_VALUE; }

/* The cache of a handle with both regions bound; anything else is told by the status. */
static inline const cache *bound(uint32_t handle, int32_t *status) {
    const cache *c = handle_get(handle);
    *status = likely(c != NULL) ? FC_INVALID_ARGUMENT : FC_CLOSED;
    return likely(c && c->request.memory && c->response.memory) ? c : NULL;
}

/* Does the region hold so many bytes from FC_IO_VALUE on? */
static inline bool holds(const cache *c, uint32_t len) {
    return len <= c->request.length - FC_IO_VALUE;
}

int32_t fc_bind(uint32_t handle, uint32_t which, void *memory, uint32_t length) {
    cache *c = (cache *)handle_get(handle);
    if (!c) return FC_CLOSED;
    if (!memory || (uintptr_t)memory % 8 != 0) return FC_INVALID_ARGUMENT;
    region bound_region = {memory, length};
    if (which == FC_REGION_REQUEST && length >= FC_IO_VALUE)
        c->request = bound_region;
    else if (which == FC_REGION_RESPONSE)
        c->response = bound_region;
    else
        return FC_INVALID_ARGUMENT;
    return FC_OK;
}

static int32_t get(const cache *c, uint32_t handle, uint32_t key_len, void *value,
                   uint32_t capacity, uint32_t flags) {
    fc_item item;
    int32_t status = fc_get(handle, key_of(c), key_len, value, capacity, flags, &item);
    if (status < 0 && status != FC_BUFFER_TOO_SMALL) return status;
    fc_control *control = control_of(c);
    control->type = item.type;
    control->value_len = item.value_len;
    control->version = item.version;
    return status;
}

int32_t fc_io_get(uint32_t handle, uint32_t key_len, uint32_t response_offset, uint32_t flags) {
    int32_t status;
    const cache *c = bound(handle, &status);
    if (!c) return status;
    if (response_offset > c->response.length) return FC_INVALID_ARGUMENT;
    return get(c, handle, key_len, c->response.memory + response_offset,
               c->response.length - response_offset, flags);
}

int32_t fc_io_get_into(uint32_t handle, uint32_t key_len, void *value, uint32_t capacity) {
    int32_t status;
    const cache *c = bound(handle, &status);
    return c ? get(c, handle, key_len, value, capacity, 0) : status;
}

int32_t fc_io_set(uint32_t handle, uint32_t key_len, uint32_t value_len, uint32_t type_mode,
                  double ttl_ms) {
    int32_t status;
    const cache *c = bound(handle, &status);
    if (!c) return status;
    if (!holds(c, value_len)) return FC_INVALID_ARGUMENT;
    return fc_io_set_from(handle, key_len, value_of(c), value_len, type_mode, ttl_ms);
}

int32_t fc_io_set_from(uint32_t handle, uint32_t key_len, const void *value, uint32_t value_len,
                       uint32_t type_mode, double ttl_ms) {
    int32_t status;
    const cache *c = bound(handle, &status);
    if (!c) return status;
    const uint32_t mode = type_mode >> 8;
    const double version = mode == FC_SET_IF_VERSION ? control_of(c)->version : 0;
    return fc_set(handle, key_of(c), key_len, value, value_len, type_mode & 0xff, mode, ttl_ms,
                  version);
}

int32_t fc_io_delete(uint32_t handle, uint32_t key_len) {
    int32_t status;
    const cache *c = bound(handle, &status);
    return c ? fc_delete(handle, key_of(c), key_len) : status;
}

int32_t fc_io_has(uint32_t handle, uint32_t key_len) {
    int32_t status;
    const cache *c = bound(handle, &status);
    return c ? fc_has(handle, key_of(c), key_len) : status;
}

int32_t fc_io_increment(uint32_t handle, uint32_t key_len, double by, double initial,
                        double ttl_ms) {
    int32_t status;
    const cache *c = bound(handle, &status);
    if (!c) return status;
    return fc_increment(handle, key_of(c), key_len, by, initial, ttl_ms, &control_of(c)->number);
}

int32_t fc_io_touch(uint32_t handle, uint32_t key_len, double ttl_ms) {
    int32_t status;
    const cache *c = bound(handle, &status);
    return c ? fc_touch(handle, key_of(c), key_len, ttl_ms) : status;
}

int32_t fc_io_ttl(uint32_t handle, uint32_t key_len) {
    int32_t status;
    const cache *c = bound(handle, &status);
    return c ? fc_ttl(handle, key_of(c), key_len, &control_of(c)->number) : status;
}

int32_t fc_io_get_many(uint32_t handle, uint32_t count, uint32_t request_len,
                       uint32_t response_offset, uint32_t flags) {
    int32_t status;
    const cache *c = bound(handle, &status);
    if (!c) return status;
    if (!holds(c, request_len) || response_offset > c->response.length) return FC_INVALID_ARGUMENT;
    return fc_get_many(handle, value_of(c), request_len, count,
                       c->response.memory + response_offset, c->response.length - response_offset,
                       flags);
}

int32_t fc_io_set_many(uint32_t handle, uint32_t count, uint32_t request_len) {
    int32_t status;
    const cache *c = bound(handle, &status);
    if (!c) return status;
    if (!holds(c, request_len)) return FC_INVALID_ARGUMENT;
    return fc_set_many(handle, value_of(c), request_len, count, &control_of(c)->done);
}

int32_t fc_io_delete_many(uint32_t handle, uint32_t count, uint32_t request_len) {
    int32_t status;
    const cache *c = bound(handle, &status);
    if (!c) return status;
    if (!holds(c, request_len)) return FC_INVALID_ARGUMENT;
    return fc_delete_many(handle, value_of(c), request_len, count, &control_of(c)->done,
                          &control_of(c)->removed);
}

int32_t fc_io_iterate(uint32_t handle) {
    int32_t status;
    const cache *c = bound(handle, &status);
    if (!c) return status;
    return fc_iterate(handle, &control_of(c)->cursor, c->response.memory, c->response.length,
                      &control_of(c)->done);
}
