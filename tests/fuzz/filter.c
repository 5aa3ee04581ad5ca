/*
 * Fuzzes the filter of the command line: the first octet chooses the link type, the rest is the
 * BPF expression.  It is refused with one line, or it runs over packets of every length; names are
 * not looked up, since getaddrinfo() below knows none.
 */
#include "../../analyzer/source/filter.h"

#include <netdb.h>
#include <string.h>

#include "claim.h"
#include "script.h"

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret_addresses)
{
    (void)node;
    (void)service;
    (void)hints;
    *ret_addresses = NULL;
    return EAI_NONAME;
}

static void run(const struct filter *filter)
{
    uint8_t octets[120];
    for (uint32_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)(i == 12 ? 8 : i == 14 ? 0x45 : i == 23 ? 6 : i * 5);
    for (uint32_t length = 0; length <= sizeof octets; length++) {
        uint8_t *exact = malloc(length > 0 ? length : 1);
        memcpy(exact, octets, length);
        struct captured_packet packet = {.data = exact, .captured = length, .length = length};
        filter_passes(filter, &packet);
        free(exact);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    static const int link_types[] = {1, 0, 12, 113, 276, 105, 228, 9};
    struct script script = {octets, size};
    int link_type = link_types[script_u8(&script) % 8];
    char *expression = calloc(1, script.left + 1);
    char message[MESSAGE_SIZE] = "";
    memcpy(expression, script.at, script.left);
    struct filter *filter = filter_new(expression);
    CLAIM(filter != NULL, "no memory");
    enum status status = filter_compile(filter, link_type, message);
    CLAIM(status == STATUS_OK || (status == STATUS_USAGE && message[0] != '\0'), "%d", (int)status);
    for (size_t i = 0; message[i] != '\0'; i++)
        CLAIM((unsigned char)message[i] >= ' ' && message[i] != 0x7f, "octet %u", message[i]);
    CLAIM(filter_compile(filter, link_type, message) == status, "another answer");
    if (status == STATUS_OK)
        run(filter);
    filter_free(filter);
    free(expression);
    return 0;
}
