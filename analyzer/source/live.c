/*
 * live: one interface.  Packets are seen at most TIMEOUT_MS after they came.
 *
 * libpcap's own timeout does not end a read on a silent interface (Linux's ring, version 3); so it
 * never blocks here, and the waiting is done on its descriptor.
 */
#include "live.h"

#include <poll.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "escape.h"
#include "filter.h"
#include "reader.h"

enum { TIMEOUT_MS = 100, DEFAULT_SNAPLEN = 262144, SHOWN_REASON = 176 };

struct live {
    pcap_t *pcap;
    int break_fd;            /* readable when waiting should stop */
    nanotime fraction_nanos; /* what one unit of the time's fraction is worth */
};

/* clang-format off */
static const struct {
    int error;
    enum status status;
    const char *advice;
} refusals[] = {
    {PCAP_ERROR_NO_SUCH_DEVICE,         STATUS_NOT_FOUND,  "no such interface; see which there are: lastack -D"},
    {PCAP_ERROR_PERM_DENIED,            STATUS_DENIED,     "no permission to capture; type: sudo setcap cap_net_raw,cap_net_admin=eip $(command -v lastack), or run it with sudo"},
    {PCAP_ERROR_PROMISC_PERM_DENIED,    STATUS_DENIED,     "no permission for promiscuous mode; add -p, or type: sudo setcap cap_net_raw,cap_net_admin=eip $(command -v lastack)"},
    {PCAP_ERROR_IFACE_NOT_UP,           STATUS_UNREADABLE, "the interface is down; type: sudo ip link set INTERFACE up"},
};
/* clang-format on */

enum { REFUSALS = sizeof refusals / sizeof refusals[0] };

static enum status live_refuse(const char *name, int error, const char *reason, char *message)
{
    char shown[ESCAPE_NAME_SIZE];
    char why[SHOWN_REASON];
    escape_name(name, shown, sizeof shown);
    for (size_t i = 0; i < REFUSALS; i++) {
        if (refusals[i].error != error)
            continue;
        snprintf(message, MESSAGE_SIZE, "%s: %s", shown, refusals[i].advice);
        return refusals[i].status;
    }
    escape_name(reason, why, sizeof why);
    snprintf(message, MESSAGE_SIZE, "%s: capturing cannot begin: %s", shown, why);
    return STATUS_UNREADABLE;
}

static void live_configure(struct live *live, const struct source_options *options)
{
    pcap_set_snaplen(live->pcap, options->snaplen > 0 ? options->snaplen : DEFAULT_SNAPLEN);
    pcap_set_promisc(live->pcap, options->promiscuous);
    pcap_set_timeout(live->pcap, TIMEOUT_MS);
    if (options->buffer_kib > 0 && options->buffer_kib <= INT32_MAX / 1024)
        pcap_set_buffer_size(live->pcap, options->buffer_kib * 1024);
    /* Where the interface has no nanoseconds, this changes nothing. */
    pcap_set_tstamp_precision(live->pcap, PCAP_TSTAMP_PRECISION_NANO);
}

static enum status live_set_filter(struct live *live, const char *expression, char *message)
{
    struct bpf_program program;
    if (expression == NULL)
        return STATUS_OK;
    if (pcap_compile(live->pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        filter_explain(expression, pcap_datalink(live->pcap), pcap_geterr(live->pcap), message);
        return STATUS_USAGE;
    }
    enum status status = STATUS_OK;
    if (pcap_setfilter(live->pcap, &program) != 0) {
        filter_explain(expression, pcap_datalink(live->pcap), pcap_geterr(live->pcap), message);
        status = STATUS_USAGE;
    }
    pcap_freecode(&program);
    return status;
}

static enum status live_start(struct live *live, const struct source_options *options,
                              char *message)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    live->pcap = pcap_create(options->interface, error);
    if (live->pcap == NULL)
        return live_refuse(options->interface, 0, error, message);
    live_configure(live, options);
    int result = pcap_activate(live->pcap);
    if (result < 0) /* above 0 are warnings: it captures all the same */
        return live_refuse(options->interface, result, pcap_geterr(live->pcap), message);
    bool has_nanos = pcap_get_tstamp_precision(live->pcap) == PCAP_TSTAMP_PRECISION_NANO;
    live->fraction_nanos = has_nanos ? 1 : NANO_PER_MICRO;
    if (pcap_setnonblock(live->pcap, 1, error) != 0)
        return live_refuse(options->interface, 0, error, message);
    return live_set_filter(live, options->filter, message);
}

enum status live_open(const struct source_options *options, int break_fd, struct live **ret_live,
                      char *message)
{
    struct live *live = calloc(1, sizeof *live);
    if (live == NULL) {
        snprintf(message, MESSAGE_SIZE, "out of memory while opening the interface");
        return STATUS_NO_MEMORY;
    }
    live->break_fd = break_fd;
    enum status status = live_start(live, options, message);
    if (status != STATUS_OK) {
        live_free(live);
        return status;
    }
    *ret_live = live;
    return STATUS_OK;
}

static void live_wait(const struct live *live)
{
    struct pollfd waits[] = {
        {.fd = pcap_get_selectable_fd(live->pcap), .events = POLLIN},
        {.fd = live->break_fd, .events = POLLIN},
    };
    poll(waits, 2, TIMEOUT_MS); /* whatever ends it, the caller looks for itself */
}

enum source_result live_next(struct live *live, struct captured_packet *ret_packet, char *problem)
{
    struct pcap_pkthdr *header;
    const u_char *data;
    int result = pcap_next_ex(live->pcap, &header, &data);
    if (result == 0) {
        live_wait(live);
        result = pcap_next_ex(live->pcap, &header, &data);
    }
    if (result == 0)
        return SOURCE_IDLE;
    if (result != 1) {
        char why[SHOWN_REASON];
        escape_name(pcap_geterr(live->pcap), why, sizeof why);
        snprintf(problem, READER_PROBLEM_SIZE, "capturing stopped: %s", why);
        return SOURCE_END;
    }
    ret_packet->data = data;
    ret_packet->captured = header->caplen;
    ret_packet->length = header->len;
    ret_packet->time =
        (nanotime)header->ts.tv_sec * NANO_PER_SECOND + header->ts.tv_usec * live->fraction_nanos;
    ret_packet->others = 0;
    ret_packet->link_type = pcap_datalink(live->pcap);
    ret_packet->lost = 0;
    return SOURCE_PACKET;
}

bool live_drops(struct live *live, uint64_t *ret_received, uint64_t *ret_dropped,
                uint64_t *ret_interface_dropped)
{
    struct pcap_stat stat;
    if (pcap_stats(live->pcap, &stat) != 0)
        return false;
    *ret_received = stat.ps_recv;
    *ret_dropped = stat.ps_drop;
    *ret_interface_dropped = stat.ps_ifdrop;
    return true;
}

void live_free(struct live *live)
{
    if (live == NULL)
        return;
    if (live->pcap != NULL)
        pcap_close(live->pcap);
    free(live);
}
