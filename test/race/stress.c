/* SPDX-License-Identifier: MIT
 *
 * stress.c: many threads do everything at once, some sharing a handle, some with their own, under
 * the thread sanitizer (test/race/run.sh). All handles use one mapping: the sanitizer goes by
 * addresses, and would not see that two mappings are the same memory.
 *
 * Each value tells its key, so that a torn or foreign one is noticed as well.
 *   stress [operations per thread]
 */
#include <pthread.h>
#include <unistd.h>

#include "harness.h"

#include "cache.h"
#include "handle.h"

#define HANDLES 3
#define THREADS 8
#define KEYS 250u
#define VALUE_MAX 20000u

typedef struct own_thread {
    pthread_t thread;
    uint32_t handle;
    uint64_t seed;
    uint32_t operations;
} own_thread;

static int32_t segment_fd;

/* A value begins with its seed; the seed's lowest byte is the key. */
static uint32_t make_value(uint8_t *value, uint32_t key, uint64_t *random) {
    const uint64_t seed = random_next(random) << 8 | key;
    const uint32_t len = 8 + (random_below(random, 2) ? random_below(random, 300)
                                                      : random_below(random, VALUE_MAX - 8));
    memcpy(value, &seed, 8);
    fill_value(value + 8, len - 8, seed);
    return len;
}

static void check_value(const uint8_t *value, int32_t len, uint32_t key) {
    static _Thread_local uint8_t wanted[VALUE_MAX];
    uint64_t seed;
    CHECK(len >= 8 && len <= (int32_t)VALUE_MAX, "key %u has %d bytes", key, len);
    memcpy(&seed, value, 8);
    CHECK((seed & 0xff) == key, "key %u has the value of key %u", key, (uint32_t)seed & 0xff);
    fill_value(wanted, (uint32_t)len - 8, seed);
    CHECK(memcmp(wanted, value + 8, (size_t)len - 8) == 0, "key %u is torn", key);
}

static void check_write(int32_t status) {
    CHECK(status == FC_OK || status == FC_MISS || status == FC_BUSY, "status %d", status);
}

static void get_many(uint32_t handle, uint64_t *random) {
    static _Thread_local uint8_t answers[20 * (16 + VALUE_MAX)];
    uint32_t request[20][2];
    for (uint32_t i = 0; i < 20; i++) {
        request[i][0] = 4;
        request[i][1] = random_below(random, KEYS);
    }
    CHECK(fc_get_many(handle, request, sizeof request, 20, answers, sizeof answers, 0) == 20,
          "not all are answered");
    const uint8_t *at = answers;
    for (uint32_t i = 0; i < 20; i++) {
        int32_t len;
        memcpy(&len, at, 4);
        if (len >= 0) check_value(at + 16, len, request[i][1]);
        at += (16 + (len > 0 ? (uint32_t)len : 0) + 7) & ~7u;
    }
}

static void iterate(uint32_t handle) {
    static _Thread_local uint8_t page[FC_ITERATE_CAPACITY_MIN];
    fc_cursor cursor = {{0}};
    uint32_t used;
    while (fc_iterate(handle, &cursor, page, sizeof page, &used) >= 0) continue;
}

/* A number of its own kind of key: 8 bytes long. */
static void count(uint32_t handle, uint64_t *random) {
    const uint64_t key = random_below(random, 8);
    double sum, ttl_ms;
    check_write(fc_increment(handle, &key, sizeof key, 1, 0, 0, &sum));
    if (random_below(random, 10) == 0) check_write(fc_delete(handle, &key, sizeof key));
    fc_ttl(handle, &key, sizeof key, &ttl_ms);
}

static void attach_and_detach(void) {
    fc_options options = {
        .struct_size = sizeof options, .kind = FC_KIND_FD, .fd = segment_fd, .create = FC_ATTACH};
    fc_report report;
    CHECK(fc_open(&options, NULL, 0, &report) == FC_OK, "%s", report.message);
    const uint32_t key = 1;
    check_write(fc_touch(report.handle, &key, sizeof key, 0));
    CHECK_STATUS(FC_OK, fc_close(report.handle));
    CHECK_STATUS(FC_CLOSED, fc_touch(report.handle, &key, sizeof key, 0));
}

static void look(uint32_t handle, uint64_t *random) {
    fc_stats_fields stats;
    fc_info_fields info;
    fc_report report;
    double entries;
    CHECK_STATUS(FC_OK, fc_stats(handle, &stats));
    CHECK_STATUS(FC_OK, fc_info(handle, &info));
    CHECK_STATUS(FC_OK, fc_size(handle, &entries));
    if (random_below(random, 20)) return;
    int32_t status = fc_verify(handle, &report);
    CHECK(status == FC_OK || status == FC_BUSY, "%s", report.message);
}

static void operate(uint32_t handle, uint64_t *random) {
    static _Thread_local uint8_t value[VALUE_MAX];
    const uint32_t key = random_below(random, KEYS);
    const double ttl_ms = random_below(random, 4) ? 0 : 1 + random_below(random, 100);
    const uint32_t mode = random_below(random, 8);
    switch (random_below(random, 20)) {
    case 0:
        check_write(fc_delete(handle, &key, sizeof key));
        break;
    case 1:
        check_write(fc_touch(handle, &key, sizeof key, ttl_ms));
        break;
    case 2:
        count(handle, random);
        break;
    case 3:
        get_many(handle, random);
        break;
    case 4:
        if (random_below(random, 20) == 0) iterate(handle);
        break;
    case 5:
        if (random_below(random, 20) == 0) look(handle, random);
        break;
    case 6:
        if (random_below(random, 200) == 0) check_write(fc_clear(handle));
        break;
    case 7:
        if (random_below(random, 20) == 0) attach_and_detach();
        break;
    case 8:
    case 9:
    case 10:
    case 11:
    case 12:
    case 13: {
        const uint32_t len = make_value(value, key, random);
        check_write(fc_set(handle, &key, sizeof key, value, len, FC_TYPE_BYTES,
                           mode > FC_SET_IF_VERSION ? FC_SET : mode, ttl_ms,
                           random_below(random, 1000)));
        break;
    }
    default: {
        int32_t len = fc_get(handle, &key, sizeof key, value, sizeof value, 0, NULL);
        if (len != FC_MISS) check_value(value, len, key);
    }
    }
}

static void *run(void *context) {
    own_thread *own = context;
    for (uint32_t i = 0; i < own->operations; i++) operate(own->handle, &own->seed);
    return NULL;
}

/* Opens the handles; all get the first one's mapping, and `bases` remembers their own. */
static void open_all(fc_eviction eviction, uint32_t *handles, uint8_t **bases) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_PRIVATE,
                          .create = FC_CREATE_OR_ATTACH,
                          .shards = 1,
                          .eviction = (uint32_t)eviction,
                          .size_bytes = FC_SIZE_MIN};
    for (int i = 0; i < HANDLES; i++) {
        fc_report report;
        CHECK(fc_open(&options, NULL, 0, &report) == FC_OK, "%s", report.message);
        handles[i] = report.handle;
        cache *c = (cache *)handle_get(handles[i]);
        if (i == 0) segment_fd = c->fd;
        bases[i] = c->base;
        c->base = bases[0];
        c->slot = cache_slot(c, c->slot_index);
        c->attachment->thread = ANOTHER_THREAD;
        options = (fc_options){.struct_size = sizeof options,
                               .kind = FC_KIND_FD,
                               .fd = segment_fd,
                               .create = FC_ATTACH};
    }
}

static void stress(fc_eviction eviction, uint32_t operations) {
    uint32_t handles[HANDLES];
    uint8_t *bases[HANDLES];
    open_all(eviction, handles, bases);
    static own_thread threads[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        threads[i] =
            (own_thread){.handle = handles[i % HANDLES], .seed = 77 + i, .operations = operations};
        CHECK(pthread_create(&threads[i].thread, NULL, run, &threads[i]) == 0, "thread");
    }
    for (uint32_t i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i].thread, NULL) == 0, "join");
    verify(handles[0]);
    const fc_stats_fields stats = stats_of(handles[0]);
    printf("# %" PRIu64 " sets, %" PRIu64 " hits, %" PRIu64 " evictions, %" PRIu64
           " expirations, %" PRIu64 " waits\n",
           stats.sets, stats.hits, stats.evictions, stats.expirations, stats.lock_waits);
    CHECK(stats.takeovers == 0, "a living owner's lock was taken over");
    for (int i = HANDLES - 1; i >= 0; i--) {
        ((cache *)handle_get(handles[i]))->base = bases[i];
        CHECK_STATUS(FC_OK, fc_close(handles[i]));
    }
}

static uint32_t operations = 4000;

static void all_operations_under_lru(void) { stress(FC_EVICTION_LRU, operations); }
static void all_operations_under_s3fifo(void) { stress(FC_EVICTION_S3FIFO, operations); }

int main(int argc, char **argv) {
    if (argc > 1) operations = (uint32_t)strtoul(argv[1], NULL, 10);
    TEST(all_operations_under_lru);
    TEST(all_operations_under_s3fifo);
    return TESTS_DONE();
}
