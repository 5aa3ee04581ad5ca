/*
 * conversations: what the structured fuzz target makes of scripts, as a pcap file on standard
 * output.
 *
 *      conversations SCRIPT [SHIFT]       an input of the target, without its two octets of options
 *      conversations --draw SEED COUNT    scripts that are drawn, until there are so many packets
 *      conversations --lives SEED COUNT   the same of usual lives, bent a little
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../fuzz/claim.h"
#include "../fuzz/conversation.h"
#include "../fuzz/life.h"

enum { OPTIONS = 2, LARGEST = 65536, DRAWN = 1200, LIVES_DRAWN = 120 };

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

/* Writes them `later` than they say, and clears them; returns how many there were. */
static size_t put_packets(struct packets *packets, nanotime later)
{
    for (size_t i = 0; i < packets->count; i++) {
        const struct analyzer_packet *packet = &packets->packet[i];
        nanotime time = packet->time + later;
        put((uint32_t)(time / NANO_PER_SECOND), 4);
        put((uint32_t)(time % NANO_PER_SECOND), 4);
        put(packet->captured, 4);
        put(packet->length, 4);
        fwrite(packet->data, 1, packet->captured, stdout);
    }
    size_t count = packets->count;
    packets_clear(packets);
    return count;
}

/* What the octets make, later than what was written before. */
static size_t put_script(const uint8_t *octets, size_t size, bool lives, nanotime *now)
{
    struct packets packets = {0};
    nanotime later = *now;
    struct script script = {octets, size};
    if (!lives) {
        conversation_write(script, 0, &packets);
        return put_packets(&packets, 0);
    }
    lives_write(script, &packets);
    if (packets.count > 0)
        *now += packets.packet[packets.count - 1].time - packets.packet[0].time;
    return put_packets(&packets, later);
}

static void put_drawn(uint64_t seed, size_t wanted, bool lives)
{
    uint8_t octets[DRAWN];
    uint64_t state = seed * 2 + 1; /* xorshift64, never 0 */
    nanotime now = 0;
    for (size_t written = 0; written < wanted;) {
        for (size_t i = 0; i < sizeof octets; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            octets[i] = (uint8_t)(state >> 32);
        }
        written += put_script(octets, lives ? LIVES_DRAWN : sizeof octets, lives, &now);
    }
}

int main(int count, char **arguments)
{
    uint8_t octets[LARGEST];
    if (count < 2) {
        fprintf(stderr,
                "usage: conversations SCRIPT [SHIFT] | --draw SEED COUNT | --lives SEED COUNT\n");
        return 2;
    }
    put_header();
    if (count == 4) {
        put_drawn(strtoull(arguments[2], NULL, 10), strtoull(arguments[3], NULL, 10),
                  strcmp(arguments[1], "--lives") == 0);
        return ferror(stdout) != 0;
    }
    FILE *file = fopen(arguments[1], "rb");
    CLAIM(file != NULL, "%s", arguments[1]);
    size_t size = fread(octets, 1, sizeof octets, file);
    fclose(file);
    if (size > OPTIONS) {
        struct packets packets = {0};
        conversation_write((struct script){octets + OPTIONS, size - OPTIONS},
                           count == 3 ? (uint32_t)strtoul(arguments[2], NULL, 0) : 0, &packets);
        put_packets(&packets, 0);
    }
    return ferror(stdout) != 0;
}
