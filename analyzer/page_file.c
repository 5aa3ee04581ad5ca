/* page_file: see page_file.h. */
#include "page_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_place.h"
#include "messages.h"

enum { NAME_SIZE = 256 };

struct page_file {
    const char *path; /* not owned */
    struct file_place place;
    int fd; /* of the file as it was made: for writing over it */
    FILE *stream;
    bool made; /* it was not there before */
    bool over; /* written over, as renaming is not allowed */
    bool failing;
    int error; /* of the last page, where that failed */
};

static bool write_whole(int fd, const char *text, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t written = pwrite(fd, text + done, length - done, (off_t)done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        done += (size_t)written;
    }
    return ftruncate(fd, (off_t)length) == 0;
}

/* Writes the page beside the file and renames it. */
static bool replace(const struct page_file *file, const char *text, size_t length)
{
    char name[NAME_SIZE];
    snprintf(name, sizeof name, ".%.*s.new", NAME_SIZE - (int)sizeof "..new", file->place.name);
    int fd = openat(file->place.directory, name,
                    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return false;
    bool done = write_whole(fd, text, length);
    done = close(fd) == 0 && done;
    done =
        done && renameat(file->place.directory, name, file->place.directory, file->place.name) == 0;
    int error = errno;
    if (!done)
        unlinkat(file->place.directory, name, 0);
    errno = error;
    return done;
}

/* Below the stream: a page.  The stream goes on whatever becomes of it. */
static ssize_t write_page(void *context, const char *text, size_t length)
{
    struct page_file *file = context;
    bool done = file->over ? write_whole(file->fd, text, length) : replace(file, text, length);
    int error = errno;
    if (!done && !file->failing)
        message_print("%s: cannot write it: %s; the analysis goes on, and it is tried again",
                      file->path, strerror(error));
    if (done && file->failing)
        message_print("%s: can be written again", file->path);
    file->error = error;
    file->failing = !done;
    return (ssize_t)length;
}

static int close_page(void *context)
{
    const struct page_file *file = context;
    errno = file->error;
    return file->failing ? -1 : 0;
}

static enum status open_file(struct page_file *file, char *message)
{
    struct stat status;
    file->made = faccessat(file->place.directory, file->place.name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    file->fd = openat(file->place.directory, file->place.name,
                      O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
    bool regular = file->fd >= 0 && fstat(file->fd, &status) == 0 && S_ISREG(status.st_mode);
    if (regular)
        return STATUS_OK;
    snprintf(message, MESSAGE_SIZE, "cannot write %.300s: %s", file->path,
             file->fd < 0 ? strerror(errno) : "it is no regular file");
    return STATUS_WRITE;
}

static enum status open_stream(struct page_file *file)
{
    const cookie_io_functions_t functions = {.write = write_page, .close = close_page};
    file->stream = fopencookie(file, "w", functions);
    if (file->stream == NULL)
        return STATUS_NO_MEMORY;
    setvbuf(file->stream, NULL, _IONBF, 0); /* a write of a sink is one of write_page */
    return STATUS_OK;
}

enum status page_file_open(const char *path, struct page_file **ret_file, char *message)
{
    struct page_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return STATUS_NO_MEMORY;
    file->path = path;
    file->fd = -1;
    enum status status = file_place_open(&file->place, path, message);
    if (status == STATUS_OK)
        status = open_file(file, message);
    if (status == STATUS_OK)
        status = open_stream(file);
    if (status != STATUS_OK) {
        page_file_free(file);
        return status;
    }
    *ret_file = file;
    return STATUS_OK;
}

FILE *page_file_stream(struct page_file *file)
{
    return file->stream;
}

int page_file_directory(const struct page_file *file)
{
    return file->place.directory;
}

void page_file_give(struct page_file *file, uid_t user, gid_t group)
{
    if (!file->made)
        return;
    int ignored = fchown(file->fd, user, group);
    (void)ignored;
}

void page_file_check_rights(struct page_file *file)
{
    if (faccessat(file->place.directory, ".", W_OK | X_OK, AT_EACCESS) == 0)
        return;
    file->over = true;
    message_print("%s: the user who goes on with it (id %u) may not rename files there: %s; it is "
                  "written over, and a reader may find half of it; give the folder to that user "
                  "with chown, or stay root without its capabilities: -Z root",
                  file->path, (unsigned)geteuid(), strerror(errno));
}

bool page_file_is_failing(const struct page_file *file)
{
    return file->failing;
}

void page_file_free(struct page_file *file)
{
    if (file == NULL)
        return;
    if (file->fd >= 0)
        close(file->fd);
    file_place_close(&file->place);
    free(file);
}
