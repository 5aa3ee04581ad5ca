/* terminal: see terminal.h. */
#include "terminal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "values.h"

bool terminal_has_colour(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    if (!isatty(fileno(stream)) || (no_colour != NULL && *no_colour != '\0'))
        return false;
    return terminal != NULL && strcmp(terminal, "dumb") != 0;
}

int terminal_columns(FILE *stream)
{
    struct winsize size;
    return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int terminal_columns_asked(void)
{
    const char *columns = getenv("COLUMNS");
    uint64_t number;
    if (columns == NULL || !value_read_number(columns, &number) || number > INT16_MAX)
        return 0;
    return (int)number;
}

/* POSIX, 8.2: the first of these that is set and not empty names the locale. */
bool terminal_is_utf8(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *locale = getenv(variables[i]);
        if (locale != NULL && *locale != '\0')
            return strcasestr(locale, "UTF-8") != NULL || strcasestr(locale, "UTF8") != NULL;
    }
    return false;
}
