/* SPDX-License-Identifier: MIT
 *
 * tags_test.c: what a deleted tag takes with it, and what it does not (contract G1, G2, G4). Random
 * mixes of everything that stores, reads and deletes are held against a model that knows tags by
 * their names; whatever is missing without reason has to be explained by slots that others raised.
 *
 * Runs SEEDS seeds; `tags_test SEED` runs one.
 */
#include "tags.h"

#include <pthread.h>

#include "os/os.h"

#define SEEDS 60u
#define KEYS 200u
#define TAGS 40u

/* Names of all lengths from 1 to FC_TAG_LEN_MAX. */
static uint32_t tag_name(uint32_t number, uint8_t *name) {
    const uint32_t len = number % 5 ? 1 + number : FC_TAG_LEN_MAX - number;
    memset(name, 'a', len);
    name[len - 1] = (uint8_t)(128 + number);
    return len;
}

/* ----------------------------------------------------------------------- model */

typedef struct thing {
    bool there, is_number;
    uint64_t born;     /* in events */
    uint64_t deadline; /* in ticks; 0 for none */
    uint32_t len;
    uint64_t seed; /* of the value */
    double number;
    uint32_t tag_count;
    uint32_t tags[FC_TAGS_MAX];
} thing;

typedef struct model {
    uint64_t random, event, now;
    uint64_t deleted[TAGS]; /* the event in which a tag was deleted last */
    uint64_t slots[TAGS];
    uint32_t collisions;
    thing things[KEYS];
} model;

#define TICK_MS 1000u
static void set_clock(const model *m) {
    c->clock_base_ms = 1000000000000u + m->now * TICK_MS - os_uptime_ms();
}

static bool lives(const model *m, const thing *t) {
    if (!t->there || (t->deadline && t->deadline <= m->now)) return false;
    for (uint32_t i = 0; i < t->tag_count; i++)
        if (m->deleted[t->tags[i]] > t->born) return false;
    return true;
}

static bool raised_since(const model *m, uint64_t slot, uint64_t born) {
    for (uint32_t i = 0; i < TAGS; i++)
        if (m->deleted[i] > born && ((uint32_t)m->slots[i] == slot || m->slots[i] >> 32 == slot))
            return true;
    return false;
}

/* Did others raise both slots of one of its tags? */
static bool collided(const model *m, const thing *t) {
    for (uint32_t i = 0; i < t->tag_count; i++) {
        const uint64_t slots = m->slots[t->tags[i]];
        if (raised_since(m, (uint32_t)slots, t->born) && raised_since(m, slots >> 32, t->born))
            return true;
    }
    return false;
}

/* The entry is there, or not: as the model says, unless a collision explains it. */
static bool is_there(model *m, uint32_t key, int32_t status, const char *by) {
    thing *t = &m->things[key];
    const bool found = status >= 0;
    CHECK(found || status == FC_MISS, "%s: status %d", by, status);
    const bool wanted = lives(m, t);
    if (found == wanted) return found;
    CHECK(!found, "%s: key %" PRIu32 " came back", by, key);
    CHECK(collided(m, t), "%s: key %" PRIu32 " is missing", by, key);
    t->there = false;
    m->collisions++;
    return false;
}

static void choose_tags(model *m, thing *t, packed *p) {
    t->tag_count = random_below(&m->random, 3) ? random_below(&m->random, 4)
                                               : random_below(&m->random, FC_TAGS_MAX + 1);
    pack_begin(p);
    for (uint32_t i = 0; i < t->tag_count; i++) {
        uint8_t name[FC_TAG_LEN_MAX];
        t->tags[i] = random_below(&m->random, TAGS);
        pack(p, name, tag_name(t->tags[i], name));
    }
}

static void store(model *m, uint32_t key) {
    static uint8_t value[20000];
    packed tags;
    thing *t = &m->things[key], next = {.there = true, .born = m->event, .seed = m->event};
    choose_tags(m, &next, &tags);
    next.len = random_below(&m->random, 10) ? random_below(&m->random, 300)
                                            : random_below(&m->random, sizeof value);
    const uint64_t ticks = random_below(&m->random, 4) ? 0 : 1 + random_below(&m->random, 40);
    next.deadline = ticks ? m->now + ticks : 0;
    fill_value(value, next.len, next.seed);
    uint32_t mode = random_below(&m->random, 3);
    const int32_t before = fc_has(handle, &key, sizeof key);
    const bool present = is_there(m, key, before, "before set");
    const bool keep = random_below(&m->random, 4) == 0;
    double version = 0;
    if (present && random_below(&m->random, 4) == 0) {
        fc_item item;
        CHECK(fc_get(handle, &key, sizeof key, value, sizeof value, 0, &item) >= 0, "missed");
        fill_value(value, next.len, next.seed);
        mode = FC_SET_IF_VERSION;
        version = item.version;
    }
    const int32_t status =
        set_with(&key, sizeof key, value, next.len, mode | (keep ? FC_KEEP_TTL : 0),
                 ticks ? (double)(ticks * TICK_MS - TICK_MS / 2) : 0, version,
                 next.tag_count ? &tags : NULL);
    const bool stores = mode == FC_SET || mode == FC_SET_IF_VERSION || (mode == 1) != present;
    CHECK_STATUS(stores ? FC_OK : FC_MISS, status);
    if (!stores) return;
    if (keep && present) {
        next.deadline = t->deadline;
        if (!next.tag_count) {
            next.born = t->born; /* the tags that are kept keep it */
            next.tag_count = t->tag_count;
            memcpy(next.tags, t->tags, sizeof next.tags);
        }
    }
    *t = next;
}

static void increment(model *m, uint32_t key) {
    thing *t = &m->things[key];
    double sum;
    const bool present = is_there(m, key, fc_has(handle, &key, sizeof key), "before increment");
    if (present && !t->is_number) {
        packed tags;
        thing next = {.there = true, .is_number = true, .born = m->event, .number = 7};
        choose_tags(m, &next, &tags);
        CHECK_STATUS(FC_OK, next.tag_count
                                ? fc_set_tagged(handle, &key, sizeof key, &next.number, 8,
                                                FC_TYPE_NUMBER, FC_SET, 0, 0, tags.bytes, tags.len)
                                : fc_set(handle, &key, sizeof key, &next.number, 8, FC_TYPE_NUMBER,
                                         FC_SET, 0, 0));
        *t = next;
    } else {
        CHECK_STATUS(FC_OK, fc_increment(handle, &key, sizeof key, 1, 100, 0, &sum));
        if (!present) *t = (thing){.there = true, .is_number = true, .born = m->event};
        t->number = present ? t->number + 1 : 101; /* tags and birth stay */
        CHECK(sum == t->number, "%f, not %f", sum, t->number);
    }
}

static void touch(model *m, uint32_t key) {
    const uint64_t ticks = random_below(&m->random, 2) ? 0 : 1 + random_below(&m->random, 40);
    const double ttl_ms = ticks ? (double)(ticks * TICK_MS - TICK_MS / 2) : 0;
    if (is_there(m, key, fc_touch(handle, &key, sizeof key, ttl_ms), "touch"))
        m->things[key].deadline = ticks ? m->now + ticks : 0;
}

static void read_one(model *m, uint32_t key) {
    static uint8_t value[20000], wanted[20000];
    const thing *t = &m->things[key];
    const uint32_t flags = random_below(&m->random, 2) ? FC_PEEK : 0;
    const int32_t len = fc_get(handle, &key, sizeof key, value, sizeof value, flags, NULL);
    if (!is_there(m, key, len, "get")) return;
    if (t->is_number) {
        CHECK(len == 8 && memcmp(value, &t->number, 8) == 0, "another number");
        return;
    }
    fill_value(wanted, t->len, t->seed);
    CHECK(len == (int32_t)t->len && memcmp(value, wanted, t->len) == 0, "another value");
}

/* By a batch, by iteration, and by number. */
static void read_all(model *m) {
    static uint8_t request[KEYS * 8], response[1 << 18];
    static bool met[KEYS];
    uint32_t keys[KEYS], count = 0;
    for (uint32_t key = 0; key < KEYS; key++) {
        keys[0] = sizeof key;
        keys[1] = key;
        memcpy(request + (size_t)key * 8, keys, 8);
    }
    CHECK(fc_get_many(handle, request, sizeof request, KEYS, response, sizeof response,
                      FC_NO_VALUE) == KEYS,
          "not all were answered");
    for (uint32_t key = 0; key < KEYS; key++) {
        fc_packed_answer answer;
        memcpy(&answer, response + key * sizeof answer, sizeof answer);
        count += is_there(m, key, answer.length, "get of many");
        met[key] = false;
    }
    const uint32_t all = count;
    fc_cursor cursor = {{0}};
    uint32_t used;
    for (int32_t n; (n = fc_iterate(handle, &cursor, response, sizeof response, &used)) >= 0;)
        for (int32_t i = 0; i < n; i++) {
            uint32_t key;
            memcpy(&key, response + (size_t)i * 8 + 4, 4);
            CHECK(key < KEYS && !met[key] && lives(m, &m->things[key]), "iterated over %" PRIu32,
                  key);
            met[key] = true;
            count--;
        }
    CHECK(count == 0, "%" PRIu32 " were not iterated over", count);
    double entries;
    CHECK_STATUS(FC_OK, fc_size(handle, &entries));
    CHECK(entries == all, "%f entries of %" PRIu32, entries, all);
}

static uint32_t run_mix(uint64_t seed) {
    static model m;
    m = (model){.random = seed * 0x9e3779b97f4a7c15ull | 1, .event = 1};
    /* Where the table has 1,016 slots, tags collide now and then. */
    open_for(seed % 2 ? FC_EVICTION_LRU : FC_EVICTION_S3FIFO, seed % 3 ? 1 << 20 : 4 << 20,
             seed % 3 ? 1 : 4);
    set_clock(&m);
    uint8_t name[FC_TAG_LEN_MAX];
    for (uint32_t i = 0; i < TAGS; i++) m.slots[i] = slots_of_tag(name, tag_name(i, name));
    uint64_t invalidations = 0;
    for (uint32_t i = 0; i < 6000; i++, m.event++) {
        const uint32_t key = random_below(&m.random, KEYS), kind = random_below(&m.random, 100);
        if (kind < 45) {
            store(&m, key);
        } else if (kind < 75) {
            read_one(&m, key);
        } else if (kind < 80) {
            increment(&m, key);
        } else if (kind < 85) {
            touch(&m, key);
        } else if (kind < 90) {
            (void)is_there(&m, key, fc_delete(handle, &key, sizeof key), "delete");
            m.things[key].there = false;
        } else if (kind < 97) {
            const uint32_t tag = random_below(&m.random, TAGS);
            CHECK_STATUS(FC_OK, fc_delete_by_tag(handle, name, tag_name(tag, name)));
            m.deleted[tag] = m.event;
            invalidations++;
        } else if (kind < 99) {
            m.now += random_below(&m.random, 3);
            set_clock(&m);
        } else {
            read_all(&m);
        }
    }
    read_all(&m);
    verify(handle);
    CHECK(stats_of(handle).invalidations == invalidations, "not all were counted");
    CHECK(stats_of(handle).evictions == 0, "something was evicted");
    CHECK_STATUS(FC_OK, fc_close(handle));
    return m.collisions;
}

static void mixes_agree_with_the_model(void) {
    uint32_t collisions = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) collisions += run_mix(seed);
    printf("# %" PRIu32 " entries died with somebody else's tag\n", collisions);
}

/* ------------------------------------------------------------------- arguments */

static void wrong_tags_are_refused_and_change_nothing(void) {
    open_for(FC_EVICTION_LRU, 1 << 20, 1);
    static uint8_t long_tag[FC_TAG_LEN_MAX + 1] = {1};
    CHECK_STATUS(FC_OK, set_one("key", "tag"));
    packed tags;
    pack_begin(&tags);
    CHECK_STATUS(FC_INVALID_ARGUMENT, set_with("key", 3, "v", 1, FC_SET, 0, 0, &tags));
    for (uint32_t i = 0; i < FC_TAGS_MAX; i++) pack(&tags, &i, sizeof i);
    CHECK_STATUS(FC_OK, set_with("other", 5, "v", 1, FC_SET, 0, 0, &tags));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_set_tagged(handle, "key", 3, "v", 1, FC_TYPE_BYTES, FC_SET,
                                                    0, 0, tags.bytes, tags.len - 1));
    ((fc_tags *)(void *)tags.bytes)->count++;
    CHECK_STATUS(FC_INVALID_ARGUMENT, set_with("key", 3, "v", 1, FC_SET, 0, 0, &tags));
    pack_begin(&tags);
    pack(&tags, "", 0);
    CHECK_STATUS(FC_INVALID_ARGUMENT, set_with("key", 3, "v", 1, FC_SET, 0, 0, &tags));
    pack_begin(&tags);
    pack(&tags, long_tag, sizeof long_tag);
    CHECK_STATUS(FC_INVALID_ARGUMENT, set_with("key", 3, "v", 1, FC_SET, 0, 0, &tags));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_delete_by_tag(handle, "", 0));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_delete_by_tag(handle, long_tag, sizeof long_tag));
    CHECK_STATUS(FC_OK, fc_delete_by_tag(handle, long_tag, FC_TAG_LEN_MAX));
    CHECK_STATUS(FC_OK, has("key"));
    CHECK(stats_of(handle).invalidations == 1, "a refused tag was counted");
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK_STATUS(FC_CLOSED, delete_tag("tag"));
}

/* The calls by bound memory, and batches. */
static void tags_come_by_bound_memory_too(void) {
    static uint64_t request[1 << 12], response[64];
    uint8_t *bytes = (uint8_t *)request;
    fc_control *control = (fc_control *)(void *)bytes;
    open_for(FC_EVICTION_LRU, 1 << 20, 1);
    CHECK_STATUS(FC_OK, fc_bind(handle, FC_REGION_REQUEST, request, sizeof request));
    CHECK_STATUS(FC_OK, fc_bind(handle, FC_REGION_RESPONSE, response, sizeof response));
    packed tags;
    pack_begin(&tags);
    pack(&tags, "one", 3);
    pack(&tags, "two", 3);
    *control = (fc_control){.type = FC_TYPE_BYTES, .mode = FC_SET | FC_TAGGED};
    memcpy(bytes + FC_IO_KEY, "here", 4);
    memcpy(bytes + FC_IO_VALUE + 16, tags.bytes, tags.len);
    CHECK_STATUS(FC_OK, fc_io_set(handle, 4, 11));
    memcpy(bytes + FC_IO_KEY, "from", 4);
    memcpy(bytes + FC_IO_VALUE, tags.bytes, tags.len);
    CHECK_STATUS(FC_OK, fc_io_set_from(handle, 4, "value", 5));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_set(handle, 4, sizeof request - FC_IO_VALUE));

    uint32_t at = FC_IO_VALUE;
    for (uint32_t i = 0; i < 2; i++) {
        const fc_packed_entry header = {
            .key_len = 4, .value_len = i, .flags = FC_TAGGED * (i == 0)};
        memcpy(bytes + at, &header, sizeof header);
        memcpy(bytes + at + sizeof header, i ? "bare" : "many", 4);
        at = (at + (uint32_t)sizeof header + 4 + i + 7) & ~7u;
        if (i) continue;
        memcpy(bytes + at, tags.bytes, tags.len);
        at = (at + tags.len + 7) & ~7u;
    }
    const uint32_t len = at - FC_IO_VALUE;
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_set_many(handle, bytes + FC_IO_VALUE, 36, 1, &at));
    CHECK_STATUS(FC_OK, fc_io_set_many(handle, 2, len));
    CHECK(control->done == 2, "%" PRIu32 " were stored", control->done);
    CHECK(has("here") == FC_OK && has("from") == FC_OK && has("many") == FC_OK, "not stored");
    memcpy(bytes + FC_IO_KEY, "two", 3);
    CHECK_STATUS(FC_OK, fc_io_delete_by_tag(handle, 3));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_delete_by_tag(handle, 0));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_delete_by_tag(handle, 257));
    CHECK(has("here") == FC_MISS && has("from") == FC_MISS && has("many") == FC_MISS,
          "still there");
    CHECK_STATUS(FC_OK, has("bare"));
    CHECK(stats_of(handle).deletes == 3, "not counted as deleted");
    CHECK_STATUS(FC_OK, fc_close(handle));
}

/* ---------------------------------------------------------------------- leases */

/* Contract G3, F4: what was computed from older data is not stored. */
static void a_value_is_as_old_as_the_lease_that_it_was_computed_under(void) {
    fc_lease lease;
    packed tags;
    open_for(FC_EVICTION_LRU, 1 << 20, 1);
    pack_begin(&tags);
    pack(&tags, "tag", 3);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_STATUS(FC_LEASE_TAKEN, fc_lease_begin(handle, "key", 3, 1000, 0, -1, &lease));
        if (i == 1) CHECK_STATUS(FC_OK, delete_tag("tag"));
        if (i == 2) CHECK_STATUS(FC_OK, delete_tag("another"));
        CHECK_STATUS(i == 1 ? FC_MISS : FC_OK,
                     set_with("key", 3, "v", 1, FC_SET_IF_LEASE, 0, lease.token, &tags));
        CHECK_STATUS(i == 1 ? FC_MISS : FC_OK, has("key"));
        /* The lease is over, one way or the other. */
        CHECK_STATUS(FC_MISS, set_with("key", 3, "v", 1, FC_SET_IF_LEASE, 0, lease.token, NULL));
        if (i != 1) CHECK_STATUS(FC_OK, delete_tag("tag"));
        /* What is dead is no news to who wants to compute it. */
        CHECK_STATUS(FC_LEASE_TAKEN, fc_lease_begin(handle, "key", 3, 1000, 0, 0, &lease));
        CHECK_STATUS(FC_OK, fc_lease_end(handle, "key", 3, lease.token, FC_LEASE_PASS, 0, NULL, 0));
        CHECK_STATUS(FC_MISS, has("key"));
    }
    CHECK_STATUS(FC_OK, fc_close(handle));
}

/* --------------------------------------------------------------------- threads */

typedef struct shared {
    uint64_t stored, floor;
    uint32_t stop;
} shared;
static shared common;

static void *store_on(void *unused) {
    (void)unused;
    packed tags;
    pack_begin(&tags);
    pack(&tags, "tag", 3);
    for (uint64_t v = 1; !__atomic_load_n(&common.stop, __ATOMIC_ACQUIRE); v++) {
        CHECK_STATUS(FC_OK, set_with("key", 3, &v, sizeof v, FC_SET, 0, 0, &tags));
        __atomic_store_n(&common.stored, v, __ATOMIC_RELEASE);
    }
    return NULL;
}
static void *invalidate_on(void *unused) {
    (void)unused;
    while (!__atomic_load_n(&common.stop, __ATOMIC_ACQUIRE)) {
        const uint64_t stored = __atomic_load_n(&common.stored, __ATOMIC_ACQUIRE);
        CHECK_STATUS(FC_OK, delete_tag("tag"));
        __atomic_store_n(&common.floor, stored, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void no_read_that_starts_after_the_return_sees_it(void) {
    open_for(FC_EVICTION_LRU, 1 << 20, 1);
    pthread_t threads[2];
    CHECK(pthread_create(&threads[0], NULL, store_on, NULL) == 0, "no thread");
    CHECK(pthread_create(&threads[1], NULL, invalidate_on, NULL) == 0, "no thread");
    uint32_t hits = 0;
    for (uint32_t i = 0; i < 400000 || (hits == 0 && i < 100000000); i++) {
        uint64_t v;
        const uint64_t floor = __atomic_load_n(&common.floor, __ATOMIC_ACQUIRE);
        const int32_t len = fc_get(handle, "key", 3, &v, sizeof v, 0, NULL);
        CHECK(len == FC_MISS || v > floor, "%" PRIu64 " was invalidated at %" PRIu64, v, floor);
        hits += len == 8;
    }
    __atomic_store_n(&common.stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    CHECK(hits > 0, "nothing was ever read");
    CHECK_STATUS(FC_OK, fc_close(handle));
}

int main(int argc, char **argv) {
    if (argc > 1) return (int)(run_mix(strtoull(argv[1], NULL, 10)) * 0);
    TEST(mixes_agree_with_the_model);
    TEST(wrong_tags_are_refused_and_change_nothing);
    TEST(tags_come_by_bound_memory_too);
    TEST(a_value_is_as_old_as_the_lease_that_it_was_computed_under);
    TEST(no_read_that_starts_after_the_return_sees_it);
    return TESTS_DONE();
}
