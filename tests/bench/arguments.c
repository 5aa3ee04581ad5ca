/* arguments: see arguments.h. */
#include "arguments.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "frame.h"

/* clang-format off */
static const struct row {
    const char *name;
    size_t at; /* in struct amounts */
    uint64_t least, most;
    const char *says;
} rows[] = {
    {"connections", offsetof(struct amounts, connections), 1, 1 << 29,           "how many connections"},
    {"live",        offsetof(struct amounts, live),        1, 1 << 29,           "how many are open at once, about"},
    {"span",        offsetof(struct amounts, span),        1, 1 << 29,           "seconds of capture time in which they begin"},
    {"packets",     offsetof(struct amounts, packets),     1, UINT32_MAX,        "packets of the capture, about (single and bulk)"},
    {"payload",     offsetof(struct amounts, payload),     1, FRAME_PAYLOAD_MAX, "octets of each segment that carries any"},
    {"snaplen",     offsetof(struct amounts, snaplen),     1, 262144,            "octets kept of each frame"},
    {"reuse",       offsetof(struct amounts, reuse),       0, 100,               "percent that take a closed connection's ports"},
    {"seed",        offsetof(struct amounts, seed),        1, UINT64_MAX,        "drawn when left out"},
};
/* clang-format on */

enum { ROWS = sizeof rows / sizeof rows[0] };

static void say_usage(void)
{
    fputs("usage: generate [options] WORKLOAD [CAPTURE]\n\nworkloads:\n", stderr);
    for (const struct workload *workload = workloads; workload->name != NULL; workload++)
        fprintf(stderr, "  %-20s %s\n", workload->name, workload->says);
    fputs("\noptions, each with a number:\n", stderr);
    for (int i = 0; i < ROWS; i++)
        fprintf(stderr, "  --%-18s %s\n", rows[i].name, rows[i].says);
}

static bool read_amount(const struct row *row, const char *text, struct amounts *amounts)
{
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < row->least || value > row->most) {
        fprintf(stderr, "generate: --%s %s: a number from %" PRIu64 " to %" PRIu64 " is wanted\n",
                row->name, text, row->least, row->most);
        return false;
    }
    *(uint64_t *)((char *)amounts + row->at) = value;
    return true;
}

/* Reads the options; the workload, which gives all other amounts, comes after them. */
static bool read_options(int argc, char **argv, const char *texts[ROWS])
{
    struct option options[ROWS + 1] = {0};
    for (int i = 0; i < ROWS; i++)
        options[i] = (struct option){rows[i].name, required_argument, NULL, i};
    int found;
    while ((found = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (found == '?')
            return false;
        texts[found] = optarg;
    }
    return optind < argc && argc - optind <= 2;
}

bool arguments_read(int argc, char **argv, struct arguments *ret_arguments)
{
    const char *texts[ROWS] = {0};
    if (!read_options(argc, argv, texts)) {
        say_usage();
        return false;
    }
    struct arguments arguments = {.workload = workload_find(argv[optind])};
    if (arguments.workload == NULL) {
        fprintf(stderr, "generate: no workload is called %s\n", argv[optind]);
        return false;
    }
    arguments.amounts = arguments.workload->amounts;
    arguments.file = optind + 1 < argc ? argv[optind + 1] : NULL;
    for (int i = 0; i < ROWS; i++)
        if (texts[i] != NULL && !read_amount(&rows[i], texts[i], &arguments.amounts))
            return false;
    *ret_arguments = arguments;
    return true;
}
