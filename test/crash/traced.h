/* SPDX-License-Identifier: MIT
 *
 * traced.h owns child processes that are executed one instruction at a time (ptrace), and that can
 * be put back to an instruction they have passed: their registers and private memory are kept in
 * an image. What they share with others, such as a segment, is the caller's to put back.
 *
 * A traced child must end with the supervisor and never by itself; anything else is a failed check.
 */
#ifndef FC_TEST_TRACED_H
#define FC_TEST_TRACED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What a child tells its supervisor; both see it. */
typedef struct traced_page {
    uint32_t runs; /* how often `run` has returned */
    int32_t result;
    int32_t descriptor;
    uint32_t slot;
} traced_page;

typedef struct traced {
    pid_t pid;
    int memory; /* its /proc/<pid>/mem */
    traced_page *page;
} traced;

typedef struct traced_task {
    void (*prepare)(void *context, traced_page *page); /* at full speed */
    int32_t (*run)(void *context);                     /* as often as it is asked to */
    void *context;
} traced_task;

/* Forks; returns when the child is about to begin its first run. */
traced traced_start(const traced_task *task);
/* One instruction, or one system call. False if that was the last one of the run. */
bool traced_step(traced *child);
/* The rest of the run at full speed. */
void traced_finish(traced *child);
void traced_kill(traced *child);

/* A child at some instruction. */
typedef struct traced_image traced_image;
traced_image *traced_image_new(void);
void traced_image_free(traced_image *image);
void traced_freeze(const traced *child, traced_image *image);
void traced_restore(traced *child, const traced_image *image);

/* A second descriptor of the open file that the child has as page->descriptor. */
int traced_borrow_descriptor(const traced *child);

/* Memory that images leave out. */
void *traced_outside(uint64_t len);

/* Copies what differs, by blocks, from `now` to `last`; false if nothing does. `len` is a multiple
 * of TRACED_BLOCK. */
#define TRACED_BLOCK 4096u
bool traced_follow(uint8_t *last, const uint8_t *now, uint64_t len);

/* Call this first. Reading the clock through the kernel's page in user space begins anew whenever
 * the page has changed, which under single steps is always; without it musl asks the kernel. */
void traced_forget_clock_page(char **argv);

#endif
