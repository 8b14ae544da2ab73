// Tells the thread sanitizer what Synchronization.Mutex promises when threads wait for each other.
//
// A free mutex is taken by an atomic that is compiled into its caller, where the sanitizer sees it. One that is held is
// taken, and handed over, by the standard library's three functions below and by the kernel (FUTEX_LOCK_PI), where it
// sees nothing, and would take all that the mutex guards for a race. The same functions defined here are linked in their
// place: each calls the real one, and says that whoever takes a mutex comes after whoever gave it up. Nothing is hidden
// by that: what is not guarded is reported as ever. Should a toolchain name them otherwise, the false reports are back.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

// Methods of Swift; `self` is the mutex's only word.
#define METHOD __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *

METHOD void sanitized_lock(uint32_t thread, SELF word) __asm__(LOCK);
METHOD bool sanitized_try_lock(SELF word) __asm__(TRY_LOCK);
METHOD void sanitized_unlock(SELF word) __asm__(UNLOCK);

static METHOD void (*lock)(uint32_t thread, SELF word);
static METHOD bool (*try_lock)(SELF word);
static METHOD void (*unlock)(SELF word);

static void *standard_library(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (function) return function;
    fprintf(stderr, "the standard library has no %s: Tests/SanitizedMutex/mutex.c is made for another one\n", name);
    abort();
}

__attribute__((constructor)) static void find_standard_library(void) {
    lock = standard_library(LOCK);
    try_lock = standard_library(TRY_LOCK);
    unlock = standard_library(UNLOCK);
}

METHOD void sanitized_lock(uint32_t thread, SELF word) {
    lock(thread, word);
    __tsan_acquire(word);
}

METHOD bool sanitized_try_lock(SELF word) {
    bool is_taken = try_lock(word);
    if (is_taken) __tsan_acquire(word);
    return is_taken;
}

METHOD void sanitized_unlock(SELF word) {
    __tsan_release(word);
    unlock(word);
}
