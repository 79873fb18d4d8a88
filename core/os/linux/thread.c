/* SPDX-License-Identifier: MIT
 *
 * thread.c: who a thread is, and notice of its end. With glibc the library has to stay loaded until
 * then: a runtime unloads it with the last worker that has loaded it, which is before the worker's
 * thread ends. __cxa_thread_atexit_impl (glibc 2.18) sees to that; musl never unloads anything.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../os.h"

/* Of the C library, where it has it; and the linker's, which tells it who asks. */
extern int __cxa_thread_atexit_impl(void (*handler)(void *), void *argument, void *library)
    __attribute__((weak));
extern char __dso_handle __attribute__((visibility("hidden")));

static void (*exit_handler)(void);
static _Thread_local bool watched;
static pthread_key_t exit_key;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;

uint64_t os_thread_id(void) { return (uint64_t)syscall(SYS_gettid); }

/* glibc calls it for the main thread too, when the process ends: other threads may be at work. */
static void on_thread_exit(void *unused) {
    (void)unused;
    if (os_thread_id() != (uint64_t)getpid()) exit_handler();
}

static void make_key(void) { (void)pthread_key_create(&exit_key, on_thread_exit); }

void os_at_thread_exit(void (*handler)(void)) {
    if (watched) return;
    watched = true;
    __atomic_store_n(&exit_handler, handler, __ATOMIC_RELAXED);
    if (__cxa_thread_atexit_impl) {
        (void)__cxa_thread_atexit_impl(on_thread_exit, NULL, &__dso_handle);
    } else {
        pthread_once(&exit_once, make_key);
        (void)pthread_setspecific(exit_key, &exit_handler);
    }
}
