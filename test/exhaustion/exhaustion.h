/* SPDX-License-Identifier: MIT
 *
 * exhaustion.h owns what the tests of shortages share: a folder of their own, children in which
 * limits may be lowered, opening by path, and skipping with a reason.
 */
#ifndef FC_TEST_EXHAUSTION_H
#define FC_TEST_EXHAUSTION_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#define SKIP(...)              \
    do {                       \
        printf("# skipped: "); \
        printf(__VA_ARGS__);   \
        printf("\n");          \
        return;                \
    } while (0)

static char folder[256];

/* Everything in it is removed with it: the tests make nothing but files there. */
static inline void folder_remove(void) {
    char command[300];
    snprintf(command, sizeof command, "rm -rf -- '%s'", folder);
    CHECK(system(command) == 0, "cannot remove %s", folder);
}

static inline void folder_make(void) {
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/fastcache-test-XXXXXX", base ? base : "/tmp");
    CHECK(mkdtemp(folder), "cannot make %s", folder);
}

/* The path of a file in the folder; good until the next call but three. */
static inline const char *path_of(const char *name) {
    static char paths[4][300];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline bool exists(const char *path) {
    struct stat s;
    return lstat(path, &s) == 0;
}

/* Runs a function in a child and gives its wait status. */
static inline int in_child(void (*run)(void)) {
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0, "cannot fork");
    if (child == 0) {
        run();
        fflush(stdout);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child, "lost the child");
    return status;
}

static inline void succeeds_in_child(void (*run)(void)) {
    int status = in_child(run);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %x", status);
}

static inline fc_report open_kind(fc_kind kind, fc_create create, const char *name, uint64_t size) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = kind,
                          .create = create,
                          .size_bytes = size,
                          .shards = size ? 1 : 0};
    fc_report report;
    int32_t status = fc_open(&options, name, name ? (uint32_t)strlen(name) : 0, &report);
    CHECK(status == report.status, "status %d, in the report %d", status, report.status);
    return report;
}

static inline fc_report open_file(const char *path, uint64_t size) {
    return open_kind(FC_KIND_FILE, FC_CREATE_OR_ATTACH, path, size);
}

/* The status, and a message that contains `words`. */
static inline void fails(fc_report report, int32_t status, const char *words) {
    CHECK(report.status == status && report.handle == 0, "status %d: %s", report.status,
          report.message);
    CHECK(strstr(report.message, words), "\"%s\" does not say \"%s\"", report.message, words);
}

static inline uint32_t opened(fc_report report) {
    CHECK(report.status == FC_OK, "status %d: %s", report.status, report.message);
    return report.handle;
}

static inline void set_text(uint32_t handle, const char *key, const char *text) {
    CHECK_STATUS(FC_OK, fc_set(handle, key, (uint32_t)strlen(key), text, (uint32_t)strlen(text),
                               FC_TYPE_ASCII, FC_SET, 0, 0));
}

static inline void has_text(uint32_t handle, const char *key, const char *text) {
    char value[256];
    int32_t len = fc_get(handle, key, (uint32_t)strlen(key), value, sizeof value, 0, NULL);
    CHECK(len == (int32_t)strlen(text) && memcmp(value, text, strlen(text)) == 0,
          "%s is %d long, not \"%s\"", key, len, text);
}

#endif
