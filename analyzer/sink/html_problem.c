/*
 * html_problem: the example is made when its event comes, since the record is gone afterwards; the
 * element around it at the end, when it is known how often that happened.
 */
#include "html_problem.h"

#include <inttypes.h>

#include "line.h"
#include "place.h"

static void add_paragraph(struct markup *markup, const char *label, const char *text)
{
    if (text[0] == '\0')
        return;
    markup_add(markup, "<p>");
    if (label != NULL)
        markup_add(markup, "<strong>%s</strong> ", label);
    markup_add_text(markup, text);
    markup_add(markup, "</p>\n");
}

static void add_packet(struct markup *markup, const struct sink_options *options,
                       const struct evidence_record *evidence)
{
    const struct input_span *span = place_of_evidence(options->inputs, options->taps, evidence);
    const char *tap = place_tap(options->taps, evidence);
    uint64_t packet = evidence->packet;
    if (packet == 0)
        markup_add(markup, "<td>-</td>");
    else
        markup_add(markup, "<td>#%" PRIu64, packet);
    if (tap != NULL) {
        markup_add(markup, " at ");
        markup_add_text(markup, tap);
    }
    if (packet != 0 && span != NULL) {
        markup_add(markup, " (");
        markup_add_text(markup, span->name);
        markup_add(markup, " #%" PRIu64 ")", place_in_file(span, packet));
    }
    if (packet != 0)
        markup_add(markup, "</td>");
}

static void add_evidence(struct markup *markup, const struct event_record *event,
                         const struct sink_options *options)
{
    if (event->evidence_count == 0)
        return;
    markup_add(markup, "<table class=\"evidence\"><caption>Evidence</caption><thead><tr><th>packet"
                       "</th><th>time (UTC)</th><th>from</th><th>role</th><th>what it says</th>"
                       "</tr></thead><tbody>\n");
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        const struct evidence_record *evidence = &event->evidence[i];
        struct line moment = {.length = 0};
        line_add_moment(&moment, evidence->t, false, options->nano);
        markup_add(markup, "<tr>");
        add_packet(markup, options, evidence);
        markup_add(markup, "<td>%s</td><td>%s</td><td>%s</td><td>", moment.text,
                   evidence->from == CLIENT ? "client" : "server",
                   evidence_role_name(evidence->role));
        markup_add_text(markup, evidence->says);
        markup_add(markup, "</td></tr>\n");
    }
    markup_add(markup, "</tbody></table>\n");
}

/* Wireshark's own words: ip.addr and tcp.port mean either end, so that it fits both directions. */
static void add_filter(struct markup *markup, const struct flow_identity *who)
{
    const char *field = who->ip_version == 6 ? "ipv6.addr" : "ip.addr";
    struct line filter = {.length = 0};
    for (int end = CLIENT; end <= SERVER; end++) {
        line_add(&filter, "%s%s == ", end == CLIENT ? "" : " && ", field);
        line_add_address(&filter, who->ip_version, who->end[end].address);
    }
    line_add(&filter, " && tcp.port == %u && tcp.port == %u", who->end[CLIENT].port,
             who->end[SERVER].port);
    markup_add(markup, "<p class=\"filter\" data-flow=\"%016" PRIx64 "\">Wireshark: <code>",
               who->flow_uid);
    markup_add_text(markup, filter.text);
    markup_add(markup, "</code></p>\n");
}

/* The packets of the evidence; with several inputs their numbers are in none of them. */
static void add_packets_filter(struct markup *markup, const struct event_record *event,
                               const struct sink_options *options)
{
    struct line filter = {.length = 0};
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        if (event->evidence[i].packet != 0)
            line_add(&filter, "%s%" PRIu64, filter.length > 0 ? ", " : "",
                     event->evidence[i].packet);
    }
    if (filter.length > 0 && options->inputs == NULL)
        markup_add(markup,
                   "<p class=\"filter\">These packets: <code>frame.number in {%s}</code></p>\n",
                   filter.text);
}

static void add_standing(struct markup *markup, const struct event_record *event)
{
    const char *separator = "; but ";
    markup_add(markup, "<p class=\"faint\">%s, %s", event_row(event->id)->id,
               confidence_name(event->confidence));
    for (enum note_id note = 0; note < NOTE_IDS; note++) {
        if (!(event->caveats & UINT64_C(1) << note))
            continue;
        markup_add(markup, "%s", separator);
        markup_add_text(markup, note_row(note)->meaning);
        separator = ", ";
    }
    markup_add(markup, ". Flow %016" PRIx64 ". The rule: ", event->who.flow_uid);
    markup_add_text(markup, event_row(event->id)->reference);
    markup_add(markup, "</p>\n");
}

void html_add_example(struct markup *markup, const struct event_record *event,
                      const struct sink_options *options)
{
    add_paragraph(markup, NULL, event->explanation);
    add_paragraph(markup, "To do:", event->remedy);
    add_evidence(markup, event, options);
    add_filter(markup, &event->who);
    add_packets_filter(markup, event, options);
    add_standing(markup, event);
}

void html_add_where(struct markup *markup, const struct problem *problem)
{
    struct line where = {.length = 0};
    line_add_address(&where, (uint8_t)problem->key.ip_version, problem->key.source);
    line_add(&where, " to ");
    line_add_address(&where, (uint8_t)problem->key.ip_version, problem->key.destination);
    line_add(&where, " port %u", problem->key.port);
    markup_add_text(markup, where.text);
}

void html_begin_problem(struct markup *markup, const struct problem *problem, bool nano)
{
    struct line span = {.length = 0};
    line_add_span(&span, problem->first, problem->last, nano);
    markup_add(markup, "<details class=\"problem %s\"><summary><span class=\"level\">%s</span> ",
               level_name(problem->level), level_name(problem->level));
    markup_add_text(markup, event_row((enum event_id)problem->key.id)->title);
    markup_add(markup, " <span class=\"faint\">");
    html_add_where(markup, problem);
    if (problem->count > 1)
        markup_add(markup, ", %" PRIu64 " times", problem->count);
    markup_add(markup, "</span></summary>\n<p>");
    markup_add_text(markup, span.text);
    markup_add(markup, "%s</p>\n", problem->count > 1 ? ". One of them:" : "");
}

void html_end_problem(struct markup *markup)
{
    markup_add(markup, "</details>\n");
}
