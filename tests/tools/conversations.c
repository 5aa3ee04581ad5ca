/*
 * conversations: what the structured fuzz target makes of scripts, as a pcap file on standard
 * output.
 *
 *      conversations SCRIPT [SHIFT]       an input of the target, its two octets of options left
 * out conversations --draw SEED COUNT    scripts that are drawn, until there are so many packets
 */
#include <stdio.h>
#include <stdlib.h>

#include "../fuzz/claim.h"
#include "../fuzz/conversation.h"

enum { OPTIONS = 2, LARGEST = 65536, DRAWN = 1200 };

static void put(uint32_t value, unsigned octets)
{
    for (; octets > 0; octets--, value >>= 8)
        putchar((int)(value & 0xff));
}

static void put_header(void)
{
    put(0xa1b23c4d, 4);
    put(2, 2);
    put(4, 2);
    put(0, 4);
    put(0, 4);
    put(262144, 4);
    put(CONVERSATION_ETHERNET, 4);
}

static size_t put_packets(const uint8_t *octets, size_t size, uint32_t shift)
{
    struct packets packets = {0};
    conversation_write((struct script){octets, size}, shift, &packets);
    for (size_t i = 0; i < packets.count; i++) {
        const struct analyzer_packet *packet = &packets.packet[i];
        put((uint32_t)(packet->time / NANO_PER_SECOND), 4);
        put((uint32_t)(packet->time % NANO_PER_SECOND), 4);
        put(packet->captured, 4);
        put(packet->length, 4);
        fwrite(packet->data, 1, packet->captured, stdout);
    }
    size_t count = packets.count;
    packets_clear(&packets);
    return count;
}

static void put_drawn(uint64_t seed, size_t wanted)
{
    uint8_t octets[DRAWN];
    uint64_t state = seed * 2 + 1; /* xorshift64, never 0 */
    for (size_t written = 0; written < wanted;) {
        for (size_t i = 0; i < sizeof octets; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            octets[i] = (uint8_t)(state >> 32);
        }
        written += put_packets(octets, sizeof octets, 0);
    }
}

int main(int count, char **arguments)
{
    uint8_t octets[LARGEST];
    if (count < 2) {
        fprintf(stderr, "usage: conversations SCRIPT [SHIFT] | --draw SEED COUNT\n");
        return 2;
    }
    put_header();
    if (count == 4) {
        put_drawn(strtoull(arguments[2], NULL, 10), strtoull(arguments[3], NULL, 10));
        return ferror(stdout) != 0;
    }
    FILE *file = fopen(arguments[1], "rb");
    CLAIM(file != NULL, "%s", arguments[1]);
    size_t size = fread(octets, 1, sizeof octets, file);
    fclose(file);
    if (size > OPTIONS)
        put_packets(octets + OPTIONS, size - OPTIONS,
                    count == 3 ? (uint32_t)strtoul(arguments[2], NULL, 0) : 0);
    return ferror(stdout) != 0;
}
