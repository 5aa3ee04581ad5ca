/* interfaces: the list for `lastack -D`, a line each: name, what it is, whether it is up. */
#include <pcap/pcap.h>
#include <stdio.h>

#include "escape.h"
#include "source.h"

static void write_interface(FILE *stream, const pcap_if_t *interface)
{
    char name[ESCAPE_NAME_SIZE];
    char description[ESCAPE_NAME_SIZE] = "";
    escape_name(interface->name, name, sizeof name);
    if (interface->description != NULL)
        escape_name(interface->description, description, sizeof description);
    fprintf(stream, "%-16s %s%s%s%s\n", name, description, description[0] != '\0' ? " " : "",
            interface->flags & PCAP_IF_UP ? "[up]" : "[down]",
            interface->flags & PCAP_IF_LOOPBACK ? " [loopback]" : "");
}

enum status source_list_interfaces(void *file_stream, char *message)
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
    for (const pcap_if_t *each = interfaces; each != NULL; each = each->next)
        write_interface(file_stream, each);
    pcap_freealldevs(interfaces);
    return STATUS_OK;
}
