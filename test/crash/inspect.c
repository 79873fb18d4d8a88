/* SPDX-License-Identifier: MIT
 *
 * inspect.c attaches to the shared-memory segment NAME, verifies it, and prints one line:
 *
 *   ok entries N takeovers N evictions N processes N
 *
 * or the first broken invariant, with exit code 1.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fastcache.h"

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    const fc_options options = {
        .struct_size = sizeof options, .kind = FC_KIND_SHM, .lock_wait_ms = 30000};
    fc_report report;
    int32_t status = fc_open(&options, argv[1], (uint32_t)strlen(argv[1]), &report);
    const uint32_t handle = report.handle;
    fc_stats_fields stats = {0};
    if (status == FC_OK) status = fc_verify(handle, &report);
    if (status == FC_OK) status = fc_stats(handle, &stats);
    if (status != FC_OK) {
        printf("%s: %s\n", fc_status_text(status), report.message);
        return 1;
    }
    printf("ok entries %" PRIu64 " takeovers %" PRIu64 " evictions %" PRIu64 " processes %" PRIu64
           "\n",
           stats.entries, stats.takeovers, stats.evictions, stats.processes);
    return fc_close(handle) == FC_OK ? 0 : 1;
}
