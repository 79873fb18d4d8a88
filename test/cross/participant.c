/* SPDX-License-Identifier: MIT
 *
 * participant.c: a process under a test's command that uses the C interface. It is linked with musl, so that the tests
 * have two C libraries in one segment. Commands, one a line; each is answered with one line, "ok ...", "miss" or
 * "error STATUS ...":
 *
 *   open NAME SIZE      creates or attaches the shared-memory segment; "ok created" or "ok attached"
 *   set KEY VALUE       stores a string
 *   get KEY             "ok VALUE"
 *   increment KEY       "ok SUM"
 *   forever PREFIX      "ok", then sets for ever
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fastcache.h"

#define LINE_LEN_MAX 4096
#define KEYS_FOREVER 512

static uint32_t handle;

static void answer_status(int32_t status, const char *message) {
    if (status == FC_MISS)
        puts("miss");
    else if (status < 0)
        printf("error %d %s\n", status, message);
    else
        puts("ok");
}

static void do_open(const char *name, const char *size) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_SHM,
                          .create = FC_CREATE_OR_ATTACH,
                          .size_bytes = strtoull(size, NULL, 10)};
    fc_report report;
    int32_t status = fc_open(&options, name, (uint32_t)strlen(name), &report);
    if (status != FC_OK) {
        answer_status(status, report.message);
        return;
    }
    handle = report.handle;
    puts(report.created ? "ok created" : "ok attached");
}

static int32_t set(const char *key, const char *value) {
    return fc_set(handle, key, (uint32_t)strlen(key), value, (uint32_t)strlen(value), FC_TYPE_UTF8,
                  FC_SET, 0, 0);
}

static void do_get(const char *key) {
    char value[LINE_LEN_MAX];
    int32_t length = fc_get(handle, key, (uint32_t)strlen(key), value, sizeof value, 0, NULL);
    if (length < 0)
        answer_status(length, fc_status_text(length));
    else
        printf("ok %.*s\n", (int)length, value);
}

static void do_increment(const char *key) {
    double sum;
    int32_t status = fc_increment(handle, key, (uint32_t)strlen(key), 1, 0, 0, &sum);
    if (status < 0)
        answer_status(status, fc_status_text(status));
    else
        printf("ok %.0f\n", sum);
}

static void do_forever(const char *prefix) {
    char key[LINE_LEN_MAX];
    char value[LINE_LEN_MAX];
    puts("ok");
    fflush(stdout);
    for (uint32_t i = 0;; i++) {
        snprintf(key, sizeof key, "%.200s%u", prefix, i % KEYS_FOREVER);
        snprintf(value, sizeof value, "value %u %*s", i, (int)(i % 700), "x");
        int32_t status = set(key, value);
        if (status < 0) {
            fprintf(stderr, "participant: %s\n", fc_status_text(status));
            exit(1);
        }
    }
}

int main(void) {
    char line[LINE_LEN_MAX];
    while (fgets(line, sizeof line, stdin)) {
        const char *command = strtok(line, " \n");
        const char *first = strtok(NULL, " \n");
        const char *rest = strtok(NULL, "\n");
        if (!command || !first) {
            puts("error 0 a command and an argument are needed");
        } else if (!strcmp(command, "open") && rest) {
            do_open(first, rest);
        } else if (!strcmp(command, "set") && rest) {
            int32_t status = set(first, rest);
            answer_status(status, fc_status_text(status));
        } else if (!strcmp(command, "get")) {
            do_get(first);
        } else if (!strcmp(command, "increment")) {
            do_increment(first);
        } else if (!strcmp(command, "forever")) {
            do_forever(first);
        } else {
            printf("error 0 unknown command %s\n", command);
        }
        fflush(stdout);
    }
    if (handle) fc_close(handle);
    return 0;
}
