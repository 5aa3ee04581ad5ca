/* port: see port.h. */
#include "port.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "escape.h"
#include "filter.h"

enum {
    DEFAULT_SNAPLEN = 262144,
    SHOWN_REASON = 176,
    TYPE_SHOWN = 64,       /* octets, of a name as it was given */
    TYPE_NAMES = 256,      /* octets, of those that there are: a message has room for both */
    AT_ONCE = 256,         /* packets between two looks at whether to stop */
    SHARED_TIMEOUT_MS = 10 /* the others' packets wait for those of this block */
};

static const struct timespec moment = {.tv_nsec = 500 * NANO_PER_MICRO}; /* until there is room */

/* clang-format off */
static const struct {
    int error;
    enum status status;
    const char *advice; /* %1$s: the interface, %2$s: this program */
} refusals[] = {
    {PCAP_ERROR_NO_SUCH_DEVICE,         STATUS_NOT_FOUND,  "%1$s: no such interface; see which there are: lastack -D"},
    {PCAP_ERROR_PERM_DENIED,            STATUS_DENIED,     "%1$s: no permission to capture; type: sudo setcap cap_net_raw,cap_net_admin=eip %2$s (or run it with sudo)"},
    {PCAP_ERROR_PROMISC_PERM_DENIED,    STATUS_DENIED,     "%1$s: no permission for promiscuous mode; add -p, or type: sudo setcap cap_net_raw,cap_net_admin=eip %2$s"},
    {PCAP_ERROR_IFACE_NOT_UP,           STATUS_UNREADABLE, "%1$s: the interface is down; type: sudo ip link set %1$s up"},
};
/* clang-format on */

enum { REFUSALS = sizeof refusals / sizeof refusals[0], PROGRAM_NAME = 256 };

/* Where this program lies, for a line that can be typed as it stands. */
static void find_program(char name[PROGRAM_NAME])
{
    ssize_t length = readlink("/proc/self/exe", name, PROGRAM_NAME - 1);
    if (length <= 0 || length >= PROGRAM_NAME - 1)
        snprintf(name, PROGRAM_NAME, "$(command -v lastack)");
    else
        name[length] = '\0';
}

static enum status refuse(const char *name, int error, const char *reason, char *message)
{
    char shown[ESCAPE_NAME_SIZE];
    char why[SHOWN_REASON];
    char program[PROGRAM_NAME];
    escape_name(name, shown, sizeof shown);
    find_program(program);
    for (size_t i = 0; i < REFUSALS; i++) {
        if (refusals[i].error != error)
            continue;
        snprintf(message, MESSAGE_SIZE, refusals[i].advice, shown, program);
        return refusals[i].status;
    }
    escape_name(reason, why, sizeof why);
    snprintf(message, MESSAGE_SIZE, "%s: capturing cannot begin: %s", shown, why);
    return STATUS_UNREADABLE;
}

static void configure(struct port *port, const struct source_options *options, uint32_t share)
{
    int timeout = share > 1 ? SHARED_TIMEOUT_MS : PORT_TIMEOUT_MS;
    int buffer = options->buffer_kib / (int)share;
    port->timeout = (nanotime)timeout * NANO_PER_MILLI;
    pcap_set_snaplen(port->pcap, options->snaplen > 0 ? options->snaplen : DEFAULT_SNAPLEN);
    pcap_set_promisc(port->pcap, options->promiscuous);
    pcap_set_timeout(port->pcap, timeout);
    if (buffer > 0 && buffer <= INT32_MAX / 1024)
        pcap_set_buffer_size(port->pcap, buffer * 1024);
    /* Where the interface has no nanoseconds, this changes nothing. */
    pcap_set_tstamp_precision(port->pcap, PCAP_TSTAMP_PRECISION_NANO);
}

/* Appends a name to a list of them; what finds no room is left out. */
static void add_name(char *list, size_t room, const char *name)
{
    size_t used = strlen(list);
    if (name != NULL)
        snprintf(list + used, room - used, "%s%s", used > 0 ? ", " : "", name);
}

static enum status refuse_type(const char *option, const char *type, const char *names,
                               char *message)
{
    char shown[TYPE_SHOWN];
    escape_name(type, shown, sizeof shown);
    snprintf(message, MESSAGE_SIZE, "%s %s: the interface has none of that name; %s%s", option,
             shown, names[0] == '\0' ? "leave it out" : "it has ", names);
    return STATUS_USAGE;
}

static enum status set_stamp_type(struct port *port, const char *type, char *message)
{
    char names[TYPE_NAMES] = "";
    int *types, known = type == NULL ? 0 : pcap_tstamp_type_name_to_val(type);
    if (type == NULL || (known >= 0 && pcap_set_tstamp_type(port->pcap, known) == 0))
        return STATUS_OK;
    int count = pcap_list_tstamp_types(port->pcap, &types);
    for (int i = 0; i < count; i++)
        add_name(names, sizeof names, pcap_tstamp_type_val_to_name(types[i]));
    if (count > 0)
        pcap_free_tstamp_types(types);
    return refuse_type("-j", type, names, message);
}

static enum status set_link_type(struct port *port, const char *type, char *message)
{
    char names[TYPE_NAMES] = "";
    int *types, known = type == NULL ? 0 : pcap_datalink_name_to_val(type);
    if (type == NULL || (known >= 0 && pcap_set_datalink(port->pcap, known) == 0))
        return STATUS_OK;
    int count = pcap_list_datalinks(port->pcap, &types);
    for (int i = 0; i < count; i++)
        add_name(names, sizeof names, pcap_datalink_val_to_name(types[i]));
    if (count >= 0)
        pcap_free_datalinks(types);
    return refuse_type("-y", type, names, message);
}

static enum status set_filter(struct port *port, const char *expression, char *message)
{
    struct bpf_program program;
    if (expression == NULL)
        return STATUS_OK;
    if (pcap_compile(port->pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        filter_explain(expression, port->link_type, pcap_geterr(port->pcap), message);
        return STATUS_USAGE;
    }
    enum status status = STATUS_OK;
    if (pcap_setfilter(port->pcap, &program) != 0) {
        filter_explain(expression, port->link_type, pcap_geterr(port->pcap), message);
        status = STATUS_USAGE;
    }
    pcap_freecode(&program);
    return status;
}

enum status port_open(struct port *port, const struct source_options *options, size_t interface,
                      uint32_t share, char *message)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    const char *name = options->interfaces[interface];
    port->interface = interface;
    port->begins = INT64_MIN;
    if (packet_queue_init(&port->queue, share) != STATUS_OK) {
        snprintf(message, MESSAGE_SIZE, "out of memory while opening the interface");
        return STATUS_NO_MEMORY;
    }
    port->pcap = pcap_create(name, error);
    if (port->pcap == NULL)
        return refuse(name, 0, error, message);
    configure(port, options, share);
    enum status status = set_stamp_type(port, options->stamp_type, message);
    if (status != STATUS_OK)
        return status;
    int result = pcap_activate(port->pcap);
    if (result < 0) /* above 0 are warnings: it captures all the same */
        return refuse(name, result, pcap_geterr(port->pcap), message);
    bool has_nanos = pcap_get_tstamp_precision(port->pcap) == PCAP_TSTAMP_PRECISION_NANO;
    port->fraction_nanos = has_nanos ? 1 : NANO_PER_MICRO;
    /* Of any: the form of its header that names the interface, where libpcap knows it (1.10). */
    if (options->link_type == NULL && pcap_datalink(port->pcap) == DLT_LINUX_SLL)
        pcap_set_datalink(port->pcap, DLT_LINUX_SLL2);
    status = set_link_type(port, options->link_type, message);
    if (status != STATUS_OK)
        return status;
    port->link_type = pcap_datalink(port->pcap);
    port->fd = pcap_fileno(port->pcap);
    return set_filter(port, options->filter, message);
}

/*
 * The taker exchanges is_heard, too, before it looks a last time and sleeps: of the two exchanges
 * the second sees what was done before the first, so no packet is left behind.
 */
static void ring(struct bell *bell)
{
    const uint64_t one = 1;
    if (!atomic_exchange(&bell->is_heard, false))
        return;
    ssize_t ignored = write(bell->fd, &one, sizeof one);
    (void)ignored;
}

/* A full queue is waited for: meanwhile the kernel's ring fills, and the kernel counts its drops.
 */
static void take(u_char *context, const struct pcap_pkthdr *header, const u_char *data)
{
    struct port *port = (struct port *)(void *)context;
    const struct queued_packet packet = {
        .time = (nanotime)header->ts.tv_sec * NANO_PER_SECOND +
                header->ts.tv_usec * port->fraction_nanos,
        .captured = header->caplen,
        .length = header->len,
    };
    if (time_is_before(packet.time, port->begins)) {
        atomic_fetch_add(&port->left_out, 1);
        return;
    }
    while (!packet_queue_put(&port->queue, &packet, data)) {
        if (atomic_load(&port->abandoned))
            return;
        ring(port->bell);
        nanosleep(&moment, NULL);
    }
}

static void note_failure(struct port *port)
{
    char why[SHOWN_REASON];
    escape_name(pcap_geterr(port->pcap), why, sizeof why);
    snprintf(port->problem, sizeof port->problem, "capturing stopped: %s", why);
}

/* pcap_setnonblock() closes what pcap_breakloop() writes to (libpcap's pcap-linux.c). */
static bool stop_blocking(struct port *port)
{
    char error[PCAP_ERRBUF_SIZE];
    pthread_mutex_lock(&port->waking);
    port->blocks = false;
    int failed = pcap_setnonblock(port->pcap, 1, error);
    pthread_mutex_unlock(&port->waking);
    return failed == 0;
}

/*
 * What the kernel has handed over and nobody has read yet.  Who was asked to break off after the
 * last read hears of it at the next one.
 */
static void take_rest(struct port *port)
{
    int taken = stop_blocking(port) ? 1 : 0;
    while (!atomic_load(&port->abandoned) && (taken > 0 || taken == PCAP_ERROR_BREAK)) {
        taken = pcap_dispatch(port->pcap, AT_ONCE, take, (u_char *)port);
        ring(port->bell);
    }
}

static void *capture(void *context)
{
    struct port *port = context;
    while (!atomic_load(&port->stopping)) {
        int taken = pcap_dispatch(port->pcap, AT_ONCE, take, (u_char *)port);
        ring(port->bell);
        if (taken >= 0 || taken == PCAP_ERROR_BREAK)
            continue;
        note_failure(port);
        break;
    }
    if (port->problem[0] == '\0')
        take_rest(port);
    atomic_store(&port->ended, true);
    ring(port->bell);
    return NULL;
}

enum status port_start(struct port *port, struct bell *bell)
{
    port->bell = bell;
    port->blocks = true;
    pthread_mutex_init(&port->waking, NULL);
    port->has_thread = pthread_create(&port->thread, NULL, capture, port) == 0;
    return port->has_thread ? STATUS_OK : STATUS_NO_MEMORY;
}

void port_stop(struct port *port)
{
    if (!port->has_thread)
        return;
    atomic_store(&port->stopping, true);
    pthread_mutex_lock(&port->waking);
    if (port->blocks)
        pcap_breakloop(port->pcap);
    pthread_mutex_unlock(&port->waking);
}

/*
 * A block that waits to be read, or is being read, makes the socket readable; the queue is looked
 * at behind it, because a block is given back once its packets are there.
 */
bool port_is_drained(const struct port *port)
{
    struct pollfd wait = {.fd = port->fd, .events = POLLIN};
    return poll(&wait, 1, 0) == 0 && packet_queue_first(&port->queue) == NULL;
}

bool port_counts(struct port *port, struct port_counts *ret_counts)
{
    struct pcap_stat now;
    struct port_counts *counts = &port->counts;
    uint64_t left_out = atomic_load(&port->left_out); /* first: these have been received already */
    if (pcap_stats(port->pcap, &now) != 0)
        return false;
    counts->received += now.ps_recv - port->last_stat.ps_recv;
    counts->dropped += now.ps_drop - port->last_stat.ps_drop;
    if (port->is_first)
        counts->interface_dropped += now.ps_ifdrop - port->last_stat.ps_ifdrop;
    port->last_stat = now;
    *ret_counts = *counts;
    ret_counts->received -= left_out;
    return true;
}

void port_clear(struct port *port)
{
    atomic_store(&port->abandoned, true);
    if (port->has_thread) {
        port_stop(port);
        pthread_join(port->thread, NULL);
        pthread_mutex_destroy(&port->waking);
    }
    if (port->pcap != NULL)
        pcap_close(port->pcap);
    packet_queue_clear(&port->queue);
    *port = (struct port){.pcap = NULL};
}
