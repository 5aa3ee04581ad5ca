/* messages: see messages.h. */
#include "messages.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/status.h"
#include "base/text.h"

void message_print(const char *format, ...)
{
    char raw[2 * MESSAGE_SIZE];
    char shown[2 * MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(raw, sizeof raw, format, arguments);
    va_end(arguments);
    text_copy_printable(shown, sizeof shown, raw);
    fprintf(stderr, "lastack: %s\n", shown);
}
