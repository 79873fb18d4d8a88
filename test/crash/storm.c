/* SPDX-License-Identifier: MIT
 *
 * storm.c kills writers at random, thousands of times, while readers check what they see.
 *
 *   storm [--kills N] [--seed S]
 *
 * All processes use two segments. In `roomy` everything fits:
 *
 *   reserved keys   written once, before the storm: they must be there, whole, all the time
 *   common keys     every writer sets and deletes them: a reader finds a whole value or none
 *   own keys        one writer each; what it was told is done must be there after its death, or
 *                   what it had begun
 *   the counter     ends between the increments that were done and those that were begun
 *
 * In `tight`, writers evict each other's entries: a reader finds a whole value or none. Every
 * process shows that it goes on; one that does not for HANG_SECONDS is a failure. Now and then a
 * writer is stopped for a while instead of killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "traced.h"

#define WRITERS 6u
#define READERS 2u
#define RESERVED 400u
#define COMMON 600u
#define OWN 24u
#define TIGHT 5000u
#define ROOMY_BYTES (4u << 20)
#define TIGHT_BYTES (1u << 20)
#define VALUE_MAX 9000u
#define LIFE_US_MAX 4000u
#define HANG_SECONDS 30u
#define VERIFY_EVERY 200u

enum group { GROUP_RESERVED, GROUP_COMMON, GROUP_OWN, GROUP_TIGHT };

/* The state of an own key: stamp, shifted, and whether it is present; 0 at first. */
typedef struct own_key {
    uint64_t begun, done;
} own_key;

/* What all processes see of the storm. */
typedef struct sky {
    char roomy[64], tight[64];
    uint64_t beats[WRITERS + READERS];
    own_key own[WRITERS][OWN];
    uint64_t increments_begun[WRITERS], increments_done[WRITERS];
    uint64_t refused; /* FC_BUSY, because somebody was stopped */
} sky;

typedef struct worker {
    sky *sky;
    uint32_t number;
    uint64_t random;
    uint32_t roomy, tight; /* handles */
} worker;

/* ------------------------------------------------------------------ values */

typedef struct label {
    uint32_t group, number;
    uint64_t stamp;
} label;

static uint32_t key_of(enum group group, uint32_t number, char key[32]) {
    return (uint32_t)snprintf(key, 32, "%d:%u", (int)group, number);
}

static uint64_t seed_of(label l) {
    return l.stamp * 0x9e3779b97f4a7c15ull + ((uint64_t)l.group << 32 | l.number);
}

/* Common values are small but for one in 16. */
static uint32_t length_of(label l) {
    uint64_t seed = seed_of(l) | 1;
    uint32_t limit = random_below(&seed, 16) || l.group == GROUP_RESERVED ? 700 : VALUE_MAX;
    return (uint32_t)sizeof l + random_below(&seed, limit);
}

static uint32_t value_make(label l, uint8_t *value) {
    uint32_t length = length_of(l);
    memcpy(value, &l, sizeof l);
    fill_value(value + sizeof l, length - (uint32_t)sizeof l, seed_of(l));
    return length;
}

/* Returns the stamp of a value that is whole and belongs to the key. */
static uint64_t value_check(enum group group, uint32_t number, const uint8_t *value,
                            int32_t length) {
    static uint8_t wanted[VALUE_MAX + sizeof(label)];
    label l;
    CHECK(length >= (int32_t)sizeof l, "key %d:%u has %d bytes", (int)group, number, length);
    memcpy(&l, value, sizeof l);
    CHECK(l.group == group && l.number == number, "wrong: key %d:%u has the value of %u:%u",
          (int)group, number, l.group, l.number);
    CHECK((uint32_t)length == value_make(l, wanted) && !memcmp(value, wanted, (size_t)length),
          "torn: the value of key %d:%u, stamp %" PRIu64, (int)group, number, l.stamp);
    return l.stamp;
}

/* The stamp that the key has, or 0. */
static uint64_t look(uint32_t handle, enum group group, uint32_t number) {
    static uint8_t value[VALUE_MAX + sizeof(label)];
    char key[32];
    uint32_t key_len = key_of(group, number, key);
    int32_t length = fc_get(handle, key, key_len, value, sizeof value, 0, NULL);
    if (length == FC_MISS) return 0;
    CHECK(length >= 0, "get: %s", fc_status_text(length));
    return value_check(group, number, value, length);
}

/* --------------------------------------------------------------- operations */

static uint32_t open_segment(const char *name, uint32_t create, uint64_t size, uint32_t eviction) {
    const fc_options options = {.struct_size = sizeof options,
                                .kind = FC_KIND_SHM,
                                .create = create,
                                .size_bytes = size,
                                .eviction = eviction,
                                .lock_wait_ms = 200};
    fc_report report;
    int32_t status = fc_open(&options, name, (uint32_t)strlen(name), &report);
    CHECK(status == FC_OK, "%s", report.message);
    return report.handle;
}

/* True if done; false if a stopped process was in the way. */
static bool granted(const worker *w, int32_t status) {
    if (status == FC_BUSY) {
        __atomic_fetch_add(&w->sky->refused, 1, __ATOMIC_RELAXED);
        return false;
    }
    CHECK(status == FC_OK || status == FC_MISS, "%s", fc_status_text(status));
    return true;
}

static bool set(const worker *w, uint32_t handle, label l) {
    static uint8_t value[VALUE_MAX + sizeof(label)];
    char key[32];
    uint32_t key_len = key_of((enum group)l.group, l.number, key);
    uint32_t length = value_make(l, value);
    return granted(w, fc_set(handle, key, key_len, value, length, FC_TYPE_BYTES, FC_SET, 0, 0));
}

static bool erase(const worker *w, uint32_t handle, enum group group, uint32_t number) {
    char key[32];
    uint32_t key_len = key_of(group, number, key);
    return granted(w, fc_delete(handle, key, key_len));
}

static void change_common(worker *w) {
    uint32_t number = random_below(&w->random, COMMON);
    if (random_below(&w->random, 4) == 0)
        (void)erase(w, w->roomy, GROUP_COMMON, number);
    else
        (void)set(w, w->roomy, (label){GROUP_COMMON, number, random_next(&w->random) | 1});
}

static void change_tight(worker *w) {
    uint32_t number = random_below(&w->random, TIGHT);
    (void)set(w, w->tight, (label){GROUP_TIGHT, number, random_next(&w->random) | 1});
    (void)look(w->tight, GROUP_TIGHT, random_below(&w->random, TIGHT));
}

static void change_own(worker *w) {
    const uint32_t index = random_below(&w->random, OWN);
    own_key *own = &w->sky->own[w->number][index];
    const uint32_t number = w->number * OWN + index;
    const uint64_t stamp = (own->begun >> 1) + 1;
    const bool present = random_below(&w->random, 4) != 0;
    const uint64_t next = stamp << 1 | present;
    __atomic_store_n(&own->begun, next, __ATOMIC_RELEASE);
    bool done = present ? set(w, w->roomy, (label){GROUP_OWN, number, stamp})
                        : erase(w, w->roomy, GROUP_OWN, number);
    __atomic_store_n(done ? &own->done : &own->begun, done ? next : own->done, __ATOMIC_RELEASE);
}

static void change_counter(worker *w) {
    double sum;
    __atomic_fetch_add(&w->sky->increments_begun[w->number], 1, __ATOMIC_RELEASE);
    if (granted(w, fc_increment(w->roomy, "counter", 7, 1, 0, 0, &sum)))
        __atomic_fetch_add(&w->sky->increments_done[w->number], 1, __ATOMIC_RELEASE);
}

static void attach(worker *w) {
    w->roomy = open_segment(w->sky->roomy, FC_ATTACH, 0, 0);
    w->tight = open_segment(w->sky->tight, FC_ATTACH, 0, 0);
}

static void attach_again(worker *w) {
    CHECK_STATUS(FC_OK, fc_close(w->roomy));
    CHECK_STATUS(FC_OK, fc_close(w->tight));
    attach(w);
}

static void write_for_ever(worker *w) {
    attach(w);
    for (;;) {
        switch (random_below(&w->random, 16)) {
        case 0:
            change_counter(w);
            break;
        case 1:
            if (random_below(&w->random, 8) == 0) attach_again(w);
            break;
        case 2:
        case 3:
        case 4:
            change_own(w);
            break;
        case 5:
        case 6:
        case 7:
        case 8:
            change_tight(w);
            break;
        default:
            change_common(w);
        }
        w->sky->beats[w->number]++;
    }
}

static void read_for_ever(worker *w) {
    attach(w);
    for (uint32_t i = 0;; i++) {
        CHECK(look(w->roomy, GROUP_RESERVED, i % RESERVED) == 1, "lost: reserved key %u",
              i % RESERVED);
        (void)look(w->roomy, GROUP_COMMON, random_below(&w->random, COMMON));
        (void)look(w->tight, GROUP_TIGHT, random_below(&w->random, TIGHT));
        w->sky->beats[w->number]++;
    }
}

/* --------------------------------------------------------------- supervisor */

typedef struct supervisor {
    worker self;
    pid_t pids[WRITERS + READERS];
    uint64_t beats[WRITERS + READERS]; /* as seen at `seen_at` */
    uint64_t seen_at;
    uint64_t kills, stops;
} supervisor;

static uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void pause_us(uint32_t us) {
    (void)nanosleep(&(struct timespec){.tv_nsec = (long)us * 1000}, NULL);
}

static void start(supervisor *s, uint32_t number) {
    worker w = {.sky = s->self.sky, .number = number, .random = random_next(&s->self.random) | 1};
    const pid_t parent = getpid();
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(0);
        if (number < WRITERS)
            write_for_ever(&w);
        else
            read_for_ever(&w);
    }
    s->pids[number] = pid;
}

/* Ends a worker, which must not have ended by itself. */
static void end(supervisor *s, uint32_t number) {
    int status;
    (void)kill(s->pids[number], SIGKILL);
    while (waitpid(s->pids[number], &status, 0) < 0 && errno == EINTR) continue;
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a worker ended: status %x", status);
}

/* What the dead writer was told is done must be there, or what it had begun. */
static void check_own(supervisor *s, uint32_t number) {
    for (uint32_t i = 0; i < OWN; i++) {
        own_key *own = &s->self.sky->own[number][i];
        uint64_t stamp = look(s->self.roomy, GROUP_OWN, number * OWN + i);
        uint64_t begun = own->begun & 1 ? own->begun >> 1 : 0;
        uint64_t done = own->done & 1 ? own->done >> 1 : 0;
        CHECK(stamp == begun || stamp == done,
              "lost: own key %u of writer %u has stamp %" PRIu64 ", done %" PRIu64
              ", begun %" PRIu64,
              i, number, stamp, done, begun);
        own->done = stamp == begun ? own->begun : own->done;
    }
}

static void check_beats(supervisor *s) {
    if (now_us() - s->seen_at < HANG_SECONDS * 1000000ull) return;
    for (uint32_t i = 0; i < WRITERS + READERS; i++) {
        uint64_t beats = __atomic_load_n(&s->self.sky->beats[i], __ATOMIC_RELAXED);
        CHECK(beats != s->beats[i], "hang: process %u did nothing for %u s", i, HANG_SECONDS);
        s->beats[i] = beats;
    }
    s->seen_at = now_us();
}

static void rage(supervisor *s, uint64_t kills) {
    while (s->kills < kills) {
        alarm(HANG_SECONDS);
        pause_us(random_below(&s->self.random, LIFE_US_MAX));
        const uint32_t victim = random_below(&s->self.random, WRITERS);
        if (random_below(&s->self.random, 20) == 0) {
            (void)kill(s->pids[victim], SIGSTOP);
            pause_us(random_below(&s->self.random, 400000));
            (void)kill(s->pids[victim], SIGCONT);
            s->stops++;
            continue;
        }
        end(s, victim);
        check_own(s, victim);
        start(s, victim);
        s->kills++;
        check_beats(s);
        if (s->kills % VERIFY_EVERY != 0) continue;
        verify(s->self.roomy);
        verify(s->self.tight);
    }
}

static uint64_t sum_of(const uint64_t *numbers) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < WRITERS; i++) sum += numbers[i];
    return sum;
}

static void check_end(supervisor *s) {
    for (uint32_t i = 0; i < WRITERS + READERS; i++) end(s, i);
    for (uint32_t i = 0; i < WRITERS; i++) check_own(s, i);
    for (uint32_t i = 0; i < RESERVED; i++)
        CHECK(look(s->self.roomy, GROUP_RESERVED, i) == 1, "lost: reserved key %u", i);
    double count = 0;
    CHECK(fc_increment(s->self.roomy, "counter", 7, 0, 0, 0, &count) == FC_OK, "the counter");
    CHECK(count >= (double)sum_of(s->self.sky->increments_done) &&
              count <= (double)sum_of(s->self.sky->increments_begun),
          "the counter is %.0f", count);
    verify(s->self.roomy);
    verify(s->self.tight);
    CHECK(stats_of(s->self.roomy).evictions == 0, "evicted with room to spare");
}

static void begin(supervisor *s) {
    sky *shared = s->self.sky;
    snprintf(shared->roomy, sizeof shared->roomy, "storm-%d-roomy", (int)getpid());
    snprintf(shared->tight, sizeof shared->tight, "storm-%d-tight", (int)getpid());
    s->self.roomy = open_segment(shared->roomy, FC_CREATE_EXCLUSIVE, ROOMY_BYTES, FC_EVICTION_LRU);
    s->self.tight =
        open_segment(shared->tight, FC_CREATE_EXCLUSIVE, TIGHT_BYTES, FC_EVICTION_S3FIFO);
    for (uint32_t i = 0; i < RESERVED; i++)
        CHECK(set(&s->self, s->self.roomy, (label){GROUP_RESERVED, i, 1}), "reserved key %u", i);
    s->seen_at = now_us();
    for (uint32_t i = 0; i < WRITERS + READERS; i++) start(s, i);
}

static const sky *names;
static pid_t names_owner;

/* At the supervisor's end, also a bad one. */
static void remove_segments(void) {
    if (getpid() != names_owner) return;
    (void)fc_destroy(FC_KIND_SHM, names->roomy, (uint32_t)strlen(names->roomy), NULL);
    (void)fc_destroy(FC_KIND_SHM, names->tight, (uint32_t)strlen(names->tight), NULL);
}

int main(int argc, char **argv) {
    uint64_t seed = now_us() | 1, kills = 2000;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--kills")) kills = strtoull(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--seed")) seed = strtoull(argv[i + 1], NULL, 10);
    }
    printf("# seed %" PRIu64 "\n", seed);
    static supervisor s;
    s.self = (worker){.sky = traced_outside(sizeof(sky)), .random = seed};
    names = s.self.sky;
    names_owner = getpid();
    (void)atexit(remove_segments);
    begin(&s);
    rage(&s, kills);
    check_end(&s);
    const fc_stats_fields roomy = stats_of(s.self.roomy), tight = stats_of(s.self.tight);
    test_count++;
    printf("ok 1 - %" PRIu64 " kills and %" PRIu64 " stops, %" PRIu64
           " take-overs: 0 torn, 0 wrong, 0 lost, "
           "0 hangs; %" PRIu64 " hits, %" PRIu64 " sets, %" PRIu64 " evictions, %" PRIu64
           " refused beside stopped writers\n",
           s.kills, s.stops, roomy.takeovers + tight.takeovers, roomy.hits + tight.hits,
           roomy.sets + tight.sets, roomy.evictions + tight.evictions, s.self.sky->refused);
    return TESTS_DONE();
}
