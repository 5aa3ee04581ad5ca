/* live_file: see live_file.h.  The stream is stdio's, unbuffered, with write_records below it. */
#include "live_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_place.h"
#include "messages.h"
#include "renamed_files.h"
#include "source/clock.h"

/* Octets that wait to be written; then whole writes are left out. */
enum { KEPT = 16 * 1024 * 1024 };

/* What could not be renamed is left for so long. */
static const nanotime until_next_try = INT64_C(1) * NANO_PER_SECOND;

struct live_file {
    struct live_file_options options;
    struct file_place place;
    int fd;
    FILE *stream;
    uint64_t size;   /* of the file */
    nanotime opened; /* on the monotonic clock */
    bool made;       /* it was not there before */
    bool cut;        /* its last line is not whole and never will be */
    bool within;     /* its last line is not whole yet */
    char *waiting;   /* owned; what could not be written yet, from a line's beginning on */
    size_t waiting_size;
    size_t begun;      /* octets of that line that the file has */
    uint64_t left_out; /* octets, since writing failed */
    bool failing;      /* and it was said */
    bool stays;        /* it could not be exchanged, and that was said */
    nanotime tried;    /* when it could not, on the monotonic clock */
};

/* Whether the file ends within a line, as after a crash. */
static bool ends_within_line(int fd, off_t size)
{
    char last;
    return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

/* Opens the file of that name, in place of the one that is open; false with errno. */
static bool open_named(struct live_file *file, int more_flags)
{
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | more_flags;
    struct stat status;
    file->made = faccessat(file->place.directory, file->place.name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    int fd = openat(file->place.directory, file->place.name,
                    flags | (file->options.append ? O_APPEND : O_TRUNC), 0644);
    if (fd < 0)
        return false;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        errno = EINVAL;
        return false;
    }
    if (file->fd >= 0)
        close(file->fd);
    file->fd = fd;
    file->size = (uint64_t)status.st_size;
    file->cut = ends_within_line(fd, status.st_size);
    file->within = false;
    file->opened = clock_now(CLOCK_MONOTONIC);
    return true;
}

static void say_failure(struct live_file *file, const char *doing, int error)
{
    message_print("%s: cannot %s: %s; the analysis goes on, and it is tried again",
                  file->options.path, doing, strerror(error));
}

/* --- writing --- */

/* Writes as much as goes; returns the octets that went. */
static size_t write_some(struct live_file *file, const char *text, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t written = write(file->fd, text + done, length - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        done += (size_t)written;
    }
    file->size += done;
    if (done > 0)
        file->within = text[done - 1] != '\n';
    return done;
}

/* A line that a crash cut off is ended before the first record. */
static bool end_cut_line(struct live_file *file)
{
    if (file->cut && write_some(file, "\n", 1) != 1)
        return false;
    file->cut = false;
    return true;
}

static void note_failing(struct live_file *file)
{
    if (!file->failing)
        say_failure(file, "write it", errno);
    file->failing = true;
}

static void note_working(struct live_file *file)
{
    if (!file->failing)
        return;
    if (file->left_out > 0)
        message_print("%s: can be written again; %llu octets of records are left out",
                      file->options.path, (unsigned long long)file->left_out);
    else
        message_print("%s: can be written again; nothing is left out", file->options.path);
    file->failing = false;
    file->left_out = 0;
}

/* Keeps what could not be written, all of it or, without room, nothing. */
static bool keep(struct live_file *file, const char *text, size_t length)
{
    char *more = NULL;
    if (length > 0 && file->waiting_size + length <= KEPT)
        more = realloc(file->waiting, file->waiting_size + length);
    if (more == NULL) {
        file->left_out += length;
        return false;
    }
    memcpy(more + file->waiting_size, text, length);
    file->waiting = more;
    file->waiting_size += length;
    return true;
}

/* --- renaming --- */

/* Said once, until it works again. */
static void note_that_it_stays(struct live_file *file, const char *doing, int error)
{
    if (!file->stays)
        say_failure(file, doing, error);
    file->stays = true;
    file->tried = clock_now(CLOCK_MONOTONIC);
}

/* The file gets its lasting name, and a new one is begun.  On failure writing goes on as it was. */
static void rotate(struct live_file *file)
{
    char name[RENAMED_FILES_NAME];
    if (file->stays && time_since(clock_now(CLOCK_MONOTONIC), file->tried) < until_next_try)
        return;
    renamed_files_name(file->place.name, name);
    if (renameat(file->place.directory, file->place.name, file->place.directory, name) != 0) {
        note_that_it_stays(file, "rename it", errno);
        return;
    }
    if (!open_named(file, O_NOFOLLOW)) {
        int error = errno;
        renameat(file->place.directory, name, file->place.directory, file->place.name);
        note_that_it_stays(file, "begin a new one", error);
        return;
    }
    if (file->stays)
        message_print("%s: is renamed again", file->options.path);
    file->stays = false;
    renamed_files_remove(file->place.directory, file->place.name, file->options.rotate_keep);
}

static bool is_old(const struct live_file *file)
{
    return file->options.rotate_time > 0 && file->size > 0 &&
           time_since(clock_now(CLOCK_MONOTONIC), file->opened) >= file->options.rotate_time;
}

/* As many whole lines as the file still has room for; one line at least. */
static size_t fitting(const struct live_file *file, const char *text, size_t length)
{
    uint64_t limit = file->options.rotate_size;
    if (limit == 0 || file->size + length <= limit)
        return length;
    size_t room = file->size < limit ? (size_t)(limit - file->size) : 0;
    const char *end = memrchr(text, '\n', room);
    if (end == NULL)
        end = memchr(text, '\n', length);
    return end == NULL ? length : (size_t)(end - text) + 1;
}

/* Where the line begins that the octet at `at` belongs to. */
static size_t line_start(const char *text, size_t at)
{
    const char *end = memrchr(text, '\n', at);
    return end == NULL ? 0 : (size_t)(end - text) + 1;
}

/* Writes lines that fit together; returns the octets that went. */
static size_t write_piece(struct live_file *file, const char *text, size_t length)
{
    uint64_t limit = file->options.rotate_size;
    bool is_full = limit > 0 && file->size > 0 && file->size + length > limit;
    if (is_full && !file->within)
        rotate(file);
    return end_cut_line(file) ? write_some(file, text, length) : 0;
}

/* Writes text from `done` on; returns how much of it the file has then. */
static size_t write_lines(struct live_file *file, const char *text, size_t done, size_t length)
{
    bool works = true;
    while (works && done < length) {
        size_t piece = fitting(file, text + done, length - done);
        size_t went = write_piece(file, text + done, piece);
        works = went == piece;
        done += went;
    }
    return done;
}

/* Writes what waits; true when nothing waits any more. */
static bool write_waiting(struct live_file *file)
{
    if (file->waiting_size == 0)
        return true;
    size_t done = write_lines(file, file->waiting, file->begun, file->waiting_size);
    size_t whole = done < file->waiting_size ? line_start(file->waiting, done) : done;
    memmove(file->waiting, file->waiting + whole, file->waiting_size - whole);
    file->waiting_size -= whole;
    file->begun = done - whole;
    if (file->waiting_size > 0)
        return false;
    free(file->waiting);
    file->waiting = NULL;
    note_working(file);
    return true;
}

/* Below the stream: whole records, which are written, or kept for later. */
static ssize_t write_records(void *context, const char *text, size_t length)
{
    struct live_file *file = context;
    bool works = write_waiting(file);
    size_t done = works ? write_lines(file, text, 0, length) : 0;
    if (done == length)
        return (ssize_t)length;
    note_failing(file);
    size_t whole = line_start(text, done);
    if (works)
        file->begun = done - whole;
    if (!keep(file, text + whole, length - whole) && works) {
        file->cut = file->within; /* its rest is lost */
        file->within = false;
        file->begun = 0;
    }
    return (ssize_t)length;
}

static int close_records(void *context)
{
    struct live_file *file = context;
    return write_waiting(file) && file->left_out == 0 ? 0 : -1;
}

/* --- the file --- */

static enum status open_stream(struct live_file *file)
{
    const cookie_io_functions_t functions = {.write = write_records, .close = close_records};
    file->stream = fopencookie(file, "w", functions);
    if (file->stream == NULL)
        return STATUS_NO_MEMORY;
    setvbuf(file->stream, NULL, _IONBF, 0); /* a write of a sink is one of write_records */
    return STATUS_OK;
}

enum status live_file_open(const struct live_file_options *options, struct live_file **ret_file,
                           char *message)
{
    struct live_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return STATUS_NO_MEMORY;
    file->options = *options;
    file->fd = -1;
    enum status status = file_place_open(&file->place, options->path, message);
    if (status == STATUS_OK && !open_named(file, 0)) {
        snprintf(message, MESSAGE_SIZE, "cannot write %.300s: %s", options->path,
                 errno == EINVAL ? "it is no regular file" : strerror(errno));
        status = STATUS_WRITE;
    }
    if (status == STATUS_OK)
        status = open_stream(file);
    if (status != STATUS_OK) {
        live_file_free(file);
        return status;
    }
    *ret_file = file;
    return STATUS_OK;
}

FILE *live_file_stream(struct live_file *file)
{
    return file->stream;
}

int live_file_directory(const struct live_file *file)
{
    return file->place.directory;
}

void live_file_give(struct live_file *file, uid_t user, gid_t group)
{
    if (!file->made)
        return;
    int ignored = fchown(file->fd, user, group);
    (void)ignored;
}

void live_file_check_rights(const struct live_file *file)
{
    bool renames = file->options.rotate_size > 0 || file->options.rotate_time > 0;
    if (!renames || faccessat(file->place.directory, ".", W_OK | X_OK, AT_EACCESS) == 0)
        return;
    message_print("%s: the user who goes on with it (id %u) may not rename it: %s; give the folder "
                  "to that user with chown, or stay root without its capabilities: -Z root",
                  file->options.path, (unsigned)geteuid(), strerror(errno));
}

/* A line of which the old file has the beginning is whole in a new one. */
void live_file_reopen(struct live_file *file)
{
    struct stat before, now;
    write_waiting(file);
    bool known = fstat(file->fd, &before) == 0;
    if (!open_named(file, O_NOFOLLOW)) {
        say_failure(file, "open it again", errno);
        return;
    }
    bool is_same = known && file->options.append && fstat(file->fd, &now) == 0 &&
                   now.st_dev == before.st_dev && now.st_ino == before.st_ino;
    if (!is_same)
        file->begun = 0;
    if (file->begun > 0) {
        file->cut = false;
        file->within = true;
    }
}

void live_file_tick(struct live_file *file)
{
    if (write_waiting(file) && !file->within && is_old(file))
        rotate(file);
}

bool live_file_is_failing(const struct live_file *file)
{
    return file->failing;
}

void live_file_free(struct live_file *file)
{
    if (file == NULL)
        return;
    if (file->fd >= 0)
        close(file->fd);
    file_place_close(&file->place);
    free(file->waiting);
    free(file);
}
