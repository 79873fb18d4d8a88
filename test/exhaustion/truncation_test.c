/* SPDX-License-Identifier: MIT
 *
 * truncation_test.c: the segment's file is cut short while it is in use. Nobody crashes, reads
 * miss, writes answer FC_CORRUPT, and signals that are not about a segment reach whoever handled
 * them before.
 */
#include "exhaustion.h"
#include "handle.h"

#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>

#define SIZE (1u << 20)
#define SIZE_HUGE (8u << 20) /* enough for huge pages */
#define KEYS 300u

static uint8_t wanted[20000], got[20000];

static uint32_t len_of(uint32_t key) { return key % 10 == 0 ? 20000 : 100 + key; }

static uint32_t filled(uint32_t handle) {
    for (uint32_t key = 0; key < KEYS; key++) {
        fill_value(wanted, len_of(key), key);
        CHECK_STATUS(FC_OK, fc_set(handle, &key, sizeof key, wanted, len_of(key), FC_TYPE_BYTES,
                                   FC_SET, 0, 0));
    }
    return handle;
}

static uint32_t open_filled(const char *path) { return filled(opened(open_file(path, SIZE))); }

static void cut(const char *path, uint64_t size) {
    CHECK(truncate(path, (off_t)size) == 0, "truncate");
}

/* Hits, each of them whole. */
static uint32_t read_all(uint32_t handle) {
    uint32_t hits = 0;
    for (uint32_t key = 0; key < KEYS; key++) {
        int32_t len = fc_get(handle, &key, sizeof key, got, sizeof got, 0, NULL);
        if (len == FC_MISS) continue;
        fill_value(wanted, len_of(key), key);
        CHECK(len == (int32_t)len_of(key) && memcmp(wanted, got, len_of(key)) == 0,
              "key %u is torn", key);
        hits++;
    }
    return hits;
}

/* Every call on a handle that has noticed. */
static void answers_of_the_lost(uint32_t handle) {
    double number;
    uint32_t key = 1, used;
    static uint8_t page[FC_ITERATE_CAPACITY_MIN];
    fc_cursor cursor = {{0}};
    CHECK(read_all(handle) == 0, "hits in what is lost");
    CHECK_STATUS(FC_MISS, fc_has(handle, &key, sizeof key));
    CHECK_STATUS(FC_MISS, fc_ttl(handle, &key, sizeof key, &number));
    CHECK_STATUS(FC_MISS, fc_iterate(handle, &cursor, page, sizeof page, &used));
    CHECK_STATUS(FC_CORRUPT, fc_set(handle, &key, sizeof key, "x", 1, 0, FC_SET, 0, 0));
    CHECK_STATUS(FC_CORRUPT, fc_delete(handle, &key, sizeof key));
    CHECK_STATUS(FC_CORRUPT, fc_touch(handle, &key, sizeof key, 5));
    CHECK_STATUS(FC_CORRUPT, fc_increment(handle, &key, sizeof key, 1, 1, 0, &number));
    CHECK_STATUS(FC_CORRUPT, fc_clear(handle));
    CHECK_STATUS(FC_OK, fc_size(handle, &number));
    stats_of(handle);
    fc_report report;
    CHECK_STATUS(FC_CORRUPT, fc_verify(handle, &report));
    CHECK(strstr(report.message, "cut short"), "%s", report.message);
}

static void to_nothing(void) {
    const char *path = path_of("nothing");
    uint32_t handle = open_filled(path);
    CHECK(read_all(handle) == KEYS, "not all are there");
    cut(path, 0);
    answers_of_the_lost(handle);
    /* Nobody makes a new segment under those who still have the old one. */
    fails(open_file(path, SIZE), FC_CORRUPT, "cut short");
    CHECK_STATUS(FC_OK, fc_close(handle));
    handle = open_filled(path);
    CHECK(read_all(handle) == KEYS, "the new one does not work");
    CHECK_STATUS(FC_OK, fc_close(handle));
}

/* At the latest when the writer has been all round, it notices. */
static void write_until_lost(uint32_t handle) {
    int32_t status = FC_OK;
    for (uint32_t i = 0; i < 10 * KEYS && status == FC_OK; i++) {
        uint32_t key = i % KEYS;
        status = fc_set(handle, &key, sizeof key, wanted, 5000, 0, FC_SET, 0, 0);
    }
    CHECK_STATUS(FC_CORRUPT, status);
}

static void at_every_eighth_page(void) {
    for (uint64_t size = 4096; size < SIZE; size += 8 * 4096) {
        const char *path = path_of("part");
        uint32_t handle = open_filled(path);
        handle_get(handle)->attachment->thread = ANOTHER_THREAD;
        uint32_t other = opened(open_file(path, 0));
        cut(path, size);
        read_all(handle);
        read_all(handle);
        write_until_lost(other);
        answers_of_the_lost(other);
        fails(open_file(path, 0), FC_CORRUPT, "its file has");
        CHECK_STATUS(FC_OK, fc_close(handle));
        CHECK_STATUS(FC_OK, fc_close(other));
        CHECK(unlink(path) == 0, "unlink");
    }
}

static void in_huge_pages(void) {
    const uint64_t huge = 2u << 20;
    const uint64_t sizes[] = {0,
                              4096,
                              huge / 2,
                              huge - 4096,
                              huge,
                              huge + 3 * 4096,
                              3 * huge - 4096,
                              SIZE_HUGE - huge / 8};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint32_t handle =
            filled(opened(open_kind(FC_KIND_PRIVATE, FC_CREATE_OR_ATTACH, NULL, SIZE_HUGE)));
        fc_info_fields info;
        CHECK_STATUS(FC_OK, fc_info(handle, &info));
        CHECK(ftruncate((int)info.fd, (off_t)sizes[i]) == 0, "ftruncate");
        read_all(handle);
        write_until_lost(handle);
        answers_of_the_lost(handle);
        CHECK_STATUS(FC_OK, fc_close(handle));
    }
}

static void *read_until_lost(void *context) {
    const uint32_t handle = *(const uint32_t *)context;
    static _Thread_local uint8_t value[20000], right[20000];
    for (uint32_t misses = 0, key = 0; misses < KEYS; key = (key + 1) % KEYS) {
        int32_t len = fc_get(handle, &key, sizeof key, value, sizeof value, 0, NULL);
        misses = len == FC_MISS ? misses + 1 : 0;
        if (len == FC_MISS) continue;
        fill_value(right, len_of(key), key);
        CHECK(len == (int32_t)len_of(key) && memcmp(right, value, len_of(key)) == 0,
              "key %u is torn", key);
    }
    return NULL;
}

static void while_threads_read(void) {
    for (int round = 0; round < 20; round++) {
        const char *path = path_of("threads");
        uint32_t handle = open_filled(path);
        pthread_t threads[4];
        for (int i = 0; i < 4; i++)
            CHECK(pthread_create(&threads[i], NULL, read_until_lost, &handle) == 0, "thread");
        cut(path, round % 2 ? 0 : SIZE / 8);
        for (int i = 0; i < 4; i++) CHECK(pthread_join(threads[i], NULL) == 0, "join");
        CHECK_STATUS(FC_OK, fc_close(handle));
        CHECK(unlink(path) == 0, "unlink");
    }
}

/* ----------------------------------------------- signals for somebody else */

static sigjmp_buf back;
static volatile sig_atomic_t caught;
static uint8_t *foreign;

static void catch_with_info(int signal, siginfo_t *info, void *context) {
    (void)signal;
    (void)context;
    caught = info->si_addr == foreign ? 1 : 2;
    siglongjmp(back, 1);
}

static void catch_plainly(int signal) {
    (void)signal;
    caught = 3;
    siglongjmp(back, 1);
}

/* Memory of our own whose file has ended. */
static void touch_foreign(void) {
    int fd = open(path_of("foreign"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0, "open");
    foreign = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(foreign != MAP_FAILED, "mmap");
    close(fd);
    caught = 0;
    if (sigsetjmp(back, 1) == 0) *(volatile uint8_t *)foreign = 1;
}

static void lose_a_segment(void) {
    const char *path = path_of("chained");
    uint32_t handle = open_filled(path);
    cut(path, 0);
    answers_of_the_lost(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK(unlink(path) == 0, "unlink");
}

static void install(struct sigaction action) {
    CHECK(sigaction(SIGBUS, &action, NULL) == 0, "sigaction");
}

static void with_a_handler_with_info(void) {
    install(
        (struct sigaction){.sa_sigaction = catch_with_info, .sa_flags = SA_SIGINFO | SA_ONSTACK});
    lose_a_segment();
    touch_foreign();
    CHECK(caught == 1, "caught %d", caught);
    lose_a_segment();
}
static void with_a_plain_handler(void) {
    install((struct sigaction){.sa_handler = catch_plainly});
    lose_a_segment();
    touch_foreign();
    CHECK(caught == 3, "caught %d", caught);
}
static void with_no_handler(void) {
    lose_a_segment();
    touch_foreign();
}
static void sent_to_no_handler(void) {
    lose_a_segment();
    raise(SIGBUS);
}
static void sent_and_ignored(void) {
    install((struct sigaction){.sa_handler = SIG_IGN});
    lose_a_segment();
    raise(SIGBUS);
    lose_a_segment();
}

static void other_signals_go_where_they_went(void) {
    succeeds_in_child(with_a_handler_with_info);
    succeeds_in_child(with_a_plain_handler);
    succeeds_in_child(sent_and_ignored);
    int status = in_child(with_no_handler);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS, "status %x", status);
    status = in_child(sent_to_no_handler);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS, "status %x", status);
}

int main(void) {
    folder_make();
    TEST(other_signals_go_where_they_went); /* first: no segment was opened before */
    TEST(to_nothing);
    TEST(at_every_eighth_page);
    TEST(in_huge_pages);
    TEST(while_threads_read);
    folder_remove();
    return TESTS_DONE();
}
