/* SPDX-License-Identifier: MIT
 *
 * system.c: see system.h.
 */
#include "system.h"

#include <stdlib.h>
#include <string.h>

#include "attachment.h"
#include "geometry.h"
#include "hooks.h"
#include "layout.h"
#include "os/os.h"
#include "world.h"

#define OPEN_MAX_FILES 8192
#define LOCKS 1100u /* offsets of a file that may be locked */
#define NAME_MAX_LEN 64u
/* Pieces that a copy is cut into: words where it is short, lines where it is long. */
#define PIECE_SMALL 8u
#define PIECE_LARGE 64u
#define LARGE 256u
#define BOOT_ID 0xb007ull
#define HASH_SEED 0x5eed5eed5eed5eedull

uint8_t sim_memory[SIM_SLOTS * SIM_SLOT_BYTES] __attribute__((aligned(SIM_SLOT_BYTES)));

enum { ERROR_NOT_FOUND = 1, ERROR_NO_SPACE };

typedef struct file {
    bool used, linked;
    char name[NAME_MAX_LEN];
    uint64_t size, life, lockings;
    uint32_t opened;       /* open files of it */
    uint16_t locks[LOCKS]; /* open file + 1 that holds it */
} file;

typedef struct open_file {
    bool used, dead;
    uint32_t slot, owner;
    uint64_t unlock_at_us; /* of a dead one */
    uint32_t *lost;        /* of its mapping */
} open_file;

static geometry places; /* of what lies in each segment of this run */
static file files[SIM_SLOTS];
static open_file opened[OPEN_MAX_FILES];
static uint32_t opened_end;

/* The size of each allocation lies in front of it, and whose it is. */
typedef struct allocation {
    struct allocation *before, *after;
    void *block; /* what the system gave */
} allocation;
static allocation all = {&all, &all, NULL};

static uint32_t me(void) { return world.current ? world.current->number : NOBODY; }

void system_begin(void) {
    for (uint32_t i = 0; i < SIM_SLOTS; i++) files[i] = (file){.life = files[i].life};
    memset(opened, 0, sizeof opened[0] * opened_end);
    opened_end = 0;
    const settings *set = world.settings;
    if (geometry_resolve(set->size_bytes, set->shards, 0, set->max_entries, &places, NULL)) abort();
}

static void unlink_allocation(allocation *a) {
    a->before->after = a->after;
    a->after->before = a->before;
    free(a->block);
}

/* What the dead had allocated stays until now: the core's list of attachments leads to it. */
void system_end(void) {
    attachment_forget_all();
    while (all.after != &all) unlink_allocation(all.after);
}

uint32_t system_slot_of(const void *at) {
    return (uint32_t)(((uintptr_t)at - (uintptr_t)sim_memory) / SIM_SLOT_BYTES);
}
uint64_t system_slot_life(uint32_t slot) { return files[slot].life; }
uint64_t system_lockings(uint32_t slot) { return files[slot].lockings; }

/* Does memory, or anything, run out this time? */
static bool runs_out(void) {
    const uint32_t gap = world.settings->no_memory_gap;
    return gap && world.current && !world.winding_down &&
           random_below(&world.current->random, gap) == 0;
}

/* ---------------------------------------------------------------- memory */

/* The core is compiled with these in the place of the system's: see build.zig. */
void *sim_aligned_alloc(size_t alignment, size_t size);
void *sim_calloc(size_t count, size_t size);
void sim_free(void *memory);

void *sim_aligned_alloc(size_t alignment, size_t size) {
    if (runs_out()) return NULL;
    const size_t front = (sizeof(allocation) + alignment - 1) / alignment * alignment;
    uint8_t *block =
        aligned_alloc(alignment, front + (size + alignment - 1) / alignment * alignment);
    if (!block) abort();
    allocation *a = (allocation *)(void *)(block + front) - 1;
    *a = (allocation){&all, all.after, block};
    a->after->before = a;
    all.after = a;
    return block + front;
}
void *sim_calloc(size_t count, size_t size) {
    void *memory = sim_aligned_alloc(64, count * size);
    return memory ? memset(memory, 0, count * size) : NULL;
}
void sim_free(void *memory) {
    if (memory) unlink_allocation((allocation *)memory - 1);
}

void sim_copy(const char *name, int line, enum sim_access access, void *to, const void *from,
              size_t len) {
    const void *shared = access == SIM_COPY_FROM ? from : to;
    const size_t piece = len > LARGE ? PIECE_LARGE : PIECE_SMALL;
    for (size_t i = 0; i < len; i += piece) {
        sim_step(name, line, access, shared);
        const size_t rest = len - i;
        memmove((uint8_t *)to + i, (const uint8_t *)from + i, rest < piece ? rest : piece);
    }
}

void sim_attempt(const void *at) {
    const uint64_t offset = (uintptr_t)at % SIM_SLOT_BYTES;
    for (uint32_t i = 0; i < world.settings->shards; i++)
        if (offset == places.shards_offset + i * places.shard_stride) world.current->attempts++;
}

/* ----------------------------------------------------------------- errors */

const char *os_error_text(os_error error) {
    return error == ERROR_NOT_FOUND ? "no such file" : "no space";
}
int32_t os_error_status(os_error error) {
    if (error == 0) return FC_OK;
    return error == ERROR_NOT_FOUND ? FC_NOT_FOUND : FC_NO_SPACE;
}

/* ------------------------------------------------------------------ files */

static bool gone(const open_file *o) { return o->dead && o->unlock_at_us <= world_now_us(); }

static void unlock_all(uint32_t fd) {
    file *f = &files[opened[fd].slot];
    for (uint32_t i = 0; i < LOCKS; i++)
        if (f->locks[i] == fd + 1) f->locks[i] = 0;
}

static void forget(uint32_t fd) {
    unlock_all(fd);
    file *f = &files[opened[fd].slot];
    if (--f->opened == 0 && !f->linked) f->used = false;
    opened[fd].used = false;
}

static os_error open_slot(uint32_t slot, int *fd) {
    for (uint32_t i = 0; i < opened_end; i++)
        if (opened[i].used && gone(&opened[i])) forget(i);
    uint32_t i = 0;
    while (i < OPEN_MAX_FILES && opened[i].used) i++;
    if (i == OPEN_MAX_FILES) return ERROR_NO_SPACE;
    if (i >= opened_end) opened_end = i + 1;
    opened[i] = (open_file){.used = true, .slot = slot, .owner = me()};
    files[slot].opened++;
    *fd = (int)i;
    return 0;
}

static os_error file_new(const char *name, uint32_t *slot) {
    for (uint32_t i = 0; i < SIM_SLOTS; i++) {
        if (files[i].used) continue;
        files[i] = (file){.used = true, .linked = name != NULL, .life = files[i].life + 1};
        if (name) strncpy(files[i].name, name, NAME_MAX_LEN - 1);
        *slot = i;
        return 0;
    }
    return ERROR_NO_SPACE;
}

static file *file_named(const char *name) {
    for (uint32_t i = 0; i < SIM_SLOTS; i++)
        if (files[i].used && files[i].linked && strcmp(files[i].name, name) == 0) return &files[i];
    return NULL;
}

os_error os_file_open(const char *path, bool create, int *fd) {
    world_call("open");
    if (runs_out()) return ERROR_NO_SPACE;
    file *f = file_named(path);
    uint32_t slot = f ? (uint32_t)(f - files) : 0;
    if (!f && !create) return ERROR_NOT_FOUND;
    if (!f) {
        for (uint32_t i = 0; i < opened_end; i++)
            if (opened[i].used && gone(&opened[i])) forget(i);
        const os_error error = file_new(path, &slot);
        if (error) return error;
    }
    return open_slot(slot, fd);
}
os_error os_file_anonymous(int *fd) {
    uint32_t slot;
    const os_error error = file_new(NULL, &slot);
    return error ? error : open_slot(slot, fd);
}
os_error os_file_reopen(int fd, int *reopened) {
    world_call("reopen");
    return open_slot(opened[fd].slot, reopened);
}
os_error os_file_state_get(int fd, os_file_state *state) {
    world_call("fstat");
    const file *f = &files[opened[fd].slot];
    *state = (os_file_state){.size_bytes = f->size,
                             .ours = true,
                             .regular = true,
                             .linked = f->linked,
                             .private_mode = true,
                             .in_memory = true,
                             .inode = opened[fd].slot + 1,
                             .birth_ns = f->life};
    return 0;
}
static uint8_t *bytes_of(int fd) { return sim_memory + (size_t)opened[fd].slot * SIM_SLOT_BYTES; }

os_error os_file_read(int fd, uint64_t offset, void *to, size_t len) {
    world_call("pread");
    memcpy(to, bytes_of(fd) + offset, len);
    return 0;
}
os_error os_file_write(int fd, uint64_t offset, const void *from, size_t len) {
    world_call("pwrite");
    file *f = &files[opened[fd].slot];
    memcpy(bytes_of(fd) + offset, from, len);
    if (f->size < offset + len) f->size = offset + len;
    return 0;
}
os_error os_file_reserve(int fd, uint64_t size_bytes) {
    world_call("fallocate");
    file *f = &files[opened[fd].slot];
    if (size_bytes > SIM_SLOT_BYTES || runs_out()) return ERROR_NO_SPACE;
    memset(bytes_of(fd) + f->size, 0, size_bytes - f->size);
    f->size = size_bytes;
    return 0;
}
os_error os_file_truncate(int fd, uint64_t size_bytes) {
    world_call("ftruncate");
    file *f = &files[opened[fd].slot];
    for (uint32_t i = 0; i < opened_end && size_bytes < f->size; i++)
        if (opened[i].used && !opened[i].dead && opened[i].slot == opened[fd].slot &&
            opened[i].lost)
            *opened[i].lost = 1;
    f->size = size_bytes;
    return 0;
}
os_error os_file_sync(int fd) {
    (void)fd;
    world_call("fsync");
    return 0;
}
void os_file_close(int fd) {
    world_call("close");
    forget((uint32_t)fd);
}
os_error os_file_unlink(const char *path) {
    world_call("unlink");
    file *f = file_named(path);
    if (!f) return ERROR_NOT_FOUND;
    f->linked = false;
    if (f->opened == 0) f->used = false;
    return 0;
}
os_error os_file_rename(const char *from, const char *to) {
    world_call("rename");
    file *f = file_named(from);
    if (!f) return ERROR_NOT_FOUND;
    if (file_named(to)) (void)os_file_unlink(to);
    const size_t len = strlen(to);
    if (len >= sizeof f->name) return ERROR_NO_SPACE;
    memcpy(f->name, to, len + 1);
    return 0;
}

bool os_shared_memory_path(uint32_t version, const char *name, size_t name_len, char *path,
                           size_t capacity) {
    (void)version;
    if (name_len + 1 > capacity || name_len + 1 > NAME_MAX_LEN) return false;
    memcpy(path, name, name_len);
    path[name_len] = 0;
    return true;
}
const char *os_shared_memory_problem(void) { return NULL; }
os_error os_shared_memory_list(uint32_t version,
                               void (*visit)(void *context, const char *name, size_t len),
                               void *context) {
    (void)version;
    for (uint32_t i = 0; i < SIM_SLOTS; i++)
        if (files[i].used && files[i].linked) visit(context, files[i].name, strlen(files[i].name));
    return 0;
}
bool os_memory_exceeds(uint64_t size_bytes, os_memory_limit *narrowest) {
    *narrowest = (os_memory_limit){.what = "the machine's memory",
                                   .limit_bytes = sizeof sim_memory,
                                   .left_bytes = sizeof sim_memory,
                                   .remedy = ""};
    return size_bytes > sizeof sim_memory;
}
uint64_t os_file_system_bytes(int fd) {
    (void)fd;
    return sizeof sim_memory;
}
const char *os_no_space_remedy(uint64_t total_bytes) {
    (void)total_bytes;
    return "";
}

os_error os_map(int fd, uint64_t size_bytes, uint32_t *lost, void **base) {
    world_call("mmap");
    (void)size_bytes;
    if (runs_out()) return ERROR_NO_SPACE;
    opened[fd].lost = lost;
    *base = bytes_of(fd);
    return 0;
}
void os_unmap(void *base, uint64_t size_bytes) {
    (void)size_bytes;
    world_call("munmap");
    for (uint32_t i = 0; i < opened_end; i++)
        if (opened[i].used && opened[i].owner == me() && opened[i].slot == system_slot_of(base))
            opened[i].lost = NULL;
}

/* ------------------------------------------------------------- byte locks */

static bool held_by_other(const file *f, uint64_t offset, int fd) {
    const uint32_t holder = f->locks[offset];
    if (holder == 0 || holder == (uint32_t)fd + 1) return false;
    return !gone(&opened[holder - 1]);
}

os_error os_byte_lock(int fd, uint64_t offset) {
    world_call("lock a byte");
    file *f = &files[opened[fd].slot];
    if (held_by_other(f, offset, fd)) return OS_LOCKED;
    f->locks[offset] = (uint16_t)(fd + 1);
    f->lockings++;
    return 0;
}
void os_byte_unlock(int fd, uint64_t offset) {
    world_call("unlock a byte");
    file *f = &files[opened[fd].slot];
    if (f->locks[offset] == fd + 1) f->locks[offset] = 0;
}
bool os_byte_held(int fd, uint64_t offset, uint64_t end, uint64_t *found) {
    world_call("ask for a byte");
    const file *f = &files[opened[fd].slot];
    for (uint64_t i = offset; i < end && i < LOCKS; i++) {
        if (!held_by_other(f, i, fd)) continue;
        *found = i;
        return true;
    }
    return false;
}

void system_bury(uint32_t number, uint64_t unlock_at_us) {
    for (uint32_t i = 0; i < opened_end; i++) {
        if (!opened[i].used || opened[i].dead || opened[i].owner != number) continue;
        opened[i].dead = true;
        opened[i].unlock_at_us = unlock_at_us;
        opened[i].lost = NULL;
    }
}

/* ---------------------------------------------------------- waiting, time */

void os_wait(uint32_t *word, uint32_t expected, uint32_t wait_us) {
    world_call("futex wait");
    if (*word != expected) return;
    world_wait(word, world_now_us() + wait_us);
}
void os_wake_one(uint32_t *word) {
    world_call("futex wake");
    world_wake_one(word);
}
void os_sleep_us(uint32_t us) {
    world_call("sleep");
    world_wait(NULL, world_now_us() + us);
}

uint64_t os_uptime_us(void) {
    world_call("clock");
    return world_now_us();
}
uint64_t os_uptime_ms(void) { return os_uptime_us() / 1000; }
uint64_t os_uptime_coarse_ms(void) {
    world_call("coarse clock");
    const uint64_t now_ms = world_now_us() / 1000;
    return now_ms - random_below(&world.current->random, OS_COARSE_LAG_MS + 1);
}
uint64_t os_calendar_ms(void) { return 1700000000000ull + world_now_us() / 1000; }
uint64_t os_boot_id(void) { return BOOT_ID; }

/* ------------------------------------------------------------------- misc */

/* The hash's seed is always the same, so that keys can be chosen by their buckets. */
bool os_random(void *to, size_t len) {
    const uint64_t seed = HASH_SEED;
    memcpy(to, &seed, len < sizeof seed ? len : sizeof seed);
    return len <= sizeof seed;
}
uint32_t os_processors(void) { return 1; }
/* A simulated process has one thread. */
uint64_t os_thread_id(void) { return (uint64_t)me() + 1; }
uint64_t os_process_id(void) { return (uint64_t)me() + 1; }
void os_at_thread_exit(void (*handler)(void)) { (void)handler; }
bool os_after_fork(void (*handler)(void)) {
    (void)handler;
    return true;
}
