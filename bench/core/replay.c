/* SPDX-License-Identifier: MIT
 *
 * replay.c replays a trace through the real cache, as a read-through lookup of each key: a hit, or
 * a miss that stores it. Every object counts 1. The hash seed is fixed, and with it the ratio.
 *
 *   replay <capacity in objects> <lru or s3-fifo>     lines "key size" on the standard input
 *
 * Prints one JSON object: the hit ratio in percent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fastcache.h"
#include "fixed_seed.h"

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: replay <capacity> <lru or s3-fifo>\n");
        return 2;
    }
    const uint32_t eviction =
        strcmp(argv[2], "s3-fifo") == 0 ? FC_EVICTION_S3FIFO : FC_EVICTION_LRU;
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_PRIVATE,
                          .create = FC_CREATE_OR_ATTACH,
                          .eviction = eviction,
                          .size_bytes = 64u << 20,
                          .max_entries = strtoull(argv[1], NULL, 10)};
    fc_report report;
    if (fc_open(&options, NULL, 0, &report) != FC_OK) {
        fprintf(stderr, "%s\n", report.message);
        return 1;
    }
    seed_fix(report.handle, FIXED_SEED);
    unsigned long long key, size, requests = 0, hits = 0;
    uint64_t value;
    while (scanf("%llu %llu", &key, &size) == 2) {
        requests++;
        if (fc_get(report.handle, &key, sizeof key, &value, sizeof value, 0, NULL) >= 0) {
            hits++;
        } else if (fc_set(report.handle, &key, sizeof key, &key, sizeof key, FC_TYPE_BYTES, FC_SET,
                          0, 0) != FC_OK) {
            fprintf(stderr, "a set failed\n");
            return 1;
        }
    }
    printf("{\"requests\": %llu, \"hitRatio\": %.2f}\n", requests,
           requests ? 100.0 * (double)hits / (double)requests : 0);
    fc_close(report.handle);
    return 0;
}
