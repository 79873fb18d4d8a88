/* SPDX-License-Identifier: MIT
 *
 * step.c kills and stops a process at every instruction of every operation (contract R1, W1, W2).
 *
 *   step [--points N] [--seed S] [--only death|stop|take-over] [part of a scenario's name]
 *
 * A writer runs one operation under ptrace. After each instruction the segment is what a death
 * there would leave, and:
 *
 *   death      a copy of the segment, which has no living owner, is read, verified, and written to
 *   stop       others read the segment in a bounded number of instructions, their writes are refused
 *              while the writer holds the lock, and the writer then ends as if nothing had been
 *   take-over  the writer's liveness byte is taken away, somebody takes over its lock and uses the
 *              shard, and then the writer goes on
 *
 * Deaths are tried wherever the segment has changed, stops at every instruction, take-overs from
 * the living only if asked for (--only take-over). After stop and take-over, writer and segment are
 * put back. --points N tries about N points of each kind per scenario, chosen by the seed; without
 * it all are tried.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "os/os.h"
#include "scenario.h"
#include "shard.h"
#include "traced.h"

#define STEPS_MAX 5000000u
#define WATCHDOG_SECONDS 120u
/* A read tries this often at most (read.c), and each time searches the stash at worst. */
#define READ_ATTEMPTS 8u
#define STASH_SEARCH_STEPS 1500u

enum kind { DEATH = 1, STOP = 2, TAKE_OVER = 4 };

typedef struct points {
    uint64_t steps, deaths, stops, takeovers;
} points;

typedef struct attack {
    const scenario *what;
    uint64_t random;
    uint32_t limit; /* points of each kind, about; 0 for all */
    unsigned kinds;
    stage peer; /* our own handle on the segment */
    uint64_t size;
    uint8_t *base;  /* of the segment */
    uint8_t *last;  /* its bytes after the last instruction */
    uint8_t *aside; /* its bytes to go back to */
    int copy_fd;
    uint8_t *copy; /* what a death leaves */
    traced writer, reader;
    int writer_fd; /* the open file that holds the writer's liveness byte */
    traced_image *image;
    sight before[STAGE_KEYS_MAX], after[STAGE_KEYS_MAX];
    bool turned[STAGE_KEYS_MAX]; /* seen as after: may not be seen as before again */
    sight seen[STAGE_KEYS_MAX];
    uint64_t read_steps_idle;
    points all; /* of the untouched run: steps, deaths = changes, takeovers = with lock held */
    points tried;
} attack;

/* ------------------------------------------------------------- the children */

typedef struct child_context {
    const attack *attack;
    int fd;
    stage own;
} child_context;

static void child_prepare(void *context, traced_page *page) {
    child_context *child = context;
    child->own = scenario_attach(child->attack->what, &child->attack->peer, child->fd);
    page->descriptor = child->own.cache->fd;
    page->slot = child->own.cache->slot_index;
}

static int32_t writer_run(void *context) {
    const child_context *child = context;
    return child->attack->what->call(&child->own);
}

static int32_t reader_run(void *context) {
    const child_context *child = context;
    return stage_read_subject(&child->own);
}

static traced child_start(const attack *a, int32_t (*run)(void *context)) {
    fc_info_fields info;
    CHECK_STATUS(FC_OK, fc_info(a->peer.handle, &info));
    child_context context = {.attack = a, .fd = (int)info.fd};
    return traced_start(&(traced_task){child_prepare, run, &context});
}

/* ------------------------------------------------------------------ looking */

/* The operation's result, or less if others may leave. */
static bool acceptable(const attack *a, uint32_t number, const sight *seen) {
    if (sight_same(seen, &a->after[number]) || sight_same(seen, &a->before[number])) return true;
    return a->what->evicts && number != SUBJECT && seen->length == FC_MISS;
}

#define CHECK_SIGHT(condition, number, seen, where)                                             \
    CHECK(condition,                                                                            \
          "%s: key number %u has length %d, type %u, digest %" PRIx64 "; instruction %" PRIu64, \
          where, number, (seen)->length, (seen)->type, (seen)->digest, a->tried.steps)

/* What a reader sees at an instruction: old or new, and new ever after. */
static void look_at_all(attack *a, const stage *through, sight *seen, const char *where) {
    for (uint32_t i = 0; i < a->peer.keys; i++) {
        seen[i] = stage_look(through, i);
        bool as_before = sight_same(&seen[i], &a->before[i]);
        bool as_after = sight_same(&seen[i], &a->after[i]);
        CHECK_SIGHT(as_before || as_after, i, &seen[i], where);
        CHECK_SIGHT(as_after || !a->turned[i], i, &seen[i], where);
        a->turned[i] |= !as_before;
    }
}

static void look_again(const attack *a, const stage *through, const sight *seen, bool may_leave,
                       const char *where) {
    for (uint32_t i = 0; i < a->peer.keys; i++) {
        sight now = stage_look(through, i);
        bool left = may_leave && i != SUBJECT && now.length == FC_MISS;
        CHECK_SIGHT(left || sight_same(&now, &seen[i]), i, &now, where);
    }
}

static void set_and_look(const stage *through, uint32_t number, uint32_t len, uint32_t generation) {
    CHECK_STATUS(FC_OK, stage_set(through, number, len, generation));
    CHECK(stage_look(through, number).length == (int32_t)len, "key number %u was lost", number);
}

static void verify_at(const attack *a, uint32_t handle, const char *where) {
    fc_report report;
    int32_t status = fc_verify(handle, &report);
    CHECK(status == FC_OK, "%s: instruction %" PRIu64 ": %s", where, a->tried.steps,
          report.message);
}

/* ------------------------------------------------------------------ attacks */

static bool held_by_writer(const attack *a) {
    uint64_t word = load_u64_relaxed(&shard_at(a->peer.cache, 0).header->lock);
    return (word & 0x7ff) == a->writer.page->slot + 1;
}

/* All owners of leases are dead: the heir waits for none of them, and what they have computed is not
 * stored once somebody has changed the key. */
static void lease_at(const attack *a, const stage *heir) {
    const bool had_effect = !sight_same(&a->seen[SUBJECT], &a->before[SUBJECT]);
    if (a->what->fences && had_effect) CHECK_STATUS(FC_MISS, stage_land(heir));
    const int32_t result = stage_begin(heir);
    CHECK(result == FC_LEASE_TAKEN || result == FC_LEASE_FAILED || result == FC_LEASE_SHARED,
          "the lease after a death: %d; instruction %" PRIu64, result, a->tried.steps);
}

/* The dead owner's slot may be free, or somebody else's by now. */
static void try_death(attack *a) {
    const bool reuse_slot = random_below(&a->random, 2);
    a->tried.deaths++;
    memcpy(a->copy, a->last, a->size);
    stage first = scenario_attach(a->what, &a->peer, a->copy_fd);
    stage second = reuse_slot ? scenario_attach(a->what, &a->peer, a->copy_fd) : first;
    const stage *heir = &second;
    look_at_all(a, heir, a->seen, "after a death");
    verify_at(a, heir->handle, "after a death");
    look_again(a, heir, a->seen, false, "after a take-over");
    lease_at(a, heir);
    const uint32_t probe = a->peer.keys;
    set_and_look(heir, probe, 700, 50);
    look_again(a, heir, a->seen, a->what->evicts, "after the heir's first write");
    set_and_look(heir, SUBJECT, 9000, 51);
    CHECK_STATUS(FC_OK, stage_delete(heir, SUBJECT));
    CHECK(stage_look(heir, SUBJECT).length == FC_MISS, "a deleted key is there");
    verify_at(a, heir->handle, "after the heir's writes");
    if (reuse_slot) stage_close(&second);
    stage_close(&first);
}

static uint64_t count_read(attack *a) {
    uint64_t steps = 1;
    while (traced_step(&a->reader)) steps++;
    traced_finish(&a->reader);
    return steps;
}

static void set_aside(attack *a) {
    memcpy(a->aside, a->base, a->size);
    traced_freeze(&a->writer, a->image);
}

static void put_back(attack *a) {
    memcpy(a->base, a->aside, a->size);
    traced_restore(&a->writer, a->image);
}

/* Readers look at nothing but the segment: where it is as before, they need not be counted again. */
static void try_stop(attack *a, bool changed_here) {
    a->tried.stops++;
    set_aside(a);
    look_at_all(a, &a->peer, a->seen, "beside a stopped writer");
    uint64_t steps = changed_here ? count_read(a) : 0;
    CHECK(steps <= READ_ATTEMPTS * (a->read_steps_idle + STASH_SEARCH_STEPS),
          "reading took %" PRIu64 " instructions beside a stopped writer, %" PRIu64 " otherwise",
          steps, a->read_steps_idle);
    const bool held = held_by_writer(a);
    CHECK_STATUS(held ? FC_BUSY : FC_OK, stage_set(&a->peer, a->peer.keys, 100, 50));
    sight probe = stage_look(&a->peer, a->peer.keys);
    CHECK(probe.length == (held ? FC_MISS : 100), "a write beside a stopped writer: %d",
          probe.length);
    traced_finish(&a->writer);
    CHECK(a->writer.page->result == a->what->result, "result %d", a->writer.page->result);
    verify_at(a, a->peer.handle, "after a stop");
    look_again(a, &a->peer, a->after, a->what->evicts && !held, "after a stop");
    put_back(a);
}

/* What somebody does with a shard that was taken over. */
static void intrude(attack *a) {
    const uint32_t probe = a->peer.keys;
    const uint32_t kind = random_below(&a->random, 5);
    CHECK_STATUS(FC_OK, stage_set(&a->peer, probe, 300, 60));
    if (kind == 1) CHECK_STATUS(FC_OK, stage_set(&a->peer, SUBJECT, 3000, 61));
    if (kind == 2) (void)stage_delete(&a->peer, SUBJECT);
    if (kind == 3) CHECK_STATUS(FC_OK, fc_clear(a->peer.handle));
    for (uint32_t i = 0; kind == 4 && i < 80; i++)
        CHECK_STATUS(FC_OK, stage_set(&a->peer, probe + 1 + i % 20, 3000, 62));
}

/* What the operation would lead to if it began now. */
static sight begun_now(attack *a) {
    memcpy(a->copy, a->base, a->size);
    stage other = scenario_attach(a->what, &a->peer, a->copy_fd);
    (void)a->what->call(&other);
    sight seen = stage_look(&other, SUBJECT);
    stage_close(&other);
    return seen;
}

static void try_takeover(attack *a) {
    sight *middle = a->seen;
    a->tried.takeovers++;
    set_aside(a);
    os_byte_unlock(a->writer_fd, SLOT_LOCK_OFFSET + a->writer.page->slot);
    intrude(a);
    const sight begun = begun_now(a);
    const uint32_t looked_at = a->peer.keys + 21;
    for (uint32_t i = 0; i < looked_at; i++) middle[i] = stage_look(&a->peer, i);
    traced_finish(&a->writer);
    verify_at(a, a->peer.handle, "after a take-over from a living writer");
    for (uint32_t i = 0; i < looked_at; i++) {
        sight now = stage_look(&a->peer, i);
        bool good = sight_same(&now, &middle[i]) || (i < a->peer.keys && acceptable(a, i, &now)) ||
                    (i == SUBJECT && sight_same(&now, &begun)) ||
                    (a->what->evicts && now.length == FC_MISS);
        CHECK_SIGHT(good, i, &now, "after a take-over from a living writer");
    }
    set_and_look(&a->peer, SUBJECT, 700, 63);
    verify_at(a, a->peer.handle, "after a take-over and a write");
    CHECK(os_byte_lock(a->writer_fd, SLOT_LOCK_OFFSET + a->writer.page->slot) == 0, "the byte");
    put_back(a);
}

/* ---------------------------------------------------------------- the stepper */

static bool chosen(attack *a, enum kind kind, uint64_t of) {
    if (!(a->kinds & kind)) return false;
    return a->limit == 0 || of <= a->limit || random_next(&a->random) % of < a->limit;
}

static bool changed(attack *a) { return traced_follow(a->last, a->base, a->size); }

/* One untouched run: what there is to try, and what the operation leads to. */
static void rehearse(attack *a) {
    for (uint32_t i = 0; i < a->peer.keys; i++) a->before[i] = stage_look(&a->peer, i);
    a->read_steps_idle = count_read(a);
    uint8_t *begin = traced_outside(a->size);
    traced_image *image = traced_image_new();
    memcpy(begin, a->base, a->size);
    memcpy(a->last, a->base, a->size);
    traced_freeze(&a->writer, image);
    bool more = true;
    while (more) {
        more = traced_step(&a->writer);
        a->all.steps++;
        CHECK(a->all.steps < STEPS_MAX, "the operation does not end");
        if (held_by_writer(a)) a->all.takeovers++;
        if (changed(a)) a->all.deaths++;
    }
    CHECK(a->writer.page->result == a->what->result, "result %d", a->writer.page->result);
    verify_at(a, a->peer.handle, "after the untouched run");
    for (uint32_t i = 0; i < a->peer.keys; i++) a->after[i] = stage_look(&a->peer, i);
    bool lasted = sight_same(&a->before[SUBJECT], &a->after[SUBJECT]);
    CHECK(lasted == a->what->lasts, "the operation had no effect, or one it should not have");
    uint64_t read_steps = count_read(a);
    if (read_steps > a->read_steps_idle) a->read_steps_idle = read_steps;
    memcpy(a->base, begin, a->size);
    traced_restore(&a->writer, image);
    memcpy(a->last, begin, a->size);
    munmap(begin, a->size);
    traced_image_free(image);
}

static void step_through(attack *a) {
    bool more = true;
    while (more) {
        alarm(WATCHDOG_SECONDS);
        more = traced_step(&a->writer);
        a->tried.steps++;
        const bool changed_here = changed(a);
        if (changed_here && chosen(a, DEATH, a->all.deaths)) try_death(a);
        if (!more) break;
        if (chosen(a, STOP, a->all.steps)) try_stop(a, changed_here);
        if (held_by_writer(a) && chosen(a, TAKE_OVER, a->all.takeovers)) try_takeover(a);
    }
    look_again(a, &a->peer, a->after, false, "at the end");
}

static void attack_begin(attack *a) {
    a->peer = scenario_stage(a->what, a->random);
    a->size = a->peer.cache->geometry.size_bytes;
    a->base = a->peer.cache->base;
    a->last = traced_outside(a->size);
    a->aside = traced_outside(a->size);
    a->image = traced_image_new();
    CHECK(os_file_anonymous(&a->copy_fd) == 0 && os_file_reserve(a->copy_fd, a->size) == 0,
          "memory");
    a->copy = mmap(NULL, a->size, PROT_READ | PROT_WRITE, MAP_SHARED, a->copy_fd, 0);
    CHECK(a->copy != MAP_FAILED, "memory");
    a->writer = child_start(a, writer_run);
    a->reader = child_start(a, reader_run);
    a->writer_fd = traced_borrow_descriptor(&a->writer);
}

static void attack_end(attack *a) {
    traced_kill(&a->writer);
    traced_kill(&a->reader);
    os_file_close(a->writer_fd);
    os_file_close(a->copy_fd);
    munmap(a->copy, a->size);
    munmap(a->last, a->size);
    munmap(a->aside, a->size);
    traced_image_free(a->image);
    stage_close(&a->peer);
}

static points attack_run(const scenario *what, uint64_t seed, uint32_t limit, unsigned kinds) {
    attack *a = traced_outside(sizeof *a);
    a->what = what;
    a->random = seed;
    a->limit = limit;
    a->kinds = kinds;
    attack_begin(a);
    rehearse(a);
    step_through(a);
    attack_end(a);
    test_count++;
    printf("ok %u - %s: %" PRIu64 " instructions, %" PRIu64 " changes; tried %" PRIu64
           " deaths, %" PRIu64 " stops, %" PRIu64 " take-overs\n",
           test_count, what->name, a->all.steps, a->all.deaths, a->tried.deaths, a->tried.stops,
           a->tried.takeovers);
    fflush(stdout);
    const points tried = a->tried;
    munmap(a, sizeof *a);
    return tried;
}

static unsigned kinds_of(const char *name) {
    if (!strcmp(name, "death")) return DEATH;
    if (!strcmp(name, "stop")) return STOP;
    CHECK(!strcmp(name, "take-over"), "there is no attack %s", name);
    return TAKE_OVER;
}

int main(int argc, char **argv) {
    traced_forget_clock_page(argv);
    uint64_t seed = os_uptime_us() | 1;
    uint32_t limit = 0;
    unsigned kinds = DEATH | STOP;
    const char *part = "";
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--points") && i + 1 < argc)
            limit = (uint32_t)atoi(argv[++i]);
        else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--only") && i + 1 < argc)
            kinds = kinds_of(argv[++i]);
        else
            part = argv[i];
    }
    printf("# seed %" PRIu64 "\n", seed);
    points sum = {0};
    for (uint32_t i = 0; i < scenario_count; i++) {
        if (!strstr(scenarios[i].name, part)) continue;
        fprintf(stderr, "# %s\n", scenarios[i].name);
        points tried = attack_run(&scenarios[i], seed, limit, kinds);
        sum.deaths += tried.deaths;
        sum.stops += tried.stops;
        sum.takeovers += tried.takeovers;
        sum.steps += tried.steps;
    }
    printf("# %" PRIu64 " instructions: %" PRIu64 " deaths, %" PRIu64 " stops, %" PRIu64
           " take-overs from the living\n",
           sum.steps, sum.deaths, sum.stops, sum.takeovers);
    return TESTS_DONE();
}
