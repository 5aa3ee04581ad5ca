/* outbox: see outbox.h.  A ring of buffers: those from `written` up to `taken` are full. */
#include "outbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "../base/aside.h"

/* A disk takes a few large writes sooner than many small ones. */
enum { BUFFERS = 2 * LARGE_FILE_TEXTS, GATHERED = LARGE_FILE_TEXTS };

struct parcel {
    struct printbuf *buffer; /* owned */
    size_t begin;            /* of its text */
};

struct outbox {
    enum status (*write)(void *context, const struct large_text *texts, size_t count,
                         bool is_behind);
    void *context;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more, done;
    struct parcel parcel[BUFFERS];
    uint64_t taken, written; /* parcels; under the lock, as what follows */
    bool hurry;              /* somebody waits for all of them */
    bool ends;
    bool was_full;      /* when the last ones were written */
    enum status status; /* the first failure, and its errno */
    int error;
};

/* Whether that many are worth a write. */
static bool are_enough(const struct outbox *outbox, uint64_t there)
{
    return there >= GATHERED || outbox->ends || (outbox->hurry && there > 0);
}

/* Waits for parcels, and returns how many there are; 0: there will be none.  *ret_is_behind: there
 * was no empty buffer left. */
static uint64_t await_parcels(struct outbox *outbox, bool *ret_is_behind)
{
    pthread_mutex_lock(&outbox->lock);
    while (!are_enough(outbox, outbox->taken - outbox->written))
        pthread_cond_wait(&outbox->more, &outbox->lock);
    uint64_t there = outbox->taken - outbox->written;
    *ret_is_behind = outbox->was_full || there == BUFFERS;
    pthread_mutex_unlock(&outbox->lock);
    return there;
}

static void note_written(struct outbox *outbox, uint64_t parcels, enum status status)
{
    int error = errno;
    pthread_mutex_lock(&outbox->lock);
    if (outbox->status == STATUS_OK && status != STATUS_OK) {
        outbox->status = status;
        outbox->error = error;
    }
    outbox->was_full = outbox->taken - outbox->written == BUFFERS;
    outbox->written += parcels;
    pthread_cond_signal(&outbox->done);
    pthread_mutex_unlock(&outbox->lock);
}

static struct large_text text_of(const struct parcel *parcel)
{
    const struct printbuf *buffer = parcel->buffer;
    return (struct large_text){buffer->buf + parcel->begin, (size_t)buffer->bpos - parcel->begin};
}

static void *write_parcels(void *context)
{
    struct outbox *outbox = context;
    struct large_text texts[LARGE_FILE_TEXTS];
    enum status status = STATUS_OK; /* as outbox->status, which only this thread changes */
    bool is_behind;
    for (uint64_t number = 0, there; (there = await_parcels(outbox, &is_behind)) > 0;) {
        uint64_t count = there < LARGE_FILE_TEXTS ? there : LARGE_FILE_TEXTS;
        for (uint64_t i = 0; i < count; i++)
            texts[i] = text_of(&outbox->parcel[(number + i) % BUFFERS]);
        if (status == STATUS_OK)
            status = outbox->write(outbox->context, texts, count, is_behind);
        note_written(outbox, count, status);
        number += count;
    }
    return NULL;
}

static void clear(struct outbox *outbox)
{
    for (int i = 0; i < BUFFERS; i++)
        printbuf_free(outbox->parcel[i].buffer);
    pthread_cond_destroy(&outbox->done);
    pthread_cond_destroy(&outbox->more);
    pthread_mutex_destroy(&outbox->lock);
    free(outbox);
}

/* printbuf grows only by what is put in. */
struct printbuf *outbox_buffer_new(size_t size)
{
    struct printbuf *buffer = printbuf_new();
    if (buffer != NULL && printbuf_memset(buffer, 0, 0, (int)size) < 0) {
        printbuf_free(buffer);
        return NULL;
    }
    if (buffer != NULL)
        printbuf_reset(buffer);
    return buffer;
}

enum status outbox_new(enum status (*write)(void *context, const struct large_text *texts,
                                            size_t count, bool is_behind),
                       void *context, size_t size, struct outbox **ret_outbox)
{
    struct outbox *outbox = calloc(1, sizeof(*outbox));
    if (outbox == NULL)
        return STATUS_NO_MEMORY;
    outbox->write = write;
    outbox->context = context;
    pthread_mutex_init(&outbox->lock, NULL);
    pthread_cond_init(&outbox->more, NULL);
    pthread_cond_init(&outbox->done, NULL);
    bool made = true;
    for (int i = 0; i < BUFFERS; i++) {
        outbox->parcel[i].buffer = outbox_buffer_new(size);
        made = made && outbox->parcel[i].buffer != NULL;
    }
    if (!made || !aside_start(&outbox->thread, write_parcels, outbox)) {
        clear(outbox);
        return STATUS_NO_MEMORY;
    }
    *ret_outbox = outbox;
    return STATUS_OK;
}

/* Waits until at most `left` parcels are on their way; the lock is held. */
static enum status await_written(struct outbox *outbox, uint64_t left)
{
    while (outbox->taken - outbox->written > left)
        pthread_cond_wait(&outbox->done, &outbox->lock);
    if (outbox->status != STATUS_OK)
        errno = outbox->error;
    return outbox->status;
}

enum status outbox_exchange(struct outbox *outbox, struct printbuf **buffer, size_t begin)
{
    pthread_mutex_lock(&outbox->lock);
    await_written(outbox, BUFFERS - 1);
    struct parcel *parcel = &outbox->parcel[outbox->taken % BUFFERS];
    struct printbuf *empty = parcel->buffer;
    *parcel = (struct parcel){*buffer, begin};
    *buffer = empty;
    printbuf_reset(empty);
    outbox->taken++;
    pthread_cond_signal(&outbox->more);
    enum status status = await_written(outbox, BUFFERS);
    pthread_mutex_unlock(&outbox->lock);
    return status;
}

enum status outbox_wait(struct outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    outbox->hurry = true;
    pthread_cond_signal(&outbox->more);
    enum status status = await_written(outbox, 0);
    outbox->hurry = false;
    pthread_mutex_unlock(&outbox->lock);
    return status;
}

void outbox_free(struct outbox *outbox)
{
    if (outbox == NULL)
        return;
    pthread_mutex_lock(&outbox->lock);
    outbox->ends = true;
    pthread_cond_signal(&outbox->more);
    pthread_mutex_unlock(&outbox->lock);
    pthread_join(outbox->thread, NULL);
    clear(outbox);
}
