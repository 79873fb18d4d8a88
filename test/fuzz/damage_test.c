/* SPDX-License-Identifier: MIT
 *
 * damage_test.c: any byte of a segment may be wrong (contract S3). An input is a program of steps
 * on a small valid segment: changes to its bytes, and operations of all kinds. Whatever it says,
 * every operation ends, with a status that makes sense, and touches nothing outside the mapping.
 *
 * The same file is the target of libFuzzer (test/fuzz/run.sh) and, without it, the program that
 * replays the corpus which libFuzzer found, an `ar` archive.
 */
#include "image.h"

#include <math.h>

#include "hash.h"

#define STEPS_MAX 48
#define PAGES_MAX 64 /* of an iteration */
#define VALUE_MAX (1u << 18)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t value[VALUE_MAX], batch[1u << 16], page[FC_ITERATE_CAPACITY_MIN];

/* ------------------------------------------------------------------- input */

typedef struct input {
    const uint8_t *at, *end;
} input;

static uint64_t take(input *in, uint32_t bytes) {
    uint64_t number = 0;
    for (uint32_t i = 0; i < bytes && in->at < in->end; i++)
        number |= (uint64_t)*in->at++ << (8 * i);
    return number;
}

static uint32_t take_below(input *in, uint32_t limit) {
    return (uint32_t)take(in, limit > 256 ? 4 : 1) % limit;
}

static uint32_t take_len(input *in) {
    switch (take_below(in, 4)) {
    case 0:
        return (uint32_t)take(in, 1);
    case 1:
        return (uint32_t)take(in, 2) % 6000;
    case 2:
        return (uint32_t)take(in, 2) * 4 % VALUE_MAX;
    default:
        return 8;
    }
}

static double take_ttl(input *in) {
    uint32_t kind = take_below(in, 4);
    if (kind < 2) return kind == 0 ? 0 : FC_TTL_MS_MAX;
    const double ttl_ms = (double)take(in, 2);
    return ttl_ms < 65000 ? ttl_ms : -1;
}

/* ------------------------------------------------------------------ damage */

/* An offset in the segment, of a kind of place that means something. */
static uint64_t place(const cache *c, input *in) {
    const geometry *g = &c->geometry;
    const shard s = shard_at(c, take_below(in, g->shards));
    const uint32_t kind = take_below(in, 10);
    const uint32_t number = (uint32_t)take(in, 2);
    const uint8_t *at = c->base;
    uint8_t key[FC_KEY_LEN_MAX];
    found entry;
    switch (kind) {
    case 0:
        at += number % g->shards_offset;
        break;
    case 1:
        at = (const uint8_t *)s.header + number % sizeof(shard_header);
        break;
    case 2:
        at = (const uint8_t *)s.stash + number % (STASH_WORDS * 8);
        break;
    case 3:
        at = (const uint8_t *)&s.lives[number % g->extents];
        break;
    case 4:
        at = (const uint8_t *)s.states + number % (g->extents * sizeof(extent_state));
        break;
    case 5:
        at = (const uint8_t *)&s.lives[number % g->extents].epoch;
        break;
    case 6: {
        uint32_t buckets = index_size(&s);
        if (!buckets) break;
        const bucket *b = index_bucket(&s, number / BUCKET_WORDS % buckets);
        at = (const uint8_t *)&b->words[number % BUCKET_WORDS];
        break;
    }
    case 7:
    case 8: {
        const uint32_t key_len = image_key(number % IMAGE_KEYS, key);
        const uint64_t hash = fc_hash(key, key_len, c->hash_seed);
        const shard own = shard_of(c, hash);
        if (!index_find(&own, hash, key, key_len, &entry)) break;
        if (kind == 7)
            at = entry.record.at + take(in, 1) % entry.record.size;
        else if (entry.record.chunks)
            at = (const uint8_t *)&entry.record.locations[take(in, 1) % entry.record.chunks];
        break;
    }
    default:
        at += (uint32_t)(number << 8 | take(in, 1)) % IMAGE_BYTES;
    }
    return (uint64_t)(at - c->base);
}

/* A number that code may stumble over. */
static uint64_t odd_number(const cache *c, input *in, uint64_t present) {
    const geometry *g = &c->geometry;
    const uint64_t numbers[] = {0,
                                UINT64_MAX,
                                UINT32_MAX,
                                g->extents,
                                g->extents - 1,
                                g->extent_bytes,
                                g->extent_bytes - 8,
                                g->shard_data_bytes,
                                g->shard_data_bytes / 8 - 1,
                                g->buckets_max,
                                g->value_len_max,
                                c->owner,
                                STATE_CREATING,
                                present + 1,
                                present - 1,
                                present + g->extent_bytes,
                                present << 1,
                                ~present};
    return numbers[take_below(in, sizeof numbers / sizeof numbers[0])];
}

static void damage(cache *c, input *in) {
    uint64_t at = place(c, in);
    const uint32_t kind = take_below(in, 4);
    uint32_t bytes = 1u << take_below(in, 4);
    if (at + bytes > IMAGE_BYTES) at = IMAGE_BYTES - bytes;
    uint64_t new = 0;
    memcpy(&new, c->base + at, bytes);
    if (kind == 0) new = odd_number(c, in, new);
    if (kind == 1) new = take(in, bytes);
    if (kind == 2) new ^= 1ull << take_below(in, 64);
    if (kind == 3) {
        uint64_t from = place(c, in);
        memcpy(&new, c->base + (from + bytes > IMAGE_BYTES ? IMAGE_BYTES - bytes : from), bytes);
    }
    memcpy(c->base + at, &new, bytes);
}

/* A superblock that is sound, but not this segment's; or this one's, damaged and sealed again. */
static void reseal(cache *c, input *in) {
    superblock *block = cache_superblock(c);
    const uint32_t shards = 1u << take_below(in, 3);
    if (shards <= 2) {
        geometry other;
        fc_report report;
        const uint64_t cap = take_below(in, 2) ? take(in, 8) : 0;
        const fc_options options = {.eviction = 1 + take_below(in, 2)};
        if (geometry_resolve(IMAGE_BYTES, shards, 0, cap, &other, &report) == FC_OK)
            superblock_write(block, &options, &other, c->hash_seed);
        return;
    }
    superblock fixed = *block;
    fixed.state = 0;
    block->checksum = fc_hash(&fixed, offsetof(superblock, checksum), LAYOUT_MAGIC);
}

/* -------------------------------------------------------------- operations */

static uint32_t some_key(input *in, uint8_t key[FC_KEY_LEN_MAX]) {
    return image_key((uint32_t)take(in, 1), key);
}

static void check_write(int32_t status) {
    CHECK(status == FC_OK || status == FC_MISS || status == FC_BUSY || status == FC_CORRUPT ||
              status == FC_VALUE_TOO_LARGE || status == FC_INVALID_ARGUMENT,
          "status %d", status);
}

static void get(const cache *c, uint32_t handle, input *in) {
    uint8_t key[FC_KEY_LEN_MAX];
    const uint32_t key_len = some_key(in, key);
    const uint32_t capacity = take_below(in, 4) ? VALUE_MAX : take_len(in);
    fc_item item;
    double ttl_ms = 0;
    int32_t got = fc_get(handle, key, key_len, value, capacity, take_below(in, 2), &item);
    CHECK(got == FC_MISS || got == FC_BUFFER_TOO_SMALL || (got >= 0 && (uint32_t)got <= capacity),
          "got %d", got);
    if (got != FC_MISS)
        CHECK(item.value_len <= c->geometry.value_len_max, "length %u", item.value_len);
    if (got >= 0) CHECK((uint32_t)got == item.value_len, "got %d of %u", got, item.value_len);
    if (got == FC_BUFFER_TOO_SMALL) CHECK(item.value_len > capacity, "%u fit", item.value_len);
    check_write(fc_has(handle, key, key_len));
    if (fc_ttl(handle, key, key_len, &ttl_ms) == FC_OK) CHECK(ttl_ms >= 0, "ttl %f", ttl_ms);
}

static void set(uint32_t handle, input *in) {
    uint8_t key[FC_KEY_LEN_MAX];
    const uint32_t key_len = some_key(in, key);
    const uint32_t len = take_len(in);
    const uint32_t choice = take_below(in, 8), mode = choice % 4;
    check_write(fc_set(handle, key, key_len, value, len, FC_TYPE_BYTES,
                       choice < 4 ? mode : mode | FC_KEEP_TTL, take_ttl(in),
                       mode == FC_SET_IF_VERSION ? (double)take(in, 2) : 0));
}

/* Packs `count` keys, or entries of one length; returns the bytes used. */
static uint32_t pack(input *in, uint32_t count, bool entries) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t key[FC_KEY_LEN_MAX];
        const uint32_t key_len = some_key(in, key);
        const uint32_t header = entries ? 24 : 4;
        const uint32_t value_len = entries ? 100 * i : 0;
        memset(batch + at, 0, header);
        memcpy(batch + at, &key_len, 4);
        if (entries) memcpy(batch + at + 4, &value_len, 4);
        memcpy(batch + at + header, key, key_len);
        at += (uint32_t)round_up(header + key_len + value_len, entries ? 8 : 4);
    }
    return at;
}

static void batches(uint32_t handle, input *in) {
    const uint32_t kind = take_below(in, 3);
    const uint32_t count = take_below(in, 20);
    const uint32_t len = pack(in, count, kind == 1);
    uint32_t done = 0, removed = 0;
    if (kind == 0) {
        const uint32_t capacity = take_below(in, 2) ? VALUE_MAX : take_len(in);
        int32_t answered = fc_get_many(handle, batch, len, count, value, capacity, 0);
        CHECK(answered == FC_BUFFER_TOO_SMALL || (answered >= 0 && (uint32_t)answered <= count),
              "answered %d", answered);
    } else if (kind == 1) {
        check_write(fc_set_many(handle, batch, len, count, &done));
    } else {
        check_write(fc_delete_many(handle, batch, len, count, &done, &removed));
    }
    CHECK(done <= count && removed <= done, "%u done, %u removed", done, removed);
}

static void iterate(uint32_t handle) {
    fc_cursor cursor = {{0}};
    for (int i = 0; i < PAGES_MAX; i++) {
        const fc_cursor before = cursor;
        uint32_t used = 0;
        int32_t keys = fc_iterate(handle, &cursor, page, sizeof page, &used);
        if (keys == FC_MISS) return;
        CHECK(keys >= 0 && used <= sizeof page, "%d keys in %u bytes", keys, used);
        CHECK(memcmp(&before, &cursor, sizeof cursor) != 0, "the iteration stands still");
        uint32_t at = 0;
        for (int32_t k = 0; k < keys; k++) {
            uint32_t len;
            memcpy(&len, page + at, 4);
            CHECK(len >= 1 && len <= FC_KEY_LEN_MAX, "a key of %u bytes", len);
            at += (uint32_t)round_up(4 + len, 4);
        }
        CHECK(at == used, "%u bytes of %u", at, used);
    }
}

static void change(uint32_t handle, input *in) {
    uint8_t key[FC_KEY_LEN_MAX];
    const uint32_t key_len = some_key(in, key);
    double sum = 0;
    switch (take_below(in, 3)) {
    case 0:
        check_write(fc_delete(handle, key, key_len));
        break;
    case 1:
        check_write(fc_increment(handle, key, key_len, 1, 5, take_ttl(in), &sum));
        break;
    default:
        check_write(fc_touch(handle, key, key_len, take_ttl(in)));
    }
}

static void look(uint32_t handle, input *in) {
    fc_report report;
    fc_stats_fields stats;
    fc_info_fields info;
    double entries = 0;
    switch (take_below(in, 4)) {
    case 0:
        check_write(fc_verify(handle, &report));
        break;
    case 1:
        CHECK_STATUS(FC_OK, fc_stats(handle, &stats));
        break;
    case 2:
        CHECK_STATUS(FC_OK, fc_size(handle, &entries));
        break;
    default:
        CHECK_STATUS(FC_OK, fc_info(handle, &info));
    }
}

static void step(cache *c, uint32_t handle, input *in);

/* A second handle, which believes the superblock as it is now. */
static void attach(cache *c, input *in) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_FD,
                          .fd = c->fd,
                          .create = FC_ATTACH,
                          .lock_wait_ms = 1};
    fc_report report;
    int32_t status = fc_open(&options, NULL, 0, &report);
    if (status != FC_OK) {
        CHECK(report.message_len > 0, "status %d without a word", status);
        return;
    }
    cache *other = (cache *)handle_get(report.handle);
    image_guard(other);
    uint8_t *base = other->base;
    const uint64_t size = other->geometry.size_bytes;
    for (int i = 0; i < STEPS_MAX / 4 && in->at < in->end && *in->at != 0xff; i++)
        step(other, report.handle, in);
    CHECK_STATUS(FC_OK, fc_close(report.handle));
    image_unguard(base, size);
}

static void step(cache *c, uint32_t handle, input *in) {
    switch (take_below(in, 13)) {
    case 0:
    case 1:
    case 2:
        damage(c, in);
        break;
    case 3:
        reseal(c, in);
        break;
    case 4:
    case 5:
        get(c, handle, in);
        break;
    case 6:
    case 7:
        set(handle, in);
        break;
    case 8:
        change(handle, in);
        break;
    case 9:
        batches(handle, in);
        break;
    case 10:
        iterate(handle);
        break;
    case 11:
        look(handle, in);
        break;
    default:
        if (take_below(in, 8) == 0)
            check_write(fc_clear(handle));
        else
            c->clock_base_ms += take(in, 2) * 4;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static image images[2];
    if (!images[0].cache) {
        images[0] = image_make(1, FC_EVICTION_LRU);
        images[1] = image_make(2, FC_EVICTION_S3FIFO);
    }
    input in = {data, data + size};
    const uint32_t kind = (uint32_t)take(&in, 1);
    image *i = &images[kind & 1];
    bool attached = false;
    for (int steps = 0; steps < STEPS_MAX && in.at < in.end; steps++) {
        if (!attached && kind & 2 && steps == (int)(kind >> 2) % 16) {
            attached = true;
            attach(i->cache, &in);
        } else {
            step(i->cache, i->handle, &in);
        }
    }
    image_restore(i);
    return 0;
}

#if defined(FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION)

/* With -Wl,--wrap=os_wait: an owner that damage invented is not worth sleeping for. */
void __wrap_os_wait(uint32_t *word, uint32_t expected, uint32_t wait_us);
void __wrap_os_wait(uint32_t *word, uint32_t expected, uint32_t wait_us) {
    (void)word;
    (void)expected;
    (void)wait_us;
}

#else

#define ARCHIVE_MAGIC "!<arch>\n"
#define MEMBER_HEADER 60
#define MEMBER_SIZE_AT 48

static const char *corpus = "test/fuzz/damage.corpus";

static void inputs_of_the_corpus(void) {
    static uint8_t archive[1u << 20];
    FILE *file = fopen(corpus, "rb");
    CHECK(file, "cannot open %s: run this from the repository's root", corpus);
    const size_t len = fread(archive, 1, sizeof archive, file);
    fclose(file);
    CHECK(len >= 8 && memcmp(archive, ARCHIVE_MAGIC, 8) == 0, "%s is no archive", corpus);
    unsigned count = 0;
    for (size_t at = 8; at + MEMBER_HEADER <= len;) {
        const char *header = (const char *)archive + at;
        const size_t size = (size_t)strtoul(header + MEMBER_SIZE_AT, NULL, 10);
        at += MEMBER_HEADER;
        CHECK(at + size <= len, "%s is cut off", corpus);
        if (memcmp(header, "//", 2) != 0) {
            LLVMFuzzerTestOneInput(archive + at, size);
            count++;
        }
        at += size + (size & 1);
    }
    CHECK(count > 100, "only %u inputs", count);
    printf("# %u inputs\n", count);
}

int main(int argc, char **argv) {
    if (argc > 1) corpus = argv[1];
    TEST(inputs_of_the_corpus);
    return TESTS_DONE();
}

#endif
