/* SPDX-License-Identifier: MIT
 *
 * stopped_test.c: a live holder of a shard's lock that does not let go (contract W2): the first
 * writer waits, those who come later fail at once, whichever process they are in, until that holder
 * lets go or dies. Holders are processes that are really stopped, continued and killed.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"
#include "handle.h"
#include "harness.h"

#define ACTORS 4
#define WAIT_MS 120u
#define ROUNDS 24

/* A process that does what it is told, by one byte, and answers with its status and how long that
 * took. HOLD takes the lock and stops itself; once continued it lets go and answers. */
enum command { WRITE = 'w', HOLD = 'h' };
typedef struct answer {
    int32_t status;
    uint64_t took_ms;
} answer;
typedef struct actor {
    pid_t pid;
    int commands, answers;
} actor;

static actor actors[ACTORS];
static int segment_fd;

static uint64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint32_t open_again(uint32_t lock_wait_ms) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_FD,
                          .fd = segment_fd,
                          .lock_wait_ms = lock_wait_ms};
    fc_report report;
    int32_t status = fc_open(&options, NULL, 0, &report);
    CHECK(status == FC_OK, "%s", report.message);
    return report.handle;
}

static int32_t write_with(uint32_t handle) {
    return fc_set(handle, "key", 3, "value", 5, FC_TYPE_ASCII, FC_SET, 0, 0);
}

static void act(int commands, int answers) {
    const uint32_t handle = open_again(WAIT_MS);
    const shard s = shard_at(handle_get(handle), 0);
    char command;
    while (read(commands, &command, 1) == 1) {
        const uint64_t begun_ms = now_ms();
        answer a = {.status = FC_OK};
        if (command == WRITE) {
            a.status = write_with(handle);
        } else {
            a.status = guard_lock(&s);
            CHECK(a.status == FC_OK, "the lock cannot be had: %s", fc_status_text(a.status));
            raise(SIGSTOP);
            guard_unlock(&s);
        }
        a.took_ms = now_ms() - begun_ms;
        CHECK(write(answers, &a, sizeof a) == sizeof a, "cannot answer");
    }
    _exit(0);
}

static void begin(actor *a) {
    int down[2], up[2];
    CHECK(pipe(down) == 0 && pipe(up) == 0, "no pipe");
    fflush(stdout);
    a->pid = fork();
    CHECK(a->pid >= 0, "cannot fork");
    if (a->pid == 0) {
        /* What belongs to the others: their commands would not end with us. */
        for (int i = 0; i < ACTORS; i++) {
            if (actors[i].commands) close(actors[i].commands);
            if (actors[i].answers) close(actors[i].answers);
        }
        close(down[1]);
        close(up[0]);
        act(down[0], up[1]);
    }
    close(down[0]);
    close(up[1]);
    a->commands = down[1];
    a->answers = up[0];
}

static void end(actor *a) {
    close(a->commands);
    close(a->answers);
    waitpid(a->pid, NULL, 0);
    *a = (actor){0};
}

static answer heard(actor *a) {
    answer result;
    CHECK(read(a->answers, &result, sizeof result) == sizeof result, "an actor has died");
    return result;
}
static void tell(actor *a, enum command command) {
    const char byte = (char)command;
    CHECK(write(a->commands, &byte, 1) == 1, "an actor is gone");
}
static answer ask_write(actor *a) {
    tell(a, WRITE);
    return heard(a);
}
static void hold_and_stop(actor *a) {
    tell(a, HOLD);
    int how;
    CHECK(waitpid(a->pid, &how, WUNTRACED) == a->pid && WIFSTOPPED(how), "it did not stop");
}
static void go_on(actor *a) {
    kill(a->pid, SIGCONT);
    CHECK_STATUS(FC_OK, heard(a).status);
}

static uint32_t begin_all(void) {
    const uint32_t handle = private_open(1u << 20, 1, 0);
    fc_info_fields info;
    CHECK_STATUS(FC_OK, fc_info(handle, &info));
    segment_fd = (int)info.fd;
    for (int i = 0; i < ACTORS; i++) begin(&actors[i]);
    for (int i = 0; i < ACTORS; i++) CHECK_STATUS(FC_OK, ask_write(&actors[i]).status);
    return handle;
}
static void end_all(uint32_t handle) {
    for (int i = 0; i < ACTORS; i++) end(&actors[i]);
    verify(handle);
    CHECK(stats_of(handle).processes == 1, "somebody is left");
    CHECK_STATUS(FC_OK, fc_close(handle));
}

/* The first waits, `later` others do not: were each of them to wait, they would take ten times as
 * long as they may. */
static void expect_busy(actor *holder, uint32_t later, uint64_t *random) {
    actor *first = holder;
    while (first == holder) first = &actors[random_below(random, ACTORS)];
    const answer a = ask_write(first);
    CHECK_STATUS(FC_BUSY, a.status);
    CHECK(a.took_ms + 1 >= WAIT_MS, "the first gave up after %" PRIu64 " ms", a.took_ms);
    uint64_t sum_ms = 0;
    for (uint32_t i = 0; i < later; i++) {
        actor *other = holder;
        while (other == holder) other = &actors[random_below(random, ACTORS)];
        const answer b = ask_write(other);
        CHECK_STATUS(FC_BUSY, b.status);
        sum_ms += b.took_ms;
    }
    CHECK(sum_ms <= later * WAIT_MS / 10, "%u later writers waited %" PRIu64 " ms", later, sum_ms);
}

/* Holders stop, go on, take the lock again at once, or die; in between everybody can write. */
static void only_the_first_writer_waits_for_a_stopped_holder(void) {
    for (uint64_t seed = 1; seed <= 2; seed++) {
        uint64_t random = seed * 0x9e3779b97f4a7c15ull;
        const uint32_t handle = begin_all();
        uint64_t deaths = 0;
        for (uint32_t round = 0; round < ROUNDS; round++) {
            actor *holder = &actors[random_below(&random, ACTORS)];
            hold_and_stop(holder);
            expect_busy(holder, random_below(&random, 40), &random);
            if (random_below(&random, 3) == 0) {
                kill(holder->pid, SIGKILL);
                end(holder);
                deaths++;
                begin(holder);
            } else {
                go_on(holder);
            }
            if (random_below(&random, 2) == 0) continue; /* the same or another holds it next */
            for (int i = 0; i < ACTORS; i++) CHECK_STATUS(FC_OK, ask_write(&actors[i]).status);
            CHECK(stats_of(handle).takeovers == deaths, "%" PRIu64 " takeovers, %" PRIu64 " deaths",
                  stats_of(handle).takeovers, deaths);
        }
        end_all(handle);
    }
}

/* `since` goes round in nine minutes; the word remembers that somebody waited for a second. */
static void a_holder_stays_marked_however_long_it_is_stopped(void) {
    const uint32_t handle = begin_all();
    const uint32_t usual = open_again(0);
    hold_and_stop(&actors[0]);
    CHECK_STATUS(FC_BUSY, write_with(usual));
    cache *c = (cache *)handle_get(usual);
    for (uint64_t minutes = 1; minutes < 24; minutes++) {
        c->clock_base_ms += 60000;
        const uint64_t begun_ms = now_ms();
        for (int i = 0; i < 10; i++) CHECK_STATUS(FC_BUSY, write_with(usual));
        CHECK(now_ms() - begun_ms < 1000, "a later writer waited, after %" PRIu64 " minutes",
              minutes);
    }
    /* Who has more patience than a second does not take that for an answer, but is bounded. */
    const uint32_t patient = open_again(1500);
    c = (cache *)handle_get(patient);
    c->clock_base_ms += 1u << 19; /* once round: looks as if it had begun just now */
    CHECK_STATUS(FC_BUSY, write_with(patient));
    go_on(&actors[0]);
    CHECK_STATUS(FC_OK, write_with(usual));
    CHECK_STATUS(FC_OK, write_with(patient));
    hold_and_stop(&actors[1]);
    kill(actors[1].pid, SIGKILL);
    end(&actors[1]);
    CHECK_STATUS(FC_OK, write_with(usual));
    CHECK_STATUS(FC_OK, fc_close(usual));
    CHECK_STATUS(FC_OK, fc_close(patient));
    begin(&actors[1]);
    end_all(handle);
}

int main(void) {
    TEST(only_the_first_writer_waits_for_a_stopped_holder);
    TEST(a_holder_stays_marked_however_long_it_is_stopped);
    return TESTS_DONE();
}
