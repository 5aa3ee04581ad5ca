/*
 * board_readers: see board_readers.h.
 *
 * A reader is suspended while there is no message for it, and resumed with the lock held, which the
 * callbacks of libmicrohttpd take and hold for moments only.
 */
#include "board_readers.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "feed.h"
#include "http_answer.h"
#include "http_guests.h"
#include "source/clock.h"

enum {
    MOST = 32,
    LAST_MOMENTS = 30, /* of 10 ms, until those who still read are cut off */
    SLOW_SECONDS = 30, /* a reader that takes no block in so long is closed: it comes again */
};

/* How many messages of each kind wait for who comes later, and their names. */
static const unsigned kept[BOARD_KINDS] = {
    [BOARD_STATS] = 300, [BOARD_PLAIN] = 500, [BOARD_TROUBLE] = 500, [BOARD_EVENT] = 500,
    [BOARD_REPORT] = 1,  [BOARD_PARTS] = 1,   [BOARD_END] = 1,
};

static const char *const names[BOARD_KINDS] = {
    [BOARD_STATS] = "stats", [BOARD_PLAIN] = "flow",    [BOARD_TROUBLE] = "flow",
    [BOARD_EVENT] = "event", [BOARD_REPORT] = "report", [BOARD_PARTS] = "parts",
    [BOARD_END] = "end",
};

/* Who reads the feed. */
struct reader {
    struct board_readers *readers;
    struct MHD_Connection *connection;
    uint64_t number;              /* of the last message that was begun */
    struct feed_message *message; /* being read; held */
    size_t position;              /* in it, or in the heart beat */
    nanotime asked;               /* when it was ready for the last block; monotonic clock */
    bool waits;                   /* suspended */
    bool beats;                   /* a heart beat is due, or being read */
    struct reader *next;
};

struct board_readers {
    pthread_mutex_t lock; /* guards what follows */
    struct feed *feed;
    struct reader *first;
    unsigned count;
    bool over;
};

static const char heart_beat[] = ": lives\n\n";

/* What is to be sent next of which text; NULL: nothing now. */
static const char *find_text(struct reader *reader, size_t *ret_length)
{
    if (reader->message == NULL && reader->position == 0) {
        reader->message = feed_take_next(reader->readers->feed, reader->number);
        if (reader->message != NULL)
            reader->number = reader->message->number;
    }
    if (reader->message != NULL) {
        *ret_length = reader->message->length;
        return reader->message->text;
    }
    *ret_length = sizeof heart_beat - 1;
    return reader->beats ? heart_beat : NULL;
}

static void end_text(struct reader *reader)
{
    feed_let_go(reader->message);
    reader->message = NULL;
    reader->beats = false;
    reader->position = 0;
}

/* With the lock held. */
static ssize_t read_some(struct reader *reader, char *out, size_t room)
{
    size_t done = 0, length;
    const char *text;
    while (done < room && (text = find_text(reader, &length)) != NULL) {
        size_t rest = length - reader->position, piece = rest < room - done ? rest : room - done;
        memcpy(out + done, text + reader->position, piece);
        done += piece;
        reader->position += piece;
        if (reader->position == length)
            end_text(reader);
    }
    if (done > 0)
        return (ssize_t)done;
    if (reader->readers->over)
        return MHD_CONTENT_READER_END_OF_STREAM;
    reader->waits = true;
    MHD_suspend_connection(reader->connection);
    return 0;
}

static ssize_t read_feed(void *context, uint64_t position, char *out, size_t room)
{
    struct reader *reader = context;
    (void)position;
    pthread_mutex_lock(&reader->readers->lock);
    reader->asked = clock_now(CLOCK_MONOTONIC);
    ssize_t result = read_some(reader, out, room);
    pthread_mutex_unlock(&reader->readers->lock);
    return result;
}

static void end_reader(void *context)
{
    struct reader *reader = context;
    struct board_readers *readers = reader->readers;
    pthread_mutex_lock(&readers->lock);
    struct reader **link = &readers->first;
    while (*link != reader)
        link = &(*link)->next;
    *link = reader->next;
    readers->count--;
    feed_let_go(reader->message);
    pthread_mutex_unlock(&readers->lock);
    free(reader);
}

/* Behind the last message that the browser saw, when it comes again. */
static struct reader *begin_reader(struct board_readers *readers, struct MHD_Connection *connection)
{
    const char *last = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Last-Event-ID");
    struct reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return NULL;
    *reader = (struct reader){.readers = readers, .connection = connection, .beats = true};
    reader->asked = clock_now(CLOCK_MONOTONIC);
    pthread_mutex_lock(&readers->lock);
    bool has_room = readers->count < MOST;
    if (has_room) {
        reader->number = feed_number_of(readers->feed, last);
        reader->next = readers->first;
        readers->first = reader;
        readers->count++;
    }
    pthread_mutex_unlock(&readers->lock);
    if (has_room)
        return reader;
    free(reader);
    return NULL;
}

bool board_readers_serve(struct board_readers *readers, struct MHD_Connection *connection)
{
    struct reader *reader = begin_reader(readers, connection);
    if (reader == NULL)
        return http_answer_words(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                                 "too many browsers look already\n");
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, HTTP_BLOCK_SIZE, read_feed, reader, end_reader);
    if (response == NULL) {
        end_reader(reader);
        return false;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "X-Accel-Buffering",
                            "no"); /* of nginx, where one is before */
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)SLOW_SECONDS);
    http_guest_stays(connection);
    bool queued = MHD_queue_response(connection, MHD_HTTP_OK, response) == MHD_YES;
    MHD_destroy_response(response);
    return queued;
}

/* With the lock held. */
static void resume(struct reader *reader)
{
    reader->waits = false;
    MHD_resume_connection(reader->connection);
}

void board_readers_post(struct board_readers *readers, enum board_kind kind, const char *json,
                        size_t length)
{
    pthread_mutex_lock(&readers->lock);
    (void)feed_add(readers->feed, kind, names[kind], json, length);
    pthread_mutex_unlock(&readers->lock);
}

/* It may take an octet now and then, so as not to be silent. */
static bool is_slow(const struct reader *reader, nanotime now)
{
    return time_since(now, reader->asked) >= INT64_C(1) * SLOW_SECONDS * NANO_PER_SECOND;
}

void board_readers_wake(struct board_readers *readers, bool beat)
{
    nanotime now = clock_now(CLOCK_MONOTONIC);
    pthread_mutex_lock(&readers->lock);
    for (struct reader *reader = readers->first; reader != NULL; reader = reader->next) {
        if (!reader->waits && is_slow(reader, now))
            http_guest_leaves(reader->connection);
        if (!reader->waits)
            continue;
        reader->beats = beat;
        if (beat || feed_has_next(readers->feed, reader->number))
            resume(reader);
    }
    pthread_mutex_unlock(&readers->lock);
}

static bool has_readers(struct board_readers *readers)
{
    pthread_mutex_lock(&readers->lock);
    bool has = readers->count > 0;
    pthread_mutex_unlock(&readers->lock);
    return has;
}

void board_readers_end(struct board_readers *readers)
{
    const struct timespec moment = {.tv_nsec = 10 * 1000 * 1000};
    pthread_mutex_lock(&readers->lock);
    readers->over = true;
    for (struct reader *reader = readers->first; reader != NULL; reader = reader->next) {
        if (reader->waits)
            resume(reader);
    }
    pthread_mutex_unlock(&readers->lock);
    for (int moments = 0; has_readers(readers) && moments < LAST_MOMENTS; moments++)
        nanosleep(&moment, NULL);
}

struct board_readers *board_readers_new(void)
{
    struct board_readers *readers = calloc(1, sizeof *readers);
    if (readers == NULL)
        return NULL;
    readers->feed = feed_new(kept, BOARD_KINDS);
    if (readers->feed == NULL) {
        free(readers);
        return NULL;
    }
    pthread_mutex_init(&readers->lock, NULL);
    return readers;
}

void board_readers_free(struct board_readers *readers)
{
    if (readers == NULL)
        return;
    pthread_mutex_destroy(&readers->lock);
    feed_free(readers->feed);
    free(readers);
}
