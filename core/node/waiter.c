/* SPDX-License-Identifier: MIT
 *
 * waiter.c: see waiter.h.
 *
 * A wait's own thread looks at it until it has called the threadsafe function, and is joined before
 * that ends: by `deliver`, or by `end`, a cleanup hook, which is added after the function was made,
 * and so runs before the environment ends it. A wait is freed when its function is: a call that was
 * queued may still come after `end` (in Bun).
 */
#include "waiter.h"

#include <pthread.h>
#include <stdlib.h>

#pragma weak napi_add_env_cleanup_hook
#pragma weak napi_call_function
#pragma weak napi_call_threadsafe_function
#pragma weak napi_create_function
#pragma weak napi_create_int32
#pragma weak napi_create_string_utf8
#pragma weak napi_create_threadsafe_function
#pragma weak napi_get_cb_info
#pragma weak napi_get_undefined
#pragma weak napi_get_value_double
#pragma weak napi_release_threadsafe_function
#pragma weak napi_remove_env_cleanup_hook
#pragma weak napi_set_named_property
#pragma weak napi_throw_type_error

#define NAME "fc_wait_then"
#define STACK_BYTES (128u << 10)

typedef struct wait {
    uint32_t handle;
    double timeout_ms;
    int32_t result;
    pthread_t thread;
    napi_threadsafe_function done;
    bool ended; /* joined */
} wait;

static void *run(void *argument) {
    wait *w = argument;
    w->result = fc_wait(w->handle, w->timeout_ms);
    (void)napi_call_threadsafe_function(w->done, NULL, napi_tsfn_nonblocking);
    return NULL;
}

/* The environment ends: no JavaScript of it runs any more. */
static void end(void *argument) {
    wait *w = argument;
    (void)fc_wake(w->handle);
    pthread_join(w->thread, NULL);
    w->ended = true;
}

static void finalize(napi_env env, void *data, void *hint) {
    (void)env;
    (void)hint;
    free(data);
}

/* In the environment's thread. */
static void deliver(napi_env env, napi_value callback, void *context, void *data) {
    wait *w = context;
    (void)data;
    if (!env || w->ended) return;
    pthread_join(w->thread, NULL);
    w->ended = true;
    const int32_t result = w->result;
    (void)napi_remove_env_cleanup_hook(env, end, w);
    (void)napi_release_threadsafe_function(w->done, napi_tsfn_release);
    napi_value undefined, number;
    if (napi_get_undefined(env, &undefined) == napi_ok &&
        napi_create_int32(env, result, &number) == napi_ok)
        (void)napi_call_function(env, undefined, callback, 1, &number, NULL);
}

static bool start(wait *w) {
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return false;
    const bool started = pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0 &&
                         pthread_create(&w->thread, &attributes, run, w) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

static int32_t begin(napi_env env, uint32_t handle, double timeout_ms, napi_value callback) {
    napi_value name;
    wait *w = malloc(sizeof *w);
    if (!w) return FC_NO_SPACE;
    *w = (wait){.handle = handle, .timeout_ms = timeout_ms};
    if (napi_create_string_utf8(env, NAME, NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_create_threadsafe_function(env, callback, NULL, name, 0, 1, w, finalize, w, deliver,
                                        &w->done) != napi_ok) {
        free(w);
        return FC_NO_SPACE;
    }
    if (!start(w)) {
        (void)napi_release_threadsafe_function(w->done, napi_tsfn_abort);
        return FC_NO_SPACE;
    }
    (void)napi_add_env_cleanup_hook(env, end, w);
    return FC_OK;
}

static napi_value wait_then(napi_env env, napi_callback_info info) {
    napi_value values[3], result;
    size_t given = 3;
    double handle, timeout_ms;
    if (napi_get_cb_info(env, info, &given, values, NULL, NULL) != napi_ok || given < 3 ||
        napi_get_value_double(env, values[0], &handle) != napi_ok ||
        napi_get_value_double(env, values[1], &timeout_ms) != napi_ok) {
        napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE",
                              NAME " takes a handle, a number of ms and a function");
        return NULL;
    }
    const bool fits = handle >= 0 && handle <= UINT32_MAX;
    const int32_t status = begin(env, fits ? (uint32_t)handle : UINT32_MAX, timeout_ms, values[2]);
    return napi_create_int32(env, status, &result) == napi_ok ? result : NULL;
}

bool waiter_add(napi_env env, napi_value exports) {
    napi_value made;
    return napi_create_function(env, NAME, NAPI_AUTO_LENGTH, wait_then, NULL, &made) == napi_ok &&
           napi_set_named_property(env, exports, NAME, made) == napi_ok;
}
