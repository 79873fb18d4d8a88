/* SPDX-License-Identifier: MIT
 *
 * files_test.c: something else lies where a segment should be, or it is not ours to open
 * (contract S5). The answer is a status that says what is in the way, and nothing is changed.
 */
#include "exhaustion.h"

static void a_directory(void) {
    const char *path = path_of("directory");
    CHECK(mkdir(path, 0700) == 0, "mkdir");
    fails(open_file(path, 1 << 20), FC_INVALID_ARGUMENT, "directory");
    fails(open_kind(FC_KIND_FILE, FC_ATTACH, path, 0), FC_INVALID_ARGUMENT, "directory");
    CHECK(rmdir(path) == 0, "the directory is gone");
}

static void a_symbolic_link(void) {
    const char *target = path_of("target"), *link = path_of("link");
    CHECK_STATUS(FC_OK, fc_close(opened(open_file(target, 1 << 20))));
    CHECK(symlink(target, link) == 0, "symlink");
    fails(open_file(link, 1 << 20), FC_INVALID_ARGUMENT, "symbolic link");
    fc_report report;
    CHECK_STATUS(FC_INVALID_ARGUMENT,
                 fc_destroy(FC_KIND_FILE, link, (uint32_t)strlen(link), &report));
    CHECK(exists(link) && exists(target), "the link or its target is gone");
    /* Nor does a link to nowhere make a file there. */
    const char *nowhere = path_of("nowhere"), *dangling = path_of("dangling");
    CHECK(symlink(nowhere, dangling) == 0, "symlink");
    fails(open_file(dangling, 1 << 20), FC_INVALID_ARGUMENT, "symbolic link");
    CHECK(!exists(nowhere), "the link was followed");
}

static void a_fifo(void) {
    const char *path = path_of("fifo");
    CHECK(mkfifo(path, 0600) == 0, "mkfifo");
    fails(open_file(path, 1 << 20), FC_INVALID_ARGUMENT, "not a regular file");
    fails(open_kind(FC_KIND_FILE, FC_ATTACH, path, 0), FC_INVALID_ARGUMENT, "not a regular file");
}

static void a_device(void) {
    fc_report report = open_kind(FC_KIND_FILE, FC_ATTACH, "/dev/null", 0);
    CHECK(report.status == FC_INVALID_ARGUMENT || report.status == FC_PERMISSION, "%s",
          report.message);
}

static void somebody_elses_bytes(void) {
    const char *path = path_of("letter");
    FILE *file = fopen(path, "w");
    CHECK(file && fputs("Dear Ann, this is no cache.", file) >= 0, "fopen");
    fclose(file);
    CHECK(chmod(path, 0600) == 0, "chmod");
    fails(open_file(path, 1 << 20), FC_CORRUPT, "27 bytes of something else");
    fc_report report;
    CHECK_STATUS(FC_CORRUPT, fc_destroy(FC_KIND_FILE, path, (uint32_t)strlen(path), &report));
    struct stat s;
    CHECK(stat(path, &s) == 0 && s.st_size == 27, "the letter was changed");
}

static void open_to_others(void) {
    const char *path = path_of("shared");
    CHECK_STATUS(FC_OK, fc_close(opened(open_file(path, 1 << 20))));
    struct stat s;
    CHECK(stat(path, &s) == 0 && (s.st_mode & 0777) == 0600, "mode %o", s.st_mode);
    CHECK(chmod(path, 0660) == 0, "chmod");
    fails(open_file(path, 0), FC_PERMISSION, "0600");
    CHECK(chmod(path, 0600) == 0, "chmod");
    CHECK_STATUS(FC_OK, fc_close(opened(open_file(path, 0))));
}

static void become_nobody(void) { CHECK(setgid(65534) == 0 && setuid(65534) == 0, "setuid"); }

static void open_read_only(void) {
    if (geteuid() == 0) become_nobody();
    fails(open_file(path_of("public/read-only"), 0), FC_PERMISSION, "read and write");
    fails(open_kind(FC_KIND_FILE, FC_ATTACH, path_of("public/read-only"), 0), FC_PERMISSION,
          "read and write");
}

static void a_read_only_file(void) {
    CHECK(mkdir(path_of("public"), 0755) == 0 && chmod(folder, 0755) == 0, "mkdir");
    const char *path = path_of("public/read-only");
    uint32_t handle = opened(open_file(path, 1 << 20));
    set_text(handle, "key", "value");
    CHECK_STATUS(FC_OK, fc_close(handle));
    if (geteuid() == 0) CHECK(chown(path, 65534, 65534) == 0, "chown");
    CHECK(chmod(path, 0400) == 0, "chmod");
    succeeds_in_child(open_read_only);
}

static void open_anothers(void) {
    become_nobody();
    fails(open_file(path_of("public/mine"), 0), FC_PERMISSION, "cannot open");
    fc_report report;
    const char *path = path_of("public/mine");
    CHECK_STATUS(FC_PERMISSION, fc_destroy(FC_KIND_FILE, path, (uint32_t)strlen(path), &report));
}

/* Also when the mode would let us. */
static void open_anothers_as_superuser(void) {
    fails(open_file(path_of("public/theirs"), 0), FC_PERMISSION, "another user");
}

static void somebody_elses_segment(void) {
    if (geteuid() != 0) SKIP("only the superuser can be two users");
    uint32_t handle = opened(open_file(path_of("public/mine"), 1 << 20));
    set_text(handle, "key", "value");
    succeeds_in_child(open_anothers);
    has_text(handle, "key", "value");
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK_STATUS(FC_OK, fc_close(opened(open_file(path_of("public/theirs"), 1 << 20))));
    CHECK(chown(path_of("public/theirs"), 65534, 65534) == 0, "chown");
    open_anothers_as_superuser();
}

static void names_that_lead_elsewhere(void) {
    const char *names[] = {"../escape", "a/b", "", "a b", "caf\xc3\xa9"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        fc_report report = open_kind(FC_KIND_SHM, FC_CREATE_OR_ATTACH, names[i], 1 << 20);
        CHECK(report.status == FC_INVALID_ARGUMENT, "\"%s\": %s", names[i], report.message);
    }
    char longest[FC_NAME_LEN_MAX + 2];
    memset(longest, 'n', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    fails(open_kind(FC_KIND_SHM, FC_CREATE_OR_ATTACH, longest, 1 << 20), FC_INVALID_ARGUMENT,
          "200");
}

int main(void) {
    folder_make();
    TEST(a_directory);
    TEST(a_symbolic_link);
    TEST(a_fifo);
    TEST(a_device);
    TEST(somebody_elses_bytes);
    TEST(open_to_others);
    TEST(a_read_only_file);
    TEST(somebody_elses_segment);
    TEST(names_that_lead_elsewhere);
    folder_remove();
    return TESTS_DONE();
}
