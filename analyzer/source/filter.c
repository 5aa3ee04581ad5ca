/*
 * filter: libpcap compiles and runs it; a program is kept for each of the last few link types,
 * since interfaces of several may take turns in a file.
 */
#include "filter.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "escape.h"
#include "reader.h"

enum { SHOWN_EXPRESSION = 128, SHOWN_REASON = 200 };

enum { PROGRAMS = 8 };

struct program {
    struct bpf_program code;
    int link_type;
    bool is_compiled;
    enum status status; /* of compiling it */
};

struct filter {
    const char *expression;
    struct program programs[PROGRAMS];
    size_t current;
    size_t oldest; /* the one to be replaced next */
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

static enum status program_compile(struct program *program, const char *expression, char *message)
{
    pcap_t *dead = pcap_open_dead(program->link_type, LARGEST_CAPTURE);
    if (dead == NULL) {
        snprintf(message, MESSAGE_SIZE, "out of memory while compiling the filter");
        return STATUS_NO_MEMORY;
    }
    enum status status = STATUS_OK;
    if (pcap_compile(dead, &program->code, expression, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        filter_explain(expression, program->link_type, pcap_geterr(dead), message);
        status = STATUS_USAGE;
    }
    pcap_close(dead);
    return status;
}

static void program_clear(struct program *program)
{
    if (program->is_compiled && program->status == STATUS_OK)
        pcap_freecode(&program->code);
    program->is_compiled = false;
}

enum status filter_compile(struct filter *filter, int link_type, char *message)
{
    for (size_t i = 0; i < PROGRAMS; i++) {
        size_t at = (filter->current + i) % PROGRAMS;
        const struct program *program = &filter->programs[at];
        if (!program->is_compiled || program->link_type != link_type)
            continue;
        filter->current = at;
        return program->status;
    }
    struct program *program = &filter->programs[filter->oldest];
    program_clear(program);
    program->link_type = link_type;
    program->status = program_compile(program, filter->expression, message);
    program->is_compiled = program->status != STATUS_NO_MEMORY;
    filter->current = filter->oldest;
    filter->oldest = (filter->oldest + 1) % PROGRAMS;
    return program->status;
}

bool filter_passes(const struct filter *filter, const struct captured_packet *packet)
{
    const struct pcap_pkthdr header = {.caplen = packet->captured, .len = packet->length};
    return pcap_offline_filter(&filter->programs[filter->current].code, &header, packet->data) != 0;
}

void filter_free(struct filter *filter)
{
    if (filter == NULL)
        return;
    for (size_t i = 0; i < PROGRAMS; i++)
        program_clear(&filter->programs[i]);
    free(filter);
}
