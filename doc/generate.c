/*
 * generate: writes what the documentation takes from the program's tables.  Built, run and not
 * installed.
 *
 *   generate man      the options as roff, for lastack.1
 *   generate bash     the completion for bash
 *   generate events   the reference of events as Markdown
 */
#include <stdio.h>
#include <string.h>

#include "../analyzer/event/catalogue.h"
#include "../analyzer/options.h"

/* roff: a hyphen that can be copied, and no line that begins with a control character. */
static void put_roff(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '-' || *text == '\\')
            putchar('\\');
        if (*text == '\\')
            putchar('e');
        else
            putchar(*text);
    }
}

static void put_argument(const struct option_row *row)
{
    bool optional = row->argument[0] == '[';
    printf("%s\\fI", optional ? "\\fR[=" : " ");
    printf("%.*s", (int)strcspn(row->argument + optional, "]"), row->argument + optional);
    printf("\\fR%s", optional ? "]" : row->argument + strcspn(row->argument, "]"));
}

static void put_man_option(const struct option_row *row)
{
    printf(".TP\n");
    if (row->letter != 0)
        printf("\\fB\\-%c\\fR%s", row->letter, row->long_name != NULL ? ", " : "");
    if (row->long_name != NULL) {
        printf("\\fB\\-\\-");
        put_roff(row->long_name);
        printf("\\fR");
    }
    if (row->argument != NULL)
        put_argument(row);
    putchar('\n');
    put_roff(row->help);
    printf(".\n");
}

static void put_man(void)
{
    for (enum option_group group = 0; group < OPTION_GROUPS; group++) {
        printf(".SS %s\n", option_group_title(group));
        for (enum option_id id = 0; id < OPTION_IDS; id++) {
            if (option_row(id)->group == group)
                put_man_option(option_row(id));
        }
    }
}

/* All spellings of the options, separated by spaces. */
static void put_spellings(void)
{
    for (enum option_id id = 0; id < OPTION_IDS; id++) {
        const struct option_row *row = option_row(id);
        if (row->letter != 0)
            printf("-%c ", row->letter);
        if (row->long_name != NULL)
            printf("--%s ", row->long_name);
    }
}

static void put_event_ids(void)
{
    for (enum event_id id = 0; id < EVENT_IDS; id++)
        printf(" %s", event_row(id)->id);
}

static void put_families(void)
{
    const char *last = "";
    for (enum event_id id = 0; id < EVENT_IDS; id++) {
        if (strcmp(event_row(id)->family, last) != 0)
            printf(" %s", event_row(id)->family);
        last = event_row(id)->family;
    }
}

static void put_level_names(void)
{
    for (enum level level = LEVEL_INFO; level <= LEVEL_ERROR; level++)
        printf(" %s", level_name(level));
}

/* What completes the argument of an option, by the words of its argument's name. */
static void put_candidates(const char *argument)
{
    if (strstr(argument, "FILE") != NULL) {
        printf("_lastack_files");
        return;
    }
    if (strstr(argument, "IFACE") != NULL) {
        printf("_lastack_words \"$(ls /sys/class/net 2>/dev/null) any\"");
        return;
    }
    printf("_lastack_words \"");
    if (strstr(argument, "LEVEL") != NULL)
        put_level_names();
    if (strncmp(argument, "ID", 2) == 0 || strstr(argument, "|ID") != NULL)
        put_event_ids();
    if (strstr(argument, "FAMILY") != NULL)
        put_families();
    for (const char *word = argument; *word != '\0'; word += strspn(word, "|[]")) {
        int length = (int)strcspn(word, "|[]");
        if (length > 0 && word[0] >= 'a' && word[0] <= 'z')
            printf(" %.*s", length, word);
        word += length;
    }
    putchar('"');
}

/* A required argument follows a space or "="; one that may be left out, "=" only. */
static void put_bash_case(const struct option_row *row)
{
    const char *separator = "";
    bool optional = row->argument[0] == '[';
    printf("    ");
    if (row->letter != 0 && !optional) {
        printf("-%c", row->letter);
        separator = "|";
    }
    if (row->long_name != NULL && !optional) {
        printf("%s--%s", separator, row->long_name);
        separator = "|";
    }
    if (row->long_name != NULL)
        printf("%s--%s=", separator, row->long_name);
    printf(") ");
    put_candidates(row->argument);
    printf(" ;;\n");
}

static void put_bash(void)
{
    printf("# Completion of lastack for bash; made from the table of options.\n"
           "_lastack_words() { COMPREPLY=($(compgen -W \"$1\" -- \"$current\")); }\n"
           "_lastack_files() { compopt -o filenames 2>/dev/null; "
           "mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); }\n"
           "_lastack() {\n"
           "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
           "    # bash splits --option=value into three words\n"
           "    if [[ $current == = ]]; then\n"
           "        current= previous+==\n"
           "    elif [[ $previous == = && COMP_CWORD -ge 3 ]]; then\n"
           "        previous=${COMP_WORDS[COMP_CWORD-2]}=\n"
           "    fi\n"
           "    case $previous in\n");
    for (enum option_id id = 0; id < OPTION_IDS; id++) {
        if (option_row(id)->argument != NULL)
            put_bash_case(option_row(id));
    }
    printf("    *) if [[ $current == -* ]]; then _lastack_words \"");
    put_spellings();
    printf("\"; else _lastack_files; fi\n"
           "    if ((COMP_CWORD == 1)) && [[ -n $current ]]; then\n"
           "        COMPREPLY+=($(compgen -W 'ladder top' -- \"$current\"))\n"
           "    fi ;;\n"
           "    esac\n"
           "}\n"
           "complete -F _lastack lastack\n");
}

static void put_event_section(const struct event_row *row)
{
    printf("\n## %s\n\n%s. Level: %s. Family: %s.\n\n", row->id, row->title, level_name(row->level),
           row->family);
    printf("- Raised when %s.\n", row->condition);
    printf("- Meaning: %s\n", row->meaning);
    printf("- Remedy: %s\n", row->remedy);
    printf("- Reference: <%s>\n", row->reference);
}

static void put_events(void)
{
    printf(
        "# Events that lastack reports\n\n"
        "Made from `analyzer/detect/events.def` and `analyzer/event/notes.def`. Ids are stable:\n"
        "never renamed, never used again. `lastack --explain ID` prints one of them.\n");
    for (enum event_id id = 0; id < EVENT_IDS; id++)
        put_event_section(event_row(id));
    printf("\n# Caveats\n\n"
           "Notes on the capture that stand in `caveats` of flows and events.\n\n");
    for (enum note_id id = 0; id < NOTE_IDS; id++)
        printf("- `%s`: %s.\n", note_row(id)->id, note_row(id)->meaning);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "man") == 0)
        put_man();
    else if (argc == 2 && strcmp(argv[1], "bash") == 0)
        put_bash();
    else if (argc == 2 && strcmp(argv[1], "events") == 0)
        put_events();
    else
        return 2;
    return fflush(stdout) == 0 ? 0 : 1;
}
