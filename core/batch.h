/* SPDX-License-Identifier: MIT
 *
 * batch.h owns the packed formats of fastcache.h and the operations on many keys.
 */
#ifndef FC_BATCH_H
#define FC_BATCH_H

#include "cache.h"

/* See fc_get_many, fc_set_many, fc_delete_many. */
int32_t batch_get(const cache *c, const uint8_t *request, uint32_t request_len, uint32_t count,
                  uint8_t *response, uint32_t capacity, uint32_t flags);
int32_t batch_set(const cache *c, const uint8_t *request, uint32_t request_len, uint32_t count,
                  uint32_t *done);
int32_t batch_delete(const cache *c, const uint8_t *request, uint32_t request_len, uint32_t count,
                     uint32_t *done, uint32_t *removed);

#endif
