/* SPDX-License-Identifier: MIT
 *
 * hash_test.c: the hash gives the values that it always gave. They lie in every segment, in the
 * index and as the checksum of page 0: with other values each existing segment would read as
 * damaged, and processes with two versions of the library would not find each other's entries.
 * Never adapt the numbers here; a hash that must change takes a new layout version.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <sys/mman.h>
#include <unistd.h>

#include "hash.h"

#define LEN_MAX 4096u

static uint8_t key[LEN_MAX];

static void check_value(const void *bytes, size_t len, uint64_t seed, uint64_t expected) {
    const uint64_t hash = fc_hash(bytes, len, seed);
    CHECK(hash == expected, "%zu bytes, seed %" PRIx64 ": %016" PRIx64 ", expected %016" PRIx64,
          len, seed, hash, expected);
}

/* The author's own test vectors (test_vector.cpp of wyhash, final version 4). */
static void is_wyhash(void) {
    static const struct {
        const char *text;
        uint64_t expected;
    } vectors[] = {
        {"", 0x0409638ee2bde459},
        {"a", 0xa8412d091b5fe0a9},
        {"abc", 0x32dd92e4b2915153},
        {"message digest", 0x8619124089a3a16b},
        {"abcdefghijklmnopqrstuvwxyz", 0x7a43afb61d7f5f40},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 0xff42329b90e50d58},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         0xc39cab13b115aad3},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        check_value(vectors[i].text, strlen(vectors[i].text), i, vectors[i].expected);
}

/* Around each length at which the hash takes another way. */
static void golden_values(void) {
    static const struct {
        size_t len;
        uint64_t seed, expected;
    } vectors[] = {
        {0, 0x0, 0x0409638ee2bde459},
        {0, 0xffffffffffffffff, 0x20ac8b93d401d5e6},
        {1, 0x1, 0x81e0c79fb854ec97},
        {1, 0x9e3779b97f4a7c15, 0x13ea704db67f5731},
        {2, 0x123456789abcdef, 0x321e5883311fbbe7},
        {3, 0x0, 0x2159d788b92b05e6},
        {4, 0xffffffffffffffff, 0x3e6dee856efd94a9},
        {5, 0x1, 0x93a3934bc8bfd2e9},
        {7, 0x9e3779b97f4a7c15, 0xff3af81d7c31621c},
        {8, 0x123456789abcdef, 0x46d75d358718c2a2},
        {8, 0x0, 0x38fd3055f111a084},
        {9, 0xffffffffffffffff, 0x069ffd0ec397513a},
        {12, 0x1, 0x727b5fd362289753},
        {15, 0x9e3779b97f4a7c15, 0xc0eeb7f2ab4783bc},
        {16, 0x123456789abcdef, 0xf49df91c8269c130},
        {16, 0x0, 0x3528ca4f37820d7c},
        {17, 0xffffffffffffffff, 0x2b8c442fabeb1058},
        {24, 0x1, 0x8a3dbc8506dc37fa},
        {31, 0x9e3779b97f4a7c15, 0x8fc32f79a9ab4448},
        {32, 0x123456789abcdef, 0x537862d6b46bb71a},
        {33, 0x0, 0xb3903eb359f9e9f5},
        {47, 0xffffffffffffffff, 0x4738d73b61c6aa3a},
        {48, 0x1, 0xbedc1035f7c8e8fc},
        {49, 0x9e3779b97f4a7c15, 0xed40b5a7e286b834},
        {63, 0x123456789abcdef, 0xccb1202e57590204},
        {64, 0x0, 0x7b25a7c0827ef781},
        {65, 0xffffffffffffffff, 0x2f518e30e56e1c31},
        {95, 0x1, 0x9003a0e919575427},
        {96, 0x9e3779b97f4a7c15, 0xf98c774a1cbf42ec},
        {97, 0x123456789abcdef, 0x13e5f17044fc856e},
        {145, 0x0, 0x77481a9eb7353f45},
        {255, 0xffffffffffffffff, 0x3a203b44596405da},
        {512, 0x1, 0xd0a23c871901dad6},
        {1024, 0x9e3779b97f4a7c15, 0x145015026726c64b},
        {4096, 0x123456789abcdef, 0xb485e4dfb5f216f3},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        check_value(key, vectors[i].len, vectors[i].seed, vectors[i].expected);
    check_value(NULL, 0, 0, vectors[0].expected);
}

/* Each hash is the seed of the next: one wrong value, and the last is another. */
static void every_length(void) {
    uint64_t hash = 0;
    for (size_t len = 0; len <= LEN_MAX; len++) hash = fc_hash(key, len, hash);
    CHECK(hash == 0xb61c875f185f2c0c, "%016" PRIx64, hash);
}

/* Each length at each alignment, with forbidden pages before the first byte and behind the last. */
static void every_alignment_and_nothing_outside(void) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *area = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED, "no address space");
    uint8_t *first = area + page, *end = area + 2 * page;
    CHECK(mprotect(first, page, PROT_READ | PROT_WRITE) == 0, "mprotect");
    for (size_t len = 0; len <= 256; len++) {
        const uint64_t expected = fc_hash(key, len, len);
        memcpy(end - len, key, len);
        check_value(end - len, len, len, expected);
        for (size_t offset = 0; offset < 16; offset++) {
            memcpy(first + offset, key, len);
            check_value(first + offset, len, len, expected);
        }
    }
    munmap(area, 3 * page);
}

int main(void) {
    for (size_t i = 0; i < LEN_MAX; i++) key[i] = (uint8_t)(i * 131 + (i >> 8) * 29 + 17);
    TEST(is_wyhash);
    TEST(golden_values);
    TEST(every_length);
    TEST(every_alignment_and_nothing_outside);
    return TESTS_DONE();
}
