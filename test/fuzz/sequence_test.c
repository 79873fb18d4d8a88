/* SPDX-License-Identifier: MIT
 *
 * sequence_test.c: an input is a sequence of operations through three handles on one segment,
 * beside a model that knows every value, version and deadline. The segment has room, so each
 * answer is determined (contract R2, W3, E3).
 *
 * The same file is the target of libFuzzer (test/fuzz/run.sh) and, without it, a program that
 * tries random inputs of fixed seeds.
 */
#include "image.h"

#include <math.h>

#define HANDLES 3
#define KEYS 32u
#define LEN_MAX 16000u /* all keys of this size fill half of the segment */
#define STEPS_MAX 400
/* The model's time runs in units so long that the machine's own time does not matter. */
#define TICK_MS 10000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct expected {
    bool present, number;
    uint32_t len;
    uint64_t seed;
    double sum;
    double version;    /* the last one seen */
    uint64_t deadline; /* in ticks; 0: none */
} expected;

typedef struct model {
    uint32_t handles[HANDLES];
    uint64_t ticks, seeds;
    expected entries[KEYS];
} model;

typedef struct input {
    const uint8_t *at, *end;
} input;

static model m;
static uint8_t wanted[LEN_MAX], got[LEN_MAX], batch[KEYS * 16], page[FC_ITERATE_CAPACITY_MIN];

static uint32_t take(input *in) { return in->at < in->end ? *in->at++ : 0; }

static uint32_t key_of(uint32_t number, uint8_t key[FC_KEY_LEN_MAX]) {
    return image_key(number == 7 ? 60 : number, key); /* one of the largest */
}

static bool alive(const expected *e) {
    return e->present && (e->deadline == 0 || e->deadline > m.ticks);
}

/* Times to live that stand for others than so many ticks. */
#define TTLS 8
#define TTL_INFINITE 6
#define TTL_PAST 7

static double ms_of(uint64_t ticks) { return (double)(ticks * TICK_MS); }
static double ttl_of(uint32_t ttl) {
    return ttl == TTL_PAST ? -1 : ttl == TTL_INFINITE ? INFINITY : ms_of(ttl);
}
static uint64_t deadline_in(uint32_t ttl) {
    return ttl == 0 || ttl == TTL_INFINITE ? 0 : m.ticks + ttl;
}

static void check_value(const expected *e, uint32_t number, const uint8_t *value, int32_t len) {
    CHECK(len == (int32_t)e->len, "key %u has %d bytes, not %u", number, len, e->len);
    if (e->number)
        CHECK(memcmp(value, &e->sum, 8) == 0, "key %u has another sum", number);
    else
        fill_value(wanted, e->len, e->seed);
    CHECK(e->number || memcmp(value, wanted, e->len) == 0, "key %u has another value", number);
}

static void get(uint32_t handle, uint32_t number) {
    uint8_t key[FC_KEY_LEN_MAX];
    const uint32_t key_len = key_of(number, key);
    expected *e = &m.entries[number];
    fc_item item;
    int32_t len = fc_get(handle, key, key_len, got, sizeof got, 0, &item);
    if (!alive(e)) {
        CHECK_STATUS(FC_MISS, len);
        CHECK_STATUS(FC_MISS, fc_has(handle, key, key_len));
        return;
    }
    check_value(e, number, got, len);
    CHECK(e->version == 0 || e->version == item.version, "key %u changed its version", number);
    e->version = item.version;
    const double left_ms = ms_of(e->deadline - m.ticks);
    if (e->deadline)
        CHECK(item.ttl_ms <= left_ms && item.ttl_ms > left_ms - TICK_MS, "key %u: %f of %f ms",
              number, item.ttl_ms, left_ms);
    else
        CHECK(item.ttl_ms > FC_TTL_MS_MAX, "key %u has a deadline", number);
}

/* The version after a change; it must be a new one. */
static void changed(uint32_t handle, uint32_t number) {
    const double before = m.entries[number].version;
    m.entries[number].version = 0;
    get(handle, number);
    CHECK(m.entries[number].version > before, "key %u kept its version", number);
}

static void set(uint32_t handle, uint32_t number, input *in) {
    uint8_t key[FC_KEY_LEN_MAX];
    const uint32_t key_len = key_of(number, key);
    expected *e = &m.entries[number];
    const uint32_t choice = take(in), ttl = take(in) % TTLS;
    const uint32_t len = choice & 1 ? take(in) : take(in) * 256 % LEN_MAX;
    const uint32_t mode = choice >> 1 & 3;
    const bool right = choice & 8, keeps = choice & 16;
    const double version = right ? e->version : e->version + 1;
    const bool there = alive(e);
    const bool stores = mode == FC_SET || (mode == FC_SET_IF_ABSENT && !there) ||
                        (mode == FC_SET_IF_PRESENT && there) ||
                        (mode == FC_SET_IF_VERSION && there && right && version > 0);
    const uint64_t seed = ++m.seeds;
    fill_value(wanted, len, seed);
    CHECK_STATUS(stores ? FC_OK : FC_MISS,
                 fc_set(handle, key, key_len, wanted, len, FC_TYPE_BYTES,
                        mode | (keeps ? FC_KEEP_TTL : 0), ttl_of(ttl), version));
    if (!stores) return;
    if (ttl == TTL_PAST && !(keeps && there)) {
        *e = (expected){0};
        get(handle, number);
        return;
    }
    const uint64_t deadline = keeps && there ? e->deadline : deadline_in(ttl);
    *e = (expected){true, false, len, seed, 0, there ? e->version : 0, deadline};
    changed(handle, number);
}

static void increment(uint32_t handle, uint32_t number, input *in) {
    uint8_t key[FC_KEY_LEN_MAX];
    const uint32_t key_len = key_of(number, key);
    expected *e = &m.entries[number];
    const uint32_t choice = take(in), by = choice & 127, ttl = take(in) % TTLS;
    const bool there = alive(e), if_present = choice & 128;
    double sum = 0;
    const int32_t status =
        there ? (e->number ? FC_OK : FC_INVALID_ARGUMENT) : (if_present ? FC_MISS : FC_OK);
    CHECK_STATUS(status, fc_increment(handle, key, key_len, by, if_present ? (double)NAN : 100,
                                      ttl_of(ttl), &sum));
    if (status != FC_OK) return;
    const double before = there ? e->sum : 100;
    CHECK(sum == before + by, "%f + %u = %f", before, by, sum);
    if (!there && ttl == TTL_PAST) {
        *e = (expected){0};
        get(handle, number);
        return;
    }
    *e = (expected){
        true, true, 8, 0, sum, there ? e->version : 0, there ? e->deadline : deadline_in(ttl)};
    changed(handle, number);
}

static void touch(uint32_t handle, uint32_t number, input *in) {
    uint8_t key[FC_KEY_LEN_MAX];
    const uint32_t ttl = take(in) % TTLS;
    expected *e = &m.entries[number];
    const bool there = alive(e);
    CHECK_STATUS(there ? FC_OK : FC_MISS, fc_touch(handle, key, key_of(number, key), ttl_of(ttl)));
    if (there && ttl == TTL_PAST)
        *e = (expected){0};
    else if (there)
        e->deadline = deadline_in(ttl);
}

static void delete(uint32_t handle, uint32_t number) {
    uint8_t key[FC_KEY_LEN_MAX];
    expected *e = &m.entries[number];
    CHECK_STATUS(alive(e) ? FC_OK : FC_MISS, fc_delete(handle, key, key_of(number, key)));
    *e = (expected){0};
}

/* All keys but the long one, which has no room in the batch. */
static void get_many(uint32_t handle) {
    static uint8_t answers[KEYS * (16 + LEN_MAX)];
    uint32_t at = 0, count = 0;
    for (uint32_t number = 8; number < KEYS; number++, count++) {
        uint8_t key[FC_KEY_LEN_MAX];
        const uint32_t key_len = key_of(number, key);
        memcpy(batch + at, &key_len, 4);
        memcpy(batch + at + 4, key, key_len);
        at += (uint32_t)round_up(4 + key_len, 4);
    }
    CHECK(fc_get_many(handle, batch, at, count, answers, sizeof answers, 0) == (int32_t)count,
          "not all are answered");
    const uint8_t *answer = answers;
    for (uint32_t number = 8; number < KEYS; number++) {
        int32_t len;
        memcpy(&len, answer, 4);
        if (alive(&m.entries[number]))
            check_value(&m.entries[number], number, answer + 16, len);
        else
            CHECK_STATUS(FC_MISS, len);
        answer += round_up(16 + (len > 0 ? (uint32_t)len : 0), 8);
    }
}

static uint32_t count_alive(void) {
    uint32_t count = 0;
    for (uint32_t number = 0; number < KEYS; number++) count += alive(&m.entries[number]);
    return count;
}

static void iterate(uint32_t handle) {
    fc_cursor cursor = {{0}};
    uint32_t used, seen = 0;
    int32_t keys;
    while ((keys = fc_iterate(handle, &cursor, page, sizeof page, &used)) >= 0)
        seen += (uint32_t)keys;
    CHECK_STATUS(FC_MISS, keys);
    CHECK(seen == count_alive(), "%u keys seen, %u are there", seen, count_alive());
    double entries;
    CHECK_STATUS(FC_OK, fc_size(handle, &entries));
    CHECK(entries == count_alive(), "%f entries, %u are there", entries, count_alive());
}

static void pass_time(uint32_t ticks) {
    m.ticks += ticks;
    for (int i = 0; i < HANDLES; i++)
        ((cache *)handle_get(m.handles[i]))->clock_base_ms += ticks * TICK_MS;
}

static void step(input *in) {
    const uint32_t what = take(in), who = take(in);
    const uint32_t handle = m.handles[what / 16 % HANDLES];
    const uint32_t number = who % KEYS;
    switch (what % 16) {
    case 0:
        delete(handle, number);
        break;
    case 1:
    case 2:
        increment(handle, number, in);
        break;
    case 3:
        touch(handle, number, in);
        break;
    case 4:
        pass_time(who % 4);
        break;
    case 5:
        get_many(handle);
        break;
    case 6:
        iterate(handle);
        break;
    case 7:
        if (who < 16) {
            CHECK_STATUS(FC_OK, fc_clear(handle));
            memset(m.entries, 0, sizeof m.entries);
        }
        break;
    case 8:
    case 9:
    case 10:
        get(handle, number);
        break;
    default:
        set(handle, number, in);
    }
}

static void open_all(void) {
    m.handles[0] = private_open(IMAGE_BYTES, 1, 0);
    handle_get(m.handles[0])->attachment->thread = ANOTHER_THREAD;
    fc_info_fields info;
    CHECK_STATUS(FC_OK, fc_info(m.handles[0], &info));
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_FD,
                          .fd = (int32_t)info.fd,
                          .create = FC_ATTACH};
    for (int i = 1; i < HANDLES; i++) {
        fc_report report;
        CHECK(fc_open(&options, NULL, 0, &report) == FC_OK, "%s", report.message);
        m.handles[i] = report.handle;
        handle_get(report.handle)->attachment->thread = ANOTHER_THREAD;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!m.handles[0]) open_all();
    CHECK_STATUS(FC_OK, fc_clear(m.handles[0]));
    memset(m.entries, 0, sizeof m.entries);
    input in = {data, data + size};
    for (int steps = 0; steps < STEPS_MAX && in.at < in.end; steps++) step(&in);
    for (uint32_t number = 0; number < KEYS; number++) get(m.handles[number % HANDLES], number);
    verify(m.handles[0]);
    CHECK(stats_of(m.handles[0]).evictions == 0, "evicted with room to spare");
    return 0;
}

#if defined(FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION)

/* test/fuzz/run.sh links every target with -Wl,--wrap=os_wait; here nobody ever waits. */
void __wrap_os_wait(uint32_t *word, uint32_t expected, uint32_t wait_us);
void __wrap_os_wait(uint32_t *word, uint32_t expected, uint32_t wait_us) {
    (void)word;
    (void)expected;
    (void)wait_us;
}

#else

static void random_sequences(void) {
    uint64_t random = 5;
    uint8_t sequence[1500];
    for (int i = 0; i < 1000; i++) {
        for (size_t at = 0; at < sizeof sequence; at++)
            sequence[at] = (uint8_t)random_next(&random);
        LLVMFuzzerTestOneInput(sequence, sizeof sequence);
    }
}

int main(void) {
    TEST(random_sequences);
    return TESTS_DONE();
}

#endif
