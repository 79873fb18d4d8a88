/* SPDX-License-Identifier: MIT
 *
 * main.c runs the core in a simulated world, one seed after the other, until one fails or the time
 * is over. Its folder's other files say what that world is.
 *
 *   sim [--seconds N]   seeds from the clock on, for so many seconds of processor time (20 if not said)
 *   sim --from S        seeds from S on
 *   sim --seed S        this one only; --shrink makes it small and tells it, --steps with every step
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "operations.h"
#include "scheduler.h"
#include "shrink.h"
#include "trace.h"

/* A run that does not come to its end, nor takes a step any more. */
#define STANDSTILL_SECONDS 30
#define SHRINK_SECONDS 90
/* One run in so many is done twice, and has to be the same. */
#define TWICE 50u

/* Of processor time: what else the machine does is no part of it. */
static double seconds_now(void) { return (double)clock() / CLOCKS_PER_SEC; }

static char standstill[160]; /* what to say then */

static void on_alarm(int number) {
    (void)number;
    const ssize_t said = write(STDOUT_FILENO, standstill, strlen(standstill));
    _exit(said > 0 ? 1 : 2);
}

static void run(uint64_t seed) {
    const settings s = settings_of(seed);
    snprintf(standstill, sizeof standstill,
             "not ok 1 - seed %" PRIu64
             " breaks 'standstill': it runs for %d s without a step\n1..1\n",
             seed, STANDSTILL_SECONDS);
    signal(SIGALRM, on_alarm);
    alarm(STANDSTILL_SECONDS);
    scheduler_begin(&s, NULL, NULL);
    world_run(&s);
}

static int tell_failure(uint64_t seed) {
    const settings s = settings_of(seed);
    settings_print(&s);
    printf("not ok 1 - seed %" PRIu64 " breaks '%s' after %" PRIu64 " steps: %s\n", seed,
           world.rule, world.steps, world.fault);
    printf("# again:  zig-out/sim/main --seed %" PRIu64 "\n", seed);
    printf("# small:  zig-out/sim/main --seed %" PRIu64 " --shrink\n1..1\n", seed);
    return 1;
}

static int run_many(uint64_t from, double seconds) {
    const double began = seconds_now();
    uint64_t runs = 0, steps = 0, deaths = 0;
    printf("# seeds from %" PRIu64 "\n", from);
    fflush(stdout);
    for (uint64_t seed = from; seconds_now() - began < seconds; seed++) {
        run(seed);
        if (world.rule) {
            printf("# failed after %.1f s\n", seconds_now() - began);
            return tell_failure(seed);
        }
        runs++;
        steps += world.steps;
        deaths += world.deaths;
        if (runs % TWICE != 0) continue;
        const uint64_t steps_then = world.steps, deaths_then = world.deaths;
        run(seed);
        if (world.rule || world.steps != steps_then || world.deaths != deaths_then) {
            printf("not ok 1 - seed %" PRIu64 " is not the same when it runs again\n1..1\n", seed);
            return 1;
        }
    }
    const double took = seconds_now() - began;
    printf("# %" PRIu64 " runs, %" PRIu64 " operations, %.1f million steps, %" PRIu64
           " deaths in %.0f s: %.1f million steps and %.0f deaths a second\n",
           runs, operations_count(), (double)steps / 1e6, deaths, took, (double)steps / took / 1e6,
           (double)deaths / took);
    printf("ok 1 - nothing broken in the simulated world\n1..1\n");
    return 0;
}

int main(int argc, char **argv) {
    uint64_t seed = (uint64_t)time(NULL) * 100000;
    double seconds = 20;
    bool one = false, small = false, steps = false;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--shrink") == 0) {
            small = true;
        } else if (strcmp(argv[i], "--steps") == 0) {
            steps = true;
        } else if (strcmp(argv[i], "--seconds") == 0) {
            seconds = strtod(value, NULL);
            i++;
        } else if (strcmp(argv[i], "--seed") == 0 || strcmp(argv[i], "--from") == 0) {
            one = strcmp(argv[i], "--seed") == 0;
            seed = strtoull(value, NULL, 10);
            i++;
        } else {
            fprintf(stderr, "what is %s?\n", argv[i]);
            return 2;
        }
    }
    if (!one) return run_many(seed, seconds);
    run(seed);
    const bool failed = world.rule != NULL;
    if (failed) (void)tell_failure(seed);
    if (!failed) printf("ok 1 - seed %" PRIu64 "\n1..1\n", seed);
    alarm(0);
    const settings s = settings_of(seed);
    if (failed && small) (void)shrink(&s, SHRINK_SECONDS, steps);
    return failed;
}
