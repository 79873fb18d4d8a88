/* SPDX-License-Identifier: MIT
 *
 * slots_test.c: who takes a slot of a segment (contract S8): a thread takes one, however many handles
 * it opens; what it leaves behind when it ends takes none; and processes are counted, not threads.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handle.h"
#include "harness.h"
#include "os/os.h"

static int segment_fd;

static uint32_t open_again(void) {
    fc_options options = {.struct_size = sizeof options, .kind = FC_KIND_FD, .fd = segment_fd};
    fc_report report;
    int32_t status = fc_open(&options, NULL, 0, &report);
    CHECK(status == FC_OK, "%s", report.message);
    return report.handle;
}

static uint32_t open_first(void) {
    const uint32_t handle = private_open(1u << 20, 1, 0);
    fc_info_fields info;
    CHECK_STATUS(FC_OK, fc_info(handle, &info));
    segment_fd = (int)info.fd;
    return handle;
}

static void close_first(uint32_t handle) {
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

/* Seen from an open file that has none itself. */
static uint32_t slots_taken(void) {
    int fd;
    CHECK(os_file_reopen(segment_fd, &fd) == 0, "cannot open the segment");
    uint32_t taken = 0;
    uint64_t found;
    for (uint64_t i = 0; i < 256; i++) /* what 1 MiB has */
        taken += os_byte_held(fd, SLOT_LOCK_OFFSET + i, SLOT_LOCK_OFFSET + i + 1, &found);
    os_file_close(fd);
    return taken;
}

static uint32_t descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    if (!folder) return 0;
    uint32_t count = 0;
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

static void write_one(uint32_t handle) {
    CHECK_STATUS(FC_OK, fc_set(handle, "key", 3, "value", 5, FC_TYPE_ASCII, FC_SET, 0, 0));
}

static void a_thread_has_one_slot_however_many_handles(void) {
    const uint32_t handle = open_first();
    uint32_t handles[1000];
    for (int i = 0; i < 1000; i++) handles[i] = open_again();
    CHECK(slots_taken() == 1, "%u slots", slots_taken());
    CHECK(stats_of(handle).processes == 1, "%" PRIu64 " processes", stats_of(handle).processes);
    CHECK_STATUS(FC_OK, fc_close(handle));
    for (int i = 0; i < 1000; i++) {
        write_one(handles[i]);
        CHECK_STATUS(FC_OK, fc_close(handles[i]));
        CHECK_STATUS(FC_CLOSED, fc_delete(handles[i], "key", 3));
    }
}

/* What a JavaScript worker does: it binds its memory, and never closes. */
static void *leave_bound(void *result) {
    const uint32_t handle = open_again();
    uint64_t memory[FC_IO_VALUE / 8] = {0};
    CHECK_STATUS(FC_OK, fc_bind(handle, FC_REGION_REQUEST, memory, sizeof memory));
    write_one(handle);
    *(uint32_t *)result = handle;
    return NULL;
}
static void *leave_unbound(void *result) {
    *(uint32_t *)result = open_again();
    return NULL;
}
static uint32_t left_by_a_thread(void *(*run)(void *)) {
    pthread_t thread;
    uint32_t handle = 0;
    CHECK(pthread_create(&thread, NULL, run, &handle) == 0, "no thread");
    CHECK(pthread_join(thread, NULL) == 0, "no end");
    return handle;
}

static void threads_that_end_leave_nothing_that_they_have_bound(void) {
    const uint32_t handle = open_first();
    const uint32_t before = descriptors();
    for (int i = 0; i < 2000; i++)
        CHECK_STATUS(FC_CLOSED, fc_delete(left_by_a_thread(leave_bound), "key", 3));
    CHECK(slots_taken() == 1, "%u slots", slots_taken());
    CHECK(descriptors() == before, "%u descriptors, before %u", descriptors(), before);
    CHECK(stats_of(handle).takeovers == 0, "somebody died");
    close_first(handle);
}

/* Others may use it; so it stays, and the next thread has its slot. */
static void a_handle_without_bound_memory_outlives_its_thread(void) {
    const uint32_t handle = open_first();
    uint32_t left[100];
    for (int i = 0; i < 100; i++) left[i] = left_by_a_thread(leave_unbound);
    CHECK(slots_taken() == 2, "%u slots", slots_taken());
    CHECK(stats_of(handle).processes == 1, "%" PRIu64 " processes", stats_of(handle).processes);
    for (int i = 0; i < 100; i++) {
        write_one(left[i]);
        CHECK_STATUS(FC_OK, fc_close(left[i]));
    }
    CHECK(slots_taken() == 1, "%u slots", slots_taken());
    close_first(handle);
}

/* -------------------------------------------------------------- seeded mixes */

#define ROUNDS 400
#define WORKERS 24
#define HANDLES 8

/* A thread that does what it is told: it opens, it closes, it ends. */
typedef struct worker {
    pthread_t thread;
    pthread_mutex_t turn;
    pthread_cond_t changed;
    char told; /* 0: done */
    bool lives, binds;
    uint32_t handles[HANDLES], count;
    uint64_t memory[FC_IO_VALUE / 8];
} worker;

static worker workers[WORKERS];

static void *work(void *context) {
    worker *w = context;
    for (char told = 0; told != 'e';) {
        pthread_mutex_lock(&w->turn);
        while (w->told == 0) pthread_cond_wait(&w->changed, &w->turn);
        told = w->told;
        if (told == 'o') {
            const uint32_t handle = open_again();
            if (w->binds)
                CHECK_STATUS(FC_OK,
                             fc_bind(handle, FC_REGION_REQUEST, w->memory, sizeof w->memory));
            write_one(handle);
            w->handles[w->count++] = handle;
        } else if (told == 'c') {
            CHECK_STATUS(FC_OK, fc_close(w->handles[--w->count]));
        }
        w->told = 0;
        pthread_cond_broadcast(&w->changed);
        pthread_mutex_unlock(&w->turn);
    }
    return NULL;
}

static void tell(worker *w, char what) {
    if (!w->lives) {
        *w = (worker){.lives = true, .binds = true};
        pthread_mutex_init(&w->turn, NULL);
        pthread_cond_init(&w->changed, NULL);
        CHECK(pthread_create(&w->thread, NULL, work, w) == 0, "no thread");
    }
    pthread_mutex_lock(&w->turn);
    w->told = what;
    pthread_cond_broadcast(&w->changed);
    while (w->told != 0) pthread_cond_wait(&w->changed, &w->turn);
    pthread_mutex_unlock(&w->turn);
    if (what != 'e') return;
    CHECK(pthread_join(w->thread, NULL) == 0, "no end");
    for (uint32_t i = 0; i < w->count; i++)
        CHECK_STATUS(FC_CLOSED, fc_delete(w->handles[i], "key", 3));
    w->count = 0;
    w->lives = false;
}

static void as_many_slots_as_living_threads_with_handles(void) {
    for (uint64_t seed = 1; seed <= 4; seed++) {
        uint64_t random = seed * 0x9e3779b97f4a7c15ull;
        const uint32_t handle = open_first();
        for (int round = 0; round < ROUNDS; round++) {
            worker *w = &workers[random_below(&random, WORKERS)];
            const uint32_t dice = random_below(&random, 10);
            if (dice < 6 && w->count < HANDLES)
                tell(w, 'o');
            else if (dice < 9 && w->count > 0)
                tell(w, 'c');
            else if (w->lives)
                tell(w, 'e');
            uint32_t wanted = 1;
            for (int i = 0; i < WORKERS; i++) wanted += workers[i].count > 0;
            CHECK(slots_taken() == wanted, "%u slots, wanted %u (seed %" PRIu64 ", round %d)",
                  slots_taken(), wanted, seed, round);
            CHECK(stats_of(handle).processes == 1, "threads are counted as processes");
        }
        for (int i = 0; i < WORKERS; i++)
            if (workers[i].lives) tell(&workers[i], 'e');
        CHECK(slots_taken() == 1, "%u slots", slots_taken());
        close_first(handle);
    }
}

/* ----------------------------------------------------------------- processes */

static pid_t process_begin(uint32_t threads) {
    int ready[2];
    CHECK(pipe(ready) == 0, "no pipe");
    fflush(stdout);
    const pid_t child = fork();
    CHECK(child >= 0, "cannot fork");
    char byte = 0;
    if (child == 0) {
        for (uint32_t i = 0; i < WORKERS; i++) workers[i] = (worker){.lives = false};
        for (uint32_t i = 0; i < threads; i++) tell(&workers[i], 'o');
        CHECK(write(ready[1], &byte, 1) == 1, "nobody listens");
        for (;;) pause();
    }
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1, "the process has ended");
    close(ready[0]);
    return child;
}
static void process_end(pid_t child) {
    kill(child, SIGKILL);
    CHECK(waitpid(child, NULL, 0) == child, "no end");
}

/* Children of one that has handles, with threads; whatever slots they have, for the system does not
 * tell locks in the order of their bytes. */
static void processes_are_counted_not_threads(void) {
    const uint32_t handle = open_first();
    pid_t children[6];
    for (uint32_t i = 0; i < 6; i++) {
        children[i] = process_begin(1 + i % 3);
        CHECK(stats_of(handle).processes == 2 + i, "%" PRIu64 " processes, wanted %u",
              stats_of(handle).processes, 2 + i);
    }
    CHECK(slots_taken() == 1 + 12, "%u slots", slots_taken());
    process_end(children[1]);
    process_end(children[4]);
    CHECK(stats_of(handle).processes == 5, "%" PRIu64 " processes", stats_of(handle).processes);
    for (int i = 0; i < 6; i++)
        if (i != 1 && i != 4) process_end(children[i]);
    CHECK(stats_of(handle).processes == 1, "somebody is left");
    write_one(handle);
    close_first(handle);
}

/* As `cp` does it, over a segment in use: the file is the same, what it holds is not. */
static void overwrite_with(uint32_t other) {
    static char block[1u << 16];
    fc_info_fields info;
    CHECK_STATUS(FC_OK, fc_info(other, &info));
    CHECK(ftruncate(segment_fd, (off_t)info.size_bytes) == 0, "cannot resize");
    for (uint64_t at = 0; at < info.size_bytes; at += sizeof block) {
        CHECK(pread((int)info.fd, block, sizeof block, (off_t)at) == sizeof block, "cannot read");
        CHECK(pwrite(segment_fd, block, sizeof block, (off_t)at) == sizeof block, "cannot write");
    }
}

static void a_file_overwritten_in_use_is_mapped_as_it_is_now(void) {
    const uint32_t before = open_first();
    const uint32_t larger = private_open(32u << 20, 1, 0);
    static char value[4000];
    for (uint32_t i = 0; i < 4000; i++)
        CHECK_STATUS(
            FC_OK, fc_set(larger, &i, sizeof i, value, sizeof value, FC_TYPE_BYTES, FC_SET, 0, 0));
    overwrite_with(larger);
    const uint32_t after = open_again();
    for (uint32_t i = 0; i < 4000; i++)
        CHECK_STATUS((int32_t)sizeof value,
                     fc_get(after, &i, sizeof i, value, sizeof value, 0, NULL));
    CHECK_STATUS(FC_OK, fc_close(before));
    write_one(after);
    CHECK_STATUS(FC_OK, fc_close(after));
    close_first(larger);
}

/* A child that was forked while another thread closes has a copy of the open file. */
static void a_copy_of_the_open_file_keeps_no_lock_once_it_is_closed(void) {
    const uint32_t handle = open_first();
    const int other_fd = dup(segment_fd);
    const int copy = dup(handle_get(handle)->fd);
    CHECK_STATUS(FC_OK, fc_close(handle));
    segment_fd = other_fd;
    CHECK(slots_taken() == 0, "%u slots", slots_taken());
    os_file_close(copy);
    os_file_close(other_fd);
}

int main(void) {
    TEST(a_thread_has_one_slot_however_many_handles);
    TEST(threads_that_end_leave_nothing_that_they_have_bound);
    TEST(a_handle_without_bound_memory_outlives_its_thread);
    TEST(as_many_slots_as_living_threads_with_handles);
    TEST(processes_are_counted_not_threads);
    TEST(a_file_overwritten_in_use_is_mapped_as_it_is_now);
    TEST(a_copy_of_the_open_file_keeps_no_lock_once_it_is_closed);
    return TESTS_DONE();
}
