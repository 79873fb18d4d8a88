/* SPDX-License-Identifier: MIT
 *
 * calls.c: see calls.h.
 */
#include "calls.h"

#include <string.h>

#include "check.h"

static fc_control *control(caller *c) { return (fc_control *)(void *)c->request; }
static uint8_t *payload(caller *c) { return c->request + FC_IO_VALUE; }

static void put_key(caller *c, uint32_t key) {
    memcpy(c->request + FC_IO_KEY, key_bytes(key), KEY_LEN);
}

void call_bind(caller *c) {
    (void)fc_bind(c->handle, FC_REGION_REQUEST, c->request, REQUEST_BYTES);
    (void)fc_bind(c->handle, FC_REGION_RESPONSE, c->response, RESPONSE_BYTES);
}

int32_t call_get(caller *c, uint32_t key, uint32_t capacity, bool peek, double *version) {
    int32_t status;
    if (c->by_io) {
        put_key(c, key);
        if (capacity < VALUE_BYTES_MAX) {
            status = fc_io_get_into(c->handle, KEY_LEN, c->response, capacity, peek ? FC_PEEK : 0);
            *version = control(c)->version;
            return status;
        }
        const double at = RESPONSE_BYTES - capacity;
        status = peek ? fc_io_peek(c->handle, KEY_LEN, at) : fc_io_get(c->handle, KEY_LEN, at);
        if (status > 0)
            memmove(c->response, c->response + RESPONSE_BYTES - capacity, (size_t)status);
        *version = control(c)->version;
        return status;
    }
    fc_item item = {0};
    status = fc_get(c->handle, key_bytes(key), KEY_LEN, c->response, capacity, peek ? FC_PEEK : 0,
                    &item);
    *version = item.version;
    return status;
}

int32_t call_has(caller *c, uint32_t key) {
    if (!c->by_io) return fc_has(c->handle, key_bytes(key), KEY_LEN);
    put_key(c, key);
    return fc_io_has(c->handle, KEY_LEN);
}

int32_t call_ttl(caller *c, uint32_t key, double *ttl_ms) {
    if (!c->by_io) return fc_ttl(c->handle, key_bytes(key), KEY_LEN, ttl_ms);
    put_key(c, key);
    const int32_t status = fc_io_ttl(c->handle, KEY_LEN);
    *ttl_ms = control(c)->ttl_ms;
    return status;
}

int32_t call_set(caller *c, uint32_t key, uint32_t len, uint32_t mode, double ttl_ms,
                 double version) {
    uint8_t *tags = payload(c) + round_up(len, FC_PACKED_ENTRY_UNIT);
    const uint32_t tags_len = key_tags(key, tags);
    if (tags_len && !c->by_io)
        return fc_set_tagged(c->handle, key_bytes(key), KEY_LEN, payload(c), len, FC_TYPE_BYTES,
                             mode, ttl_ms, version, tags, tags_len);
    if (!c->by_io)
        return fc_set(c->handle, key_bytes(key), KEY_LEN, payload(c), len, FC_TYPE_BYTES, mode,
                      ttl_ms, version);
    put_key(c, key);
    *control(c) =
        (fc_control){.type = FC_TYPE_BYTES, .mode = mode, .version = version, .ttl_ms = ttl_ms};
    if (tags_len) control(c)->mode |= FC_TAGGED;
    if (len > FC_KEY_LEN_MAX && !tags_len)
        return fc_io_set_from(c->handle, KEY_LEN, payload(c), len);
    return fc_io_set(c->handle, KEY_LEN, len);
}

int32_t call_delete(caller *c, uint32_t key) {
    if (!c->by_io) return fc_delete(c->handle, key_bytes(key), KEY_LEN);
    put_key(c, key);
    return fc_io_delete(c->handle, KEY_LEN);
}

int32_t call_delete_by_tag(caller *c, uint32_t tag) {
    if (!c->by_io) return fc_delete_by_tag(c->handle, &tag, sizeof tag);
    memcpy(c->request + FC_IO_KEY, &tag, sizeof tag);
    return fc_io_delete_by_tag(c->handle, sizeof tag);
}

int32_t call_increment(caller *c, uint32_t key, double by, double initial, double *sum) {
    if (!c->by_io) return fc_increment(c->handle, key_bytes(key), KEY_LEN, by, initial, 0, sum);
    put_key(c, key);
    *control(c) = (fc_control){.initial = initial};
    const int32_t status = fc_io_increment(c->handle, KEY_LEN, by);
    *sum = control(c)->sum;
    return status;
}

int32_t call_touch(caller *c, uint32_t key, double ttl_ms) {
    if (!c->by_io) return fc_touch(c->handle, key_bytes(key), KEY_LEN, ttl_ms);
    put_key(c, key);
    return fc_io_touch(c->handle, KEY_LEN, ttl_ms);
}

int32_t call_get_many(caller *c, uint32_t count, uint32_t bytes) {
    if (c->by_io) return fc_io_get_many(c->handle, count, bytes, 0, 0);
    return fc_get_many(c->handle, payload(c), bytes, count, c->response, RESPONSE_BYTES, 0);
}

int32_t call_set_many(caller *c, uint32_t count, uint32_t bytes, uint32_t *done) {
    if (!c->by_io) return fc_set_many(c->handle, payload(c), bytes, count, done);
    const int32_t status = fc_io_set_many(c->handle, count, bytes);
    *done = control(c)->done;
    return status;
}

int32_t call_delete_many(caller *c, uint32_t count, uint32_t bytes, uint32_t *done,
                         uint32_t *removed) {
    if (!c->by_io) return fc_delete_many(c->handle, payload(c), bytes, count, done, removed);
    const int32_t status = fc_io_delete_many(c->handle, count, bytes);
    *done = control(c)->done;
    *removed = control(c)->removed;
    return status;
}
