/* SPDX-License-Identifier: MIT
 *
 * create.c kills and stops a process at every instruction of fc_open that creates a segment
 * (contract S1), in a file and in shared memory.
 *
 *   create [--points N] [--seed S]
 *
 * After each instruction that changed the file, a copy of it, which no living process holds, must
 * open as a ready and sound segment. At about N further points (20 if not said) the creator is
 * really killed, and others open what it left behind; and at one it is stopped, and others are told
 * that somebody is creating the segment.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "layout.h"
#include "os/os.h"
#include "traced.h"

#define SIZE_BYTES FC_SIZE_MIN
#define WATCHDOG_SECONDS 120u

typedef struct place {
    uint32_t kind;
    char name[128]; /* for fc_open */
    char path[192]; /* of the file */
} place;

/* A file's bytes; length -1 if there is none. */
typedef struct content {
    int64_t length;
    uint8_t bytes[SIZE_BYTES];
} content;

static fc_options options_for(const place *at, uint32_t create) {
    return (fc_options){.struct_size = sizeof(fc_options),
                        .kind = at->kind,
                        .create = create,
                        .shards = 1,
                        .size_bytes = create == FC_ATTACH ? 0 : SIZE_BYTES};
}

static int32_t open_at(const place *at, uint32_t create, fc_report *report) {
    const fc_options options = options_for(at, create);
    return fc_open(&options, at->name, (uint32_t)strlen(at->name), report);
}

static place place_at(uint32_t kind, const char *folder, const char *name) {
    place at = {.kind = kind};
    if (kind == FC_KIND_FILE) {
        snprintf(at.name, sizeof at.name, "%s/%s", folder, name);
        snprintf(at.path, sizeof at.path, "%s", at.name);
    } else {
        snprintf(at.name, sizeof at.name, "create-%d-%s", (int)getpid(), name);
        CHECK(os_shared_memory_path(LAYOUT_VERSION, at.name, strlen(at.name), at.path,
                                    sizeof at.path),
              "the path");
    }
    return at;
}

/* ---------------------------------------------------------------- the child */

static void child_prepare(void *context, traced_page *page) {
    (void)context;
    (void)page;
}

static int32_t child_create(void *context) {
    fc_report report;
    return open_at(context, FC_CREATE_OR_ATTACH, &report);
}

static traced creator_start(place *at) {
    return traced_start(&(traced_task){child_prepare, child_create, at});
}

/* ------------------------------------------------------------------- checks */

/* Copies what there is now to *last; false if nothing has changed. A file keeps its length once it
 * has all of it, so that looking at it through a mapping is safe then. */
static bool content_follow(const place *at, content *last) {
    struct stat state;
    const int64_t length = stat(at->path, &state) == 0 ? state.st_size : -1;
    const bool resized = length != last->length;
    last->length = length;
    if (length <= 0) return resized;
    int fd = open(at->path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0, "%s", at->path);
    uint8_t *now = traced_outside(SIZE_BYTES);
    if (length == SIZE_BYTES) {
        now = mmap(now, SIZE_BYTES, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
        CHECK(now != MAP_FAILED, "mmap");
    } else {
        CHECK(pread(fd, now, SIZE_BYTES, 0) == length, "%s", at->path);
    }
    const bool rewritten = traced_follow(last->bytes, now, SIZE_BYTES);
    munmap(now, SIZE_BYTES);
    close(fd);
    return resized || rewritten;
}

static void content_write(const place *at, const content *from) {
    (void)unlink(at->path);
    if (from->length < 0) return;
    int fd = open(at->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0, "%s", at->path);
    CHECK(write(fd, from->bytes, (size_t)from->length) == from->length, "%s", at->path);
    close(fd);
}

/* What a dead creator left behind is ready after the next open. */
static void use(const place *at) {
    fc_report report;
    int32_t status = open_at(at, FC_ATTACH, &report);
    CHECK(status == FC_OK || status == FC_NOT_FOUND, "%s", report.message);
    if (status == FC_OK) CHECK_STATUS(FC_OK, fc_close(report.handle));
    CHECK(open_at(at, FC_CREATE_OR_ATTACH, &report) == FC_OK, "%s", report.message);
    const uint32_t handle = report.handle;
    char value[8];
    verify(handle);
    CHECK_STATUS(FC_OK, fc_set(handle, "key", 3, "value", 5, FC_TYPE_UTF8, FC_SET, 0, 0));
    CHECK_STATUS(5, fc_get(handle, "key", 3, value, sizeof value, 0, NULL));
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK(unlink(at->path) == 0, "%s", at->path);
}

static uint64_t die_everywhere(place *at, const place *copy, uint64_t *steps) {
    static content last;
    uint64_t deaths = 0;
    (void)content_follow(at, &last);
    traced creator = creator_start(at);
    for (bool more = true; more; ++*steps) {
        alarm(WATCHDOG_SECONDS);
        more = traced_step(&creator);
        if (!content_follow(at, &last)) continue;
        content_write(copy, &last);
        use(copy);
        deaths++;
    }
    CHECK(creator.page->result == FC_OK, "result %d", creator.page->result);
    traced_kill(&creator);
    use(at);
    return deaths;
}

/* A creation may take fewer instructions than the one that was counted: names and seeds differ. */
static void die_at(place *at, uint64_t instruction) {
    traced creator = creator_start(at);
    for (uint64_t i = 0; i < instruction && traced_step(&creator); i++) continue;
    traced_kill(&creator);
    alarm(WATCHDOG_SECONDS);
    use(at);
}

/* The first instruction after which the file has its size, and nothing else. */
static void stop_while_creating(place *at) {
    struct stat state;
    traced creator = creator_start(at);
    do CHECK(traced_step(&creator), "the creator has finished");
    while (stat(at->path, &state) != 0 || state.st_size != SIZE_BYTES);
    fc_report report;
    int32_t status = open_at(at, FC_CREATE_OR_ATTACH, &report);
    CHECK(status == FC_BUSY, "beside a stopped creator: %d, %s", status, report.message);
    traced_finish(&creator);
    CHECK(creator.page->result == FC_OK, "result %d", creator.page->result);
    traced_kill(&creator);
    use(at);
}

static void attack(uint32_t kind, const char *what, const char *folder, uint32_t points,
                   uint64_t *random) {
    place at = place_at(kind, folder, "segment");
    const place copy = place_at(FC_KIND_FILE, folder, "copy");
    uint64_t steps = 0;
    uint64_t deaths = die_everywhere(&at, &copy, &steps);
    for (uint32_t i = 0; i < points; i++) die_at(&at, random_next(random) % steps);
    stop_while_creating(&at);
    test_count++;
    printf("ok %u - create %s: %" PRIu64 " instructions; tried %" PRIu64
           " deaths in copies, %u real ones, "
           "1 stop\n",
           test_count, what, steps, deaths, points);
    fflush(stdout);
}

int main(int argc, char **argv) {
    traced_forget_clock_page(argv);
    uint64_t seed = os_uptime_us() | 1;
    uint32_t points = 20;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--points")) points = (uint32_t)atoi(argv[i + 1]);
        if (!strcmp(argv[i], "--seed")) seed = strtoull(argv[i + 1], NULL, 10);
    }
    printf("# seed %" PRIu64 "\n", seed);
    const char *temporary = getenv("TMPDIR");
    char folder[64];
    snprintf(folder, sizeof folder, "%.40s/fc-create-XXXXXX", temporary ? temporary : "/tmp");
    CHECK(mkdtemp(folder), "%s", folder);
    attack(FC_KIND_FILE, "a file", folder, points, &seed);
    attack(FC_KIND_SHM, "shared memory", folder, points, &seed);
    CHECK(rmdir(folder) == 0, "%s", folder);
    return TESTS_DONE();
}
