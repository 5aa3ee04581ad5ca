/* board_server_none: a build without libmicrohttpd; the option is refused before any of these. */
#include "board_server.h"

enum status board_server_open(const struct board_server_options *options,
                              struct board_server **ret_server, char *message)
{
    (void)options;
    (void)ret_server;
    (void)message;
    return STATUS_USAGE;
}

enum status board_server_begin(struct board_server *server, char *page, size_t length,
                               char *message)
{
    (void)server;
    (void)page;
    (void)length;
    (void)message;
    return STATUS_USAGE;
}

void board_server_post(struct board_server *server, enum board_kind kind, const char *json,
                       size_t length)
{
    (void)server;
    (void)kind;
    (void)json;
    (void)length;
}

void board_server_wake(struct board_server *server, bool beat)
{
    (void)server;
    (void)beat;
}

void board_server_tidy(struct board_server *server)
{
    (void)server;
}

bool board_server_is_asked(struct board_server *server)
{
    (void)server;
    return false;
}

bool board_server_next(struct board_server *server, struct board_question *ret_question)
{
    (void)server;
    (void)ret_question;
    return false;
}

void board_server_answer(struct board_server *server, unsigned ticket, char *text, size_t length)
{
    (void)server;
    (void)ticket;
    (void)text;
    (void)length;
}

const char *board_server_place(const struct board_server *server)
{
    (void)server;
    return "";
}

void board_server_free(struct board_server *server)
{
    (void)server;
}
