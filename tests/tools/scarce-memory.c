/*
 * scarce-memory: lastack with an allocator that fails where it is told to, for no_memory.py.
 *
 *      SCARCE_FAIL=N   the Nth allocation fails, and those after it when SCARCE_ALL is set
 *      SCARCE_COUNT=1  at the end the number of allocations goes to standard error
 *
 * The program's own malloc() takes the place of the C library's for all libraries, too, and hands
 * on to what that calls __libc_malloc().
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

/* The allocator of a process has no context but what is static; threads share it. */
static struct {
    atomic_ulong made;
    unsigned long fail; /* 0: none */
    bool all, count;
} scarce;

static unsigned long number_of(const char *name)
{
    const char *word = getenv(name);
    return word == NULL ? 0 : strtoul(word, NULL, 10);
}

static void report(void)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%lu allocations\n", atomic_load(&scarce.made));
    if (scarce.count && write(STDERR_FILENO, line, (size_t)length) < 0)
        _exit(99);
}

/* Before main(), so that what the loader allocates is not counted. */
__attribute__((constructor)) static void begin(void)
{
    scarce.fail = number_of("SCARCE_FAIL");
    scarce.all = number_of("SCARCE_ALL") != 0;
    scarce.count = number_of("SCARCE_COUNT") != 0;
    atexit(report);
    atomic_store(&scarce.made, 0);
}

static bool fails(void)
{
    unsigned long number = atomic_fetch_add(&scarce.made, 1) + 1;
    if (scarce.fail == 0 || (scarce.all ? number < scarce.fail : number != scarce.fail))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
    if (fails())
        return ENOMEM;
    *ret_memory = __libc_memalign(alignment, size);
    return *ret_memory == NULL ? ENOMEM : 0;
}
