/* SPDX-License-Identifier: MIT
 *
 * power.c takes the power away from a machine that uses a segment's file, and copies such a file in
 * use (contract S7).
 *
 *   power [--images N] [--copies N] [--seed S]
 *
 * A process opens, writes and closes the file some times. At each sync, and again and again in
 * between, at any instruction, its pages are recorded: a disk that loses its power has each page as
 * it was at one of these moments since the last sync. Images of that kind are opened in another
 * boot: every value must be one that was set under its key, whole, and a cache that was recovered
 * must be exactly what some close left. Three kinds of image:
 *
 *   subsets   of each page any state since the last sync
 *   orders    all write-backs since the last sync in a random order, cut off at several places
 *   lies      of each page any state at all: the disk told of syncs that it had not done
 *
 * So are copies, made forward, backward or in any order, that took as long as one likes; and real ones, while
 * another process opens, writes and closes the file. The same images with the rule taken away (the
 * file is told to be of this boot, and the same) have to show torn values, or this would look at
 * nothing.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "layout.h"
#include "os/os.h"

#define SIZE FC_SIZE_MIN
#define PAGES (SIZE / SEGMENT_PAGE)
#define KEYS 16u
#define VALUE_MAX 12000u
#define SESSIONS 4u
#define OPERATIONS 1000u /* each byte of the file is written several times */
#define MOMENTS_MAX 1000u
#define VERSIONS_MAX (32u << 10)
#define RECORD_US 2000

static char file_path[128], image_path[128];

/* ---------------------------------------------------------------- recording */

/* What the file's pages were at some moment, as numbers of `versions`. */
typedef struct moment {
    bool synced;
    uint32_t page[PAGES];
} moment;

static uint8_t (*versions)[SEGMENT_PAGE];
static uint32_t version_count;
static moment *moments;
static uint32_t moment_count;
static int recorded_fd = -1;
static volatile bool recording;

static void record(bool synced) {
    static uint8_t now[SIZE];
    if (recorded_fd < 0) recorded_fd = open(file_path, O_RDONLY | O_CLOEXEC);
    CHECK(recorded_fd >= 0, "%s", file_path);
    CHECK(moment_count < MOMENTS_MAX, "too many moments");
    memset(now, 0, sizeof now);
    CHECK(pread(recorded_fd, now, SIZE, 0) > 0, "cannot read the file");
    moment *last = moment_count ? &moments[moment_count - 1] : NULL;
    moment *next = &moments[moment_count];
    next->synced = synced;
    for (uint32_t p = 0; p < PAGES; p++) {
        const uint8_t *page = now + (size_t)p * SEGMENT_PAGE;
        if (last && memcmp(versions[last->page[p]], page, SEGMENT_PAGE) == 0) {
            next->page[p] = last->page[p];
            continue;
        }
        CHECK(version_count < VERSIONS_MAX, "too many versions of pages");
        memcpy(versions[version_count], page, SEGMENT_PAGE);
        next->page[p] = version_count++;
    }
    moment_count++;
}

static void timer_set(long us) {
    const struct itimerval timer = {.it_interval = {.tv_usec = us}, .it_value = {.tv_usec = us}};
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0, "setitimer");
}

static void timer_block(int how) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    CHECK(sigprocmask(how, &set, NULL) == 0, "sigprocmask");
}

static void on_timer(int signal) {
    (void)signal;
    if (recording) record(false);
}

static void record_now(bool synced) {
    if (!recording) return;
    timer_block(SIG_BLOCK);
    record(synced);
    timer_block(SIG_UNBLOCK);
}

/* In place of the C library's: the core's os_file_sync ends here. */
int fdatasync(int fd) {
    (void)fd;
    record_now(true);
    return 0;
}

/* ------------------------------------------------------------------ the file */

static int32_t open_path(const char *path, fc_report *report) {
    const fc_options options = {.struct_size = sizeof options,
                                .kind = FC_KIND_FILE,
                                .create = FC_CREATE_OR_ATTACH,
                                .shards = 1,
                                .size_bytes = SIZE};
    return fc_open(&options, path, (uint32_t)strlen(path), report);
}

static uint32_t opened(const char *path, bool *kept) {
    fc_report report;
    CHECK(open_path(path, &report) == FC_OK, "%s", report.message);
    if (kept) *kept = !report.created;
    return report.handle;
}

/* A value tells whose it is, which one, and how long; all other bytes follow from that. */
typedef struct value_head {
    uint32_t key, version, len, unused;
} value_head;

static void set(uint32_t handle, uint32_t key, uint32_t version, uint32_t len) {
    uint8_t value[VALUE_MAX];
    const value_head head = {key, version, len, 0};
    fill_value(value, len, (uint64_t)key << 32 | version);
    memcpy(value, &head, sizeof head);
    CHECK_STATUS(FC_OK, fc_set(handle, &key, sizeof key, value, len, FC_TYPE_BYTES, FC_SET, 0, 0));
}

static uint32_t random_len(uint64_t *random) {
    const uint32_t most = random_below(random, 2) ? 900 : VALUE_MAX;
    return (uint32_t)sizeof(value_head) + random_below(random, most - sizeof(value_head));
}

/* The version that was stored under `key`; 0 for a miss. *torn is raised if the value is not one
 * that was ever set. */
static uint32_t version_of(uint32_t handle, uint32_t key, uint64_t *hits, uint64_t *torn) {
    static uint8_t value[VALUE_MAX], wanted[VALUE_MAX];
    int32_t len = fc_get(handle, &key, sizeof key, value, sizeof value, 0, NULL);
    if (len < 0) return 0;
    ++*hits;
    value_head head = {0};
    if ((size_t)len >= sizeof head) memcpy(&head, value, sizeof head);
    const bool plausible = head.key == key && head.version > 0 && head.len == (uint32_t)len;
    if (plausible) {
        fill_value(wanted, head.len, (uint64_t)key << 32 | head.version);
        memcpy(wanted, &head, sizeof head);
        if (memcmp(value, wanted, head.len) == 0) return head.version;
    }
    ++*torn;
    return UINT32_MAX;
}

/* What each key had when the file was closed. */
typedef uint32_t model[KEYS];
static model closed[SESSIONS];

static void write_history(uint64_t *random) {
    static model now;
    memset(now, 0, sizeof now);
    memset(closed, 0, sizeof closed);
    uint32_t version = 0;
    for (uint32_t session = 0; session < SESSIONS; session++) {
        uint32_t handle = opened(file_path, NULL);
        for (uint32_t i = 0; i < OPERATIONS; i++) {
            const uint32_t key = random_below(random, KEYS);
            if (random_below(random, 32) == 0) record_now(false);
            if (random_below(random, 8) == 0) {
                (void)fc_delete(handle, &key, sizeof key);
                now[key] = 0;
            } else {
                set(handle, key, now[key] = ++version, random_len(random));
            }
        }
        CHECK(stats_of(handle).evictions == 0, "the model knows of no evictions");
        CHECK_STATUS(FC_OK, fc_close(handle));
        memcpy(closed[session], now, sizeof now);
    }
}

/* ------------------------------------------------------------- after the loss */

typedef struct outcome {
    uint64_t images, kept, empty, hits, torn, mixed;
} outcome;

static uint8_t image[SIZE];

/* Takes the rule away: the file looks as if it had been used in this boot all the time. */
static void pretend_same(superblock *block) {
    int fd = open(image_path, O_RDONLY | O_CLOEXEC);
    os_file_state state;
    CHECK(fd >= 0 && os_file_state_get(fd, &state) == 0, "%s", image_path);
    close(fd);
    block->boot_id = os_boot_id();
    block->file_device = state.device;
    block->file_inode = state.inode;
    block->file_birth_ns = state.birth_ns;
}

static void image_write(bool another_boot, bool with_rule) {
    int fd = open(image_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0, "%s", image_path);
    superblock block;
    memcpy(&block, image, sizeof block);
    if (another_boot) block.boot_id ^= 1;
    if (!with_rule) pretend_same(&block);
    memcpy(image, &block, sizeof block);
    CHECK(write(fd, image, SIZE) == (ssize_t)SIZE, "%s", image_path);
    close(fd);
}

static void look(outcome *seen, bool compare) {
    bool kept;
    uint32_t handle = opened(image_path, &kept);
    model found;
    seen->images++;
    for (uint32_t key = 0; key < KEYS; key++)
        found[key] = version_of(handle, key, &seen->hits, &seen->torn);
    if (kept) {
        seen->kept++;
        bool known = !compare;
        for (uint32_t i = 0; i < SESSIONS; i++)
            known |= memcmp(found, closed[i], sizeof found) == 0;
        seen->mixed += !known;
    } else {
        seen->empty++;
        CHECK(stats_of(handle).entries == 0, "begun anew, and not empty");
    }
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK(unlink(image_path) == 0, "unlink");
}

static uint32_t last_sync(uint32_t at) {
    while (at > 0 && !moments[at].synced) at--;
    return at;
}

/* A state of the page between two moments, each that was recorded with the same chance. */
static uint32_t some_version(uint32_t page, uint32_t from, uint32_t to, uint64_t *random) {
    return moments[from + random_below(random, to - from + 1)].page[page];
}

static void image_of_versions(uint32_t from, uint32_t to, uint64_t *random) {
    for (uint32_t p = 0; p < PAGES; p++)
        memcpy(image + (size_t)p * SEGMENT_PAGE, versions[some_version(p, from, to, random)],
               SEGMENT_PAGE);
}

/* What one who copies page by page, forward, backward or in any order, has if he begins at one
 * moment and ends at another. */
static void image_of_copy(uint64_t *random) {
    const uint32_t begin = random_below(random, moment_count);
    const uint32_t took = random_below(random, moment_count - begin);
    const uint32_t order = random_below(random, 3), step = 2 * random_below(random, PAGES / 2) + 1;
    for (uint32_t i = 0; i < PAGES; i++) {
        const uint32_t p = order == 0 ? i : order == 1 ? PAGES - 1 - i : i * step % PAGES;
        const uint32_t at = begin + took * i / PAGES;
        memcpy(image + (size_t)p * SEGMENT_PAGE, versions[moments[at].page[p]], SEGMENT_PAGE);
    }
}

static bool image_ready(void) { return ((superblock *)(void *)image)->state == STATE_READY; }

typedef struct write_back {
    uint32_t page, version;
} write_back;

/* All write-backs between two moments. Of a page no older one follows a newer: who applies them
 * leaves it out, by their numbers. */
static uint32_t shuffled(uint32_t from, uint32_t to, write_back *list, uint64_t *random) {
    uint32_t count = 0;
    for (uint32_t at = from + 1; at <= to; at++)
        for (uint32_t p = 0; p < PAGES; p++)
            if (moments[at].page[p] != moments[at - 1].page[p])
                list[count++] = (write_back){p, moments[at].page[p]};
    for (uint32_t i = count; i > 1; i--) {
        const uint32_t other = random_below(random, i);
        const write_back kept = list[i - 1];
        list[i - 1] = list[other];
        list[other] = kept;
    }
    return count;
}

static void attack_orders(uint32_t from, uint32_t to, outcome *seen, uint64_t *random) {
    static write_back list[VERSIONS_MAX];
    static uint32_t on_disk[PAGES];
    const uint32_t count = shuffled(from, to, list, random);
    memcpy(on_disk, moments[from].page, sizeof on_disk);
    for (uint32_t i = 0, cut = 0; cut < 4; cut++) {
        const uint32_t end = cut == 3 ? count : i + random_below(random, count - i + 1);
        for (; i < end; i++)
            if (list[i].version > on_disk[list[i].page]) on_disk[list[i].page] = list[i].version;
        for (uint32_t p = 0; p < PAGES; p++)
            memcpy(image + (size_t)p * SEGMENT_PAGE, versions[on_disk[p]], SEGMENT_PAGE);
        image_write(true, true);
        look(seen, true);
    }
}

static void say(const char *what, const outcome *o) {
    CHECK(o->torn == 0 && o->mixed == 0, "%s: %" PRIu64 " torn, %" PRIu64 " mixed", what, o->torn,
          o->mixed);
    test_count++;
    printf("ok %u - %s: %" PRIu64 " opened, %" PRIu64 " recovered, %" PRIu64 " empty, %" PRIu64
           " hits, 0 torn, 0 mixed\n",
           test_count, what, o->images, o->kept, o->empty, o->hits);
    fflush(stdout);
}

static void say_red(const char *what, const outcome *o) {
    CHECK(o->torn > 0, "%s: nothing is torn in %" PRIu64 " hits: this test sees nothing", what,
          o->hits);
    test_count++;
    printf("ok %u - %s without the rule: %" PRIu64 " of %" PRIu64 " hits torn\n", test_count, what,
           o->torn, o->hits);
    fflush(stdout);
}

static void record_history(uint64_t *random) {
    version_count = moment_count = 0;
    recorded_fd = -1;
    (void)unlink(file_path);
    recording = true;
    timer_set(RECORD_US);
    write_history(random);
    timer_set(0);
    recording = false;
    close(recorded_fd);
    CHECK(moment_count > 4 * SESSIONS, "only %u moments", moment_count);
    CHECK(unlink(file_path) == 0, "unlink");
}

static void attack_power(uint32_t images, uint64_t *random) {
    outcome subsets = {0}, orders = {0}, lies = {0}, red = {0}, copies = {0}, copies_red = {0};
    uint64_t histories = 0, all_moments = 0, syncs = 0;
    while (subsets.images < images) {
        record_history(random);
        histories++;
        all_moments += moment_count;
        for (uint32_t i = 0; i < moment_count; i++) syncs += moments[i].synced;
        for (uint32_t i = 0; i < 100 && subsets.images < images; i++) {
            const uint32_t to = random_below(random, moment_count), from = last_sync(to);
            image_of_versions(from, to, random);
            image_write(true, true);
            look(&subsets, true);
            image_of_versions(0, to, random);
            image_write(true, true);
            look(&lies, true);
            image_of_versions(from, to, random);
            image_write(true, false);
            if (image_ready()) look(&red, false);
            image_of_copy(random);
            image_write(false, true);
            look(&copies, true);
            image_of_copy(random);
            image_write(false, false);
            if (image_ready()) look(&copies_red, false);
            if (i % 4 == 0) attack_orders(from, to, &orders, random);
        }
    }
    printf("# %" PRIu64 " histories, %" PRIu64 " moments, %" PRIu64 " syncs\n", histories,
           all_moments, syncs);
    say("power lost, subsets of write-backs", &subsets);
    say("power lost, orders of write-backs", &orders);
    say("power lost, a disk that lied", &lies);
    say_red("power lost", &red);
    say("copies that took any time", &copies);
    say_red("copies that took any time", &copies_red);
}

/* -------------------------------------------------------------------- copies */

/* Opens, writes and closes until it is killed. */
static void use_for_ever(uint64_t random) {
    for (uint32_t version = 1;;) {
        uint32_t handle = opened(file_path, NULL);
        const uint32_t operations = random_below(&random, 3000);
        for (uint32_t i = 0; i < operations; i++)
            set(handle, random_below(&random, KEYS), version++, random_len(&random));
        CHECK_STATUS(FC_OK, fc_close(handle));
    }
}

/* Part by part, from the beginning on or from the end. False if it met a file that is not there
 * yet, or not all of it. */
static bool copy_made(uint64_t *random) {
    static const size_t lengths[] = {4096, 16384, 131072, SIZE};
    const size_t len = lengths[random_below(random, 4)], parts = SIZE / len;
    const bool backward = random_below(random, 2) == 0;
    int fd = open(file_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool whole = true;
    for (size_t i = 0; i < parts && whole; i++) {
        const size_t at = (backward ? parts - 1 - i : i) * len;
        whole = pread(fd, image + at, len, (off_t)at) == (ssize_t)len;
        if (random_below(random, 4) == 0) usleep(random_below(random, 300));
    }
    close(fd);
    return whole && image_ready();
}

static void attack_copies(uint32_t copies, uint64_t *random) {
    outcome seen = {0};
    fflush(stdout);
    pid_t user = fork();
    CHECK(user >= 0, "fork");
    if (user == 0) use_for_ever(random_next(random) | 1);
    while (seen.images < copies) {
        if (!copy_made(random)) continue;
        image_write(false, true);
        look(&seen, false);
    }
    CHECK(kill(user, SIGKILL) == 0 && waitpid(user, NULL, 0) == user, "lost the user");
    say("real copies, made in use", &seen);
    CHECK(unlink(file_path) == 0, "unlink");
}

int main(int argc, char **argv) {
    uint64_t seed = os_uptime_us() | 1;
    uint32_t images = 1000, copies = 500;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--images")) images = (uint32_t)atoi(argv[i + 1]);
        if (!strcmp(argv[i], "--copies")) copies = (uint32_t)atoi(argv[i + 1]);
        if (!strcmp(argv[i], "--seed")) seed = strtoull(argv[i + 1], NULL, 10);
    }
    printf("# seed %" PRIu64 "\n", seed);
    versions = malloc((size_t)VERSIONS_MAX * SEGMENT_PAGE);
    moments = malloc(MOMENTS_MAX * sizeof *moments);
    CHECK(versions && moments, "no memory");
    const char *temporary = getenv("TMPDIR");
    char folder[64];
    snprintf(folder, sizeof folder, "%.40s/fc-power-XXXXXX", temporary ? temporary : "/tmp");
    CHECK(mkdtemp(folder), "%s", folder);
    snprintf(file_path, sizeof file_path, "%s/file", folder);
    /* Images are opened by the thousand: in memory, where there is some. */
    const bool memory = access("/dev/shm", W_OK) == 0;
    snprintf(image_path, sizeof image_path, "%s/fc-power-%d", memory ? "/dev/shm" : folder,
             (int)getpid());
    struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0, "sigaction");
    attack_power(images, &seed);
    attack_copies(copies, &seed);
    CHECK(rmdir(folder) == 0, "%s", folder);
    return TESTS_DONE();
}
