/* SPDX-License-Identifier: MIT
 *
 * addon.c makes the functions of fastcache.h callable from Node, through Node-API: the C half of
 * src/binding/node.ts. It is part of the one native library that Bun and Deno load, too: Node's
 * functions are weak symbols, so that the library also loads where there are none.
 *
 * What it keeps true:
 *  - An export is named as the C function behind it. It checks how many arguments there are and of
 *    what type, throws a TypeError if that is wrong, and else returns what the C function returns.
 *  - Where the C function takes the length of a key or value that lies in the request region, the
 *    export takes the string itself as well, and writes it there; where a key came so, a text is
 *    answered as a string. One call then does what took JavaScript three. What a string with a lone
 *    surrogate means is as in src/wire: no key, and a value that is stored in UTF-16.
 *  - A handle that is still open when its environment ends (a worker, however it ends) is closed
 *    then. An environment is of one thread, and so is what is kept for it.
 *
 * A call costs some 20 ns, each number 3 to 7, each array 20 (Node 20 to 26). A number is fetched
 * as a double: of any other kind Node-API asks more.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "handle.h"
#include "waiter.h"

#pragma weak napi_add_env_cleanup_hook
#pragma weak napi_create_function
#pragma weak napi_create_int32
#pragma weak napi_create_string_latin1
#pragma weak napi_create_string_utf16
#pragma weak napi_create_string_utf8
#pragma weak napi_get_cb_info
#pragma weak napi_get_instance_data
#pragma weak napi_get_typedarray_info
#pragma weak napi_get_value_double
#pragma weak napi_get_value_string_utf16
#pragma weak napi_get_value_string_utf8
#pragma weak napi_set_instance_data
#pragma weak napi_set_named_property
#pragma weak napi_throw_error
#pragma weak napi_throw_type_error

#define ARGUMENTS_MAX 5

typedef struct argument {
    union {
        double number;
        void *bytes;
    };
    bool is_text; /* a key that came as a string */
} argument;

/* What is no uint32_t becomes the largest, which no function takes for a handle or a length. */
static inline uint32_t u32_of(double number) {
    return number >= 0 && number <= UINT32_MAX ? (uint32_t)number : UINT32_MAX;
}

/* ------------------------------------------------------ handles of an environment */

typedef struct environment {
    uint32_t *handles;
    size_t count, capacity;
} environment;

/* Room for one more, made before the handle: it must not be lost for want of memory. */
static bool environment_reserve(environment *its) {
    if (its->count < its->capacity) return true;
    size_t capacity = its->capacity ? its->capacity * 2 : 8;
    uint32_t *handles = realloc(its->handles, capacity * sizeof *handles);
    if (!handles) return false;
    its->handles = handles;
    its->capacity = capacity;
    return true;
}

static void environment_forget(environment *its, uint32_t handle) {
    for (size_t i = 0; i < its->count; i++)
        if (its->handles[i] == handle) {
            its->handles[i] = its->handles[--its->count];
            return;
        }
}

/* The cleanup hook: no JavaScript of this environment runs any more. */
static void environment_end(void *argument) {
    environment *its = argument;
    for (size_t i = 0; i < its->count; i++) fc_close(its->handles[i]);
    free(its->handles);
    free(its);
}

static int32_t open_in(napi_env env, const fc_options *options, const char *name, uint32_t name_len,
                       fc_report *report) {
    environment *its = NULL;
    if (napi_get_instance_data(env, (void **)&its) != napi_ok || !its) return FC_CLOSED;
    if (!environment_reserve(its)) return FC_NO_SPACE;
    int32_t status = fc_open(options, name, name_len, report);
    if (status >= 0) its->handles[its->count++] = report->handle;
    return status;
}

static int32_t close_in(napi_env env, uint32_t handle) {
    environment *its = NULL;
    if (napi_get_instance_data(env, (void **)&its) == napi_ok && its)
        environment_forget(its, handle);
    return fc_close(handle);
}

/* -------------------------------------------------------------------------- text */

/* A string that Node-API has written in UTF-8, with U+FFFD for each lone surrogate. */
typedef struct text {
    size_t length;
    bool is_ascii, is_whole;
} text;

/* Has the string itself no lone surrogate? Where U+FFFD is met, nothing else tells. */
static bool is_well_formed(napi_env env, napi_value value) {
    size_t units;
    if (napi_get_value_string_utf16(env, value, NULL, 0, &units) != napi_ok) return false;
    char16_t *copy = malloc((units + 1) * sizeof *copy);
    bool good = copy && napi_get_value_string_utf16(env, value, copy, units + 1, &units) == napi_ok;
    for (size_t i = 0; good && i < units; i++) {
        if ((copy[i] & 0xF800) != 0xD800) continue;
        good = copy[i] < 0xDC00 && i + 1 < units && (copy[i + 1] & 0xFC00) == 0xDC00;
        i++;
    }
    free(copy);
    return good;
}

/* Writes a string to `room` bytes at `to`, of which its caller has made sure. False: it is none. */
static bool write_text(napi_env env, napi_value value, uint8_t *to, size_t room, text *out) {
    size_t length;
    if (napi_get_value_string_utf8(env, value, (char *)to, room, &length) != napi_ok) return false;
    uint8_t all = 0, replaced = 0;
    for (size_t i = 0; i < length; i++) all |= to[i];
    for (size_t i = 0; all >= 0x80 && i + 2 < length; i++)
        replaced |= to[i] == 0xEF && to[i + 1] == 0xBF && to[i + 2] == 0xBD;
    *out = (text){length, all < 0x80, !replaced || is_well_formed(env, value)};
    return true;
}

/* A key as a string, or its length. On a closed handle it is anything: the call says so. */
static bool key_of(napi_env env, napi_value value, double handle, argument *out) {
    out->is_text = false;
    if (napi_get_value_double(env, value, &out->number) == napi_ok) return true;
    const cache *c = handle_get(u32_of(handle));
    text key;
    out->number = -1; /* which no key has */
    if (!c || !c->request.memory) return true;
    if (!write_text(env, value, c->request.memory + FC_IO_KEY, FC_KEY_LEN_MAX + 1, &key))
        return false;
    out->is_text = true;
    if (key.is_whole) out->number = (double)key.length;
    return true;
}

/* A value as a string, or its length; as key_of. */
static bool value_of(napi_env env, napi_value value, double handle, argument *out) {
    if (napi_get_value_double(env, value, &out->number) == napi_ok) return true;
    const cache *c = handle_get(u32_of(handle));
    out->number = -1;
    if (!c || !c->request.memory) return true;
    uint8_t *to = c->request.memory + FC_IO_VALUE;
    const size_t room = c->request.length - FC_IO_VALUE;
    text content;
    if (!write_text(env, value, to, room, &content)) return false;
    fc_control *control = (fc_control *)(void *)c->request.memory;
    out->number = (double)content.length;
    if (control->type != FC_TYPE_UTF8) return true; /* JSON, in which every text is whole */
    if (content.is_ascii) control->type = FC_TYPE_ASCII;
    if (content.is_whole) return true;
    size_t units;
    control->type = FC_TYPE_UTF16;
    if (napi_get_value_string_utf16(env, value, (char16_t *)(void *)to, room / sizeof(char16_t),
                                    &units) != napi_ok)
        return false;
    out->number = (double)(units * sizeof(char16_t));
    return true;
}

/* ------------------------------------------------------------------------- calls */

static inline bool argument_of(napi_env env, char kind, napi_value value, argument *out) {
    if (kind == 'n') return napi_get_value_double(env, value, &out->number) == napi_ok;
    if (kind == 'k') return key_of(env, value, out[-1].number, out);
    if (kind == 'v') return value_of(env, value, out[-2].number, out);
    napi_typedarray_type type;
    return napi_get_typedarray_info(env, value, &type, NULL, &out->bytes, NULL, NULL) == napi_ok &&
           type == napi_uint8_array;
}

/* The arguments of a call, of the kinds in `shape`: n is a number, b a Uint8Array, k and v a key
 * and a value behind a handle (see above). What is not given arrives as `undefined`, which is none
 * of them. */
static inline __attribute__((always_inline)) bool arguments_of(napi_env env,
                                                               napi_callback_info info,
                                                               const char *shape, size_t count,
                                                               argument *out) {
    napi_value values[ARGUMENTS_MAX];
    size_t given = count;
    bool good = napi_get_cb_info(env, info, &given, values, NULL, NULL) == napi_ok;
    for (size_t i = 0; good && i < count; i++)
        good = argument_of(env, shape[i], values[i], &out[i]);
    if (!good)
        napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE",
                              "a native function of fastcache takes numbers and Uint8Arrays");
    return good;
}

static inline napi_value result_of(napi_env env, int32_t status) {
    napi_value result;
    return napi_create_int32(env, status, &result) == napi_ok ? result : NULL;
}

/* As result_of; a text that was read to the response region, for a key that came as one, itself. */
static napi_value read_result_of(napi_env env, const argument *a, int32_t status) {
    const cache *c = status >= 0 && a[1].is_text ? handle_get(u32_of(a[0].number)) : NULL;
    if (!c) return result_of(env, status);
    const fc_control *control = (const fc_control *)(const void *)c->request.memory;
    const uint8_t *at = c->response.memory + u32_of(a[2].number);
    const size_t length = (size_t)status;
    napi_value result;
    napi_status made = napi_generic_failure;
    if (control->type == FC_TYPE_ASCII)
        made = napi_create_string_latin1(env, (const char *)at, length, &result);
    else if (control->type == FC_TYPE_UTF8)
        made = napi_create_string_utf8(env, (const char *)at, length, &result);
    return made == napi_ok ? result : result_of(env, status);
}

#define N(i) (a[i].number)
#define U(i) u32_of(a[i].number)
#define B(i) (a[i].bytes)

/* X(function, kinds of its arguments, the call); R for one that reads a value */
#define FUNCTIONS(X, R)                                                            \
    X(fc_abi_version, "", fc_abi_version())                                        \
    X(fc_open, "bbnb", open_in(env, B(0), B(1), U(2), B(3)))                       \
    X(fc_close, "n", close_in(env, U(0)))                                          \
    X(fc_destroy, "nbnb", fc_destroy(U(0), B(1), U(2), B(3)))                      \
    X(fc_list, "bn", fc_list(B(0), U(1)))                                          \
    X(fc_info, "nb", fc_info(U(0), B(1)))                                          \
    X(fc_stats, "nb", fc_stats(U(0), B(1)))                                        \
    X(fc_clear, "n", fc_clear(U(0)))                                               \
    X(fc_size, "nb", fc_size(U(0), B(1)))                                          \
    X(fc_iterate, "nbbnb", fc_iterate(U(0), B(1), B(2), U(3), B(4)))               \
    X(fc_bind, "nnbn", fc_bind(U(0), U(1), B(2), U(3)))                            \
    R(fc_io_get, "nkn", fc_io_get(N(0), N(1), N(2)))                               \
    R(fc_io_peek, "nkn", fc_io_peek(N(0), N(1), N(2)))                             \
    X(fc_io_get_into, "nkbnn", fc_io_get_into(U(0), U(1), B(2), U(3), U(4)))       \
    X(fc_io_set, "nkv", fc_io_set(N(0), N(1), N(2)))                               \
    X(fc_io_set_from, "nkbn", fc_io_set_from(U(0), U(1), B(2), U(3)))              \
    X(fc_io_delete, "nk", fc_io_delete(N(0), N(1)))                                \
    X(fc_io_delete_by_tag, "nn", fc_io_delete_by_tag(N(0), N(1)))                  \
    X(fc_io_has, "nk", fc_io_has(N(0), N(1)))                                      \
    X(fc_io_increment, "nkn", fc_io_increment(N(0), N(1), N(2)))                   \
    X(fc_io_touch, "nkn", fc_io_touch(N(0), N(1), N(2)))                           \
    X(fc_io_ttl, "nk", fc_io_ttl(N(0), N(1)))                                      \
    X(fc_io_lease_begin, "nnnnb", fc_io_lease_begin(U(0), U(1), N(2), U(3), B(4))) \
    X(fc_io_lease_end, "nnnbn", fc_io_lease_end(U(0), U(1), U(2), B(3), U(4)))     \
    X(fc_wake, "n", fc_wake(U(0)))                                                 \
    X(fc_note, "nn", fc_note(U(0), U(1)))                                          \
    X(fc_io_get_many, "nnnnn", fc_io_get_many(U(0), U(1), U(2), U(3), U(4)))       \
    X(fc_io_set_many, "nnn", fc_io_set_many(U(0), U(1), U(2)))                     \
    X(fc_io_delete_many, "nnn", fc_io_delete_many(U(0), U(1), U(2)))

#define DEFINE(function, shape, call)                                           \
    static napi_value call_##function(napi_env env, napi_callback_info info) {  \
        argument a[ARGUMENTS_MAX];                                              \
        if (!arguments_of(env, info, shape, sizeof(shape) - 1, a)) return NULL; \
        return result_of(env, call);                                            \
    }
#define DEFINE_READ(function, shape, call)                                      \
    static napi_value call_##function(napi_env env, napi_callback_info info) {  \
        argument a[ARGUMENTS_MAX];                                              \
        if (!arguments_of(env, info, shape, sizeof(shape) - 1, a)) return NULL; \
        return read_result_of(env, a, call);                                    \
    }
FUNCTIONS(DEFINE, DEFINE_READ)

static bool add_functions(napi_env env, napi_value exports) {
    static const struct {
        const char *name;
        napi_callback call;
    } functions[] = {
#define LIST(function, shape, call) {#function, call_##function},
        FUNCTIONS(LIST, LIST)};
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        napi_value made;
        if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL,
                                 &made) != napi_ok ||
            napi_set_named_property(env, exports, functions[i].name, made) != napi_ok)
            return false;
    }
    return waiter_add(env, exports);
}

NAPI_MODULE_INIT(/* napi_env env, napi_value exports */) {
    environment *its = NULL;
    /* A second load in one environment gets the same memory. */
    if (napi_get_instance_data(env, (void **)&its) == napi_ok && !its) {
        its = calloc(1, sizeof *its);
        if (!its || napi_set_instance_data(env, its, NULL, NULL) != napi_ok ||
            napi_add_env_cleanup_hook(env, environment_end, its) != napi_ok) {
            free(its);
            napi_throw_error(env, NULL, "fastcache: no memory for the addon");
            return NULL;
        }
    }
    return add_functions(env, exports) ? exports : NULL;
}
