/* SPDX-License-Identifier: MIT
 *
 * attachment.c: see attachment.h. A list under a mutex; it is looked at when a handle is opened or
 * closed only, and has a row for each thread and segment.
 */
#include "attachment.h"

#include <pthread.h>

#include "os/os.h"

static attachment *first;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

attachment *attachment_join(uint64_t device, uint64_t inode, uint64_t size_bytes) {
    const uint64_t thread = os_thread_id();
    attachment *found = NULL;
    pthread_mutex_lock(&guard);
    for (attachment *a = first; a; a = a->next) {
        const bool cut = __atomic_load_n(&a->lost, __ATOMIC_RELAXED) != 0;
        if (a->device != device || a->inode != inode || a->size_bytes != size_bytes || cut)
            continue;
        if (a->thread == thread || (a->thread == 0 && !found)) found = a;
        if (a->thread == thread) break;
    }
    if (found) {
        found->thread = thread;
        found->handles++;
    }
    pthread_mutex_unlock(&guard);
    return found;
}

void attachment_add(attachment *a) {
    a->thread = os_thread_id();
    a->handles = 1;
    pthread_mutex_lock(&guard);
    a->next = first;
    first = a;
    pthread_mutex_unlock(&guard);
}

bool attachment_leave(attachment *a) {
    pthread_mutex_lock(&guard);
    const bool last = --a->handles == 0;
    attachment **link = &first;
    while (last && *link != a) link = &(*link)->next;
    if (last) *link = a->next;
    pthread_mutex_unlock(&guard);
    return last;
}

void attachment_end_thread(void) {
    const uint64_t thread = os_thread_id();
    pthread_mutex_lock(&guard);
    for (attachment *a = first; a; a = a->next)
        if (a->thread == thread) a->thread = 0;
    pthread_mutex_unlock(&guard);
}

void attachment_forget_all(void) {
    for (const attachment *a = first; a; a = a->next) os_file_close(a->fd);
    first = NULL;
    pthread_mutex_init(&guard, NULL);
}
