/* option_table: options.def as rows, and --help. */
#include "options.h"

#include <string.h>

enum { HELP_COLUMN = 30, HELP_WIDTH = 100 };

static const struct option_row rows[OPTION_IDS] = {
#define OPTION(id, letter, long_name, argument, group, help)                                       \
    {letter, long_name, argument, GROUP_##group, help},
#include "options.def"
#undef OPTION
};

static const char *const group_titles[OPTION_GROUPS] = {
    [GROUP_READING] = "Reading",
    [GROUP_WRITING] = "Writing",
    [GROUP_ANALYSIS] = "Analysis",
    [GROUP_MANNERS] = "Messages and reference",
};

const struct option_row *option_row(enum option_id id)
{
    return &rows[id];
}

const char *option_group_title(enum option_group group)
{
    return group_titles[group];
}

/* "  -s, --snapshot-length OCTETS"; returns the columns used. */
static int print_names(FILE *stream, const struct option_row *row)
{
    int columns =
        row->letter != 0 ? fprintf(stream, "  -%c", row->letter) : fprintf(stream, "    ");
    if (row->long_name != NULL)
        columns += fprintf(stream, "%s--%s", row->letter != 0 ? ", " : "  ", row->long_name);
    if (row->argument == NULL)
        return columns;
    if (row->argument[0] != '[')
        return columns + fprintf(stream, " %s", row->argument);
    return columns + fprintf(stream, "[=%s", row->argument + 1);
}

/* Prints text between HELP_COLUMN and HELP_WIDTH; the cursor is at column. */
static void print_wrapped(FILE *stream, const char *text, int column)
{
    if (column >= HELP_COLUMN - 1) {
        fputc('\n', stream);
        column = 0;
    }
    fprintf(stream, "%*s", HELP_COLUMN - column, "");
    column = HELP_COLUMN;
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (column > HELP_COLUMN && column + 1 + length > HELP_WIDTH)
            column = fprintf(stream, "\n%*s", HELP_COLUMN, "") - 1;
        else if (column > HELP_COLUMN)
            column += fprintf(stream, " ");
        column += fprintf(stream, "%.*s", length, text);
        text += length + (text[length] == ' ' ? 1 : 0);
    }
    fputc('\n', stream);
}

void options_print_help(FILE *stream)
{
    fputs("Usage: lastack [options] FILE...\n"
          "       lastack -i IFACE [options] [FILTER...]\n"
          "       lastack ladder [options] FILE...\n"
          "       lastack top -i IFACE [options] [FILTER...]\n"
          "       lastack merge [options] RECORDS...\n"
          "\n"
          "Tells how TCP connections ended: the state of each side, what went wrong, whose doing\n"
          "it was, and the packets that prove it.\n"
          "\n"
          "FILE is a capture (pcap or pcapng, also compressed); - is standard input. Without an\n"
          "output option the summary for people goes to a terminal, the JSON report elsewhere.\n"
          "FILE left out, or -, after an output option means standard output.\n",
          stream);
    for (enum option_group group = 0; group < OPTION_GROUPS; group++) {
        fprintf(stream, "\n%s:\n", group_titles[group]);
        for (enum option_id id = 0; id < OPTION_IDS; id++) {
            if (rows[id].group == group)
                print_wrapped(stream, rows[id].help, print_names(stream, &rows[id]));
        }
    }
    fputs("\n"
          "Exit status: 0 done, 1 --fail-on matched, 2 usage, 3 input unreadable, 4 input damaged\n"
          "(the report says where), 5 output could not be written.\n",
          stream);
}
