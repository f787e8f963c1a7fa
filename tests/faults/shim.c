/* A fault in front of one exact call of one process. For 64-bit Linux.
 *
 * Loaded by LD_PRELOAD into server, PIN judge, broker and terminal. A panel, a small file that all
 * of them and the test map into memory, says which role is hit, at which kinds of calls, at the
 * how-many-eth of them, and how: killed, killed with everything unsynced lost, or refused with an
 * error. Calls are counted over all threads of the role, which strace's injection does not do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SYNC = 1, WRITE = 2, SEND = 4 };
enum { KILL = 1, POWER = 2, REFUSE = 3 };
enum { ROLES = 5, HIT_BYTES = 64, FILES_MAX = 128 };

struct seat {
    _Atomic uint32_t calls; /* kinds that are counted */
    _Atomic uint32_t at;    /* which of them is hit, from 1; 0: none */
    _Atomic uint32_t span;  /* how many from there on are refused */
    _Atomic uint32_t action;
    _Atomic uint32_t error; /* errno of a refusal */
    _Atomic uint32_t count;
    _Atomic uint32_t fired;
    char hit[HIT_BYTES]; /* what was hit first */
};

static struct seat *seats;
static uint32_t role = ROLES;
static int tracking, trace_fd = -1;

/* What a power cut would take back: one list per file, in the order of writing. */
struct undo {
    struct undo *before;
    off_t at, size; /* size: the file's, before */
    size_t length;
    char old[];
};
static struct file {
    dev_t device;
    ino_t inode;
    int fd; /* a copy that is never closed: closing one would end the locks of the others */
    struct undo *last;
} files[FILES_MAX];
static int file_count;
static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;

static uint32_t role_of(const char *words) {
    if (strstr(words, "adapters.pin_judge")) return 1;
    if (strstr(words, "adapters.embedded_broker")) return 3;
    if (strstr(words, "adapters.renderer")) return 4;
    if (strstr(words, "terminal-sim ") || strstr(words, "terminal_sim ")) return 2;
    if (strstr(words, "issuance-server run ") || strstr(words, "issuance_server run ")) return 0;
    return ROLES;
}

__attribute__((constructor)) static void take_seat(void) {
    const char *path = getenv("FAULT_PANEL"), *trace = getenv("FAULT_TRACE");
    char words[4096];
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, words, sizeof words - 1);
    if (fd >= 0) close(fd);
    for (ssize_t i = 0; i < length; i++)
        if (!words[i]) words[i] = ' ';
    words[length < 0 ? 0 : length] = 0;
    role = role_of(words);
    if (!path || role == ROLES || (fd = open(path, O_RDWR | O_CLOEXEC)) < 0) return;
    void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED) return;
    tracking = getenv("FAULT_UNSYNCED") != NULL;
    if (trace) trace_fd = open(trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    seats = map;
}

static int is_regular(int fd, struct stat *found) {
    return fd > 2 && !fstat(fd, found) && S_ISREG(found->st_mode);
}

static void describe(char *into, const char *call, int fd) {
    char link[64], target[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = 0;
    const char *name = strrchr(target, '/');
    snprintf(into, HIT_BYTES, "%s %.40s", call, name ? name + 1 : target);
}

static void lose_unsynced(void) {
    pthread_mutex_lock(&files_lock); /* never unlocked: nothing is written after the cut */
    for (int i = 0; i < file_count; i++)
        for (struct undo *one = files[i].last; one; one = one->before) {
            if (one->length && syscall(SYS_pwrite64, files[i].fd, one->old, one->length, one->at) < 0)
                abort();
            if (syscall(SYS_ftruncate, files[i].fd, one->size) < 0) abort();
        }
}

/* Returns the errno with which the call is refused, or 0; does not return where it is hit. */
static int fault(uint32_t kind, const char *call, int fd) {
    if (!seats) return 0;
    struct seat *seat = &seats[role];
    if (!(atomic_load(&seat->calls) & kind)) return 0;
    struct stat found;
    uint32_t action = atomic_load(&seat->action);
    if (action == REFUSE && !is_regular(fd, &found)) return 0;
    uint32_t count = atomic_fetch_add(&seat->count, 1) + 1, at = atomic_load(&seat->at);
    if (trace_fd >= 0) {
        char line[HIT_BYTES + 8];
        describe(line, call, fd);
        strcat(line, "\n");
        if (syscall(SYS_write, trace_fd, line, strlen(line)) < 0) abort();
    }
    if (!at || count < at || count - at >= atomic_load(&seat->span)) return 0;
    if (!atomic_exchange(&seat->fired, 1)) describe(seat->hit, call, fd);
    if (action == REFUSE) return (int)atomic_load(&seat->error);
    atomic_store(&seat->at, 0);
    if (action == POWER) lose_unsynced();
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static struct file *file_of(const struct stat *found, int fd) {
    for (int i = 0; i < file_count; i++)
        if (files[i].device == found->st_dev && files[i].inode == found->st_ino) return &files[i];
    if (file_count == FILES_MAX) abort();
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 200);
    files[file_count] = (struct file){found->st_dev, found->st_ino, copy, NULL};
    return &files[file_count++];
}

/* Remember what a write, or a cut of the file, is about to replace. */
static void remember(int fd, off_t at, size_t length) {
    struct stat found;
    if (!tracking || !seats || !is_regular(fd, &found)) return;
    if (at < 0) /* where the file stands, or its end */
        at = fcntl(fd, F_GETFL) & O_APPEND ? found.st_size : lseek(fd, 0, SEEK_CUR);
    off_t there = found.st_size > at ? found.st_size - at : 0;
    size_t kept = (off_t)length < there ? length : (size_t)there;
    struct undo *one = malloc(sizeof *one + kept);
    if (!one) abort();
    one->at = at;
    one->size = found.st_size;
    one->length = kept;
    pthread_mutex_lock(&files_lock);
    struct file *file = file_of(&found, fd);
    if (kept && syscall(SYS_pread64, file->fd, one->old, kept, at) != (long)kept) one->length = 0;
    one->before = file->last;
    file->last = one;
    pthread_mutex_unlock(&files_lock);
}

static void forget(int fd) {
    struct stat found;
    if (!tracking || !seats || !is_regular(fd, &found)) return;
    pthread_mutex_lock(&files_lock);
    struct file *file = file_of(&found, fd);
    for (struct undo *one = file->last, *before; one; one = before) {
        before = one->before;
        free(one);
    }
    file->last = NULL;
    pthread_mutex_unlock(&files_lock);
}

#define UNLESS_REFUSED(kind, call, fd) \
    do { \
        int refused = fault(kind, call, fd); \
        if (refused) { \
            errno = refused; \
            return -1; \
        } \
    } while (0)

static int sync_file(long number, const char *call, int fd) {
    UNLESS_REFUSED(SYNC, call, fd);
    int result = (int)syscall(number, fd);
    if (!result) forget(fd);
    return result;
}

int fsync(int fd) { return sync_file(SYS_fsync, "fsync", fd); }
int fdatasync(int fd) { return sync_file(SYS_fdatasync, "fdatasync", fd); }

ssize_t write(int fd, const void *bytes, size_t length) {
    UNLESS_REFUSED(WRITE, "write", fd);
    remember(fd, -1, length);
    return syscall(SYS_write, fd, bytes, length);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) {
    UNLESS_REFUSED(WRITE, "pwrite", fd);
    remember(fd, at, length);
    return syscall(SYS_pwrite64, fd, bytes, length, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    return pwrite64(fd, bytes, length, at);
}

int ftruncate64(int fd, off_t size) {
    remember(fd, size, SIZE_MAX >> 1);
    return (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

/* One byte alone is how a loop wakes itself; nothing of an issuance is in it. */
#define IS_WORD(length) ((length) > 1)

ssize_t sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *to,
               socklen_t to_length) {
    if (IS_WORD(length)) UNLESS_REFUSED(SEND, "send", fd);
    return syscall(SYS_sendto, fd, bytes, length, flags, to, to_length);
}

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
    return sendto(fd, bytes, length, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    UNLESS_REFUSED(SEND, "sendmsg", fd);
    return syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
    size_t length = 0;
    for (int i = 0; i < count; i++) length += pieces[i].iov_len;
    UNLESS_REFUSED(WRITE, "writev", fd);
    remember(fd, -1, length);
    return syscall(SYS_writev, fd, pieces, count);
}
