/*
 * savefile: which reader a file is for, and what to say when it is for none.
 *
 * Messages advise with the word FILE, never with the name itself: a name is from outside, and what
 * is pasted into a shell should not be.
 */
#include "savefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"

enum { SHOWN_HEAD = 16, ADVICE_SIZE = 160 };

struct savefile {
    struct stream *stream;
    const struct reader_type *type;
    void *reader;
    const struct format *format;
    bool can_reopen;
    uint64_t size;
    char name[ESCAPE_NAME_SIZE]; /* fit for a message */
};

/* What tshark's tools read and we do not. */
static const char convert[] = "editcap -F pcapng FILE new.pcapng && lastack new.pcapng";

/* clang-format off */
static const struct format {
    uint8_t magic[8];
    uint8_t magic_size;
    uint8_t header_size; /* octets that an empty file has */
    const char *name;
    const struct reader_type *type;
} formats[] = {
    {{0xd4, 0xc3, 0xb2, 0xa1}, 4, 24, "pcap",   &reader_libpcap}, /* microseconds, little-endian */
    {{0xa1, 0xb2, 0xc3, 0xd4}, 4, 24, "pcap",   &reader_libpcap}, /* microseconds, big-endian */
    {{0x4d, 0x3c, 0xb2, 0xa1}, 4, 24, "pcap",   &reader_libpcap}, /* nanoseconds */
    {{0xa1, 0xb2, 0x3c, 0x4d}, 4, 24, "pcap",   &reader_libpcap},
    {{0x34, 0xcd, 0xb2, 0xa1}, 4, 24, "pcap",   &reader_libpcap}, /* "modified": records with an interface, from old Linux */
    {{0xa1, 0xb2, 0xcd, 0x34}, 4, 24, "pcap",   &reader_libpcap},
    {{0x0a, 0x0d, 0x0d, 0x0a}, 4, 24, "pcapng", &reader_pcapng},
    {"snoop\0\0",              8, 16, "snoop",  &reader_snoop},
};

static const struct format format_erf = {.header_size = 16, .name = "erf", .type = &reader_erf};

/* What people give by mistake, and what then to type. */
static const struct {
    const char *magic;
    size_t magic_size;
    const char *what;
    const char *advice;
} strangers[] = {
    {"BZh",              3, "compressed with bzip2",          "bzip2 -dc FILE | lastack -"},
    {"\x1f\x9d",         2, "compressed with compress",       "gzip -dc FILE | lastack -"},
    {"\x02\x21\x4c\x18", 4, "compressed with lz4's old form", "lz4 -dc FILE | lastack -"},
    {"PK\x03\x04",       4, "a zip archive",                  "unzip -p FILE | lastack -"},
    {"GMBU",             4, "a Microsoft NetMon 2 capture",   convert},
    {"RTSS",             4, "a Microsoft NetMon 1 capture",   convert},
    {"\x1c\0\x01\xac",   4, "an IXIA lcap capture (hardware)", convert},
    {"\x1c\0\x01\xab",   4, "an IXIA lcap capture (software)", convert},
    {"\xac\x01\0\x1c",   4, "an IXIA lcap capture (hardware)", convert},
    {"\xab\x01\0\x1c",   4, "an IXIA lcap capture (software)", convert},
    {"btsnoop\0",        8, "a Bluetooth btsnoop log, without TCP", "tshark -r FILE"},
    {"XCP\0",            4, "a NetXRay or Windows Sniffer capture", convert},
    {"TRSNIFF data",    12, "a DOS Sniffer capture",          convert},
    {"ObserverPktBuff", 15, "a Viavi Observer capture",       convert},
    {"\x7fver",           4, "a Savvius Peek capture",         convert},
    {"iptrace ",         8, "an AIX iptrace capture",         convert},
    {"\x05VNF",           4, "a Visual Networks capture",      convert},
    {"\xaa\xaa\xaa\xaa", 4, "an InfoVista 5View capture",     convert},
    {"TR\0d",            4, "an HP-UX nettl trace",           convert},
    {"\0\0\x02\0\x12\x05", 6, "a Tektronix K12 capture",      convert},
    {"EyeSDN",           6, "an EyeSDN trace, without TCP",   "tshark -r FILE"},
};

static const struct {
    int error;
    enum status status;
    const char *advice;
} refusals[] = {
    {ENOENT,  STATUS_NOT_FOUND,  "no such file; check the name, or see what is there: ls -l"},
    {ENOTDIR, STATUS_NOT_FOUND,  "no such file (a part of the path is no directory); check the name"},
    {EACCES,  STATUS_DENIED,     "no permission to read it; type: sudo cat FILE | lastack -"},
    {EPERM,   STATUS_DENIED,     "no permission to read it; type: sudo cat FILE | lastack -"},
    {ELOOP,   STATUS_NOT_FOUND,  "its symbolic links go in a circle; check the name: ls -l FILE"},
    {EMFILE,  STATUS_UNREADABLE, "too many open files; raise the limit: ulimit -n 1024"},
};
/* clang-format on */

enum {
    FORMATS = sizeof formats / sizeof formats[0],
    STRANGERS = sizeof strangers / sizeof strangers[0],
    REFUSALS = sizeof refusals / sizeof refusals[0],
};

static enum status savefile_refuse(const char *name, int error, char *message)
{
    for (size_t i = 0; i < REFUSALS; i++) {
        if (refusals[i].error != error)
            continue;
        snprintf(message, MESSAGE_SIZE, "%s: %s", name, refusals[i].advice);
        return refusals[i].status;
    }
    snprintf(message, MESSAGE_SIZE, "%s: cannot be opened: %s", name, strerror(error));
    return STATUS_UNREADABLE;
}

static enum status savefile_refuse_directory(const char *name, char *message)
{
    snprintf(message, MESSAGE_SIZE,
             "%s: a directory, not a capture; name the captures in it: lastack DIRECTORY/*.pcap",
             name);
    return STATUS_UNREADABLE;
}

static enum status savefile_refuse_terminal(char *message)
{
    snprintf(message, MESSAGE_SIZE,
             "-: standard input is a terminal; pipe a capture into it: tcpdump -w - | lastack -");
    return STATUS_USAGE;
}

static enum status savefile_open_descriptor(const char *name, struct stream_options *options,
                                            struct stat *ret_stat, char *message)
{
    bool is_stdin = strcmp(name, "-") == 0;
    options->owns_fd = !is_stdin;
    options->fd = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (options->fd < 0 || fstat(options->fd, ret_stat) != 0) {
        int error = errno;
        if (options->fd >= 0 && options->owns_fd)
            close(options->fd);
        return savefile_refuse(options->name, error, message);
    }
    options->is_pipe = !S_ISREG(ret_stat->st_mode) && !S_ISDIR(ret_stat->st_mode);
    if (is_stdin && isatty(STDIN_FILENO))
        return savefile_refuse_terminal(message);
    if (!S_ISDIR(ret_stat->st_mode))
        return STATUS_OK;
    if (options->owns_fd)
        close(options->fd);
    return savefile_refuse_directory(options->name, message);
}

/* What is left of an ordinary file: standard input may have been read from before. */
static uint64_t savefile_octets_left(int fd, const struct stat *stat)
{
    off_t position = lseek(fd, 0, SEEK_CUR);
    if (!S_ISREG(stat->st_mode) || position < 0 || position > stat->st_size)
        return 0;
    return (uint64_t)(stat->st_size - position);
}

static const struct format *find_format(const uint8_t *head, size_t size)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (size >= formats[i].magic_size &&
            memcmp(head, formats[i].magic, formats[i].magic_size) == 0)
            return &formats[i];
    return erf_can_read(head, size) ? &format_erf : NULL;
}

static bool find_stranger(const uint8_t *head, size_t size, char *ret_advice)
{
    for (size_t i = 0; i < STRANGERS; i++) {
        if (size < strangers[i].magic_size ||
            memcmp(head, strangers[i].magic, strangers[i].magic_size) != 0)
            continue;
        snprintf(ret_advice, ADVICE_SIZE, "%s; type: %s", strangers[i].what, strangers[i].advice);
        return true;
    }
    return false;
}

static enum status savefile_refuse_format(const struct savefile *savefile, const uint8_t *head,
                                          size_t size, char *message)
{
    char shown[SHOWN_HEAD * 4 + 8];
    char advice[ADVICE_SIZE];
    if (find_stranger(head, size, advice)) {
        snprintf(message, MESSAGE_SIZE, "%s: %s", savefile->name, advice);
        return STATUS_UNREADABLE;
    }
    escape_octets(head, size < SHOWN_HEAD ? size : SHOWN_HEAD, shown, sizeof shown);
    snprintf(
        message, MESSAGE_SIZE,
        "%s: not a capture%s: it begins \"%s\"; read are pcap, pcapng, snoop and ERF, plain or as "
        ".gz .zst .lz4 .xz; see what it is: file FILE",
        savefile->name, stream_compression(savefile->stream) != NULL ? " once unpacked" : "",
        shown);
    return STATUS_UNREADABLE;
}

static enum status savefile_refuse_short(const struct savefile *savefile, size_t size,
                                         char *message)
{
    const char *problem = stream_problem(savefile->stream);
    snprintf(message, MESSAGE_SIZE,
             "%s: cut short inside its %s file header: %zu of %d octets%s%s; no packet is in it",
             savefile->name, savefile->format->name, size, savefile->format->header_size,
             problem[0] ? "; " : "", problem);
    return STATUS_UNREADABLE;
}

static enum status savefile_choose_reader(struct savefile *savefile, char *message)
{
    size_t size;
    const uint8_t *head = stream_head(savefile->stream, &size);
    savefile->format = find_format(head, size);
    if (savefile->format == NULL)
        return savefile_refuse_format(savefile, head, size, message);
    if (size < savefile->format->header_size)
        return savefile_refuse_short(savefile, size, message);
    savefile->type = classic_can_read(head, size) ? &reader_classic : savefile->format->type;
    return savefile->type->open(savefile->stream, savefile->name, &savefile->reader, message);
}

static enum status savefile_start(struct savefile *savefile, const char *name,
                                  const struct savefile_options *wanted, char *message)
{
    escape_name(name, savefile->name, sizeof savefile->name);
    struct stream_options options = {.name = savefile->name, .break_fd = wanted->break_fd};
    struct stat stat;
    enum status status = savefile_open_descriptor(name, &options, &stat, message);
    if (status != STATUS_OK)
        return status;
    savefile->size = savefile_octets_left(options.fd, &stat);
    savefile->can_reopen = options.owns_fd && !options.is_pipe;
    options.ended = wanted->ended;
    options.ahead = wanted->ahead;
    if (wanted->follow && savefile->can_reopen) {
        options.path = name;
        options.superseded = wanted->superseded;
    }
    status = stream_open(&options, &savefile->stream, message);
    if (status != STATUS_OK)
        return status;
    return savefile_choose_reader(savefile, message);
}

enum status savefile_open(const char *name, int break_fd, struct savefile **ret_savefile,
                          char *message)
{
    const struct savefile_options options = {.break_fd = break_fd};
    return savefile_open_with(name, &options, ret_savefile, message);
}

enum status savefile_open_with(const char *name, const struct savefile_options *options,
                               struct savefile **ret_savefile, char *message)
{
    struct savefile *savefile = calloc(1, sizeof *savefile);
    if (savefile == NULL) {
        snprintf(message, MESSAGE_SIZE, "out of memory while opening a capture");
        return STATUS_NO_MEMORY;
    }
    enum status status = savefile_start(savefile, name, options, message);
    if (status != STATUS_OK) {
        savefile_free(savefile);
        return status;
    }
    *ret_savefile = savefile;
    return STATUS_OK;
}

bool savefile_must_await(const char *name, int break_fd)
{
    char ignored[MESSAGE_SIZE];
    bool ended = false;
    struct stat named;
    struct savefile *savefile;
    const struct savefile_options options = {.break_fd = break_fd, .ended = &ended};
    if (stat(name, &named) != 0)
        return errno == ENOENT;
    if (!S_ISREG(named.st_mode))
        return false;
    if (savefile_open_with(name, &options, &savefile, ignored) != STATUS_OK)
        return ended;
    savefile_free(savefile);
    return false;
}

const char *savefile_format(const struct savefile *savefile)
{
    return savefile->format->name;
}

const char *savefile_compression(const struct savefile *savefile)
{
    return stream_compression(savefile->stream);
}

int savefile_link_type(const struct savefile *savefile)
{
    return savefile->type->link_type(savefile->reader);
}

bool savefile_can_reopen(const struct savefile *savefile)
{
    return savefile->can_reopen;
}

uint64_t savefile_size(const struct savefile *savefile)
{
    return savefile->size;
}

uint64_t savefile_bytes_read(const struct savefile *savefile)
{
    return stream_stored_read(savefile->stream);
}

bool savefile_is_broken(const struct savefile *savefile)
{
    return stream_is_broken(savefile->stream);
}

void savefile_counts(const struct savefile *savefile, struct source_counts *ret_counts)
{
    *ret_counts = (struct source_counts){0};
    if (savefile->type->counts != NULL)
        savefile->type->counts(savefile->reader, ret_counts);
}

enum reader_result savefile_next(struct savefile *savefile, struct captured_packet *ret_packet,
                                 char *problem)
{
    return savefile->type->next(savefile->reader, ret_packet, problem);
}

size_t savefile_more(struct savefile *savefile, struct run_wanted wanted,
                     struct packet_run *ret_run)
{
    const struct reader_type *type = savefile->type;
    return type->more == NULL ? 0 : type->more(savefile->reader, wanted, ret_run);
}

void savefile_free(struct savefile *savefile)
{
    if (savefile == NULL)
        return;
    if (savefile->type != NULL)
        savefile->type->free(savefile->reader);
    stream_free(savefile->stream);
    free(savefile);
}
