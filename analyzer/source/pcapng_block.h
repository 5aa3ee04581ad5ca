/*
 * pcapng_block: what the two halves of the pcapng reader share: pcapng.c finds the blocks of a file
 * one after the other, pcapng_block.c takes what is in each.
 */
#ifndef LASTACK_SOURCE_PCAPNG_BLOCK_H
#define LASTACK_SOURCE_PCAPNG_BLOCK_H

#include "inlet.h"
#include "pcapng.h"

/* Types of blocks, draft-ietf-opsawg-pcapng 11.1. */
enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET_OBSOLETE = 2,
    BLOCK_SIMPLE = 3,
    BLOCK_NAMES = 4,
    BLOCK_STATISTICS = 5,
    BLOCK_ENHANCED = 6,
    BLOCK_JOURNAL = 9,
    BLOCK_SYSTEM_CALL = 0x204,
    BLOCK_SYSTEM_CALL_WITH_FLAGS = 0x208,
    BLOCK_CUSTOM = 0x0bad,
    BLOCK_CUSTOM_KEPT = 0x40000bad, /* not to be copied */
};

enum {
    BLOCK_HEAD = 8,
    BLOCK_FRAME = 12, /* head and trailing length */
    SECTION_LEAST = 28,
    REASON_SIZE = 96,
    CUT_SIZE = 128,
};

/* What came of a block, or of looking for one. */
enum pcapng_taken { TAKEN_BLOCK, TAKEN_PACKET, TAKEN_IDLE, TAKEN_END };

/* A block, all of it in memory; both lengths agree once pcapng.c has said so. */
struct pcapng_block {
    uint32_t type;
    uint32_t length;
    uint8_t *body;
    size_t size; /* of the body */
};

struct pcapng {
    struct inlet inlet;
    struct pcapng_interfaces interfaces;
    bool big_endian;
    bool is_seeking;    /* for the next block that can be trusted */
    uint32_t to_skip;   /* octets left of a block too large for the buffer */
    uint32_t large;     /* its total length */
    nanotime last_time; /* of a packet; Simple Packet Blocks have none of their own */
    uint64_t packets;
    uint32_t others; /* blocks since the last packet that are numbered with the packets */
    uint64_t told;   /* drops, with the packets given so far */
    struct source_counts counts; /* without interfaces */
    uint64_t first_damage;       /* offset */
    uint64_t first_damage_packets;
    char reason[REASON_SIZE]; /* of the first damage */
    char cut[CUT_SIZE];       /* the last block goes on behind the end, unless another follows */
};

/* What a section header says of its own byte order; false: it is none. */
bool pcapng_section_order(const uint8_t *octets, bool *ret_big_endian);

/* Whether the reader looks into blocks of the type. */
bool pcapng_type_is_known(uint32_t type);

/* False for a block that should hold a packet and cannot: lengths or interface contradict it. */
bool pcapng_block_fits(const struct pcapng *pcapng, const struct pcapng_block *block);

/* Counts damage at the place that is read; the first is remembered. */
void pcapng_note_damage(struct pcapng *pcapng, const char *reason);

/*
 * Takes what a block says.  TAKEN_PACKET: *packet is filled, its octets lie in the block.
 * TAKEN_BLOCK: it had no packet, or was damaged, which is counted.
 */
enum pcapng_taken pcapng_take(struct pcapng *pcapng, const struct pcapng_block *block,
                              struct captured_packet *packet);

/*
 * Takes Enhanced Packet Blocks of one interface that follow each other, as reader.h asks for: those
 * that are whole in memory, and fit; behind the first one those without options.  What else there
 * is stays.  Returns how many.
 */
size_t pcapng_take_run(struct pcapng *pcapng, struct run_wanted wanted, struct packet_run *ret_run);

#endif
