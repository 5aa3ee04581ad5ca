/*
 * http_guests: see http_guests.h.
 *
 * A guest is where its connection is known by (the socket's context) from libmicrohttpd's first
 * word of it to the last, which comes before the socket is closed: with the lock held, a guest's
 * descriptor is its own.
 */
#include "http_guests.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/time.h"
#include "source/clock.h"

enum guest_does { GUEST_IS_AWAY, GUEST_ASKS, GUEST_READS, GUEST_STAYS };

struct guest {
    struct http_guests *guests; /* it is one of */
    enum guest_does does;
    bool sent_away; /* its socket is shut: it goes as soon as libmicrohttpd looks at it */
    int fd;
    nanotime since; /* on the monotonic clock; of what it does */
};

struct http_guests {
    pthread_mutex_t lock; /* guards what follows */
    unsigned places;
    struct guest guests[];
};

/* How long what a guest does may take; 0: as long as it likes. */
static nanotime patience_with(enum guest_does does)
{
    switch (does) {
    case GUEST_ASKS:
        return INT64_C(1) * HTTP_REQUEST_SECONDS * NANO_PER_SECOND;
    case GUEST_READS:
        return INT64_C(1) * HTTP_ANSWER_SECONDS * NANO_PER_SECOND;
    case GUEST_IS_AWAY:
    case GUEST_STAYS:
        break;
    }
    return 0;
}

static void send_away(struct guest *guest)
{
    guest->sent_away = true;
    shutdown(guest->fd, SHUT_RDWR);
}

/* With the lock held, as those that follow. */
static void close_late(struct http_guests *guests, nanotime now)
{
    for (unsigned i = 0; i < guests->places + HTTP_SPARE; i++) {
        struct guest *guest = &guests->guests[i];
        nanotime patience = patience_with(guest->does);
        if (patience != 0 && !guest->sent_away && time_since(now, guest->since) >= patience)
            send_away(guest);
    }
}

static unsigned count_present(const struct http_guests *guests)
{
    unsigned present = 0;
    for (unsigned i = 0; i < guests->places + HTTP_SPARE; i++)
        present += guests->guests[i].does != GUEST_IS_AWAY && !guests->guests[i].sent_away;
    return present;
}

/* Of those that do this; NULL: none does. */
static struct guest *find_oldest(struct http_guests *guests, enum guest_does does)
{
    struct guest *oldest = NULL;
    for (unsigned i = 0; i < guests->places + HTTP_SPARE; i++) {
        struct guest *guest = &guests->guests[i];
        if (guest->does == does && !guest->sent_away &&
            (oldest == NULL || guest->since < oldest->since))
            oldest = guest;
    }
    return oldest;
}

/* Who still asks goes before who is being answered. */
static void make_room(struct http_guests *guests)
{
    if (count_present(guests) < guests->places)
        return;
    struct guest *oldest = find_oldest(guests, GUEST_ASKS);
    if (oldest == NULL)
        oldest = find_oldest(guests, GUEST_READS);
    if (oldest != NULL)
        send_away(oldest);
}

static struct guest *find_free(struct http_guests *guests)
{
    for (unsigned i = 0; i < guests->places + HTTP_SPARE; i++) {
        if (guests->guests[i].does == GUEST_IS_AWAY)
            return &guests->guests[i];
    }
    return NULL;
}

static struct guest *begin_guest(struct http_guests *guests, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    nanotime now = clock_now(CLOCK_MONOTONIC);
    if (info == NULL)
        return NULL;
    pthread_mutex_lock(&guests->lock);
    close_late(guests, now);
    make_room(guests);
    struct guest *guest = find_free(guests);
    if (guest != NULL)
        *guest = (struct guest){guests, .does = GUEST_ASKS, .fd = info->connect_fd, .since = now};
    pthread_mutex_unlock(&guests->lock);
    return guest;
}

static void set_does(struct guest *guest, enum guest_does does)
{
    if (guest == NULL) /* there was no room, not even beyond the places */
        return;
    pthread_mutex_lock(&guest->guests->lock);
    guest->does = does;
    guest->since = clock_now(CLOCK_MONOTONIC);
    pthread_mutex_unlock(&guest->guests->lock);
}

static struct guest *guest_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

void http_guests_notify(void *guests, struct MHD_Connection *connection, void **socket_context,
                        enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *socket_context = begin_guest(guests, connection);
    else
        set_does(*socket_context, GUEST_IS_AWAY);
}

void http_guest_reads(struct MHD_Connection *connection)
{
    set_does(guest_of(connection), GUEST_READS);
}

void http_guest_asks(struct MHD_Connection *connection)
{
    set_does(guest_of(connection), GUEST_ASKS);
}

void http_guest_stays(struct MHD_Connection *connection)
{
    set_does(guest_of(connection), GUEST_STAYS);
}

void http_guest_leaves(struct MHD_Connection *connection)
{
    struct guest *guest = guest_of(connection);
    if (guest == NULL)
        return;
    pthread_mutex_lock(&guest->guests->lock);
    if (guest->does != GUEST_IS_AWAY && !guest->sent_away)
        send_away(guest);
    pthread_mutex_unlock(&guest->guests->lock);
}

void http_guests_tidy(struct http_guests *guests)
{
    pthread_mutex_lock(&guests->lock);
    close_late(guests, clock_now(CLOCK_MONOTONIC));
    pthread_mutex_unlock(&guests->lock);
}

struct http_guests *http_guests_new(unsigned places)
{
    struct http_guests *guests =
        calloc(1, sizeof *guests + (places + HTTP_SPARE) * sizeof guests->guests[0]);
    if (guests == NULL)
        return NULL;
    pthread_mutex_init(&guests->lock, NULL);
    guests->places = places;
    return guests;
}

void http_guests_free(struct http_guests *guests)
{
    if (guests == NULL)
        return;
    pthread_mutex_destroy(&guests->lock);
    free(guests);
}
