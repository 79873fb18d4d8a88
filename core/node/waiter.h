/* SPDX-License-Identifier: MIT
 *
 * waiter.h owns how an event loop waits for leases (contract F3): fc_wait runs in a thread of its
 * own, and what it returns comes back through a threadsafe function. Node-API is what Bun, Deno and
 * Node have in common here: all three load the library as an addon for it.
 */
#ifndef FC_WAITER_H
#define FC_WAITER_H

#include <stdbool.h>

#include "fastcache.h"

#define NAPI_VERSION 8
#include <node_api.h>

/* Adds to the exports
 *
 *   fc_wait_then(handle, timeout_ms, callback)
 *
 * which calls callback(result of fc_wait) later, and keeps the event loop alive until then. Returns
 * FC_OK, or FC_NO_SPACE if there is no thread to be had; then nothing is called. Where the
 * environment ends first (a worker, however it ends), the wait ends with it. */
bool waiter_add(napi_env env, napi_value exports);

#endif
