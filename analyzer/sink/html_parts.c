/*
 * html_parts: see html_parts.h.
 *
 * The page's content security policy forbids everything but the one style and the one script whose
 * SHA-256 it names (CSP Level 3, 6.7.2.3); a data block is no script and needs none.
 */
#include "html_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <nettle/base64.h>
#include <nettle/sha2.h>

#include "endings.h"
#include "html_problem.h"
#include "line.h"
#include "page/page.h"

static const char *const dwell_names[DWELL_STATES] = {
    [DWELL_FIN_WAIT_2] = "FIN_WAIT_2",
    [DWELL_CLOSE_WAIT] = "CLOSE_WAIT",
    [DWELL_LAST_ACK] = "LAST_ACK",
    [DWELL_TIME_WAIT] = "TIME_WAIT",
};

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void add_digest(struct markup *markup, const char *directive, const char *text)
{
    char spelled[BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE) + 1];
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, strlen(text), (const uint8_t *)text);
    sha256_digest(&context, sizeof digest, digest);
    base64_encode_raw(spelled, sizeof digest, digest);
    spelled[sizeof spelled - 1] = '\0';
    markup_add(markup, "; %s 'sha256-%s'", directive, spelled);
}

/* Text of our own that may be longer than markup_add takes at once. */
static void add_whole(struct markup *markup, const char *text)
{
    enum { PIECE = 1024 };
    for (size_t length = strlen(text); length > 0;) {
        size_t piece = length < PIECE ? length : PIECE;
        markup_add(markup, "%.*s", (int)piece, text);
        text += piece;
        length -= piece;
    }
}

void html_add_head(struct markup *markup, const struct html_head *head)
{
    markup_add(markup, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
                       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'");
    add_digest(markup, "style-src", page_style);
    add_digest(markup, "script-src", head->is_live ? page_live : page_script);
    markup_add(markup,
               "%s; base-uri 'none'; form-action 'none'\"/>\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
               "<meta name=\"referrer\" content=\"no-referrer\"/>\n<title>lastack",
               head->is_live ? "; connect-src 'self'" : "");
    if (head->title != NULL) {
        markup_add(markup, ": ");
        markup_add_text(markup, head->title);
    }
    markup_add(markup, "</title>\n<style>");
    add_whole(markup, page_style);
    markup_add(markup,
               "</style></head>\n<body>\n<nav aria-label=\"parts of this page\">"
               "%s<a href=\"#hosts\">Hosts and services</a> <a href=\"#connections\">"
               "Connections</a> <span id=\"tools\"></span></nav>\n<main>\n<h1>%s</h1>\n",
               head->has_problems ? "<a href=\"#problems\">Problems</a> " : "", head->heading);
}

static void add_verdict(struct markup *markup, const struct run_view *view)
{
    const struct problem *worst = view->problems;
    markup_add(markup, "<p class=\"verdict\">");
    if (view->run->flows == 0)
        markup_add(markup, "No TCP connection was found.");
    else if (view->problem_count == 0)
        markup_add(markup, "%" PRIu64 " connection%s, and no problem among those asked for.",
                   view->run->flows, plural(view->run->flows));
    if (view->problem_count == 0) {
        markup_add(markup, "</p>\n");
        return;
    }
    markup_add(markup, "%" PRIu32 " kind%s of problem in %" PRIu64 " connection%s; the worst, <b>",
               view->problem_count, plural(view->problem_count), view->run->flows,
               plural(view->run->flows));
    markup_add(markup, "%s</b>: ", level_name(worst->level));
    markup_add_text(markup, event_row((enum event_id)worst->key.id)->title);
    markup_add(markup, " (");
    html_add_where(markup, worst);
    if (worst->count > 1)
        markup_add(markup, ", %" PRIu64 " times", worst->count);
    markup_add(markup, ").</p>\n");
}

static void add_input(struct markup *markup, const struct input_summary *input)
{
    markup_add(markup, "<li>");
    markup_add_text(markup, input->name);
    markup_add(markup, ": %" PRIu64 " packet%s", input->packets, plural(input->packets));
    if (input->format != NULL)
        markup_add(markup, " (%s)", input->format);
    for (uint32_t i = 0; i < input->interface_count; i++) {
        if (input->interfaces[i].name == NULL)
            continue;
        markup_add(markup, ", interface ");
        markup_add_text(markup, input->interfaces[i].name);
    }
    if (input->damaged)
        markup_add(markup, "; stopped after packet %" PRIu64, input->stopped_at_packet);
    if (input->problem[0] != '\0') {
        markup_add(markup, "; ");
        markup_add_text(markup, input->problem);
    }
    markup_add(markup, "</li>\n");
}

void html_add_summary(struct markup *markup, const struct run_view *view, bool nano)
{
    enum { INPUTS_NAMED = 50 };
    const struct run_summary *run = view->run;
    struct line span = {.length = 0};
    add_verdict(markup, view);
    markup_add(markup, "<ul class=\"inputs\">\n");
    for (uint32_t i = 0; i < view->input_count && i < INPUTS_NAMED; i++)
        add_input(markup, &view->inputs[i]);
    if (view->input_count > INPUTS_NAMED)
        markup_add(markup, "<li>%" PRIu32 " more inputs</li>\n", view->input_count - INPUTS_NAMED);
    markup_add(markup, "</ul>\n<p class=\"faint\">%" PRIu64 " packet%s, %" PRIu64 " TCP segment%s",
               run->packets, plural(run->packets), run->segments, plural(run->segments));
    if (run->first != NANOTIME_UNKNOWN && run->last != NANOTIME_UNKNOWN) {
        line_add_span(&span, run->first, run->last, nano);
        markup_add(markup, ", ");
        markup_add_text(markup, span.text);
    }
    markup_add(markup, ". Made by lastack %s.</p>\n", view->version);
}

void html_add_endings(struct markup *markup, const struct html_counts *counts)
{
    markup_add(markup,
               "<h2>How they ended</h2>\n<table class=\"endings\"><thead><tr><th>connections"
               "</th><th>client first</th><th>server first</th><th>both at once</th>"
               "<th>neither</th><th>all</th></tr></thead><tbody>\n");
    for (size_t row = 0; row < CLOSE_KINDS; row++) {
        const uint64_t *by = counts->ended[endings[row].kind];
        uint64_t all =
            by[INITIATOR_CLIENT] + by[INITIATOR_SERVER] + by[INITIATOR_BOTH] + by[INITIATOR_NONE];
        if (all == 0)
            continue;
        markup_add(markup,
                   "<tr><th>%s</th><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu64
                   "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td></tr>\n",
                   endings[row].words, by[INITIATOR_CLIENT], by[INITIATOR_SERVER],
                   by[INITIATOR_BOTH], by[INITIATOR_NONE], all);
    }
    markup_add(markup, "</tbody></table>\n");
}

static void add_time(struct markup *markup, nanotime duration)
{
    struct line line = {.length = 0};
    line_add_duration(&line, duration);
    markup_add(markup, "<td>%s</td>", line.text);
}

void html_add_dwell(struct markup *markup, const struct run_view *view)
{
    uint64_t stays = 0;
    for (enum dwell_state state = 0; state < DWELL_STATES; state++)
        stays += view->dwell[state].count;
    if (stays == 0)
        return;
    markup_add(markup,
               "<h2>How long sides stayed</h2>\n<table class=\"dwell\"><thead><tr>"
               "<th>state</th><th>stays</th><th>presumed</th><th>not over yet</th>"
               "<th>least</th><th>median</th><th>95 %% within</th><th>most</th></tr></thead>"
               "<tbody>\n");
    for (enum dwell_state state = 0; state < DWELL_STATES; state++) {
        const struct dwell_summary *dwell = &view->dwell[state];
        if (dwell->count == 0)
            continue;
        markup_add(markup,
                   "<tr><th>%s</th><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td>",
                   dwell_names[state], dwell->count, dwell->presumed, dwell->censored);
        add_time(markup, dwell->min);
        add_time(markup, dwell->median);
        add_time(markup, dwell->p95);
        add_time(markup, dwell->max);
        markup_add(markup, "</tr>\n");
    }
    markup_add(markup, "</tbody></table>\n");
}

void html_add_left_out(struct markup *markup, const struct run_view *view,
                       const struct html_counts *counts)
{
    const struct run_summary *run = view->run;
    struct line line = {.length = 0};
    line_add_if_any(&line, view->problem_count - counts->problems_shown, "more problems");
    line_add_if_any(&line, view->events_left_out, "events beyond the limit of problems");
    line_add_if_any(&line, counts->problems_without_ladder, "problems without their ladder");
    line_add_if_any(&line, counts->segments_without_room, "segments missing from ladders");
    line_add_if_any(&line, view->flows_left_out, "connections missing from the table");
    line_add_if_any(&line, counts->hosts_left_out, "hosts and services not drawn");
    line_add_if_any(&line, run->evictions, "connections given up early for want of memory");
    line_add_if_any(&line, run->tombstones_evicted, "closed connections forgotten early");
    line_add_if_any(&line, run->events_dropped, "events dropped");
    line_add_if_any(&line, run->hosts_left_out, "hosts and services without a census");
    line_add_if_any(&line, run->history_dropped, "states beyond the limit of a history");
    if (line.length > 0)
        markup_add(markup, "<p class=\"left-out\"><strong>Left out:</strong> %s.</p>\n", line.text);
}

/* A text of several lines, which markup_add_text would join. */
static void add_lines(struct markup *markup, const char *text)
{
    while (*text != '\0') {
        char line[256];
        size_t length = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        markup_add_text(markup, line);
        markup_add(markup, "\n");
        text += length + (text[length] == '\n');
    }
}

/* What draws the graphs, with the licence of what is not lastack's own. */
static void add_making(struct markup *markup)
{
    if (page_licence[0] == '\0') {
        markup_add(markup,
                   "<footer class=\"faint\"><p>This lastack was built without uPlot: graphs "
                   "are plain SVG, without zoom.</p></footer>\n");
        return;
    }
    markup_add(markup,
               "<footer class=\"faint\"><p>Graphs are drawn with uPlot: drag to zoom, click "
               "twice to see all.</p>\n<details><summary>uPlot's licence</summary><pre>");
    add_lines(markup, page_licence);
    markup_add(markup, "</pre></details></footer>\n");
}

void html_add_report(struct markup *markup)
{
    markup_add(markup, "</main>\n");
    add_making(markup);
    markup_add(markup, "<script type=\"application/json\" id=\"report\">");
}

void html_add_flows(struct markup *markup)
{
    markup_add(markup, "<section id=\"hosts\"></section>\n<h2 id=\"connections\">Connections"
                       "</h2>\n"
                       "<noscript><p>The table of connections needs scripts; the same is in the "
                       "page's source as JSON.</p></noscript>\n<section id=\"flows\"></section>\n");
    html_add_report(markup);
}

void html_add_segments(struct markup *markup)
{
    markup_add(markup, "</script>\n<script type=\"application/json\" id=\"segments\">");
}

void html_add_end(struct markup *markup, bool is_live)
{
    markup_add(markup, "</script>\n<script>");
    add_whole(markup, is_live ? page_live : page_script);
    markup_add(markup, "</script></body></html>\n");
}
