/*
 * live: a port an interface, or several that share its connections; their packets are merged by
 * time.
 *
 * The kernel hands packets over in blocks, each port's at times of its own.  So with several ports
 * a packet waits until each other one has shown a later packet, or can have no earlier one any
 * more: what it had in a block that long ago has been handed over, and taken.
 */
#include "live.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fanout.h"
#include "port.h"

enum { PATIENCE_MS = 100, SETTLE_MS = PORT_TIMEOUT_MS + PORT_TIMEOUT_MS / 2 };

/* What has joined a group takes part in it after this at the latest. */
static const nanotime joining = INT64_C(2) * NANO_PER_MILLI;

/* A port that cannot keep up is not waited for longer. */
static const nanotime longest_wait = INT64_C(1) * NANO_PER_SECOND;

struct live {
    struct port *ports; /* owned */
    size_t count, interfaces;
    size_t giving; /* whose first packet was given out, and is to be dropped; count: none */
    int break_fd;
    struct bell bell;
    bool started, stopping, stopped;
    nanotime stop_time; /* capture clock: packets after it are left out */
    nanotime settled;   /* when the last block has been handed over, on the monotonic clock */
};

/* The ports of one interface. */
struct opening {
    const struct source_options *options;
    size_t interface;
    uint32_t share; /* so many ports */
    uint16_t group;
};

static enum status open_port(struct live *live, const struct opening *opening, char *message)
{
    struct port *port = &live->ports[live->count++];
    return port_open(port, opening->options, opening->interface, opening->share, message);
}

/* The first port of an interface; alone, where the kernel shares nothing out. */
static enum status open_first(struct live *live, struct opening *opening, char *message)
{
    struct port *port = &live->ports[live->count];
    enum status status = open_port(live, opening, message);
    port->is_first = true;
    if (status != STATUS_OK || opening->share == 1 || fanout_begin(port->fd, &opening->group))
        return status;
    port_clear(port);
    live->count--;
    opening->share = 1;
    status = open_port(live, opening, message);
    port->is_first = true;
    return status;
}

static enum status open_interface(struct live *live, const struct source_options *options,
                                  size_t interface, char *message)
{
    struct opening opening = {options, interface, options->capture_threads, 0};
    if (opening.share == 0)
        opening.share = 1;
    enum status status = open_first(live, &opening, message);
    for (uint32_t i = 1; i < opening.share && status == STATUS_OK; i++) {
        status = open_port(live, &opening, message);
        int fd = live->ports[live->count - 1].fd;
        if (status != STATUS_OK || fanout_join(fd, opening.group))
            continue;
        snprintf(
            message, MESSAGE_SIZE,
            "the kernel shares an interface among %u threads, not among %u; type: --threads %u", i,
            opening.share, i);
        status = STATUS_UNREADABLE;
    }
    return status;
}

/* Until its last port has joined, an interface's packets came to several. */
static void begin_shares(struct live *live)
{
    if (live->count == live->interfaces)
        return;
    nanosleep(&(struct timespec){.tv_nsec = joining}, NULL);
    nanotime now = clock_now(CLOCK_REALTIME);
    for (size_t i = 0; i < live->count; i++)
        live->ports[i].begins = now;
}

static enum status open_ports(struct live *live, const struct source_options *options,
                              char *message)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < options->interface_count; i++)
        status = open_interface(live, options, i, message);
    if (status == STATUS_OK)
        begin_shares(live);
    live->giving = live->count;
    return status;
}

enum status live_open(const struct source_options *options, int break_fd, struct live **ret_live,
                      char *message)
{
    struct live *live = calloc(1, sizeof *live);
    uint32_t most = options->capture_threads > 0 ? options->capture_threads : 1;
    struct port *ports = calloc(options->interface_count * most, sizeof *ports);
    int bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (live == NULL || ports == NULL || bell < 0) {
        snprintf(message, MESSAGE_SIZE, "out of memory or descriptors while opening the interface");
        if (bell >= 0)
            close(bell);
        free(ports);
        free(live);
        return STATUS_NO_MEMORY;
    }
    live->ports = ports;
    live->interfaces = options->interface_count;
    live->break_fd = break_fd;
    live->bell.fd = bell;
    enum status status = open_ports(live, options, message);
    if (status != STATUS_OK) {
        live_free(live);
        return status;
    }
    *ret_live = live;
    return STATUS_OK;
}

/* Without a thread a port gives nothing, and says why. */
static void start(struct live *live)
{
    live->started = true;
    for (size_t i = 0; i < live->count; i++) {
        struct port *port = &live->ports[i];
        if (port_start(port, &live->bell) == STATUS_OK)
            continue;
        snprintf(port->problem, sizeof port->problem, "no thread to capture with: out of memory");
        atomic_store(&port->ended, true);
    }
}

/* The port whose first packet is the earliest; NULL when no packet is there. */
static struct port *earliest(const struct live *live)
{
    struct port *found = NULL;
    nanotime time = 0;
    for (size_t i = 0; i < live->count; i++) {
        const struct queued_packet *packet = packet_queue_first(&live->ports[i].queue);
        if (packet == NULL || (found != NULL && !time_is_before(packet->time, time)))
            continue;
        found = &live->ports[i];
        time = packet->time;
    }
    return found;
}

/* Longer than a block that is not full stays with the kernel. */
static nanotime held_by_kernel(const struct port *port)
{
    return port->timeout * 5 / 2;
}

/* Whether a port without a packet now may still show one from before `time`. */
static bool may_show_earlier(struct port *port, nanotime time)
{
    if (!time_is_before(port->none_before, time))
        return false;
    nanotime now = clock_now(CLOCK_REALTIME);
    nanotime age = time_since(now, time);
    if (age < 0 || age >= longest_wait) /* another clock's time, or a port that is stuck */
        return false;
    if (!port_is_drained(port))
        return true;
    port->none_before = time_since(now, held_by_kernel(port));
    return time_is_before(port->none_before, time);
}

/* Whether another port may still show an earlier packet than this. */
static bool must_wait(struct live *live, const struct queued_packet *packet)
{
    for (size_t i = 0; i < live->count; i++) {
        struct port *port = &live->ports[i];
        bool silent = packet_queue_first(&port->queue) == NULL && !atomic_load(&port->ended);
        if (silent && may_show_earlier(port, packet->time))
            return true;
    }
    return false;
}

static bool is_over(const struct live *live)
{
    for (size_t i = 0; i < live->count; i++) {
        if (!atomic_load(&live->ports[i].ended) ||
            packet_queue_first(&live->ports[i].queue) != NULL)
            return false;
    }
    return true;
}

static void sleep_a_moment(struct live *live)
{
    uint64_t ignored;
    struct pollfd waits[] = {
        {.fd = live->bell.fd, .events = POLLIN},
        {.fd = live->stopping ? -1 : live->break_fd, .events = POLLIN},
    };
    atomic_exchange(&live->bell.is_heard, true);
    /* What must_wait holds back wakes nobody: its time comes. */
    bool holds = earliest(live) != NULL;
    if (!is_over(live) && (!holds || live->count > 1))
        poll(waits, 2, holds ? PATIENCE_MS / 4 : PATIENCE_MS);
    atomic_store(&live->bell.is_heard, false);
    ssize_t rung = read(live->bell.fd, &ignored, sizeof ignored);
    (void)rung;
}

/* A packet that may be given out, in *ret_packet; NULL: none now. */
static struct port *next_ripe(struct live *live, const struct queued_packet **ret_packet)
{
    struct port *port;
    while ((port = earliest(live)) != NULL) {
        *ret_packet = packet_queue_first(&port->queue);
        bool too_late = live->stopping && time_is_before(live->stop_time, (*ret_packet)->time);
        if (!too_late)
            return live->count > 1 && must_wait(live, *ret_packet) ? NULL : port;
        packet_queue_drop(&port->queue);
    }
    return NULL;
}

/* Once the last block has surely been handed over, the threads may end. */
static void go_on_stopping(struct live *live)
{
    if (!live->stopping || live->stopped || clock_now(CLOCK_MONOTONIC) < live->settled)
        return;
    live->stopped = true;
    for (size_t i = 0; i < live->count; i++)
        port_stop(&live->ports[i]);
}

static void drop_given(struct live *live)
{
    if (live->giving < live->count)
        packet_queue_drop(&live->ports[live->giving].queue);
    live->giving = live->count;
}

enum source_result live_next(struct live *live, struct captured_packet *ret_packet)
{
    const struct queued_packet *packet;
    if (!live->started)
        start(live);
    drop_given(live);
    go_on_stopping(live);
    struct port *port = next_ripe(live, &packet);
    if (port == NULL) {
        sleep_a_moment(live);
        port = next_ripe(live, &packet);
    }
    if (port == NULL)
        return is_over(live) ? SOURCE_END : SOURCE_IDLE;
    live->giving = (size_t)(port - live->ports);
    ret_packet->data = packet->data;
    ret_packet->captured = packet->captured;
    ret_packet->length = packet->length;
    ret_packet->time = packet->time;
    ret_packet->link_type = port->link_type;
    ret_packet->interface = 0;
    ret_packet->others = 0;
    ret_packet->lost = 0;
    ret_packet->input = (uint32_t)port->interface;
    ret_packet->standpoint = ret_packet->input + 1;
    return SOURCE_PACKET;
}

void live_stop(struct live *live)
{
    if (live->stopping)
        return;
    live->stopping = true;
    live->stop_time = clock_now(CLOCK_REALTIME);
    live->settled = clock_now(CLOCK_MONOTONIC) + (nanotime)SETTLE_MS * NANO_PER_MILLI;
}

uint32_t live_threads(const struct live *live, size_t interface)
{
    uint32_t threads = 0;
    for (size_t i = 0; i < live->count; i++)
        threads += live->ports[i].interface == interface;
    return threads;
}

const char *live_problem(const struct live *live, size_t interface)
{
    for (size_t i = 0; i < live->count; i++) {
        const struct port *port = &live->ports[i];
        if (port->interface == interface && atomic_load(&port->ended) && port->problem[0] != '\0')
            return port->problem;
    }
    return "";
}

bool live_drops(struct live *live, uint64_t *ret_received, uint64_t *ret_dropped,
                uint64_t *ret_interface_dropped)
{
    struct port_counts sum = {0};
    for (size_t i = 0; i < live->count; i++) {
        struct port_counts counts;
        if (!port_counts(&live->ports[i], &counts))
            return false;
        sum.received += counts.received;
        sum.dropped += counts.dropped;
        sum.interface_dropped += counts.interface_dropped;
    }
    *ret_received = sum.received;
    *ret_dropped = sum.dropped;
    *ret_interface_dropped = sum.interface_dropped;
    return true;
}

void live_free(struct live *live)
{
    if (live == NULL)
        return;
    for (size_t i = 0; i < live->count; i++)
        port_clear(&live->ports[i]);
    close(live->bell.fd);
    free(live->ports);
    free(live);
}
