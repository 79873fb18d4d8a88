/* SPDX-License-Identifier: MIT
 *
 * io.c is the half of fastcache.h that passes numbers only: keys, values and answers lie in
 * the two regions bound to the handle. Each call is the pointer call on those places.
 */
#include "batch.h"
#include "flight.h"
#include "handle.h"
#include "os/os.h"
#include "read.h"
#include "tag.h"
#include "write.h"

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
    if (c->thread == 0) c->thread = os_thread_id();
    region bound_region = {memory, length};
    if (which == FC_REGION_REQUEST && length >= FC_IO_VALUE)
        c->request = bound_region;
    else if (which == FC_REGION_RESPONSE)
        c->response = bound_region;
    else
        return FC_INVALID_ARGUMENT;
    return FC_OK;
}

/* A small integer that came as a double. */
static inline uint32_t integer(double number) {
    return likely(number >= 0 && number <= UINT32_MAX) ? (uint32_t)number : UINT32_MAX;
}

static inline int32_t get(const cache *c, uint32_t key_len, void *value, uint32_t capacity,
                          uint32_t flags) {
    read_result result;
    int32_t status = read_get(c, key_of(c), key_len, value, capacity, flags, &result);
    if (status < 0 && status != FC_BUFFER_TOO_SMALL) return status;
    fc_control *control = control_of(c);
    control->type = result.type;
    control->value_len = result.value_len;
    control->version = (double)result.version;
    return status;
}

static inline int32_t get_at(double handle, double key_len, double response_offset,
                             uint32_t flags) {
    int32_t status;
    const cache *c = bound(integer(handle), &status);
    if (unlikely(!c)) return status;
    const uint32_t offset = integer(response_offset);
    if (unlikely(offset > c->response.length)) return FC_INVALID_ARGUMENT;
    return get(c, integer(key_len), c->response.memory + offset, c->response.length - offset,
               flags);
}

int32_t fc_io_get(double handle, double key_len, double response_offset) {
    return get_at(handle, key_len, response_offset, 0);
}

int32_t fc_io_peek(double handle, double key_len, double response_offset) {
    return get_at(handle, key_len, response_offset, FC_PEEK);
}

int32_t fc_io_get_into(uint32_t handle, uint32_t key_len, void *value, uint32_t capacity,
                       uint32_t flags) {
    int32_t status;
    const cache *c = bound(handle, &status);
    return c ? get(c, key_len, value, capacity, flags & FC_PEEK) : status;
}

static inline int32_t store(const cache *c, uint32_t key_len, const write_value *what,
                            uint32_t mode) {
    const bool by_version = (mode & ~FC_KEEP_TTL) >= FC_SET_IF_VERSION;
    return write_set(c, key_of(c), key_len, what, mode, by_version ? control_of(c)->version : 0);
}

/* Its tags lie `tags_offset` bytes behind FC_IO_VALUE. */
__attribute__((noinline)) static int32_t set_tagged(const cache *c, uint32_t key_len,
                                                    write_value what, uint64_t tags_offset) {
    const uint64_t room = c->request.length - FC_IO_VALUE;
    if (tags_offset > room) return FC_INVALID_ARGUMENT;
    tag_set tags;
    const int32_t status = tag_read(c, value_of(c) + tags_offset, room - tags_offset, &tags);
    if (status < 0) return status;
    what.tags = &tags;
    return store(c, key_len, &what, control_of(c)->mode & ~FC_TAGGED);
}

static inline int32_t set(const cache *c, uint32_t key_len, const void *value, uint32_t value_len,
                          uint64_t tags_offset) {
    const fc_control *control = control_of(c);
    const uint32_t mode = control->mode;
    const write_value what = {value, value_len, control->type, control->ttl_ms, NULL};
    if (unlikely(mode & FC_TAGGED)) return set_tagged(c, key_len, what, tags_offset);
    return store(c, key_len, &what, mode);
}

int32_t fc_io_set(double handle, double key_len, double value_len) {
    int32_t status;
    const uint32_t len = integer(value_len);
    const cache *c = bound(integer(handle), &status);
    if (unlikely(!c)) return status;
    if (unlikely(!holds(c, len))) return FC_INVALID_ARGUMENT;
    return set(c, integer(key_len), value_of(c), len, round_up(len, FC_PACKED_ENTRY_UNIT));
}

int32_t fc_io_set_from(uint32_t handle, uint32_t key_len, const void *value, uint32_t value_len) {
    int32_t status;
    const cache *c = bound(handle, &status);
    return c ? set(c, key_len, value, value_len, 0) : status;
}

int32_t fc_io_delete(double handle, double key_len) {
    int32_t status;
    const cache *c = bound(integer(handle), &status);
    return c ? write_delete(c, key_of(c), integer(key_len)) : status;
}

int32_t fc_io_delete_by_tag(double handle, double tag_len) {
    int32_t status;
    const cache *c = bound(integer(handle), &status);
    return c ? tag_invalidate(c, key_of(c), integer(tag_len)) : status;
}

int32_t fc_io_has(double handle, double key_len) {
    int32_t status;
    const cache *c = bound(integer(handle), &status);
    return c ? read_has(c, key_of(c), integer(key_len)) : status;
}

int32_t fc_io_increment(double handle, double key_len, double by) {
    int32_t status;
    const cache *c = bound(integer(handle), &status);
    if (!c) return status;
    fc_control *control = control_of(c);
    return write_increment(c, key_of(c), integer(key_len), by, control->initial, control->ttl_ms,
                           &control->sum);
}

int32_t fc_io_touch(double handle, double key_len, double ttl_ms) {
    int32_t status;
    const cache *c = bound(integer(handle), &status);
    return c ? write_touch(c, key_of(c), integer(key_len), ttl_ms) : status;
}

int32_t fc_io_ttl(double handle, double key_len) {
    int32_t status;
    const cache *c = bound(integer(handle), &status);
    return c ? read_ttl(c, key_of(c), integer(key_len), &control_of(c)->ttl_ms) : status;
}

int32_t fc_io_lease_begin(uint32_t handle, uint32_t key_len, double lease_ms, uint32_t flags,
                          fc_lease *lease) {
    int32_t status;
    cache *c = (cache *)bound(handle, &status);
    return c ? flight_begin(c, key_of(c), key_len, lease_ms, flags, control_of(c)->version, lease)
             : status;
}

int32_t fc_io_lease_end(uint32_t handle, uint32_t key_len, uint32_t how, const void *text,
                        uint32_t text_len) {
    int32_t status;
    const cache *c = bound(handle, &status);
    if (!c) return status;
    const fc_control *control = control_of(c);
    return flight_end(c, key_of(c), key_len, control->version, how, control->ttl_ms, text,
                      text_len);
}

int32_t fc_io_get_many(uint32_t handle, uint32_t count, uint32_t request_len,
                       uint32_t response_offset, uint32_t flags) {
    int32_t status;
    const cache *c = bound(handle, &status);
    if (!c) return status;
    if (!holds(c, request_len) || response_offset > c->response.length) return FC_INVALID_ARGUMENT;
    return batch_get(c, value_of(c), request_len, count, c->response.memory + response_offset,
                     c->response.length - response_offset, flags & (FC_PEEK | FC_NO_VALUE));
}

int32_t fc_io_set_many(uint32_t handle, uint32_t count, uint32_t request_len) {
    int32_t status;
    const cache *c = bound(handle, &status);
    if (!c) return status;
    if (!holds(c, request_len)) return FC_INVALID_ARGUMENT;
    return batch_set(c, value_of(c), request_len, count, &control_of(c)->done);
}

int32_t fc_io_delete_many(uint32_t handle, uint32_t count, uint32_t request_len) {
    int32_t status;
    const cache *c = bound(handle, &status);
    if (!c) return status;
    if (!holds(c, request_len)) return FC_INVALID_ARGUMENT;
    return batch_delete(c, value_of(c), request_len, count, &control_of(c)->done,
                        &control_of(c)->removed);
}
