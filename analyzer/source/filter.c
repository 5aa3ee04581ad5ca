/* filter: libpcap compiles and runs it; the program is kept until the link type changes. */
#include "filter.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "escape.h"

enum { LARGEST_CAPTURE = 262144, SHOWN_EXPRESSION = 128, SHOWN_REASON = 200 };

struct filter {
    const char *expression;
    struct bpf_program program;
    int link_type;
    bool is_compiled;
};

struct filter *filter_new(const char *expression)
{
    struct filter *filter = calloc(1, sizeof *filter);
    if (filter != NULL)
        filter->expression = expression;
    return filter;
}

void filter_explain(const char *expression, int link_type, const char *reason, char *message)
{
    char shown[SHOWN_EXPRESSION];
    char why[SHOWN_REASON];
    escape_name(expression, shown, sizeof shown);
    escape_name(reason, why, sizeof why);
    snprintf(message, MESSAGE_SIZE,
             "the filter \"%s\" cannot be used on link type %s: %s; see the forms: man pcap-filter",
             shown, source_link_type_name(link_type), why);
}

enum status filter_compile(struct filter *filter, int link_type, char *message)
{
    if (filter->is_compiled && filter->link_type == link_type)
        return STATUS_OK;
    pcap_t *dead = pcap_open_dead(link_type, LARGEST_CAPTURE);
    if (dead == NULL) {
        snprintf(message, MESSAGE_SIZE, "out of memory while compiling the filter");
        return STATUS_NO_MEMORY;
    }
    struct bpf_program program;
    enum status status = STATUS_OK;
    if (pcap_compile(dead, &program, filter->expression, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        filter_explain(filter->expression, link_type, pcap_geterr(dead), message);
        status = STATUS_USAGE;
    }
    pcap_close(dead);
    if (status != STATUS_OK)
        return status;
    if (filter->is_compiled)
        pcap_freecode(&filter->program);
    filter->program = program;
    filter->link_type = link_type;
    filter->is_compiled = true;
    return STATUS_OK;
}

bool filter_passes(const struct filter *filter, const struct captured_packet *packet)
{
    const struct pcap_pkthdr header = {.caplen = packet->captured, .len = packet->length};
    return pcap_offline_filter(&filter->program, &header, packet->data) != 0;
}

void filter_free(struct filter *filter)
{
    if (filter == NULL)
        return;
    if (filter->is_compiled)
        pcap_freecode(&filter->program);
    free(filter);
}
