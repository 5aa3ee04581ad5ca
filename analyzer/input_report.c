/* input_report: see input_report.h. */
#include "input_report.h"

#include <stdio.h>
#include <stdlib.h>

#include "chain.h"
#include "messages.h"

static void summarize_input(const struct source *source, size_t index,
                            struct input_summary *ret_summary)
{
    const struct source_input *input = source_input(source, index);
    *ret_summary = (struct input_summary){
        .name = input->name,
        .format = input->format,
        .compression = input->compression,
        .packets = input->packets,
        .first_packet = input->first_number,
        .bytes = input->bytes,
        .damaged = input->damaged,
        .stopped_at_packet = input->damaged ? input->packets : 0,
    };
    snprintf(ret_summary->problem, sizeof ret_summary->problem, "%s", input->problem);
    ret_summary->first = input->first;
    ret_summary->last = input->last;
    ret_summary->gap = ret_summary->overlap = NANOTIME_UNKNOWN;
    ret_summary->sections = input->counts.sections;
    ret_summary->comments = input->counts.comments;
    ret_summary->skipped_blocks = input->counts.skipped_blocks;
    ret_summary->damaged_blocks = input->counts.damaged_blocks;
}

/* Where each input begins, beside the end of those before it. */
static void summarize_gaps(struct input_summary *summaries, size_t count)
{
    nanotime reached = NANOTIME_UNKNOWN;
    for (size_t i = 0; i < count; i++) {
        struct input_summary *summary = &summaries[i];
        if (summary->first == NANOTIME_UNKNOWN)
            continue;
        if (reached != NANOTIME_UNKNOWN && time_is_before(summary->first, reached))
            summary->overlap = time_since(reached, summary->first);
        else if (reached != NANOTIME_UNKNOWN)
            summary->gap = time_since(summary->first, reached);
        reached = time_later_of(reached, summary->last);
    }
}

static size_t count_interfaces(const struct source *source)
{
    size_t count = 0;
    for (size_t i = 0; i < source_input_count(source); i++)
        count += source_input(source, i)->counts.interface_count;
    return count;
}

/* Fills the list of all inputs' interfaces, and lets each input point to its own; returns where the
 * next source's go. */
static struct interface_summary *summarize_interfaces(const struct source *source,
                                                      struct interface_summary *interfaces,
                                                      struct input_summary *summaries)
{
    for (size_t i = 0; i < source_input_count(source); i++) {
        const struct source_counts *counts = &source_input(source, i)->counts;
        summaries[i].interfaces = interfaces;
        summaries[i].interface_count = counts->interface_count;
        for (uint32_t k = 0; k < counts->interface_count; k++) {
            const struct source_interface *interface = &counts->interfaces[k];
            *interfaces++ = (struct interface_summary){
                .name = interface->name[0] != '\0' ? interface->name : NULL,
                .link_type = source_link_type_name(interface->link_type),
                .snaplen = interface->snaplen,
                .packets = interface->packets,
                .drops = interface->drops,
                .drops_known = interface->drops_known,
            };
        }
    }
    return interfaces;
}

static void add_drops(struct source *source, const struct chain *before,
                      struct input_report *report)
{
    uint64_t own[3] = {0};
    bool known = source_drops(source, &own[0], &own[1], &own[2]);
    report->drops_known = known || before->drops_known;
    for (int i = 0; i < 3; i++)
        report->drops[i] = before->drops[i] + (known ? own[i] : 0);
}

/* What was read of a source, behind `earlier` summaries of what its chain read before. */
static struct interface_summary *summarize_source(const struct source *source, size_t earlier,
                                                  struct interface_summary *interfaces,
                                                  struct input_summary *summaries)
{
    size_t count = source_input_count(source);
    for (size_t i = 0; i < count; i++)
        summarize_input(source, i, &summaries[i]);
    summarize_gaps(summaries - earlier, earlier + count);
    return summarize_interfaces(source, interfaces, summaries);
}

enum status input_report_make(struct source *const *sources, size_t source_count,
                              const struct chain *before, struct input_report *report)
{
    size_t earlier = before->input_count, own = 0, interface_count = 0;
    for (size_t i = 0; i < source_count; i++) {
        own += source_input_count(sources[i]);
        interface_count += count_interfaces(sources[i]);
    }
    *report = (struct input_report){
        .inputs = calloc(earlier + own + 1, sizeof *report->inputs),
        .count = (uint32_t)(earlier + own),
        .interfaces = calloc(interface_count + 1, sizeof *report->interfaces),
    };
    if (report->inputs == NULL || report->interfaces == NULL) {
        input_report_clear(report);
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < earlier; i++)
        report->inputs[i] = before->inputs[i];
    struct input_summary *summaries = report->inputs + earlier;
    struct interface_summary *interfaces = report->interfaces;
    for (size_t i = 0; i < source_count; i++) {
        interfaces = summarize_source(sources[i], i == 0 ? earlier : 0, interfaces, summaries);
        summaries += source_input_count(sources[i]);
    }
    add_drops(sources[0], before, report);
    return STATUS_OK;
}

void input_report_clear(struct input_report *report)
{
    free(report->inputs);
    free(report->interfaces);
}

enum status input_report_finish(struct source *const *sources, size_t source_count,
                                const struct chain *before, struct analyzer *analyzer)
{
    struct input_report report;
    enum status status = input_report_make(sources, source_count, before, &report);
    if (status != STATUS_OK)
        return status;
    struct analyzer_inputs inputs = {
        .inputs = report.inputs,
        .count = report.count,
        .link_type_name = source_link_type_name,
        .drops_known = report.drops_known,
        .drops_received = report.drops[0],
        .drops_kernel = report.drops[1],
        .drops_interface = report.drops[2],
    };
    status = analyzer_finish(analyzer, &inputs);
    input_report_clear(&report);
    return status;
}

/* With -v: where files leave time out between them, or share it. */
static void say_gap(const struct source_input *input, nanotime reached)
{
    if (reached == NANOTIME_UNKNOWN || input->first == NANOTIME_UNKNOWN)
        return;
    nanotime gap = time_since(input->first, reached);
    message_print("%s: begins %.3f s %s the inputs before it end", input->name,
                  (double)(gap < 0 ? -gap : gap) / NANO_PER_SECOND, gap < 0 ? "before" : "after");
}

enum exit_status input_report_say(const struct source *source, bool verbose)
{
    enum exit_status exit_status = EXIT_DONE;
    nanotime reached = NANOTIME_UNKNOWN;
    for (size_t i = 0; i < source_input_count(source); i++) {
        const struct source_input *input = source_input(source, i);
        if (verbose && input->threads > 1)
            message_print("%s: %llu packets, live, captured by %u threads", input->name,
                          (unsigned long long)input->packets, input->threads);
        else if (verbose)
            message_print("%s: %llu packets, %s%s%s", input->name,
                          (unsigned long long)input->packets,
                          input->format == NULL ? "live" : input->format,
                          input->compression == NULL ? "" : ", ",
                          input->compression == NULL ? "" : input->compression);
        if (verbose)
            say_gap(input, reached);
        reached = time_later_of(reached, input->last);
        if (!input->damaged)
            continue;
        message_print("%s: %s", input->name, input->problem);
        exit_status = EXIT_DAMAGED;
    }
    return exit_status;
}
