/* SPDX-License-Identifier: MIT
 *
 * flip_test.c: one process keeps flipping bytes of a segment while others read and write in it
 * (contract S3). Numbers change between two looks at them, and locks in the hands of their holder;
 * nobody crashes, hangs, or touches anything outside the mapping. FASTCACHE_LONG=1 goes on longer.
 */
#include "image.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 2
#define FLIPS 200         /* before the segment is repaired */
#define ALARM_SECONDS 600 /* a hang, not a slow machine */

static uint8_t sound[IMAGE_BYTES], value[1u << 18], page[FC_ITERATE_CAPACITY_MIN];

static uint32_t operations(void) {
    const char *is_long = getenv("FASTCACHE_LONG");
    return is_long && *is_long == '1' ? 5000000 : 100000;
}

static void operate(uint32_t handle, uint64_t *random) {
    uint8_t key[FC_KEY_LEN_MAX];
    const uint32_t key_len = image_key(random_below(random, IMAGE_KEYS), key);
    const uint32_t len =
        random_below(random, 10) ? random_below(random, 700) : random_below(random, 20000);
    const double ttl_ms = random_below(random, 4) ? 0 : random_below(random, 50);
    double sum;
    fc_stats_fields stats;
    fc_report report;
    fc_cursor cursor = {{0}};
    uint32_t used;
    switch (random_below(random, 16)) {
    case 0:
        fc_delete(handle, key, key_len);
        break;
    case 1:
        fc_increment(handle, key, key_len, 1, 1, ttl_ms, &sum);
        break;
    case 2:
        fc_touch(handle, key, key_len, ttl_ms);
        break;
    case 3:
        if (random_below(random, 50) == 0) fc_clear(handle);
        break;
    case 4:
        if (random_below(random, 10) == 0) fc_verify(handle, &report);
        break;
    case 5:
        fc_stats(handle, &stats);
        break;
    case 6:
        for (int i = 0; i < 16 && fc_iterate(handle, &cursor, page, sizeof page, &used) >= 0; i++)
            CHECK(used <= sizeof page, "%u bytes", used);
        break;
    case 7:
    case 8:
    case 9:
    case 10:
        fc_set(handle, key, key_len, value, len, FC_TYPE_BYTES, FC_SET, ttl_ms, 0);
        break;
    default: {
        int32_t got = fc_get(handle, key, key_len, value, sizeof value, 0, NULL);
        CHECK(got <= (int32_t)sizeof value, "%d bytes", got);
    }
    }
}

/* Attaches through the inherited descriptor: a handle does not survive fork. */
static cache *attach(int32_t fd, uint32_t *handle) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_FD,
                          .fd = fd,
                          .create = FC_ATTACH,
                          .lock_wait_ms = 1};
    fc_report report;
    CHECK(fc_open(&options, NULL, 0, &report) == FC_OK, "%s", report.message);
    cache *c = (cache *)handle_get(report.handle);
    image_guard(c);
    *handle = report.handle;
    return c;
}

static void work(int32_t fd, uint64_t seed, int ready) {
    uint32_t handle;
    attach(fd, &handle);
    CHECK(write(ready, "r", 1) == 1, "write");
    alarm(ALARM_SECONDS);
    for (uint32_t i = 0; i < operations(); i++) operate(handle, &seed);
    _exit(0);
}

/* Half of the flips hit what all of a shard depends on. Now and then the sound bytes come back, all
 * at once, lest everybody soon finds the segment beyond repair. */
static void flip(int32_t fd, int ready) {
    uint32_t handle;
    const cache *c = attach(fd, &handle);
    CHECK(write(ready, "r", 1) == 1, "write");
    const geometry *g = &c->geometry;
    const uint32_t notes = (uint32_t)(g->shards_offset + g->extents_offset);
    uint64_t random = 99;
    for (uint32_t flips = 1;; flips++) {
        if (flips % FLIPS == 0)
            memcpy(c->base + g->shards_offset, sound + g->shards_offset,
                   IMAGE_BYTES - g->shards_offset);
        uint32_t at = random_below(&random, random_below(&random, 2) ? notes : IMAGE_BYTES);
        uint8_t bits = (uint8_t)(1u << random_below(&random, 8));
        if (random_below(&random, 4) == 0) bits = (uint8_t)random_next(&random);
        __atomic_fetch_xor(c->base + at, bits, __ATOMIC_RELAXED);
        for (uint32_t pause = random_below(&random, 2000); pause; pause--) cpu_relax();
    }
}

/* The cleaner's walks lead into an extent and nowhere, by turns. */
static void lead_astray(int32_t fd, int ready) {
    uint32_t handle;
    const cache *c = attach(fd, &handle);
    CHECK(write(ready, "r", 1) == 1, "write");
    const geometry *g = &c->geometry;
    for (uint32_t i = 0;; i++) {
        for (uint32_t at = 0; at < g->shards * WALKS; at++) {
            walk *astray = &shard_at(c, at / WALKS).header->walks[at % WALKS];
            store_u32_relaxed(&astray->extent, i % 2 ? EXTENT_NONE : i % g->extents);
        }
    }
}

/* Workers beside a process that does `damage` to the segment, until they are through. */
static void work_beside(void (*damage)(int32_t fd, int ready)) {
    uint32_t handle = private_open(IMAGE_BYTES, 1, 0);
    fc_info_fields info;
    CHECK_STATUS(FC_OK, fc_info(handle, &info));
    image_fill(handle, info.value_len_max);
    memcpy(sound, ((cache *)handle_get(handle))->base, sizeof sound);
    int ready[2];
    CHECK(pipe(ready) == 0, "pipe");
    fflush(stdout);
    /* The copy outlives our handle, which fork() makes useless in the children. */
    const int32_t fd = dup((int)info.fd);
    pid_t children[WORKERS + 1];
    for (int i = 0; i <= WORKERS; i++) {
        children[i] = fork();
        CHECK(children[i] >= 0, "fork");
        if (children[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL); /* also where a check below fails */
            if (i < WORKERS) work(fd, 11u + (uint64_t)i, ready[1]);
            damage(fd, ready[1]);
        }
        /* One after the other: a damaged superblock would refuse the next. */
        char byte;
        CHECK(read(ready[0], &byte, 1) == 1, "a child did not start");
    }
    for (int i = 0; i < WORKERS; i++) {
        int status;
        CHECK(waitpid(children[i], &status, 0) == children[i], "waitpid");
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a worker ended with %x", status);
    }
    CHECK(kill(children[WORKERS], SIGKILL) == 0, "kill");
    int status;
    CHECK(waitpid(children[WORKERS], &status, 0) == children[WORKERS], "waitpid");
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the one who damages ended with %x",
          status);
    close(ready[0]);
    close(ready[1]);
    close(fd);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void a_process_that_flips_bytes(void) { work_beside(flip); }
static void a_process_that_leads_walks_astray(void) { work_beside(lead_astray); }

int main(void) {
    TEST(a_process_that_flips_bytes);
    TEST(a_process_that_leads_walks_astray);
    return TESTS_DONE();
}
