/*
 * live: a port an interface; their packets are merged by time.
 *
 * The kernel hands packets over in blocks, each interface at times of its own.  So with several
 * interfaces a packet waits until each other one has shown a later packet, or HOLD has passed.
 */
#include "live.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "port.h"

enum { PATIENCE_MS = 100, SETTLE_MS = PORT_TIMEOUT_MS + PORT_TIMEOUT_MS / 2 };

/* Longer than a block that is not full stays with the kernel. */
static const nanotime hold = INT64_C(250) * NANO_PER_MILLI;

struct live {
    struct port *ports; /* owned */
    size_t count;
    size_t giving; /* whose first packet was given out, and is to be dropped; count: none */
    int break_fd;
    struct bell bell;
    bool started, stopping, stopped;
    nanotime stop_time; /* capture clock: packets after it are left out */
    nanotime settled;   /* when the last block has been handed over, on the monotonic clock */
};

static nanotime clock_now(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (nanotime)now.tv_sec * NANO_PER_SECOND + now.tv_nsec;
}

static enum status open_ports(struct live *live, const struct source_options *options,
                              char *message)
{
    enum status status = STATUS_OK;
    for (; status == STATUS_OK && live->count < options->interface_count; live->count++)
        status = port_open(&live->ports[live->count], options->interfaces[live->count], options,
                           message);
    live->giving = live->count;
    return status;
}

enum status live_open(const struct source_options *options, int break_fd, struct live **ret_live,
                      char *message)
{
    struct live *live = calloc(1, sizeof *live);
    struct port *ports = calloc(options->interface_count, sizeof *ports);
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

/* Whether another interface may still show an earlier packet than this. */
static bool must_wait(const struct live *live, const struct queued_packet *packet)
{
    bool silent = false;
    for (size_t i = 0; i < live->count && !silent; i++)
        silent = !atomic_load(&live->ports[i].ended) &&
                 packet_queue_first(&live->ports[i].queue) == NULL;
    if (!silent)
        return false;
    nanotime age = time_since(clock_now(CLOCK_REALTIME), packet->time);
    return age >= 0 && age < hold;
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
    ret_packet->others = 0;
    ret_packet->lost = 0;
    ret_packet->input = (uint32_t)live->giving;
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

const char *live_problem(const struct live *live, size_t interface)
{
    const struct port *port = &live->ports[interface];
    return atomic_load(&port->ended) ? port->problem : "";
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
