/* exit_status: see exit_status.h. */
#include "exit_status.h"

#include "messages.h"

enum exit_status exit_status_of(enum status status)
{
    switch (status) {
    case STATUS_OK:
    case STATUS_CLOSED: /* the reader has seen enough */
        return EXIT_DONE;
    case STATUS_USAGE:
        return EXIT_USAGE;
    case STATUS_DAMAGED:
        return EXIT_DAMAGED;
    case STATUS_WRITE:
        return EXIT_UNWRITTEN;
    case STATUS_NO_MEMORY:
    case STATUS_NOT_FOUND:
    case STATUS_DENIED:
    case STATUS_UNREADABLE:
        break;
    }
    return EXIT_UNREADABLE;
}

enum exit_status exit_worse_of(enum exit_status a, enum exit_status b)
{
    return a > b ? a : b;
}

enum exit_status exit_refuse(enum status status, const char *message)
{
    message_print("%s", status == STATUS_NO_MEMORY ? "out of memory" : message);
    return exit_status_of(status);
}
