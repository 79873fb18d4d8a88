/* SPDX-License-Identifier: MIT
 *
 * lock_test.c: who holds a shard's lock when several want it: of those that find a dead owner one
 * takes over, a living owner keeps it, and no write is lost. Owners are made by writing the lock's
 * word, as a process that died or stopped would have left it.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cache.h"
#include "entry.h"
#include "handle.h"
#include "index.h"
#include "lock.h"
#include "process.h"
#include "shard.h"

static uint32_t attach(uint32_t to, uint32_t lock_wait_ms) {
    fc_info_fields info;
    CHECK_STATUS(FC_OK, fc_info(to, &info));
    const fc_options options = {.struct_size = sizeof options,
                                .kind = FC_KIND_FD,
                                .fd = (int32_t)info.fd,
                                .lock_wait_ms = lock_wait_ms};
    fc_report report;
    handle_get(to)->attachment->thread = ANOTHER_THREAD;
    CHECK(fc_open(&options, NULL, 0, &report) == FC_OK, "%s", report.message);
    handle_get(report.handle)->attachment->thread = ANOTHER_THREAD;
    return report.handle;
}

static shard_header *header_of(uint32_t handle) { return shard_at(handle_get(handle), 0).header; }

#define WRITERS 3
#define ROUNDS 60u

static pthread_barrier_t barrier;

static void *write_each_round(void *context) {
    const uint32_t handle = *(uint32_t *)context;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&barrier); /* the lock's owner is dead */
        double sum;
        CHECK_STATUS(FC_OK, fc_increment(handle, "n", 1, 1, 0, 0, &sum));
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void one_of_those_that_find_a_dead_owner_takes_over(void) {
    uint32_t handles[WRITERS];
    handles[0] = private_open(1 << 20, 1, 0);
    for (int i = 1; i < WRITERS; i++) handles[i] = attach(handles[0], 0);
    /* A slot whose owner has gone. */
    const uint32_t gone = attach(handles[0], 0);
    const uint64_t dead = handle_get(gone)->owner;
    CHECK_STATUS(FC_OK, fc_close(gone));
    pthread_t threads[WRITERS];
    pthread_barrier_init(&barrier, NULL, WRITERS + 1);
    for (int i = 0; i < WRITERS; i++)
        CHECK(pthread_create(&threads[i], NULL, write_each_round, &handles[i]) == 0, "no thread");
    for (uint32_t round = 0; round < ROUNDS; round++) {
        store_u64_release(&header_of(handles[0])->lock, dead);
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
    }
    for (int i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
    const fc_stats_fields stats = stats_of(handles[0]);
    CHECK(stats.takeovers == ROUNDS, "%" PRIu64 " take-overs", stats.takeovers);
    double sum;
    CHECK_STATUS(FC_OK, fc_increment(handles[0], "n", 1, 0, 0, 0, &sum));
    CHECK(sum == WRITERS * ROUNDS, "%f increments", sum);
    verify(handles[0]);
    for (int i = 0; i < WRITERS; i++) CHECK_STATUS(FC_OK, fc_close(handles[i]));
}

static void (*meanwhile)(void); /* happens while the system is asked whether the owner lives */
static shard_header *contended;
static uint64_t winner;

/* In place of the C library's. */
int fcntl(int fd, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (command == F_OFD_GETLK && meanwhile) meanwhile();
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

static void another_takes_over(void) {
    meanwhile = NULL;
    store_u64_release(&contended->lock, winner);
}

static void who_comes_second_does_not_take_over_from_the_first(void) {
    const uint32_t second = private_open(1 << 20, 1, 0), first = attach(second, 0);
    const uint32_t gone = attach(second, 0);
    cache *c = (cache *)handle_get(second);
    c->lock_wait_ms = 1;
    const uint64_t dead = handle_get(gone)->owner;
    CHECK_STATUS(FC_OK, fc_close(gone));
    contended = header_of(second);
    winner = handle_get(first)->owner;
    for (int waits = 0; waits < 2; waits++) {
        store_u64_release(&contended->lock, dead);
        meanwhile = another_takes_over;
        const lock_result result = waits ? lock_acquire(c, contended) : lock_try(c, contended);
        CHECK(result == LOCK_BUSY && !meanwhile, "it took over too");
        CHECK(lock_is_ours(handle_get(first), contended), "the first has lost it");
    }
    store_u64_release(&contended->lock, 0);
    CHECK(stats_of(second).takeovers == 0, "it was counted");
    CHECK_STATUS(FC_OK, fc_close(first));
    CHECK_STATUS(FC_OK, fc_close(second));
}

/* Also by those who do not wait. */
static void a_dead_owner_does_not_keep_expired_entries(void) {
    const uint32_t handle = private_open(1 << 20, 1, 0), gone = attach(handle, 0);
    cache *c = (cache *)handle_get(handle);
    const uint64_t dead = handle_get(gone)->owner;
    CHECK_STATUS(FC_OK, fc_close(gone));
    CHECK_STATUS(FC_OK, fc_set(handle, "k", 1, "v", 1, FC_TYPE_BYTES, FC_SET, 1000, 0));
    c->clock_base_ms += 2000;
    store_u64_release(&header_of(handle)->lock, dead);
    CHECK(stats_of(handle).takeovers == 1, "nobody took over");
    c->clock_base_ms += 10;
    const fc_stats_fields stats = stats_of(handle);
    CHECK(stats.entries == 0 && stats.expirations == 1, "%" PRIu64 " entries", stats.entries);
    CHECK(load_u64_relaxed(&header_of(handle)->lock) == 0, "it was not let go");
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void a_living_owner_is_waited_for_and_no_longer_than_asked(void) {
    const uint32_t owner = private_open(1 << 20, 1, 0), other = attach(owner, 1);
    cache *c = (cache *)handle_get(other);
    CHECK_STATUS(FC_OK, fc_set(owner, "k", 1, "v", 1, FC_TYPE_BYTES, FC_SET, 1000, 0));
    store_u64_release(&header_of(owner)->lock, handle_get(owner)->owner);
    double number;
    fc_report report;
    CHECK_STATUS(FC_BUSY, fc_set(other, "k", 1, "w", 1, FC_TYPE_BYTES, FC_SET, 0, 0));
    CHECK_STATUS(FC_BUSY, fc_delete(other, "k", 1));
    CHECK_STATUS(FC_BUSY, fc_touch(other, "k", 1, 0));
    CHECK_STATUS(FC_BUSY, fc_increment(other, "n", 1, 1, 0, 0, &number));
    CHECK_STATUS(FC_BUSY, fc_clear(other));
    CHECK_STATUS(FC_BUSY, fc_verify(other, &report));
    CHECK(strstr(report.message, "shard 0"), "%s", report.message);
    char value;
    CHECK(fc_get(other, "k", 1, &value, 1, 0, NULL) == 1 && value == 'v', "not as it was");
    /* What has expired is gone all the same; who counts does not wait. */
    c->clock_base_ms += 2000;
    CHECK_STATUS(FC_MISS, fc_has(other, "k", 1));
    CHECK(stats_of(other).entries == 1 && stats_of(other).takeovers == 0, "it was dropped");
    c->clock_base_ms -= 2000;
    store_u64_release(&header_of(owner)->lock, 0);
    CHECK_STATUS(FC_OK, fc_delete(other, "k", 1));
    verify(owner);
    CHECK_STATUS(FC_OK, fc_close(other));
    CHECK_STATUS(FC_OK, fc_close(owner));
}

/* Whoever was taken over from lets go of nothing that is another's. */
static void an_owner_that_was_taken_over_from_does_not_let_go_of_the_heirs_lock(void) {
    const uint32_t first = private_open(1 << 20, 1, 0), heir = attach(first, 1);
    shard_header *header = header_of(first);
    store_u64_release(&header->lock, handle_get(heir)->owner);
    const cache *c = handle_get(first);
    lock_release(c, header);
    CHECK(load_u64_relaxed(&header->lock) == handle_get(heir)->owner, "it was let go");
    store_u64_release(&header->lock, 0);
    CHECK_STATUS(FC_OK, fc_close(heir));
    CHECK_STATUS(FC_OK, fc_close(first));
}

/* Nor does it change anything else that readers see. */
static void an_owner_that_was_taken_over_from_publishes_nothing(void) {
    const uint32_t handle = private_open_with(FC_EVICTION_S3FIFO, 1 << 20, 1, 0);
    const uint32_t heir = attach(handle, 1);
    const shard s = shard_at(handle_get(handle), 0);
    for (uint64_t number = 0; number < 1000; number++)
        CHECK_STATUS(FC_OK, fc_set(handle, &number, sizeof number, "v", 1, FC_TYPE_BYTES, FC_SET,
                                   number % 2 ? 0 : 60000, 0));
    const uint64_t keys[] = {1, 2};
    found entries[2];
    for (int i = 0; i < 2; i++)
        CHECK(index_find(&s, fc_hash(&keys[i], 8, s.cache->hash_seed), &keys[i], 8, &entries[i]),
              "it is gone");
    const uint64_t entry_count = s.header->entries;
    const uint32_t buckets = s.header->buckets;
    static uint8_t before[1 << 20];
    store_u64_release(&s.header->lock, handle_get(heir)->owner);
    memcpy(before, index_bucket(&s, buckets - 1), buckets * sizeof(bucket));
    for (int i = 0; i < 2; i++) {
        CHECK(!index_publish(&s, entries[i].word, 0), "it was published");
        CHECK(!entry_drop(&s, &entries[i]), "it was dropped");
        CHECK(!entry_drop_to_ghost(&s, &entries[i]), "it left a ghost");
        CHECK(!entry_drop_unreadable(&s, &entries[i]), "it was dropped");
        CHECK(!entry_touch(&s, (placement){0, 0}, 0, &entries[i], 5), "it was touched");
    }
    CHECK(!index_grow(&s) && s.header->buckets == buckets, "the index has grown");
    s.header->entries = 0; /* as if little of the index were in use */
    index_shrink(&s, 100);
    index_drain(&s);
    s.header->entries = entry_count;
    CHECK(s.header->buckets == buckets, "the index has shrunk");
    CHECK(memcmp(before, index_bucket(&s, buckets - 1), buckets * sizeof(bucket)) == 0,
          "a word has changed");
    store_u64_release(&s.header->lock, 1ull << 63 | 200); /* the heir's death: counted anew */
    CHECK_STATUS(FC_OK, fc_delete(heir, &keys[0], 8));
    verify(heir);
    CHECK(stats_of(heir).entries == 999, "%" PRIu64 " entries", stats_of(heir).entries);
    CHECK_STATUS(FC_OK, fc_close(heir));
    CHECK_STATUS(FC_OK, fc_close(handle));
}

/* Numbers of owners wrap after 4 billion attachments, and 0 would say that nobody owns. */
static void a_slots_incarnation_is_never_zero(void) {
    const uint32_t handle = private_open(1 << 20, 1, 0), last = attach(handle, 0);
    const cache *c = handle_get(handle);
    process_slot *slot = cache_slot(c, handle_get(last)->slot_index);
    CHECK_STATUS(FC_OK, fc_close(last));
    store_u32_relaxed(&slot->incarnation, UINT32_MAX);
    const uint32_t next = attach(handle, 0);
    CHECK(slot->incarnation == 1 && handle_get(next)->owner >> 32 == 1, "incarnation %u",
          slot->incarnation);
    CHECK(process_alive(c, handle_get(next)->owner), "it counts as dead");
    CHECK_STATUS(FC_OK, fc_set(next, "k", 1, "v", 1, FC_TYPE_BYTES, FC_SET, 0, 0));
    CHECK_STATUS(FC_OK, fc_close(next));
    CHECK_STATUS(FC_OK, fc_close(handle));
}

/* A lock's word may be anything. */
static void owners_that_no_slot_has_count_as_dead(void) {
    const uint32_t handle = private_open(1 << 20, 1, 0);
    const cache *c = handle_get(handle);
    const uint64_t words[] = {c->geometry.slots + 1, 1ull << 32, c->owner + (1ull << 32),
                              c->owner ^ 0x7f, UINT64_MAX & ~(1ull << 31)};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        CHECK(!process_alive(c, words[i]), "%" PRIx64 " counts as alive", words[i]);
        store_u64_release(&header_of(handle)->lock, words[i]);
        CHECK_STATUS(FC_OK, fc_set(handle, "k", 1, "v", 1, FC_TYPE_BYTES, FC_SET, 0, 0));
    }
    CHECK(stats_of(handle).takeovers == sizeof words / sizeof *words, "not all were taken over");
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

int main(void) {
    TEST(one_of_those_that_find_a_dead_owner_takes_over);
    TEST(who_comes_second_does_not_take_over_from_the_first);
    TEST(a_dead_owner_does_not_keep_expired_entries);
    TEST(a_living_owner_is_waited_for_and_no_longer_than_asked);
    TEST(an_owner_that_was_taken_over_from_does_not_let_go_of_the_heirs_lock);
    TEST(an_owner_that_was_taken_over_from_publishes_nothing);
    TEST(a_slots_incarnation_is_never_zero);
    TEST(owners_that_no_slot_has_count_as_dead);
    return TESTS_DONE();
}
