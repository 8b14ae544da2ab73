// A machine that fails on demand: loaded into the daemon with LD_PRELOAD, on Linux.
//
// $FAULTS is a directory. While it holds a file `pwrite` or `fdatasync`, that call fails on segments of the log, with
// the error number in the file. While it holds a file `delay`, that many milliseconds pass before each `fdatasync` of a
// segment; a file `read-delay` does the same for each read of one, and `output-delay` before each write to standard
// output, which makes a file `output-begun`. While it holds a file `accept`, connections to the kind of socket in it are not
// taken: 1 for Unix sockets, 2 for TCP (AF_UNIX, AF_INET). While it holds a file `clock`, the time of day is off by the seconds
// in it. With a file `kill`, the process ends before that one, counted from 1, of its calls that change files.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// The C library's own function of that name.
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// The number in a file of $FAULTS; 0 when there is none.
static long ordered(const char *name) {
    char path[4096], text[32] = "";
    int before = errno;
    snprintf(path, sizeof path, "%s/%s", getenv("FAULTS"), name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
        close(file);
    }
    errno = before;
    return atol(text);
}

// Makes an empty file in $FAULTS.
static void mark(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("FAULTS"), name);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file >= 0) close(file);
}

static int is_segment(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path);
    return length >= 4 && memcmp(path + length - 4, ".seg", 4) == 0;
}

static int fails(const char *call, int file) {
    long error = is_segment(file) ? ordered(call) : 0;
    if (error != 0) errno = (int)error;
    return error != 0;
}

// Counts a call that changes files, and ends the process in its place when its turn has come.
static void change(void) {
    static _Atomic long count;
    static _Atomic long last = -1;
    if (last < 0) last = ordered("kill");
    if (last > 0 && ++count >= last) kill(getpid(), SIGKILL);
}

int rename(const char *path, const char *target) {
    change();
    return REAL(rename)(path, target);
}

int unlink(const char *path) {
    change();
    return REAL(unlink)(path);
}

int ftruncate(int file, off_t size) {
    change();
    return REAL(ftruncate)(file, size);
}

int fsync(int file) {
    change();
    return REAL(fsync)(file);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    change();
    return fails("pwrite", file) ? -1 : REAL(pwrite)(file, bytes, count, offset);
}

ssize_t pread(int file, void *bytes, size_t count, off_t offset) {
    if (is_segment(file)) usleep((useconds_t)ordered("read-delay") * 1000);
    return REAL(pread)(file, bytes, count, offset);
}

ssize_t write(int file, const void *bytes, size_t count) {
    long delay = file == STDOUT_FILENO ? ordered("output-delay") : 0;
    if (delay > 0) {
        mark("output-begun");
        usleep((useconds_t)delay * 1000);
    }
    return REAL(write)(file, bytes, count);
}

int fdatasync(int file) {
    change();
    if (is_segment(file)) usleep((useconds_t)ordered("delay") * 1000);
    return fails("fdatasync", file) ? -1 : REAL(fdatasync)(file);
}

int accept4(int file, struct sockaddr *address, socklen_t *length, int flags) {
    int family = 0;
    socklen_t size = sizeof family;
    getsockopt(file, SOL_SOCKET, SO_DOMAIN, &family, &size);
    if (family != 0 && family == ordered("accept")) {
        errno = EINVAL;
        return -1;
    }
    return REAL(accept4)(file, address, length, flags);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = REAL(clock_gettime)(clock, time);
    if (clock == CLOCK_REALTIME) time->tv_sec += ordered("clock");
    return result;
}
