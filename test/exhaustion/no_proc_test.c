/* SPDX-License-Identifier: MIT
 *
 * no_proc_test.c: a system without /proc, as in a bare chroot: which boot this is cannot be known, and
 * no descriptor can be opened again for others to inherit. Everything else works; a file goes on from
 * the calendar, as after a boot, and its content stays if its last user closed it.
 */
#include "exhaustion.h"

#include <sched.h>

#include "cache.h"
#include "handle.h"
#include "os/os.h"

/* The folder becomes this process's whole file system; false where the system forbids it. */
static bool shut_in(void) {
    return (chroot(folder) == 0 || (unshare(CLONE_NEWUSER) == 0 && chroot(folder) == 0)) &&
           chdir("/") == 0;
}

static void without_proc(void) {
    const uid_t user = geteuid();
    if (!shut_in()) SKIP("this system forbids chroot");
    if (geteuid() != user) SKIP("this system maps no users");
    CHECK(os_boot_id() == 0, "the boot is known");
    uint32_t handle = opened(open_file("/segment", 1 << 20));
    fc_info_fields info;
    CHECK_STATUS(FC_OK, fc_info(handle, &info));
    CHECK(info.fd == FC_FD_NONE, "descriptor %" PRIu64, info.fd);
    set_text(handle, "key", "value");
    const uint64_t base_ms = handle_get(handle)->clock_base_ms;
    CHECK_STATUS(FC_OK, fc_close(handle));
    superblock block;
    int fd = open("/segment", O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && pread(fd, &block, sizeof block, 0) == sizeof block, "read");
    CHECK(block.boot_id == 0, "boot %" PRIx64, block.boot_id);
    block.boot_id = 77;
    CHECK(pwrite(fd, &block, sizeof block, 0) == sizeof block, "write");
    close(fd);
    handle = opened(open_file("/segment", 0));
    const uint64_t moved_ms = handle_get(handle)->clock_base_ms - base_ms;
    CHECK(moved_ms < 60000, "time has moved by %" PRIu64 " ms", moved_ms);
    has_text(handle, "key", "value");
    verify(handle);
    fails(open_kind(FC_KIND_FD, FC_ATTACH, NULL, 0), FC_NOT_FOUND, "the inherited descriptor");
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void a_system_without_proc(void) { succeeds_in_child(without_proc); }

int main(void) {
    folder_make();
    TEST(a_system_without_proc);
    folder_remove();
    return TESTS_DONE();
}
