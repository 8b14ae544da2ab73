#include <stddef.h>
#include <stdlib.h>

#if defined(__GLIBC__)
#include <malloc.h>

// Bytes that are allocated, from all arenas and from mappings of their own.
static inline size_t CMalloc_used_bytes(void) {
#if __GLIBC_PREREQ(2, 33)
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#else
    struct mallinfo info = mallinfo();
    return (size_t)(unsigned)info.uordblks + (size_t)(unsigned)info.hblkhd;
#endif
}

// Gives the free pages of all arenas back to the system.
static inline void CMalloc_trim(void) { malloc_trim(0); }
#else
// Other C libraries give memory back by themselves, and do not say what is allocated.
static inline size_t CMalloc_used_bytes(void) { return 0; }
static inline void CMalloc_trim(void) {}
#endif
