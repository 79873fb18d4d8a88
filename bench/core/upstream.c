/* SPDX-License-Identifier: MIT
 *
 * upstream.c measures the core without JavaScript, on the workload of the Go library that fastcache
 * reimplements: 2^20 random keys of 16 bytes, 1,024 values of random size from 0 to 1,023 bytes,
 * 1 GiB, 128 shards; Set, Get, and SetAndGet with one set in eight. That workload takes the keys in
 * the order of their insertion; beside it the same in random order, by a Zipf distribution, and with
 * few keys in a segment of their own. Beside it, in the same run, one dependent random DRAM read
 * (a pointer chase through as much memory), in small pages and in pages like the segment's, and
 * independent ones in the latter.
 *
 * Prints one JSON object per line: {"name", "keys", "ns", "rounds"}; ns is the least of the rounds. All
 * measurements take turns within a round, and ratios are taken within one, since other tenants slow a
 * machine's memory down for seconds at a time. The hash seed is fixed. With --quick, only what
 * bars.mjs compares.
 */
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fastcache.h"
#include "fixed_seed.h"
#include "os/os.h"

#define KEYS (1u << 20)
#define HOT_KEYS 1000u /* in a segment of their own */
#define HOT_SEGMENT_BYTES (64u << 20)
#define VALUES 1024u
#define ROUNDS 5u
#define ROUNDS_QUICK 3u
#define SEGMENT_BYTES (1ull << 30)
#define BATCH 100u
#define WORKERS_MAX 2u

typedef enum work {
    WORK_SET,
    WORK_GET,
    WORK_SET_AND_GET,
    WORK_90_10,
    WORK_GET_MANY,
    WORK_INDEPENDENT,
    WORK_DEPENDENT,
    WORK_DEPENDENT_LIKE_SEGMENT
} work;

static uint64_t (*keys)[2];
static uint32_t *order; /* which key each operation takes */
static uint8_t *values[VALUES];
static uint32_t value_lens[VALUES];
static uint64_t *memory;              /* for the plain reads */
static uint64_t *memory_like_segment; /* in huge pages just when the segment is */
#define MEMORY_WORDS (SEGMENT_BYTES / 8)

static uint64_t random_state = 0x9e3779b97f4a7c15ull;
static uint64_t random_next(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1dull;
}

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void die(const char *what, int32_t status) {
    fprintf(stderr, "%s: %s\n", what, fc_status_text(status));
    exit(1);
}

/* A new private segment; or, with zeros, the one behind `fd`. */
static uint32_t segment_open(uint64_t size_bytes, uint32_t shards, int fd) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = fd < 0 ? FC_KIND_PRIVATE : FC_KIND_FD,
                          .create = fd < 0 ? FC_CREATE_OR_ATTACH : FC_ATTACH,
                          .fd = fd,
                          .shards = shards,
                          .size_bytes = size_bytes};
    fc_report report;
    if (fc_open(&options, NULL, 0, &report) != FC_OK) {
        fprintf(stderr, "%s\n", report.message);
        exit(1);
    }
    seed_fix(report.handle, FIXED_SEED);
    return report.handle;
}

/* Maps every page of the segments that this process has mapped: a set in the log goes to places where no
 * set of the same process has been. */
static void touch_segments(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long begin, end;
        char shared;
        if (sscanf(line, "%lx-%lx rw-%c", &begin, &end, &shared) != 3 || shared != 's') continue;
        if (end - begin < HOT_SEGMENT_BYTES) continue;
        (void)madvise((void *)begin, end - begin, MADV_POPULATE_WRITE); /* Linux 5.14 */
    }
    if (maps) fclose(maps);
}

/* ---------------------------------------------------------------- workloads */

static void set_one(uint32_t handle, uint32_t i) {
    uint32_t k = order[i], v = i & (VALUES - 1);
    int32_t status =
        fc_set(handle, keys[k], 16, values[v], value_lens[v], FC_TYPE_BYTES, FC_SET, 0, 0);
    if (status != FC_OK) die("set", status);
}

static void get_one(uint32_t handle, uint32_t i, uint8_t *buffer) {
    int32_t len = fc_get(handle, keys[order[i]], 16, buffer, 1024, 0, NULL);
    if (len < 0) die("get", len);
}

static void get_many(uint32_t handle, uint32_t from) {
    static _Thread_local uint8_t request[BATCH * 20], response[BATCH * 1040];
    const uint32_t key_len = 16;
    for (uint32_t i = 0; i + BATCH <= KEYS; i += BATCH) {
        for (uint32_t j = 0; j < BATCH; j++) {
            memcpy(request + j * 20, &key_len, 4);
            memcpy(request + j * 20 + 4, keys[order[(from + i + j) % KEYS]], 16);
        }
        int32_t got =
            fc_get_many(handle, request, sizeof request, BATCH, response, sizeof response, 0);
        if (got != (int32_t)BATCH) die("getMany", got);
    }
}

static volatile uint64_t sink;

static void independent_reads(uint32_t from) {
    uint64_t sum = 0, place = 88172645463325252ull + from;
    for (uint32_t i = 0; i < KEYS; i++) {
        place = place * 6364136223846793005ull + 1442695040888963407ull;
        sum += memory_like_segment[(place >> 20) & (MEMORY_WORDS - 1)];
    }
    sink = sum;
}

/* Follows the cycle that chain_lay has laid through the memory. */
static void dependent_reads(const uint64_t *chain) {
    uint64_t at = sink % (SEGMENT_BYTES / 64);
    for (uint32_t i = 0; i < KEYS; i++) at = chain[at * 8];
    sink = at;
}

/* KEYS operations, from place `from` of the order on. Workers begin at different places, lest one finds
 * in the caches what another has just fetched, or waits for the same lock all the way. */
static void run_once(work what, uint32_t handle, uint32_t from) {
    if (what == WORK_GET_MANY) {
        get_many(handle, from);
        return;
    }
    if (what == WORK_INDEPENDENT) {
        independent_reads(from);
        return;
    }
    if (what == WORK_DEPENDENT || what == WORK_DEPENDENT_LIKE_SEGMENT) {
        dependent_reads(what == WORK_DEPENDENT ? memory : memory_like_segment);
        return;
    }
    static const uint32_t sets_one_in[] = {
        [WORK_SET] = 1, [WORK_GET] = KEYS + 1, [WORK_SET_AND_GET] = 8, [WORK_90_10] = 10};
    const uint32_t one_in = sets_one_in[what];
    uint32_t until_set = one_in;
    uint8_t buffer[1024];
    for (uint32_t n = 0; n < KEYS; n++) {
        const uint32_t i = (from + n) % KEYS;
        if (--until_set > 0) {
            get_one(handle, i, buffer);
            continue;
        }
        set_one(handle, i);
        until_set = one_in;
    }
}

/* ----------------------------------------------------- threads and processes */

typedef struct crowd {
    pthread_barrier_t barrier;
    double ns[WORKERS_MAX];
} crowd;

typedef struct worker {
    crowd *shared;
    work what;
    uint32_t number;
    int fd;
} worker;

static void *worker_run(void *argument) {
    worker *w = argument;
    uint32_t handle = segment_open(0, 0, w->fd);
    const uint32_t from = w->number * (KEYS / WORKERS_MAX);
    touch_segments();
    run_once(w->what, handle, from);
    pthread_barrier_wait(&w->shared->barrier);
    double begin = now_ns();
    run_once(w->what, handle, from);
    w->shared->ns[w->number] = now_ns() - begin;
    fc_close(handle);
    return NULL;
}

/* Nanoseconds per operation of several workers together: throughput, not latency. */
static double measure_crowd(work what, uint32_t workers, bool processes, int fd) {
    crowd *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) exit(1);
    pthread_barrierattr_t attribute;
    pthread_barrierattr_init(&attribute);
    pthread_barrierattr_setpshared(&attribute, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&shared->barrier, &attribute, workers);
    worker crew[WORKERS_MAX];
    pthread_t threads[WORKERS_MAX];
    pid_t children[WORKERS_MAX];
    for (uint32_t i = 0; i < workers; i++) {
        crew[i] = (worker){shared, what, i, fd};
        if (!processes) {
            pthread_create(&threads[i], NULL, worker_run, &crew[i]);
        } else if ((children[i] = fork()) == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            worker_run(&crew[i]);
            _exit(0);
        }
    }
    double slowest = 0;
    for (uint32_t i = 0; i < workers; i++) {
        int status = 0;
        if (!processes)
            pthread_join(threads[i], NULL);
        else if (wait(&status) < 0 || status != 0)
            exit(1); /* the others end with us */
    }
    for (uint32_t i = 0; i < workers; i++)
        if (shared->ns[i] > slowest) slowest = shared->ns[i];
    munmap(shared, sizeof *shared);
    return slowest / KEYS / workers;
}

static double measure_alone(work what, uint32_t handle) {
    double begin = now_ns();
    run_once(what, handle, 0);
    return (now_ns() - begin) / KEYS;
}

/* ------------------------------------------------------------------ set-up */

/* One cycle through all lines of the memory, in random order (Sattolo). */
static void chain_lay(uint64_t *chain) {
    const uint32_t lines = (uint32_t)(SEGMENT_BYTES / 64);
    for (uint32_t i = 0; i < lines; i++) chain[(uint64_t)i * 8] = i;
    for (uint32_t i = lines - 1; i > 0; i--) {
        uint32_t j = (uint32_t)(random_next() % i);
        uint64_t t = chain[(uint64_t)i * 8];
        chain[(uint64_t)i * 8] = chain[(uint64_t)j * 8];
        chain[(uint64_t)j * 8] = t;
    }
}

static void order_insertion(uint32_t count) {
    for (uint32_t i = 0; i < KEYS; i++) order[i] = i % count;
}

/* Fisher and Yates. */
static void order_random(void) {
    order_insertion(KEYS);
    for (uint32_t i = KEYS - 1; i > 0; i--) {
        uint32_t j = (uint32_t)(random_next() % (i + 1));
        uint32_t t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
}

/* Zipf with exponent 0.99 by the inverse of the approximated distribution (Gray et al.,
 * "Quickly generating billion-record synthetic databases"). */
static void order_zipf(void) {
    const double theta = 0.99, n = KEYS;
    double zeta = 0;
    for (uint32_t i = 1; i <= KEYS; i++) zeta += 1 / pow(i, theta);
    const double zeta2 = 1 + pow(0.5, theta);
    const double alpha = 1 / (1 - theta), eta = (1 - pow(2 / n, 1 - theta)) / (1 - zeta2 / zeta);
    for (uint32_t i = 0; i < KEYS; i++) {
        double u = (double)(random_next() >> 11) / 9007199254740992.0, uz = u * zeta;
        uint32_t rank = uz < 1 ? 0 : uz < zeta2 ? 1 : (uint32_t)(n * pow(eta * u - eta + 1, alpha));
        order[i] = (uint32_t)((rank < KEYS ? rank : KEYS - 1) * 2654435761ull) & (KEYS - 1);
    }
}

static uint64_t *memory_small_pages(void) {
    void *at = mmap(NULL, SEGMENT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) exit(1);
    (void)madvise(at, SEGMENT_BYTES, MADV_NOHUGEPAGE); /* refused where there are none */
    return at;
}

static uint64_t *memory_as_segments_have(void) {
    static uint32_t lost;
    int fd;
    void *at;
    os_error error = os_file_anonymous(&fd);
    if (!error) error = os_file_reserve(fd, SEGMENT_BYTES);
    if (!error) error = os_map(fd, SEGMENT_BYTES, &lost, &at);
    if (!error) return at;
    fprintf(stderr, "memory for plain reads: %s\n", os_error_text(error));
    exit(1);
}

static void prepare(void) {
    keys = malloc(KEYS * sizeof *keys);
    order = malloc(KEYS * sizeof *order);
    if (!keys || !order) exit(1);
    memory = memory_small_pages();
    memory_like_segment = memory_as_segments_have();
    chain_lay(memory);
    chain_lay(memory_like_segment);
    for (uint32_t i = 0; i < KEYS; i++) {
        keys[i][0] = random_next();
        keys[i][1] = random_next();
    }
    for (uint32_t i = 0; i < VALUES; i++) {
        value_lens[i] = (uint32_t)(random_next() % 1024);
        values[i] = calloc(1, 1024);
        if (!values[i]) exit(1);
        for (uint32_t j = 0; j < value_lens[i]; j++) values[i][j] = (uint8_t)random_next();
    }
}

typedef struct task {
    const char *name;
    work what;
    uint32_t workers;
    bool processes, quick;
} task;

static const task tasks[] = {
    {"dependent DRAM read", WORK_DEPENDENT, 1, false, true},
    {"dependent DRAM read, pages as the segment's", WORK_DEPENDENT_LIKE_SEGMENT, 1, false, true},
    {"Set", WORK_SET, 1, false, true},
    {"Get", WORK_GET, 1, false, true},
    {"SetAndGet", WORK_SET_AND_GET, 1, false, true},
    {"getMany", WORK_GET_MANY, 1, false, true},
    {"90/10", WORK_90_10, 1, false, true},
    {"independent DRAM reads, pages as the segment's", WORK_INDEPENDENT, 1, true, true},
    {"independent DRAM reads, pages as the segment's, 2 processes", WORK_INDEPENDENT, 2, true,
     true},
    {"Get, 1 process", WORK_GET, 1, true, true},
    {"Get, 2 processes", WORK_GET, 2, true, true},
    {"90/10, 1 process", WORK_90_10, 1, true, true},
    {"90/10, 2 processes", WORK_90_10, 2, true, true},
    {"Set, 2 threads", WORK_SET, 2, false, false},
    {"Get, 2 threads", WORK_GET, 2, false, false},
    {"SetAndGet, 2 threads", WORK_SET_AND_GET, 2, false, false},
    {"Set, 2 processes", WORK_SET, 2, true, false},
    {"SetAndGet, 2 processes", WORK_SET_AND_GET, 2, true, false},
};
/* Of records that lie as they were inserted: sets would lay them out anew in the order of the gets. */
static const task tasks_random[] = {
    {"dependent DRAM read", WORK_DEPENDENT, 1, false, false},
    {"Get", WORK_GET, 1, false, false},
    {"getMany", WORK_GET_MANY, 1, false, false},
};
static const task tasks_alone[] = {
    {"Set", WORK_SET, 1, false, true},
    {"Get", WORK_GET, 1, false, true},
    {"SetAndGet", WORK_SET_AND_GET, 1, false, false},
    {"getMany", WORK_GET_MANY, 1, false, false},
    {"90/10", WORK_90_10, 1, false, false},
};
#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof *(array)))
#define TASKS_MAX COUNT_OF(tasks)

typedef struct bench {
    uint32_t handle;
    int fd;
    bool quick;
} bench;

/* Every key that is asked for is there, and all memory was touched. */
static void fill(uint32_t handle) {
    touch_segments();
    run_once(WORK_SET, handle, 0);
}

static void measure_all(const bench *b, const char *keys_name, const task *all, uint32_t count) {
    double ns[TASKS_MAX][ROUNDS], best[TASKS_MAX];
    const uint32_t rounds = b->quick ? ROUNDS_QUICK : ROUNDS;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < count; i++) {
            const task *t = &all[i];
            if (b->quick && !t->quick) continue;
            ns[i][round] = t->workers == 1 && !t->processes
                               ? measure_alone(t->what, b->handle)
                               : measure_crowd(t->what, t->workers, t->processes, b->fd);
            if (round == 0 || ns[i][round] < best[i]) best[i] = ns[i][round];
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (b->quick && !all[i].quick) continue;
        printf("{\"name\": \"%s\", \"keys\": \"%s\", \"ns\": %.1f, \"rounds\": [", all[i].name,
               keys_name, best[i]);
        for (uint32_t round = 0; round < rounds; round++)
            printf(round ? ", %.1f" : "%.1f", ns[i][round]);
        printf("]}\n");
    }
    fflush(stdout);
}

int main(int argc, char **argv) {
    bench b = {.quick = argc > 1 && strcmp(argv[1], "--quick") == 0};
    prepare();
    b.handle = segment_open(SEGMENT_BYTES, 128, -1);
    fc_info_fields info;
    fc_info(b.handle, &info);
    b.fd = dup((int)info.fd); /* the handle's own is closed in forked children */
    order_insertion(KEYS);
    fill(b.handle);
    measure_all(&b, "insertion order", tasks, COUNT_OF(tasks));
    if (!b.quick) {
        run_once(WORK_SET, b.handle, 0);
        order_random();
        measure_all(&b, "random order", tasks_random, COUNT_OF(tasks_random));
        order_zipf();
        measure_all(&b, "zipf 0.99", tasks, COUNT_OF(tasks));
    }
    fc_close(b.handle);
    b.handle = segment_open(HOT_SEGMENT_BYTES, 0, -1);
    order_insertion(HOT_KEYS);
    fill(b.handle);
    measure_all(&b, "1,000 keys", tasks_alone, COUNT_OF(tasks_alone));
    return fc_close(b.handle);
}
