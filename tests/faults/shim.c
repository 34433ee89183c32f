/* A disk that fails when told to: counts writes and fsyncs of the ledger's files and fails those that are asked for. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WRITE, FSYNC };

static atomic_long seen[2];
static atomic_long first, last, slow_us;
static atomic_int failing = -1, torn, armed;

/* Calls `at` to `at + times - 1` of `call` fail (0 write, 1 fsync; -1 none) and every call takes `slow` us longer. */
void arm(int call, long at, long times, int tear, long slow) {
  armed = 0;
  seen[WRITE] = seen[FSYNC] = 0;
  failing = call, first = at, last = at + times - 1, torn = tear, slow_us = slow;
  armed = 1;
}

void disarm(void) { armed = 0; }

long count(int call) { return seen[call]; }

static int ours(int fd) {
  char link[64], path[4096];
  if (!armed) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strstr(path, "/ledger.db") != NULL;
}

static int fails(int call, int fd) {
  int before = errno;
  if (!ours(fd)) { errno = before; return 0; }
  long number = ++seen[call];
  if (slow_us) {
    struct timespec pause = {slow_us / 1000000, slow_us % 1000000 * 1000};
    nanosleep(&pause, NULL);
  }
  errno = before;
  return call == failing && first <= number && number <= last;
}

#define NEXT(name) dlsym(RTLD_NEXT, name)

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t place) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (!real) real = NEXT("pwrite64");
  if (fails(WRITE, fd)) {
    if (torn) real(fd, data, size / 2, place);
    errno = ENOSPC;
    return -1;
  }
  return real(fd, data, size, place);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t place) { return pwrite64(fd, data, size, place); }

ssize_t write(int fd, const void *data, size_t size) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = NEXT("write");
  if (fails(WRITE, fd)) {
    errno = ENOSPC;
    return -1;
  }
  return real(fd, data, size);
}

int fsync(int fd) {
  static int (*real)(int);
  if (!real) real = NEXT("fsync");
  if (fails(FSYNC, fd)) { errno = EIO; return -1; }
  return real(fd);
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) real = NEXT("fdatasync");
  if (fails(FSYNC, fd)) { errno = EIO; return -1; }
  return real(fd);
}
