/* SPDX-License-Identifier: MIT
 *
 * A C program in the same cache as the JavaScript ones: counts its runs under the key "visits", and prints the
 * text under "greeting" if another program has set one.
 *
 *   cc -Icore/include examples/c/visits.c -o visits \
 *     -Ldist/native/linux-x64-gnu -lfastcache -Wl,-rpath,"$PWD/dist/native/linux-x64-gnu"
 *   ./visits example-visits
 *
 * Without the rpath the program would look for the library in the system's folders only.
 */
#include <stdio.h>
#include <string.h>

#include "fastcache.h"

#define SEGMENT_BYTES (4u << 20)

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s SEGMENT\n", argv[0]);
        return 2;
    }
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_SHM,
                          .create = FC_CREATE_OR_ATTACH,
                          .size_bytes = SEGMENT_BYTES};
    fc_report report;
    if (fc_open(&options, argv[1], (uint32_t)strlen(argv[1]), &report) != FC_OK) {
        fprintf(stderr, "%s\n", report.message);
        return 1;
    }

    double visits;
    int32_t status = fc_increment(report.handle, "visits", 6, 1, 0, 0, &visits);
    if (status != FC_OK) {
        fprintf(stderr, "visits: %s\n", fc_status_text(status));
        return 1;
    }
    char greeting[256];
    int32_t length = fc_get(report.handle, "greeting", 8, greeting, sizeof greeting, 0, NULL);
    printf("visit %.0f: %.*s\n", visits, length < 0 ? 11 : (int)length,
           length < 0 ? "no greeting" : greeting);
    fc_close(report.handle);
    return 0;
}
