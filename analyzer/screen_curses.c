/*
 * screen_curses: see screen.h.
 *
 * newterm reads the terminal's description, so it comes while files may be opened; its endwin right
 * behind it gives the terminal back, and the first refresh takes it again.
 */
#include "screen.h"

#include <curses.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"

#undef columns /* of <term.h>, a macro */

enum { LEAVE_SIZE = 128, FIRST_PAIR = 1 };

struct screen {
    SCREEN *curses;
    FILE *keys;             /* owned when it is not standard input */
    struct termios before;  /* of the terminal */
    char leave[LEAVE_SIZE]; /* what puts it back, in its own words */
    bool utf8, colour, drawn;
};

/* clang-format off */
static const struct {
    int code;
    enum top_key key;
} keys[] = {
    {'q', TOP_QUIT},            {'k', TOP_UP},             {'j', TOP_DOWN},
    {KEY_UP, TOP_UP},           {KEY_DOWN, TOP_DOWN},      {KEY_PPAGE, TOP_PAGE_UP},
    {KEY_NPAGE, TOP_PAGE_DOWN}, {' ', TOP_PAGE_DOWN},      {KEY_HOME, TOP_FIRST},
    {KEY_END, TOP_LAST},        {'g', TOP_FIRST},          {'G', TOP_LAST},
    {'\r', TOP_OPEN},           {'\n', TOP_OPEN},          {KEY_ENTER, TOP_OPEN},
    {27, TOP_BACK},             {KEY_LEFT, TOP_BACK},      {KEY_BACKSPACE, TOP_BACK},
    {'\t', TOP_NEXT_VIEW},      {'1', TOP_OVERVIEW},       {'2', TOP_CONNECTIONS},
    {'3', TOP_HOSTS},           {'4', TOP_EVENTS},         {KEY_RESIZE, TOP_REDRAW},
    {'\f', TOP_REDRAW},
};

/* How styles and the colours of ladders look; a colour is told by attributes alone as well. */
static const struct {
    chtype attributes;
    short colour; /* -1: none */
} looks[] = {
    [TOP_PLAIN]   = {A_NORMAL,  -1},
    [TOP_HEADING] = {A_BOLD,    -1},
    [TOP_FAINT]   = {A_DIM,     -1},
    [TOP_NOTICE]  = {A_BOLD,    -1},
    [TOP_WARNING] = {A_NORMAL,  COLOR_YELLOW},
    [TOP_ERROR]   = {A_BOLD,    COLOR_RED},
};

/* The escape sequences of ladder_text (ECMA-48 SGR), and the style that stands for each. */
static const struct {
    const char *code;
    enum top_style style;
} ladder_codes[] = {
    {"\x1b[0m", TOP_PLAIN}, {"\x1b[1m", TOP_HEADING},  {"\x1b[2m", TOP_FAINT},
    {"\x1b[9m", TOP_FAINT}, {"\x1b[33m", TOP_WARNING}, {"\x1b[1;31m", TOP_ERROR},
};
/* clang-format on */

enum {
    KEYS = sizeof keys / sizeof keys[0],
    LOOKS = sizeof looks / sizeof looks[0],
    LADDER_CODES = sizeof ladder_codes / sizeof ladder_codes[0],
    ESCAPE_MS = 25 /* what follows an Esc within this belongs to a key */
};

static void add_code(char *leave, const char *code)
{
    if (code != NULL && code != (const char *)-1 && strlen(leave) + strlen(code) < LEAVE_SIZE)
        strcat(leave, code);
}

/* For screen_abandon, which may not ask ncurses. */
static void note_how_to_leave(struct screen *screen)
{
    add_code(screen->leave, tigetstr("sgr0"));
    add_code(screen->leave, tigetstr("cnorm"));
    add_code(screen->leave, tigetstr("rmkx"));
    add_code(screen->leave, tigetstr("rmcup"));
}

static void begin_colours(struct screen *screen)
{
    const char *no_colour = getenv("NO_COLOR");
    screen->colour = (no_colour == NULL || *no_colour == '\0') && has_colors();
    if (!screen->colour)
        return;
    start_color();
    use_default_colors();
    for (short i = 0; i < LOOKS; i++)
        init_pair((short)(FIRST_PAIR + i), looks[i].colour, -1);
}

/* Whether its description is there, and says how the cursor is placed. */
static bool can_be_drawn_on(const char *terminal)
{
    int error;
    if (terminal == NULL || setupterm(terminal, STDOUT_FILENO, &error) != OK)
        return false;
    const char *place = tigetstr("cup");
    bool can_place = place != NULL && place != (const char *)-1;
    del_curterm(cur_term);
    return can_place;
}

static enum status begin_curses(struct screen *screen, char *message)
{
    const char *terminal = getenv("TERM");
    setlocale(LC_CTYPE, "");
    screen->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    signal(SIGTSTP, SIG_IGN); /* stopped, it would leave the terminal as it is */
    if (!can_be_drawn_on(terminal)) {
        snprintf(message, MESSAGE_SIZE,
                 "top: the terminal \"%.32s\" is not known here, or cannot be drawn on; type: "
                 "TERM=xterm lastack top ...",
                 terminal == NULL ? "" : terminal);
        return STATUS_USAGE;
    }
    screen->curses = newterm(NULL, stdout, screen->keys);
    if (screen->curses == NULL) {
        snprintf(message, MESSAGE_SIZE, "out of memory while opening the terminal");
        return STATUS_NO_MEMORY;
    }
    set_term(screen->curses);
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(ESCAPE_MS);
    curs_set(0);
    begin_colours(screen);
    note_how_to_leave(screen);
    endwin();
    return STATUS_OK;
}

enum status screen_open(struct screen **ret_screen, char *message)
{
    struct screen *screen = calloc(1, sizeof *screen);
    if (screen == NULL) {
        snprintf(message, MESSAGE_SIZE, "out of memory while opening the terminal");
        return STATUS_NO_MEMORY;
    }
    bool is_terminal = isatty(STDOUT_FILENO) && tcgetattr(STDOUT_FILENO, &screen->before) == 0;
    screen->keys = isatty(STDIN_FILENO) ? stdin : fopen("/dev/tty", "re");
    enum status status = STATUS_USAGE;
    if (!is_terminal || screen->keys == NULL)
        snprintf(message, MESSAGE_SIZE,
                 "top: it draws on a terminal, and standard output is none; write --ndjson to go "
                 "on elsewhere");
    else
        status = begin_curses(screen, message);
    if (status != STATUS_OK) {
        screen_close(screen);
        return status;
    }
    *ret_screen = screen;
    return STATUS_OK;
}

void screen_measure(const struct screen *screen, struct top_page *page)
{
    page->rows = LINES < TOP_MOST_ROWS ? LINES : TOP_MOST_ROWS;
    page->columns = COLS < TOP_MOST_COLUMNS ? COLS : TOP_MOST_COLUMNS;
    page->utf8 = screen->utf8;
}

static void set_look(const struct screen *screen, enum top_style style, bool selected)
{
    chtype attributes = looks[style].attributes;
    if (screen->colour && looks[style].colour >= 0)
        attributes |= COLOR_PAIR(FIRST_PAIR + (int)style);
    attrset((int)(attributes | (selected ? A_REVERSE : 0)));
}

/* The length of a ladder's colour code at text, with its style; 0: there is none. */
static size_t read_code(const char *text, enum top_style *ret_style)
{
    for (size_t i = 0; i < LADDER_CODES; i++) {
        size_t length = strlen(ladder_codes[i].code);
        if (strncmp(text, ladder_codes[i].code, length) != 0)
            continue;
        *ret_style = ladder_codes[i].style;
        return length;
    }
    return 0;
}

/* What is printed is printable, whatever came: everything but the codes goes through the filter. */
static void draw_line(const struct screen *screen, const struct top_line *line)
{
    char part[TOP_LINE_SIZE], printable[TOP_LINE_SIZE];
    set_look(screen, line->style, line->selected);
    for (const char *at = line->text; *at != '\0';) {
        enum top_style style;
        size_t length = read_code(at, &style);
        if (length > 0) {
            set_look(screen, style, line->selected);
            at += length;
            continue;
        }
        length = strcspn(at + 1, "\x1b") + 1;
        snprintf(part, sizeof part, "%.*s", (int)length, at);
        text_copy_printable(printable, sizeof printable, part);
        addstr(printable);
        at += length;
    }
}

void screen_draw(struct screen *screen, const struct top_page *page)
{
    screen->drawn = true;
    erase();
    for (int row = 0; row < page->rows; row++) {
        move(row, 0);
        draw_line(screen, &page->line[row]);
        if (page->line[row].selected)
            chgat(-1, A_REVERSE, 0, NULL);
    }
    attrset(A_NORMAL);
    refresh();
}

/* Whether the terminal has hung up: then reading keys says nothing of it. */
static bool is_gone(const struct screen *screen)
{
    struct pollfd wait = {.fd = fileno(screen->keys), .events = POLLIN};
    return poll(&wait, 1, 0) > 0 && (wait.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

enum top_key screen_key(struct screen *screen)
{
    int code = screen->drawn ? getch() : ERR;
    if (code == ERR)
        return is_gone(screen) ? TOP_QUIT : TOP_NONE;
    for (size_t i = 0; i < KEYS; i++) {
        if (keys[i].code != code)
            continue;
        if (code == '\f')
            clearok(curscr, TRUE);
        return keys[i].key;
    }
    return TOP_REDRAW; /* a key that means nothing */
}

void screen_abandon(const struct screen *screen)
{
    if (!screen->drawn)
        return;
    ssize_t ignored = write(STDOUT_FILENO, screen->leave, strlen(screen->leave));
    (void)ignored;
    tcsetattr(STDOUT_FILENO, TCSANOW, &screen->before);
}

void screen_close(struct screen *screen)
{
    if (screen == NULL)
        return;
    if (screen->curses != NULL) {
        if (screen->drawn)
            endwin();
        delscreen(screen->curses);
    }
    if (screen->keys != NULL && screen->keys != stdin)
        fclose(screen->keys);
    free(screen);
}
