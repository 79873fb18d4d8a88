/* SPDX-License-Identifier: MIT
 *
 * linux.c implements os.h for Linux, with glibc or musl. Needs open-file-description
 * locks (Linux 3.15), memfd_create (3.17) and getrandom (3.17).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "../check.h"
#include "../include/fastcache.h"
#include "os.h"

#define SHARED_MEMORY_DIRECTORY "/dev/shm/"
#define SHARED_MEMORY_PREFIX "fastcache-"

/* In <fcntl.h> since glibc 2.20 and musl 1.1.7, but guarded by feature macros. */
#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#endif

const char *os_error_text(os_error error) {
    switch (error) {
    case ELOOP:
        return "it is a symbolic link, which is not followed";
    case EISDIR:
        return "it is a directory; choose another path";
    case EACCES:
        return "permission denied; this user has to be able to read and write it";
    case EMFILE:
        return "this process has too many open files; close some, or raise its limit (ulimit -n)";
    case ENOMEM:
        return "no memory or address space is left; use a smaller size, or raise the limits "
               "(ulimit -v, vm.max_map_count)";
    case EFBIG:
        return "this process may not make files so large; use a smaller size, or raise its limit "
               "(ulimit -f)";
    default:
        return strerror(error);
    }
}

int32_t os_error_status(os_error error) {
    switch (error) {
    case 0:
        return FC_OK;
    case EACCES:
    case EPERM:
    case EROFS:
        return FC_PERMISSION;
    case ENOENT:
        return FC_NOT_FOUND;
    case ENOSPC:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EFBIG:
    case EDQUOT:
    case ENOLCK:
        return FC_NO_SPACE;
    default:
        return FC_INVALID_ARGUMENT;
    }
}

/* ------------------------------------------------------------------- files */

os_error os_file_open(const char *path, bool create, int *fd) {
    int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (create ? O_CREAT : 0);
    int opened;
    do opened = open(path, flags, 0600);
    while (opened < 0 && errno == EINTR);
    if (opened < 0) return errno;
    *fd = opened;
    return 0;
}

os_error os_file_anonymous(int *fd) {
    /* MFD_CLOEXEC; the call is younger than the glibc that we build against. */
    long created = syscall(SYS_memfd_create, "fastcache", 1u);
    if (created < 0) return errno;
    *fd = (int)created;
    if (fchmod(*fd, 0600) != 0) {
        os_error error = errno;
        close(*fd);
        return error;
    }
    return 0;
}

os_error os_file_reopen(int fd, int *reopened) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int opened = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (opened < 0) return errno;
    *reopened = opened;
    return 0;
}

os_error os_file_state_get(int fd, os_file_state *state) {
    struct stat s;
    if (fstat(fd, &s) != 0) return errno;
    *state = (os_file_state){
        .size_bytes = s.st_size > 0 ? (uint64_t)s.st_size : 0,
        .ours = s.st_uid == geteuid(),
        .regular = S_ISREG(s.st_mode),
        .linked = s.st_nlink > 0,
        .private_mode = (s.st_mode & 077) == 0,
    };
    return 0;
}

os_error os_file_read(int fd, uint64_t offset, void *to, size_t len) {
    for (size_t done = 0; done < len;) {
        ssize_t got = pread(fd, (char *)to + done, len - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) return EINVAL;
        done += (size_t)got;
    }
    return 0;
}

/* Writing beyond the limit of file sizes would also raise SIGXFSZ. */
static bool over_size_limit(uint64_t size_bytes) {
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           size_bytes > limit.rlim_cur;
}

os_error os_file_write(int fd, uint64_t offset, const void *from, size_t len) {
    if (over_size_limit(offset + len)) return EFBIG;
    for (size_t done = 0; done < len;) {
        ssize_t put = pwrite(fd, (const char *)from + done, len - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return errno;
        done += (size_t)put;
    }
    return 0;
}

/* For file systems that cannot reserve: written zeros are as good. */
static os_error write_zeros(int fd, uint64_t size_bytes) {
    static const char zeros[65536];
    os_error error = 0;
    for (uint64_t at = 0; at < size_bytes && !error; at += sizeof zeros) {
        uint64_t left = size_bytes - at;
        error = os_file_write(fd, at, zeros, left < sizeof zeros ? (size_t)left : sizeof zeros);
    }
    return error;
}

/* The number behind `name` in a file of lines such as "MemAvailable:  123 kB", or of a number only
 * (`name` empty). UINT64_MAX if there is none. */
static uint64_t number_in(const char *path, const char *name) {
    FILE *file = fopen(path, "re");
    if (!file) return UINT64_MAX;
    char line[256];
    uint64_t number = UINT64_MAX;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, name, strlen(name)) != 0) continue;
        unsigned long long value;
        if (sscanf(line + strlen(name), "%llu", &value) == 1) number = value;
        break;
    }
    fclose(file);
    return number;
}

/* What the machine, or the container's own limit, still has. */
static uint64_t memory_available(void) {
    uint64_t kib = number_in("/proc/meminfo", "MemAvailable:");
    uint64_t swap_kib = number_in("/proc/meminfo", "SwapFree:");
    uint64_t available = kib < UINT64_MAX / 2048 ? kib * 1024 : UINT64_MAX;
    if (available != UINT64_MAX && swap_kib < UINT64_MAX / 2048) available += swap_kib * 1024;
    uint64_t limit = number_in("/sys/fs/cgroup/memory.max", "");
    uint64_t used = number_in("/sys/fs/cgroup/memory.current", "");
    if (limit != UINT64_MAX && used != UINT64_MAX)
        available = min_u64(available, limit > used ? limit - used : 0);
    return available;
}

os_error os_file_reserve(int fd, uint64_t size_bytes) {
    if (over_size_limit(size_bytes)) return EFBIG;
    /* Memory without a limit of its own would be granted until the kernel kills somebody. */
    struct statfs s;
    if (fstatfs(fd, &s) == 0 && s.f_type == TMPFS_MAGIC && size_bytes > memory_available())
        return ENOMEM;
    if (ftruncate(fd, (off_t)size_bytes) != 0) return errno;
    /* The system call itself: C libraries do not agree on how posix_fallocate tells an error. */
    long done;
    do done = syscall(SYS_fallocate, fd, 0, 0L, (long)size_bytes);
    while (done < 0 && errno == EINTR);
    if (done == 0) return 0;
    return errno == EOPNOTSUPP ? write_zeros(fd, size_bytes) : errno;
}

os_error os_file_truncate(int fd, uint64_t size_bytes) {
    return ftruncate(fd, (off_t)size_bytes) == 0 ? 0 : errno;
}

void os_file_close(int fd) { close(fd); }

os_error os_file_unlink(const char *path) { return unlink(path) == 0 ? 0 : errno; }

bool os_shared_memory_path(const char *name, size_t name_len, char *path, size_t capacity) {
    int len = snprintf(path, capacity, SHARED_MEMORY_DIRECTORY SHARED_MEMORY_PREFIX "%.*s",
                       (int)name_len, name);
    return len > 0 && (size_t)len < capacity;
}

os_error os_shared_memory_list(void (*visit)(void *context, const char *name, size_t len),
                               void *context) {
    DIR *directory = opendir(SHARED_MEMORY_DIRECTORY);
    if (!directory) return errno;
    const size_t prefix_len = sizeof SHARED_MEMORY_PREFIX - 1;
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        if (strncmp(entry->d_name, SHARED_MEMORY_PREFIX, prefix_len) != 0) continue;
        struct stat s;
        if (fstatat(dirfd(directory), entry->d_name, &s, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (!S_ISREG(s.st_mode) || s.st_uid != geteuid()) continue;
        visit(context, entry->d_name + prefix_len, strlen(entry->d_name) - prefix_len);
    }
    closedir(directory);
    return 0;
}

uint64_t os_file_system_bytes(int fd) {
    struct statfs s;
    if (fstatfs(fd, &s) != 0) return 0;
    return (uint64_t)s.f_blocks * (uint64_t)s.f_bsize;
}

/* ------------------------------------------------------------------ memory */

/* What is mapped, for the signal handler: no locks. More rows than a process has handles. `base` is 0 in a free row, ROW_TAKEN in one
 * that is being filled in or emptied, and stored last. */
typedef struct mapping {
    uintptr_t base, end;
    uint32_t *lost;
} mapping;

#define MAPPINGS_MAX 8192u
#define ROW_TAKEN 1u

static mapping mappings[MAPPINGS_MAX];
static struct sigaction previous_action;
static uintptr_t page_mask;
static pthread_once_t bus_once = PTHREAD_ONCE_INIT;

/* Puts zeros where the file behind the address has ended. False if the address is not ours. */
static bool replace_lost_pages(uintptr_t address) {
    for (uint32_t i = 0; i < MAPPINGS_MAX; i++) {
        mapping *m = &mappings[i];
        uintptr_t base = __atomic_load_n(&m->base, __ATOMIC_ACQUIRE); /* pairs with os_map */
        if (base <= ROW_TAKEN || address < base || address >= m->end) continue;
        __atomic_store_n(m->lost, 1, __ATOMIC_RELEASE); /* before anyone can read the zeros */
        uintptr_t from = address & page_mask;
        /* The system call itself: musl's mmap may wait for other threads first. */
        long mapped = syscall(SYS_mmap, from, m->end - from, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        return mapped == (long)from;
    }
    return false;
}

/* As if we had never been there. */
static void pass_on(int signal, siginfo_t *info, void *context) {
    if (previous_action.sa_flags & SA_SIGINFO) {
        previous_action.sa_sigaction(signal, info, context);
    } else if (previous_action.sa_handler == SIG_IGN && info->si_code <= 0) {
        return; /* somebody sent it; a fault cannot be ignored */
    } else if (previous_action.sa_handler == SIG_IGN || previous_action.sa_handler == SIG_DFL) {
        struct sigaction standard = {.sa_handler = SIG_DFL};
        (void)sigaction(signal, &standard, NULL);
        (void)raise(signal); /* arrives when our handler returns */
    } else {
        previous_action.sa_handler(signal);
    }
}

static void on_bus_error(int signal, siginfo_t *info, void *context) {
    const int saved = errno;
    bool ours = info->si_code == BUS_ADRERR && replace_lost_pages((uintptr_t)info->si_addr);
    errno = saved;
    if (!ours) pass_on(signal, info, context);
}

static void watch_bus_errors(void) {
    page_mask = ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
    struct sigaction action = {.sa_sigaction = on_bus_error,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    (void)sigaction(SIGBUS, &action, &previous_action);
}

/* The library may be unloaded: its handler must not stay behind. */
__attribute__((destructor)) static void unwatch_bus_errors(void) {
    struct sigaction now;
    if (sigaction(SIGBUS, NULL, &now) == 0 && now.sa_sigaction == on_bus_error)
        (void)sigaction(SIGBUS, &previous_action, NULL);
}

static bool mapping_add(void *base, uint64_t size_bytes, uint32_t *lost) {
    for (uint32_t i = 0; i < MAPPINGS_MAX; i++) {
        uintptr_t free_row = 0;
        if (!__atomic_compare_exchange_n(&mappings[i].base, &free_row, ROW_TAKEN, false,
                                         __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            continue;
        mappings[i].end = (uintptr_t)base + size_bytes;
        mappings[i].lost = lost;
        __atomic_store_n(&mappings[i].base, (uintptr_t)base, __ATOMIC_RELEASE);
        return true;
    }
    return false;
}

static void mapping_remove(void *base) {
    for (uint32_t i = 0; i < MAPPINGS_MAX; i++) {
        uintptr_t row = (uintptr_t)base;
        if (__atomic_compare_exchange_n(&mappings[i].base, &row, 0, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
            return;
    }
}

os_error os_map(int fd, uint64_t size_bytes, uint32_t *lost, void **base) {
    pthread_once(&bus_once, watch_bus_errors);
    *lost = 0;
    void *mapped = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) return errno;
    if (!mapping_add(mapped, size_bytes, lost)) {
        munmap(mapped, size_bytes);
        return ENOMEM;
    }
    /* A cache's pages are of no use in a core dump; huge pages are where the system allows
     * them for shared memory. Both are advice: a refusal changes nothing. */
    (void)madvise(mapped, size_bytes, MADV_DONTDUMP);
    (void)madvise(mapped, size_bytes, MADV_HUGEPAGE);
    *base = mapped;
    return 0;
}

void os_unmap(void *base, uint64_t size_bytes) {
    mapping_remove(base);
    munmap(base, size_bytes);
}

/* -------------------------------------------------------------- byte locks */

static struct flock byte_range(short type, uint64_t offset, uint64_t end) {
    struct flock range = {.l_type = type, .l_whence = SEEK_SET};
    range.l_start = (off_t)offset;
    range.l_len = (off_t)(end - offset);
    return range; /* l_pid is 0, as these locks require */
}

os_error os_byte_lock(int fd, uint64_t offset) {
    struct flock range = byte_range(F_WRLCK, offset, offset + 1);
    if (fcntl(fd, F_OFD_SETLK, &range) == 0) return 0;
    return errno == EAGAIN || errno == EACCES ? OS_LOCKED : errno;
}

void os_byte_unlock(int fd, uint64_t offset) {
    struct flock range = byte_range(F_UNLCK, offset, offset + 1);
    (void)fcntl(fd, F_OFD_SETLK, &range); /* unlocking what we hold cannot fail */
}

bool os_byte_held(int fd, uint64_t offset, uint64_t end, uint64_t *found) {
    struct flock range = byte_range(F_WRLCK, offset, end);
    /* When the kernel cannot say, nobody is declared dead. */
    if (fcntl(fd, F_OFD_GETLK, &range) != 0) {
        *found = offset;
        return true;
    }
    if (range.l_type == F_UNLCK) return false;
    *found = (uint64_t)range.l_start < offset ? offset : (uint64_t)range.l_start;
    return true;
}

/* ------------------------------------------------------------ waiting, time */

void os_wait(uint32_t *word, uint32_t expected, uint32_t wait_us) {
    struct timespec timeout = {.tv_sec = wait_us / 1000000,
                               .tv_nsec = (long)(wait_us % 1000000) * 1000};
    (void)syscall(SYS_futex, word, FUTEX_WAIT, expected, &timeout, NULL, 0);
}

void os_wake_one(uint32_t *word) { (void)syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0); }

void os_sleep_us(uint32_t us) {
    struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};
    (void)nanosleep(&time, NULL); /* cut short by a signal is fine: callers loop on a deadline */
}

static uint64_t clock_us(clockid_t id) {
    struct timespec now = {0};
    (void)clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t os_uptime_us(void) { return clock_us(CLOCK_BOOTTIME); }
uint64_t os_uptime_ms(void) { return clock_us(CLOCK_BOOTTIME) / 1000; }
uint64_t os_calendar_ms(void) { return clock_us(CLOCK_REALTIME) / 1000; }

uint64_t os_boot_id(void) {
    /* Read once: later there may be no descriptor left to read it with. */
    static uint64_t known;
    uint64_t id = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (id != 0) return id;
    char text[37] = {0};
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t len = read(fd, text, sizeof text - 1);
    close(fd);
    /* A random UUID; its last 16 hexadecimal digits are plenty. */
    for (ssize_t i = 0; i < len; i++) {
        char c = text[i];
        if (c >= '0' && c <= '9') id = id << 4 | (uint64_t)(c - '0');
        if (c >= 'a' && c <= 'f') id = id << 4 | (uint64_t)(c - 'a' + 10);
    }
    __atomic_store_n(&known, id, __ATOMIC_RELAXED);
    return id;
}

/* -------------------------------------------------------------------- misc */

bool os_random(void *to, size_t len) {
    for (size_t done = 0; done < len;) {
        long got = syscall(SYS_getrandom, (char *)to + done, len - done, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        done += (size_t)got;
    }
    return true;
}

uint32_t os_processors(void) {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (uint32_t)online : 1;
}

bool os_after_fork(void (*handler)(void)) { return pthread_atfork(NULL, NULL, handler) == 0; }
