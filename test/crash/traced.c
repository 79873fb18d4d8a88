/* SPDX-License-Identifier: MIT
 *
 * traced.c: see traced.h. An image holds the general and the vector registers, every private
 * writable mapping, and what the child has told. Programs that use it are compiled for the baseline
 * processor, whose vector registers are those that NT_PRFPREG transfers.
 */
#define _GNU_SOURCE
#include "traced.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#define REGISTERS_MAX 1024u
#define REGIONS_MAX 64u
#define IMAGE_BYTES (4u << 20)

typedef struct region {
    uint64_t from, len;
} region;

struct traced_image {
    uint8_t general[REGISTERS_MAX];
    uint8_t vector[REGISTERS_MAX];
    size_t general_len, vector_len;
    traced_page page; /* lest a run that is repeated seems to have ended already */
    region regions[REGIONS_MAX];
    uint32_t region_count;
    uint8_t bytes[IMAGE_BYTES];
};

void *traced_outside(uint64_t len) {
    void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED, "%" PRIu64 " bytes", len);
    return memory;
}

traced_image *traced_image_new(void) { return traced_outside(sizeof(traced_image)); }
void traced_image_free(traced_image *image) { munmap(image, sizeof *image); }

/* ----------------------------------------------------------------- running */

/* Not raise(): that would change the signal mask, which an image does not hold. */
static void stop_self(void) { (void)kill(getpid(), SIGSTOP); }

static void child_main(const traced_task *task, traced_page *page) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) _exit(1);
    task->prepare(task->context, page);
    for (;;) {
        stop_self();
        page->result = task->run(task->context);
        __atomic_store_n(&page->runs, page->runs + 1, __ATOMIC_RELEASE);
    }
}

/* Returns the signal that the child stopped with. */
static int wait_stop(const traced *child) {
    int status;
    pid_t waited;
    do waited = waitpid(child->pid, &status, 0);
    while (waited < 0 && errno == EINTR);
    CHECK(WIFSTOPPED(status), "the child ended with status %x", status);
    return WSTOPSIG(status);
}

static void resume(traced *child, int how) {
    CHECK(ptrace(how, child->pid, 0, 0) == 0, "process %d", (int)child->pid);
}

traced traced_start(const traced_task *task) {
    traced child = {.page = traced_outside(sizeof(traced_page))};
    fflush(NULL);
    child.pid = fork();
    CHECK(child.pid >= 0, "fork");
    if (child.pid == 0) child_main(task, child.page);
    CHECK(wait_stop(&child) == SIGSTOP, "the child failed to prepare");
    CHECK(ptrace(PTRACE_SETOPTIONS, child.pid, 0, PTRACE_O_EXITKILL) == 0, "ptrace");
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)child.pid);
    child.memory = open(path, O_RDWR | O_CLOEXEC);
    CHECK(child.memory >= 0, "%s", path);
    return child;
}

bool traced_step(traced *child) {
    const uint32_t runs = child->page->runs;
    resume(child, PTRACE_SINGLESTEP);
    int signal = wait_stop(child);
    CHECK(signal == SIGTRAP, "the child got signal %d", signal);
    return __atomic_load_n(&child->page->runs, __ATOMIC_ACQUIRE) == runs;
}

void traced_finish(traced *child) {
    resume(child, PTRACE_CONT);
    int signal = wait_stop(child);
    CHECK(signal == SIGSTOP, "the child got signal %d", signal);
}

void traced_kill(traced *child) {
    close(child->memory);
    (void)kill(child->pid, SIGKILL);
    while (waitpid(child->pid, NULL, 0) < 0) continue;
    munmap(child->page, sizeof *child->page);
}

/* ------------------------------------------------------------------ images */

static size_t registers_get(pid_t pid, int set, uint8_t *to) {
    struct iovec bytes = {to, REGISTERS_MAX};
    CHECK(ptrace(PTRACE_GETREGSET, pid, set, &bytes) == 0, "register set %d", set);
    return bytes.iov_len;
}

static void registers_set(pid_t pid, int set, const uint8_t *from, size_t len) {
    struct iovec bytes = {(void *)from, len};
    CHECK(ptrace(PTRACE_SETREGSET, pid, set, &bytes) == 0, "register set %d", set);
}

static void regions_find(const traced *child, traced_image *image) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)child->pid);
    FILE *maps = fopen(path, "re");
    CHECK(maps, "%s", path);
    image->region_count = 0;
    while (fgets(line, sizeof line, maps)) {
        uint64_t from, to;
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " rw-p", &from, &to) != 2 ||
            !strstr(line, " rw-p "))
            continue;
        CHECK(image->region_count < REGIONS_MAX, "too many mappings");
        image->regions[image->region_count++] = (region){from, to - from};
    }
    fclose(maps);
}

void traced_freeze(const traced *child, traced_image *image) {
    image->general_len = registers_get(child->pid, NT_PRSTATUS, image->general);
    image->vector_len = registers_get(child->pid, NT_PRFPREG, image->vector);
    image->page = *child->page;
    regions_find(child, image);
    uint64_t at = 0;
    for (uint32_t i = 0; i < image->region_count; i++) {
        const region *r = &image->regions[i];
        CHECK(at + r->len <= IMAGE_BYTES, "the child has more memory than an image holds");
        ssize_t got = pread(child->memory, image->bytes + at, r->len, (off_t)r->from);
        CHECK(got == (ssize_t)r->len, "reading at %" PRIx64, r->from);
        at += r->len;
    }
}

void traced_restore(traced *child, const traced_image *image) {
    uint64_t at = 0;
    for (uint32_t i = 0; i < image->region_count; i++) {
        const region *r = &image->regions[i];
        ssize_t put = pwrite(child->memory, image->bytes + at, r->len, (off_t)r->from);
        CHECK(put == (ssize_t)r->len, "writing at %" PRIx64, r->from);
        at += r->len;
    }
    *child->page = image->page;
    registers_set(child->pid, NT_PRSTATUS, image->general, image->general_len);
    registers_set(child->pid, NT_PRFPREG, image->vector, image->vector_len);
}

int traced_borrow_descriptor(const traced *child) {
    int process = (int)syscall(SYS_pidfd_open, child->pid, 0);
    CHECK(process >= 0, "pidfd_open");
    int descriptor = (int)syscall(SYS_pidfd_getfd, process, child->page->descriptor, 0);
    CHECK(descriptor >= 0, "pidfd_getfd");
    close(process);
    return descriptor;
}

/* ------------------------------------------------------------------ helpers */

bool traced_follow(uint8_t *last, const uint8_t *now, uint64_t len) {
    bool any = false;
    for (uint64_t block = 0; block < len; block += TRACED_BLOCK) {
        const uint64_t *from = (const uint64_t *)(const void *)(now + block);
        const uint64_t *to = (const uint64_t *)(const void *)(last + block);
        uint64_t difference = 0;
        for (uint32_t i = 0; i < TRACED_BLOCK / sizeof *to; i++) difference |= from[i] ^ to[i];
        if (difference == 0) continue;
        memcpy(last + block, now + block, TRACED_BLOCK);
        any = true;
    }
    return any;
}

void traced_forget_clock_page(char **argv) {
    while (*argv) argv++;
    char **environment = argv + 1;
    while (*environment) environment++;
    for (unsigned long *entry = (unsigned long *)(void *)(environment + 1); *entry; entry += 2)
        if (*entry == AT_SYSINFO_EHDR) *entry = AT_IGNORE;
}
