/* SPDX-License-Identifier: MIT
 *
 * calls.h owns how an operation reaches the core: through either half of the C interface, pointers
 * or bound memory, as the operation's number has it.
 */
#ifndef SIM_CALLS_H
#define SIM_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "fastcache.h"
#include "values.h"

#define BATCH_MAX 16u
#define REQUEST_BYTES (FC_IO_VALUE + VALUE_BYTES_MAX + TAGS_BYTES)
#define RESPONSE_BYTES (FC_ITERATE_CAPACITY_MIN + VALUE_BYTES_MAX)

typedef struct caller {
    uint32_t handle;
    bool by_io;
    uint8_t request[REQUEST_BYTES] __attribute__((aligned(64)));
    uint8_t response[RESPONSE_BYTES] __attribute__((aligned(64)));
} caller;

/* Binds the memory to a handle that was just opened. */
void call_bind(caller *c);

/* As fc_get; the value comes to the beginning of the response. */
int32_t call_get(caller *c, uint32_t key, uint32_t capacity, bool peek, double *version);
int32_t call_has(caller *c, uint32_t key);
int32_t call_ttl(caller *c, uint32_t key, double *ttl_ms);
/* The value lies at FC_IO_VALUE of the request; it is stored with the key's tag. */
int32_t call_set(caller *c, uint32_t key, uint32_t len, uint32_t mode, double ttl_ms,
                 double version);
int32_t call_delete(caller *c, uint32_t key);
int32_t call_delete_by_tag(caller *c, uint32_t tag);
int32_t call_increment(caller *c, uint32_t key, double by, double initial, double *sum);
int32_t call_touch(caller *c, uint32_t key, double ttl_ms);

/* Batches: the records are packed at FC_IO_VALUE of the request, as long as told. */
int32_t call_get_many(caller *c, uint32_t count, uint32_t bytes);
int32_t call_set_many(caller *c, uint32_t count, uint32_t bytes, uint32_t *done);
int32_t call_delete_many(caller *c, uint32_t count, uint32_t bytes, uint32_t *done,
                         uint32_t *removed);

#endif
