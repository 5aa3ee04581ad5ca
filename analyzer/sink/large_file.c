/* large_file: see large_file.h.  A page in which one text ends and the next one begins is put
 * together in a seam. */
#include "large_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    PAGE = LARGE_FILE_PAGE,
    BEHIND_FOR = 32, /* writes after which who was behind is so no longer */
    TRIED_AGAIN = 64 /* writes behind after which the slower way is tried again */
};

enum way { COPIED, DIRECT, WAYS };

struct large_file {
    int direct;
    char *seams;         /* a page for each text but the last; owned */
    bool failed;         /* no more goes this way */
    uint64_t pace[WAYS]; /* ns a MiB took of late; 0: not known */
    uint32_t behind;     /* writes for which who waited is taken to wait still */
    uint32_t turns;      /* writes behind */
};

static void note_pace(struct large_file *large, enum way way, size_t octets, uint64_t took)
{
    enum { MIB = 1 << 20, SHARE = 4 };
    if (octets < LARGE_FILE_PAGE)
        return;
    uint64_t now = took * MIB / octets + 1, *pace = &large->pace[way];
    *pace = *pace == 0 ? now : (*pace * (SHARE - 1) + now) / SHARE;
}

bool large_file_suits(struct large_file *large, bool is_behind)
{
    large->behind = is_behind ? BEHIND_FOR : large->behind - (large->behind > 0);
    if (large->behind == 0)
        return true;
    const bool direct = large->pace[DIRECT] <= large->pace[COPIED] || large->pace[COPIED] == 0;
    return ++large->turns % TRIED_AGAIN == 0 ? !direct : direct;
}

uint64_t large_file_moment(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void large_file_note_copied(struct large_file *large, size_t octets, uint64_t begun)
{
    note_pace(large, COPIED, octets, large_file_moment() - begun);
}

/* Pages that go together. */
struct gathered {
    struct iovec part[2 * LARGE_FILE_TEXTS];
    int parts;
    size_t octets;
};

static void gather(struct gathered *gathered, const char *text, size_t length)
{
    if (length == 0)
        return;
    gathered->part[gathered->parts++] = (struct iovec){(char *)text, length};
    gathered->octets += length;
}

/* The whole pages of a text from `from` on; returns what is left of it. */
static size_t gather_text(struct gathered *gathered, const struct large_text *text, size_t from)
{
    size_t length = text->length - from, left = length % PAGE;
    gather(gathered, text->begin + from, length - left);
    return left;
}

/* The page of the `left` last octets of a text and the first ones of the next. */
static void gather_seam(struct gathered *gathered, char *seam, const struct large_text *text,
                        size_t left)
{
    memcpy(seam, text[0].begin + text[0].length - left, left);
    memcpy(seam + left, text[1].begin, PAGE - left);
    gather(gathered, seam, PAGE);
}

static void gather_texts(struct gathered *gathered, char *seams, off_t at,
                         const struct large_text *texts, size_t count)
{
    size_t from = large_file_head(at);
    for (size_t i = 0; i < count; i++) {
        const struct large_text *text = &texts[i];
        if (from > text->length || large_file_begin(text->begin, at) != 0)
            return;
        size_t left = gather_text(gathered, text, from);
        if (left > 0 && (i + 1 == count || texts[i + 1].length < PAGE))
            return;
        if (left > 0)
            gather_seam(gathered, seams + i * PAGE, text, left);
        from = left > 0 ? PAGE - left : 0;
        at += (off_t)text->length;
    }
}

struct large_file *large_file_open(int file)
{
    char path[32];
    int flags = fcntl(file, F_GETFL);
    if (flags < 0 || (flags & O_APPEND) != 0)
        return NULL;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    struct large_file *large = calloc(1, sizeof(*large));
    if (large == NULL)
        return NULL;
    large->seams = aligned_alloc(PAGE, LARGE_FILE_TEXTS * PAGE);
    large->direct = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC | O_NOCTTY);
    if (large->seams != NULL && large->direct >= 0)
        return large;
    large_file_close(large);
    return NULL;
}

size_t large_file_write(struct large_file *large, off_t at, const struct large_text *texts,
                        size_t count)
{
    struct gathered gathered = {.parts = 0};
    gather_texts(&gathered, large->seams, at, texts, count);
    if (gathered.parts == 0 || large->failed)
        return 0;
    const uint64_t begun = large_file_moment();
    ssize_t written =
        pwritev(large->direct, gathered.part, gathered.parts, at + (off_t)large_file_head(at));
    note_pace(large, DIRECT, gathered.octets, large_file_moment() - begun);
    large->failed = written != (ssize_t)gathered.octets;
    return written < 0 ? 0 : (size_t)written;
}

void large_file_close(struct large_file *large)
{
    if (large == NULL)
        return;
    if (large->direct >= 0)
        close(large->direct);
    free(large->seams);
    free(large);
}
