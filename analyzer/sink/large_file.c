/* large_file: see large_file.h. */
#include "large_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int large_file_open(int file)
{
    char path[32];
    int flags = fcntl(file, F_GETFL);
    if (flags < 0 || (flags & O_APPEND) != 0)
        return -1;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    return open(path, O_WRONLY | O_DIRECT | O_CLOEXEC | O_NOCTTY);
}

size_t large_file_write(int direct, off_t at, const char *text, size_t length)
{
    size_t pages = length & ~(size_t)(LARGE_FILE_PAGE - 1);
    if (large_file_begin(text, at) != 0 || pages == 0)
        return 0;
    ssize_t written = pwrite(direct, text, pages, at);
    return written < 0 ? 0 : (size_t)written;
}
