/*
 * interfaces: the list for `lastack -D`: name, what it is, whether it is up, its addresses; a line
 * each, or as JSON.
 */
#include <arpa/inet.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <sys/socket.h>

#include "escape.h"
#include "source.h"

/* clang-format off */
static const struct {
    unsigned flag;
    const char *text, *json;
} flags[] = {
    {PCAP_IF_UP,       "up",       "up"},
    {PCAP_IF_RUNNING,  NULL,       "running"},
    {PCAP_IF_LOOPBACK, "loopback", "loopback"},
    {PCAP_IF_WIRELESS, "wireless", "wireless"},
};
/* clang-format on */

enum { FLAGS = sizeof flags / sizeof flags[0] };

/* The address in words; false for what is no IP address. */
static bool spell_address(const struct sockaddr *address, char text[INET6_ADDRSTRLEN])
{
    if (address == NULL)
        return false;
    if (address->sa_family == AF_INET)
        return inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr,
                         text, INET6_ADDRSTRLEN) != NULL;
    return address->sa_family == AF_INET6 &&
           inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
                     text, INET6_ADDRSTRLEN) != NULL;
}

static void write_text(FILE *stream, const pcap_if_t *interface)
{
    char name[ESCAPE_NAME_SIZE];
    char description[ESCAPE_NAME_SIZE] = "";
    escape_name(interface->name, name, sizeof name);
    if (interface->description != NULL)
        escape_name(interface->description, description, sizeof description);
    fprintf(stream, "%-16s %s%s", name, description, description[0] != '\0' ? " " : "");
    fputs(interface->flags & PCAP_IF_UP ? "[up]" : "[down]", stream);
    for (size_t i = 1; i < FLAGS; i++) {
        if (flags[i].text != NULL && (interface->flags & flags[i].flag) != 0)
            fprintf(stream, " [%s]", flags[i].text);
    }
    fputc('\n', stream);
}

/* A string of JSON; escape_name leaves the quote and the backslash to be escaped. */
static void put_string(FILE *stream, const char *text)
{
    char shown[ESCAPE_NAME_SIZE];
    if (text == NULL) {
        fputs("null", stream);
        return;
    }
    escape_name(text, shown, sizeof shown);
    fputc('"', stream);
    for (const char *at = shown; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            fputc('\\', stream);
        fputc(*at, stream);
    }
    fputc('"', stream);
}

static void put_addresses(FILE *stream, const pcap_if_t *interface)
{
    char text[INET6_ADDRSTRLEN];
    const char *separator = "";
    fputs(",\"addresses\":[", stream);
    for (const struct pcap_addr *each = interface->addresses; each != NULL; each = each->next) {
        if (!spell_address(each->addr, text))
            continue;
        fprintf(stream, "%s\"%s\"", separator, text);
        separator = ",";
    }
    fputs("]}", stream);
}

static void write_json(FILE *stream, const pcap_if_t *interface)
{
    fputs("{\"name\":", stream);
    put_string(stream, interface->name);
    fputs(",\"description\":", stream);
    put_string(stream, interface->description);
    for (size_t i = 0; i < FLAGS; i++)
        fprintf(stream, ",\"%s\":%s", flags[i].json,
                interface->flags & flags[i].flag ? "true" : "false");
    put_addresses(stream, interface);
}

static void write_all_json(FILE *stream, const pcap_if_t *interfaces)
{
    fputs("{\"interfaces\":[", stream);
    for (const pcap_if_t *each = interfaces; each != NULL; each = each->next) {
        fputs(each == interfaces ? "\n" : ",\n", stream);
        write_json(stream, each);
    }
    fputs("]}\n", stream);
}

enum status source_list_interfaces(void *file_stream, bool json, char *message)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    char why[ESCAPE_NAME_SIZE];
    pcap_if_t *interfaces = NULL;
    if (pcap_findalldevs(&interfaces, error) != 0) {
        escape_name(error, why, sizeof why);
        snprintf(message, MESSAGE_SIZE, "the interfaces cannot be listed: %s; try: sudo lastack -D",
                 why);
        return STATUS_DENIED;
    }
    if (json)
        write_all_json(file_stream, interfaces);
    for (const pcap_if_t *each = interfaces; !json && each != NULL; each = each->next)
        write_text(file_stream, each);
    pcap_freealldevs(interfaces);
    return STATUS_OK;
}
