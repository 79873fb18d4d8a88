/* SPDX-License-Identifier: MIT
 *
 * random.c: random bytes by getrandom (Linux 3.17), which needs no file and no descriptor.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../os.h"

bool os_random(void *to, size_t len) {
    for (size_t done = 0; done < len;) {
        long got = syscall(SYS_getrandom, (char *)to + done, len - done, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        done += (size_t)got;
    }
    return true;
}
