/*
 * ahead: see ahead.h.
 *
 *     taken      at the place of the thread that reads
 *     walked     behind the last window in which records were found, one after the other, as only
 *                the end of one window's tells where those of the next begin
 *     claimed    behind the last window that a thread reads, or has read
 *
 * A thread takes room that its kind has used before: the lines of the other's would have to come
 * from the other core.  Where no other thread has come lately, the reading one does not look for
 * records beforehand: nobody waits for where they end.  Of small packets others read no window, as
 * what is made of one is no less than its octets, which are as far.
 */
#include "ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reader.h"

enum {
    PAGE = 4096,
    FRONT = (16 + LARGEST_CAPTURE + PAGE - 1) / PAGE * PAGE, /* of a record that is not whole */
    READERS = 3,                                             /* rooms of the thread that reads */
    ASIDE = 4,                                               /* of others */
    ROOMS = READERS + ASIDE,
    RING = 8,         /* windows, from the one taken last on */
    PACKETS = 1024,   /* of a window that are noted */
    RESTS = 256,      /* windows; once packets were so small that these were not all */
    LATELY = 16,      /* windows */
    WORTH_WHILE = 64, /* windows of a file: below, new memory costs more than it gains */
};

struct window {
    uint64_t number;
    bool is_used;  /* from being claimed to being left */
    bool is_aside; /* by another thread than the one that reads */
    bool is_read;
    bool is_begun;  /* a thread finds its records, or has found them */
    bool is_walked; /* where they end is known */
    bool is_done;   /* no other thread is at it any more */
    size_t before;  /* octets in front, of the window before */
    size_t size;    /* that were read; less than a window's: the file has no more */
    struct ahead_walk walked;
    uint8_t *octets; /* FRONT are before them */
    struct captured *packets;
    uint8_t *foreseen;
};

struct ahead {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct source_foresight foresight;
    bool is_allowed;
    bool is_on; /* there is a file; under the lock, as all below */
    struct ahead_file file;
    uint64_t taken, claimed, last; /* windows; last: the file's end is in it */
    uint64_t joined;               /* behind the latest window that another thread has claimed */
    uint32_t within;               /* threads */
    uint32_t rooms;                /* of other threads, that are used */
    uint64_t rests;                /* no other thread claims a window before that one */
    bool is_starved;               /* another thread found none, and has gone */
    struct window *window[RING];
    struct window room[ROOMS];
};

struct ahead *ahead_new(void)
{
    struct ahead *ahead = calloc(1, sizeof *ahead);
    if (ahead == NULL)
        return NULL;
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    return ahead;
}

static void clear_rooms(struct ahead *ahead)
{
    for (int i = 0; i < ROOMS; i++) {
        struct window *window = &ahead->room[i];
        if (window->octets != NULL)
            free(window->octets - FRONT);
        free(window->packets);
        free(window->foreseen);
        *window = (struct window){0};
    }
}

/* Each has lines, and its octets pages, of its own. */
static bool make_rooms(struct ahead *ahead)
{
    for (int i = 0; i < ROOMS; i++) {
        struct window *window = &ahead->room[i];
        const bool is_aside = i >= READERS;
        uint8_t *octets = aligned_alloc(PAGE, FRONT + AHEAD_WINDOW);
        if (octets == NULL)
            return false;
        window->octets = octets + FRONT;
        window->is_aside = is_aside;
        if (!is_aside)
            continue;
        window->packets = malloc(PACKETS * sizeof *window->packets);
        window->foreseen = aligned_alloc(PAGE, PACKETS * ahead->foresight.octets);
        if (window->packets == NULL || window->foreseen == NULL)
            return false;
    }
    return true;
}

void ahead_allow(struct ahead *ahead, const struct source_foresight *foresight)
{
    pthread_mutex_lock(&ahead->lock);
    ahead->foresight = *foresight;
    ahead->is_allowed = true;
    pthread_mutex_unlock(&ahead->lock);
}

static struct window *window_of(const struct ahead *ahead, uint64_t number)
{
    return ahead->window[number % RING];
}

static void use(struct ahead *ahead, struct window *window)
{
    window->is_used = true;
    window->is_read = window->is_begun = window->is_walked = window->is_done = false;
    window->walked = (struct ahead_walk){0};
    window->number = ahead->claimed++;
    ahead->window[window->number % RING] = window;
}

/* The next window of the file that no thread has; NULL: there is none, or no room.  Under the lock.
 */
static struct window *claim(struct ahead *ahead, bool aside)
{
    if (ahead->claimed > ahead->last || ahead->claimed >= ahead->taken + RING)
        return NULL;
    if (aside && ahead->claimed < ahead->rests)
        return NULL;
    ahead->is_starved |= aside && ahead->rooms == ASIDE;
    for (int i = aside ? READERS : 0; i < (aside ? ROOMS : READERS); i++) {
        struct window *window = &ahead->room[i];
        if (window->is_used)
            continue;
        use(ahead, window);
        if (aside) {
            ahead->joined = ahead->claimed;
            ahead->rooms++;
        }
        return window;
    }
    return NULL;
}

/* Begins and ends under the lock. */
static void read_window(struct ahead *ahead, struct window *window)
{
    const uint64_t at = window->number * AHEAD_WINDOW;
    size_t size = 0;
    ssize_t got = 1;
    pthread_mutex_unlock(&ahead->lock);
    while (size < AHEAD_WINDOW && got > 0) {
        got = pread(ahead->file.fd, window->octets + size, AHEAD_WINDOW - size, (off_t)(at + size));
        if (got > 0)
            size += (size_t)got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    pthread_mutex_lock(&ahead->lock);
    window->size = size;
    window->is_read = true;
}

/* Whether where the window's records begin is known; puts what is before it there, then.  What is
 * no record goes on beyond any. */
static bool find_start(struct ahead *ahead, struct window *window)
{
    const struct window *before = window_of(ahead, window->number - 1);
    if (before == NULL || !before->is_walked)
        return false;
    const size_t size = before->before + before->size - before->walked.whole;
    if (size > FRONT)
        return false;
    memcpy(window->octets - size, before->octets + before->size - size, size);
    window->before = size;
    return true;
}

/* Finds the records behind what is before them, and notes up to room of the packets.  Begins and
 * ends under the lock. */
static void walk(struct ahead *ahead, struct window *window, size_t room)
{
    window->is_begun = true;
    pthread_mutex_unlock(&ahead->lock);
    struct ahead_walk walked =
        ahead->file.walk(ahead->file.reader, window->octets - window->before,
                         window->before + window->size, room, window->packets);
    pthread_mutex_lock(&ahead->lock);
    window->walked = walked;
    window->is_walked = true;
}

/* The same, and makes of each packet what can be made of it. */
static void prepare(struct ahead *ahead, struct window *window)
{
    const struct source_foresight *foresight = &ahead->foresight;
    walk(ahead, window, PACKETS);
    pthread_mutex_unlock(&ahead->lock);
    for (size_t i = 0; i < window->walked.count; i++) {
        struct captured *packet = &window->packets[i];
        void *room = window->foreseen + i * foresight->octets;
        if (foresight->make(ahead->file.link_type, packet, room))
            packet->foreseen = room;
    }
    pthread_mutex_lock(&ahead->lock);
    if (window->walked.count == PACKETS)
        ahead->rests = window->number + RESTS;
    window->is_done = true;
    pthread_cond_signal(&ahead->changed);
}

/* A window that another thread has read, but where its records begin was not known. */
static struct window *find_unprepared(struct ahead *ahead)
{
    for (uint64_t number = ahead->taken + 1; number < ahead->claimed; number++) {
        struct window *window = window_of(ahead, number);
        if (window->is_aside && window->is_read && !window->is_begun && find_start(ahead, window))
            return window;
    }
    return NULL;
}

/* Under the lock. */
static bool do_some(struct ahead *ahead)
{
    struct window *window = find_unprepared(ahead);
    if (window != NULL) {
        prepare(ahead, window);
        return true;
    }
    window = claim(ahead, true);
    if (window == NULL)
        return false;
    read_window(ahead, window);
    if (!window->is_begun && find_start(ahead, window))
        prepare(ahead, window);
    pthread_cond_signal(&ahead->changed);
    return true;
}

bool ahead_do(struct ahead *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    bool did = false;
    if (ahead->is_on) {
        ahead->within++;
        did = do_some(ahead);
        if (--ahead->within == 0 && !ahead->is_on)
            pthread_cond_signal(&ahead->changed);
    }
    pthread_mutex_unlock(&ahead->lock);
    return did;
}

bool ahead_begin(struct ahead *ahead, const struct ahead_file *file)
{
    const uint64_t first = file->from / AHEAD_WINDOW;
    pthread_mutex_lock(&ahead->lock);
    bool begins = ahead->is_allowed && !ahead->is_on && file->from % AHEAD_WINDOW == 0 &&
                  first > 0 && file->to > file->from &&
                  (file->to - file->from) / AHEAD_WINDOW >= WORTH_WHILE;
    if (begins && !make_rooms(ahead)) {
        clear_rooms(ahead);
        begins = false;
    }
    if (begins) {
        ahead->file = *file;
        ahead->taken = first - 1; /* which is as good as taken, and has no room */
        ahead->claimed = first;
        ahead->joined = ahead->rests = 0;
        ahead->rooms = 0;
        ahead->is_starved = false;
        ahead->last = (file->to - 1) / AHEAD_WINDOW;
        ahead->is_on = true;
    }
    pthread_mutex_unlock(&ahead->lock);
    return begins;
}

/* Under the lock. */
static bool read_one(struct ahead *ahead)
{
    struct window *window = claim(ahead, false);
    if (window == NULL)
        return false;
    read_window(ahead, window);
    return true;
}

/* The window, once no other thread is at it; what nobody has begun is read.  Under the lock. */
static struct window *await(struct ahead *ahead, uint64_t number)
{
    for (;;) {
        struct window *window = number < ahead->claimed ? window_of(ahead, number) : NULL;
        bool is_there = window != NULL && window->is_read && (!window->is_begun || window->is_done);
        if (is_there)
            return window;
        if (!read_one(ahead))
            pthread_cond_wait(&ahead->changed, &ahead->lock);
    }
}

/* Finds where the records end, where others may wait for that. */
static void walk_for_others(struct ahead *ahead, struct window *window)
{
    if (ahead->joined + LATELY > window->number)
        walk(ahead, window, 0);
}

/* What no other thread has walked. */
static void take_itself(struct ahead *ahead, struct window *window, const uint8_t *rest,
                        size_t size)
{
    memcpy(window->octets - size, rest, size);
    window->before = size;
    window->is_begun = true;
    walk_for_others(ahead, window);
}

/* Gives up the window that was taken last; whether other threads should know of its room. */
static bool leave(struct ahead *ahead, struct window *window)
{
    if (window == NULL)
        return false;
    window->is_used = false;
    ahead->rooms -= window->is_aside;
    if (!ahead->is_starved || ahead->rooms > ASIDE / 2)
        return false;
    ahead->is_starved = false;
    return true;
}

/* Those that the reading thread has read beyond one of another thread's: where they end is found
 * now, as that thread may be at the next already.  Under the lock. */
static void walk_own(struct ahead *ahead)
{
    for (uint64_t number = ahead->taken + 1; number < ahead->claimed; number++) {
        struct window *window = window_of(ahead, number);
        if (window->is_aside || !window->is_read || window->is_begun)
            continue;
        if (!find_start(ahead, window))
            return;
        walk(ahead, window, 0);
        window->is_done = true;
    }
}

/*
 * Where no other thread has begun one, the window is read into the room of the one before: what is
 * used again and again stays in the cache, and leaves the others there.  False: that cannot be.
 */
static bool read_again_there(struct ahead *ahead, struct window *last, const uint8_t *rest,
                             size_t size)
{
    if (last == NULL || last->is_aside || last->number + 1 != ahead->claimed || rest < last->octets)
        return false;
    memcpy(last->octets - size, rest, size);
    last->before = size;
    use(ahead, last);
    last->is_begun = true;
    read_window(ahead, last);
    return true;
}

bool ahead_next(struct ahead *ahead, const uint8_t *rest, size_t size,
                struct ahead_window *ret_window)
{
    pthread_mutex_lock(&ahead->lock);
    struct window *last = window_of(ahead, ahead->taken);
    const uint64_t number = ahead->taken + 1;
    if (number > ahead->last || size > FRONT || (last != NULL && last->size < AHEAD_WINDOW)) {
        pthread_mutex_unlock(&ahead->lock);
        return false;
    }
    bool offers = false;
    struct window *window = last;
    if (read_again_there(ahead, last, rest, size)) {
        walk_for_others(ahead, window);
    } else {
        window = await(ahead, number);
        if (!window->is_begun)
            take_itself(ahead, window, rest, size);
        offers = leave(ahead, last);
    }
    ahead->taken = number;
    walk_own(ahead);
    pthread_mutex_unlock(&ahead->lock);
    if (offers)
        ahead->foresight.offer(ahead->foresight.context);
    *ret_window = (struct ahead_window){
        .octets = window->octets - window->before,
        .size = window->before + window->size,
        .read = window->size,
        .packets = window->packets,
        .walked = window->walked,
    };
    return true;
}

void ahead_end(struct ahead *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    ahead->is_on = false;
    while (ahead->within > 0)
        pthread_cond_wait(&ahead->changed, &ahead->lock);
    memset(ahead->window, 0, sizeof ahead->window);
    clear_rooms(ahead);
    pthread_mutex_unlock(&ahead->lock);
}

void ahead_free(struct ahead *ahead)
{
    if (ahead == NULL)
        return;
    pthread_mutex_destroy(&ahead->lock);
    pthread_cond_destroy(&ahead->changed);
    free(ahead);
}
