/*
 * pcapng: our own reader of pcapng (draft-ietf-opsawg-pcapng): any number of sections, each with
 * its byte order, and of interfaces, each with its link type, snapshot length and clock.  Packets
 * are given out where read() put them, without a copy.
 *
 *     block       0  type   4  total length   8  body ...   total length once more
 *
 *     Section Header      0  byte-order magic   4  major  6  minor   8  section's length   16
 * options Enhanced Packet     0  interface   4  time, upper   8  time, lower   12  captured   16 on
 * the wire   20  octets, filled up to four   then options Simple Packet       0  on the wire   4
 * octets; no time, interface 0 Packet (obsolete)   0  interface (16 bits)   2  drops   4  as
 * Enhanced Packet
 *
 * A block is trusted when both of its total lengths agree.  One that is trusted and wrong inside is
 * left out and counted.  Where the lengths do not agree, the next block is looked for octet by
 * octet: one of a known type, whose lengths agree and whose fields fit.  (Known weakness: a capture
 * carried inside a damaged packet would be taken for the file's own blocks.)  What was left out is
 * told at the end, as damage.
 */
#include "pcapng.h"

#include <stdio.h>
#include <stdlib.h>

#include "inlet.h"
#include "octets.h"
#include "pseudo_header.h"

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
    PACKET_HEAD = 20,
    EPB_DROPCOUNT = 4,
    LARGEST_SKIPPED = 16 * 1024 * 1024, /* octets of a block that is not looked into */
    MAJOR = 1,
    UNKNOWN_DROPS = 0xffff,
    REASON_SIZE = 96,
    CUT_SIZE = 128,
};

static const uint8_t magic_little[] = {0x4d, 0x3c, 0x2b, 0x1a};
static const uint8_t magic_big[] = {0x1a, 0x2b, 0x3c, 0x4d};

enum taken { TAKEN_BLOCK, TAKEN_PACKET, TAKEN_IDLE, TAKEN_END };

struct block {
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

static void pcapng_note_damage(struct pcapng *pcapng, const char *reason)
{
    if (pcapng->counts.damaged_blocks++ > 0)
        return;
    pcapng->first_damage = pcapng->inlet.offset;
    pcapng->first_damage_packets = pcapng->packets;
    snprintf(pcapng->reason, sizeof pcapng->reason, "%s", reason);
}

static const char *once_unpacked(const struct pcapng *pcapng)
{
    return stream_compression(pcapng->inlet.stream) != NULL ? " once unpacked" : "";
}

/* The block at hand is not all there.  That it is the last one shows when no other is found. */
static void pcapng_note_cut(struct pcapng *pcapng, size_t needed)
{
    if (pcapng->cut[0] != '\0')
        return;
    snprintf(pcapng->cut, sizeof pcapng->cut,
             "cut short in packet %llu, at octet %llu%s: its block goes on for %s%zu octets, %zu "
             "are there",
             (unsigned long long)pcapng->packets + 1, (unsigned long long)pcapng->inlet.offset,
             once_unpacked(pcapng), needed == BLOCK_FRAME ? "at least " : "", needed,
             inlet_left(&pcapng->inlet));
}

/* From here on nothing is trusted until a block is found. */
static void pcapng_seek(struct pcapng *pcapng)
{
    pcapng->is_seeking = true;
    inlet_skip(&pcapng->inlet, 1);
}

/* What a section says of its own byte order; false: neither. */
static bool section_order(const uint8_t *octets, bool *ret_big_endian)
{
    const uint8_t *magic = octets + BLOCK_HEAD;
    *ret_big_endian = memcmp(magic, magic_big, sizeof magic_big) == 0;
    return *ret_big_endian || memcmp(magic, magic_little, sizeof magic_little) == 0;
}

static bool is_section(const uint8_t *octets)
{
    return read_u32(octets, true) == BLOCK_SECTION;
}

/* The head of the block at hand; false when it cannot be one.  BLOCK_FRAME octets are there. */
static bool pcapng_read_head(struct pcapng *pcapng, struct block *ret_block)
{
    uint8_t *octets = inlet_octets(&pcapng->inlet);
    bool big_endian = pcapng->big_endian;
    if (is_section(octets) && !section_order(octets, &big_endian))
        return false;
    uint32_t length = read_u32(octets + 4, big_endian);
    if (length < BLOCK_FRAME || length % 4 != 0)
        return false;
    *ret_block = (struct block){read_u32(octets, big_endian), length, octets + BLOCK_HEAD,
                                length - BLOCK_FRAME};
    return true;
}

/* With the whole block there: whether its second length agrees. */
static bool pcapng_block_agrees(const struct pcapng *pcapng, struct block *block)
{
    uint8_t *octets = pcapng->inlet.buffer + pcapng->inlet.start; /* it may have moved */
    bool big_endian = pcapng->big_endian;
    if (block->type == BLOCK_SECTION)
        section_order(octets, &big_endian);
    block->body = octets + BLOCK_HEAD;
    return read_u32(octets + block->length - 4, big_endian) == block->length;
}

static enum taken pcapng_take_section(struct pcapng *pcapng, const struct block *block)
{
    bool big_endian;
    section_order(block->body - BLOCK_HEAD, &big_endian);
    pcapng_forget_interfaces(&pcapng->interfaces);
    pcapng->big_endian = big_endian;
    if (block->length < SECTION_LEAST || read_u16(block->body + 4, big_endian) != MAJOR) {
        pcapng_note_damage(pcapng, "a section header of a version that is not known");
        return TAKEN_BLOCK;
    }
    struct pcapng_options options = {block->body + 16, block->body + block->size, big_endian};
    pcapng->counts.comments += pcapng_count_comments(options);
    pcapng->counts.sections++;
    return TAKEN_BLOCK;
}

static enum taken pcapng_take_interface(struct pcapng *pcapng, const struct block *block)
{
    if (pcapng_add_interface(&pcapng->interfaces, block->body, block->size, pcapng->big_endian) !=
        STATUS_OK) {
        pcapng_note_damage(pcapng, "an interface description that cannot be taken");
        return TAKEN_BLOCK;
    }
    struct pcapng_options options = {block->body + 8, block->body + block->size,
                                     pcapng->big_endian};
    pcapng->counts.comments += pcapng_count_comments(options);
    return TAKEN_BLOCK;
}

static enum taken pcapng_take_statistics(struct pcapng *pcapng, const struct block *block)
{
    if (pcapng_note_statistics(&pcapng->interfaces, block->body, block->size, pcapng->big_endian) !=
        STATUS_OK) {
        pcapng_note_damage(pcapng, "statistics of an interface that is not described");
        return TAKEN_BLOCK;
    }
    struct pcapng_options options = {block->body + 12, block->body + block->size,
                                     pcapng->big_endian};
    pcapng->counts.comments += pcapng_count_comments(options);
    return TAKEN_BLOCK;
}

/* Where a packet's octets lie in the block, and what goes with them. */
struct frame {
    uint32_t interface;
    uint32_t captured;
    uint32_t length;
    size_t at; /* in the body */
};

static bool read_frame(const struct pcapng *pcapng, const struct block *block,
                       struct frame *ret_frame)
{
    bool big_endian = pcapng->big_endian;
    const uint8_t *body = block->body;
    if (block->type == BLOCK_SIMPLE) {
        if (block->size < 4 || pcapng->interfaces.count == 0)
            return false;
        uint32_t length = read_u32(body, big_endian);
        uint32_t snaplen = pcapng->interfaces.here[0].snaplen;
        uint32_t captured = snaplen != 0 && snaplen < length ? snaplen : length;
        *ret_frame = (struct frame){0, captured, length, 4};
    } else {
        if (block->size < PACKET_HEAD)
            return false;
        uint32_t interface =
            block->type == BLOCK_ENHANCED ? read_u32(body, big_endian) : read_u16(body, big_endian);
        *ret_frame = (struct frame){interface, read_u32(body + 12, big_endian),
                                    read_u32(body + 16, big_endian), PACKET_HEAD};
    }
    return ret_frame->captured <= block->size - ret_frame->at &&
           ret_frame->captured <= LARGEST_CAPTURE &&
           ret_frame->interface < pcapng->interfaces.count;
}

static void pcapng_take_packet_options(struct pcapng *pcapng, const struct block *block,
                                       const struct frame *frame)
{
    size_t at = frame->at + (((size_t)frame->captured + 3) & ~(size_t)3);
    if (block->type == BLOCK_SIMPLE || at >= block->size)
        return;
    struct pcapng_options options = {block->body + at, block->body + block->size,
                                     pcapng->big_endian};
    struct pcapng_option option;
    while (pcapng_next_option(&options, &option)) {
        if (option.code == PCAPNG_COMMENT)
            pcapng->counts.comments++;
        else if (option.code == EPB_DROPCOUNT && option.length >= 8 &&
                 block->type == BLOCK_ENHANCED)
            pcapng_note_drops(&pcapng->interfaces, &pcapng->interfaces.here[frame->interface],
                              read_u64(option.value, pcapng->big_endian));
    }
}

static void pcapng_note_obsolete_drops(struct pcapng *pcapng, const struct block *block,
                                       struct pcapng_interface *interface)
{
    uint16_t drops = read_u16(block->body + 2, pcapng->big_endian);
    if (drops != UNKNOWN_DROPS)
        pcapng_note_drops(&pcapng->interfaces, interface, drops);
}

static enum taken pcapng_take_packet(struct pcapng *pcapng, const struct block *block,
                                     struct captured_packet *packet)
{
    struct frame frame;
    bool big_endian = pcapng->big_endian;
    if (!read_frame(pcapng, block, &frame)) {
        pcapng_note_damage(pcapng, "a packet that does not fit its block, or names no interface");
        return TAKEN_BLOCK;
    }
    struct pcapng_interface *interface = &pcapng->interfaces.here[frame.interface];
    if (block->type != BLOCK_SIMPLE) {
        uint64_t upper = read_u32(block->body + 4, big_endian);
        pcapng->last_time =
            pcapng_time(interface, upper << 32 | read_u32(block->body + 8, big_endian));
    }
    if (block->type == BLOCK_PACKET_OBSOLETE)
        pcapng_note_obsolete_drops(pcapng, block, interface);
    pcapng_take_packet_options(pcapng, block, &frame);
    pseudo_header_to_host(interface->link_type, block->body + frame.at, frame.captured, big_endian);

    packet->data = block->body + frame.at;
    packet->captured = frame.captured;
    packet->length = frame.length;
    packet->time = pcapng->last_time;
    packet->link_type = interface->link_type;
    packet->interface = frame.interface;
    packet->others = pcapng->others;
    pcapng->others = 0;
    packet->lost = pcapng->interfaces.drops - pcapng->told;
    pcapng->told = pcapng->interfaces.drops;
    if (interface->row != PCAPNG_NO_ROW)
        pcapng->interfaces.rows[interface->row].packets++;
    pcapng->packets++;
    return TAKEN_PACKET;
}

/* Wireshark shows these among the packets, and numbers them so. */
static bool type_is_numbered(uint32_t type)
{
    return type == BLOCK_JOURNAL || type == BLOCK_SYSTEM_CALL ||
           type == BLOCK_SYSTEM_CALL_WITH_FLAGS || type == BLOCK_CUSTOM ||
           type == BLOCK_CUSTOM_KEPT;
}

static void pcapng_note_skipped(struct pcapng *pcapng, uint32_t type)
{
    pcapng->counts.skipped_blocks++;
    pcapng->others += type_is_numbered(type);
}

static enum taken pcapng_take(struct pcapng *pcapng, const struct block *block,
                              struct captured_packet *packet)
{
    switch (block->type) {
    case BLOCK_ENHANCED:
    case BLOCK_SIMPLE:
    case BLOCK_PACKET_OBSOLETE:
        return pcapng_take_packet(pcapng, block, packet);
    case BLOCK_SECTION:
        return pcapng_take_section(pcapng, block);
    case BLOCK_INTERFACE:
        return pcapng_take_interface(pcapng, block);
    case BLOCK_STATISTICS:
        return pcapng_take_statistics(pcapng, block);
    default:
        pcapng_note_skipped(pcapng, block->type);
        return TAKEN_BLOCK;
    }
}

static bool type_is_known(uint32_t type)
{
    return type == BLOCK_SECTION || (type >= BLOCK_INTERFACE && type <= BLOCK_ENHANCED);
}

static bool type_is_packet(uint32_t type)
{
    return type == BLOCK_ENHANCED || type == BLOCK_SIMPLE || type == BLOCK_PACKET_OBSOLETE;
}

/* While seeking: whether the octets may begin a block, as far as its head tells. */
static bool pcapng_may_begin(struct pcapng *pcapng, struct block *ret_block)
{
    return pcapng_read_head(pcapng, ret_block) && type_is_known(ret_block->type) &&
           ret_block->length <= INLET_MOST &&
           (ret_block->type != BLOCK_SECTION || ret_block->length >= SECTION_LEAST);
}

/* One step of the search; TAKEN_BLOCK: go on. */
static enum taken pcapng_seek_on(struct pcapng *pcapng)
{
    struct block block;
    struct frame frame;
    enum inlet_result result = inlet_need(&pcapng->inlet, BLOCK_FRAME);
    if (result != INLET_THERE)
        return result == INLET_IDLE ? TAKEN_IDLE : TAKEN_END;
    if (pcapng_may_begin(pcapng, &block)) {
        result = inlet_need(&pcapng->inlet, block.length);
        if (result == INLET_IDLE)
            return TAKEN_IDLE;
        bool fits = result == INLET_THERE && pcapng_block_agrees(pcapng, &block) &&
                    (!type_is_packet(block.type) || read_frame(pcapng, &block, &frame));
        if (fits) {
            pcapng->is_seeking = false;
            if (pcapng->cut[0] != '\0') /* it was no cut but a length that lied */
                pcapng_note_damage(pcapng, "a block whose length goes beyond the end");
            pcapng->cut[0] = '\0';
            return TAKEN_BLOCK;
        }
    }
    inlet_skip(&pcapng->inlet, 1);
    return TAKEN_BLOCK;
}

/* Leaves behind what is there of a block that is too large for the buffer. */
static enum taken pcapng_skip_on(struct pcapng *pcapng)
{
    enum inlet_result result = inlet_need(&pcapng->inlet, 4);
    if (result != INLET_THERE) {
        if (result == INLET_SHORT)
            pcapng_note_cut(pcapng, pcapng->to_skip);
        return result == INLET_IDLE ? TAKEN_IDLE : TAKEN_END;
    }
    if (pcapng->to_skip > 4) {
        size_t there = inlet_left(&pcapng->inlet);
        size_t body = pcapng->to_skip - 4;
        size_t step = there < body ? there : body;
        inlet_skip(&pcapng->inlet, step);
        pcapng->to_skip -= (uint32_t)step;
        return TAKEN_BLOCK;
    }
    if (read_u32(inlet_octets(&pcapng->inlet), pcapng->big_endian) == pcapng->large) {
        pcapng->counts.skipped_blocks++;
        inlet_skip(&pcapng->inlet, 4);
    } else {
        pcapng_note_damage(pcapng, "a block whose two lengths differ");
        pcapng_seek(pcapng);
    }
    pcapng->to_skip = 0;
    return TAKEN_BLOCK;
}

static enum taken pcapng_lose_track(struct pcapng *pcapng, const char *reason)
{
    pcapng_note_damage(pcapng, reason);
    pcapng_seek(pcapng);
    return TAKEN_BLOCK;
}

static enum taken pcapng_take_large(struct pcapng *pcapng, const struct block *block)
{
    if (type_is_known(block->type) && block->type != BLOCK_NAMES)
        return pcapng_lose_track(pcapng, "a block longer than one of its kind can be");
    if (block->length > LARGEST_SKIPPED)
        return pcapng_lose_track(pcapng, "a block longer than 16 MiB");
    pcapng->to_skip = block->length;
    pcapng->large = block->length;
    return TAKEN_BLOCK;
}

/* The end came inside the block at hand; what is left may hold others, if its length lied. */
static enum taken pcapng_take_cut(struct pcapng *pcapng, size_t needed)
{
    if (inlet_left(&pcapng->inlet) == 0)
        return TAKEN_END;
    pcapng_note_cut(pcapng, needed);
    if (stream_problem(pcapng->inlet.stream)[0] != '\0')
        return TAKEN_END;
    pcapng_seek(pcapng);
    return TAKEN_BLOCK;
}

static enum taken pcapng_take_next(struct pcapng *pcapng, struct captured_packet *packet)
{
    struct block block;
    if (pcapng->is_seeking)
        return pcapng_seek_on(pcapng);
    if (pcapng->to_skip > 0)
        return pcapng_skip_on(pcapng);
    enum inlet_result result = inlet_need(&pcapng->inlet, BLOCK_FRAME);
    if (result == INLET_IDLE)
        return TAKEN_IDLE;
    if (result == INLET_SHORT)
        return pcapng_take_cut(pcapng, BLOCK_FRAME);
    if (!pcapng_read_head(pcapng, &block))
        return pcapng_lose_track(pcapng, "no block can begin so");
    if (block.length > INLET_MOST)
        return pcapng_take_large(pcapng, &block);
    result = inlet_need(&pcapng->inlet, block.length);
    if (result == INLET_IDLE)
        return TAKEN_IDLE;
    if (result == INLET_SHORT)
        return pcapng_take_cut(pcapng, block.length);
    if (!pcapng_block_agrees(pcapng, &block))
        return pcapng_lose_track(pcapng, "a block whose two lengths differ");
    enum taken taken = pcapng_take(pcapng, &block, packet);
    inlet_skip(&pcapng->inlet, block.length);
    return taken;
}

/* What was wrong, once no more can be read. */
static enum reader_result pcapng_end(const struct pcapng *pcapng, char *problem)
{
    const char *failure = stream_problem(pcapng->inlet.stream);
    char damage[READER_PROBLEM_SIZE] = "";
    if (pcapng->counts.damaged_blocks > 0)
        snprintf(damage, sizeof damage,
                 "%llu damaged block%s left out, the first at octet %llu%s, before packet %llu: %s",
                 (unsigned long long)pcapng->counts.damaged_blocks,
                 pcapng->counts.damaged_blocks == 1 ? " is" : "s are",
                 (unsigned long long)pcapng->first_damage, once_unpacked(pcapng),
                 (unsigned long long)pcapng->first_damage_packets + 1, pcapng->reason);
    if (failure[0] != '\0')
        snprintf(problem, READER_PROBLEM_SIZE,
                 "packet %llu, at octet %llu once unpacked, cannot be read: %s",
                 (unsigned long long)pcapng->packets + 1, (unsigned long long)pcapng->inlet.offset,
                 failure);
    else
        snprintf(problem, READER_PROBLEM_SIZE, "%s%s%.120s", pcapng->cut,
                 pcapng->cut[0] != '\0' && damage[0] != '\0' ? "; " : "", damage);
    return problem[0] != '\0' ? READER_DAMAGED : READER_END;
}

static enum reader_result pcapng_next(void *reader, struct captured_packet *ret_packet,
                                      char *problem)
{
    struct pcapng *pcapng = reader;
    for (;;) {
        enum taken taken = pcapng_take_next(pcapng, ret_packet);
        if (taken == TAKEN_PACKET)
            return READER_PACKET;
        if (taken == TAKEN_IDLE)
            return READER_IDLE;
        if (taken == TAKEN_END)
            return pcapng_end(pcapng, problem);
    }
}

static void pcapng_free(void *reader)
{
    struct pcapng *pcapng = reader;
    if (pcapng == NULL)
        return;
    pcapng_clear_interfaces(&pcapng->interfaces);
    inlet_clear(&pcapng->inlet);
    free(pcapng);
}

/* Reads to the first interface, whose link type decides whether a filter can be used. */
static enum status pcapng_begin(struct pcapng *pcapng, const char *name, char *message)
{
    enum taken taken = TAKEN_BLOCK;
    while (pcapng->interfaces.count == 0 && (taken == TAKEN_BLOCK || taken == TAKEN_IDLE)) {
        if (taken == TAKEN_IDLE && stream_is_broken(pcapng->inlet.stream))
            break;
        taken = pcapng_take_next(pcapng, &(struct captured_packet){0});
    }
    if (pcapng->counts.sections > 0)
        return STATUS_OK;
    snprintf(message, MESSAGE_SIZE, "%s: its section header cannot be read%s%s; no packet is in it",
             name, pcapng->reason[0] != '\0' ? ": " : "", pcapng->reason);
    return STATUS_UNREADABLE;
}

static enum status pcapng_open(struct stream *stream, const char *name, void **ret_reader,
                               char *message)
{
    struct pcapng *pcapng = calloc(1, sizeof *pcapng);
    if (pcapng == NULL || inlet_init(&pcapng->inlet, stream) != STATUS_OK) {
        free(pcapng);
        snprintf(message, MESSAGE_SIZE, "%s: out of memory while opening it", name);
        return STATUS_NO_MEMORY;
    }
    enum status status = pcapng_begin(pcapng, name, message);
    if (status != STATUS_OK) {
        pcapng_free(pcapng);
        return status;
    }
    *ret_reader = pcapng;
    return STATUS_OK;
}

static int pcapng_link_type(const void *reader)
{
    const struct pcapng *pcapng = reader;
    return pcapng->interfaces.count > 0 ? pcapng->interfaces.here[0].link_type : LINK_TYPE_UNKNOWN;
}

static void pcapng_counts(const void *reader, struct source_counts *ret_counts)
{
    const struct pcapng *pcapng = reader;
    const struct pcapng_interfaces *all = &pcapng->interfaces;
    *ret_counts = pcapng->counts;
    ret_counts->drops = all->drops;
    ret_counts->drops_known = all->drops_known;
    if (all->row_count == 0)
        return;
    ret_counts->interfaces = malloc(all->row_count * sizeof *all->rows);
    if (ret_counts->interfaces == NULL)
        return;
    memcpy(ret_counts->interfaces, all->rows, all->row_count * sizeof *all->rows);
    ret_counts->interface_count = all->row_count;
}

const struct reader_type reader_pcapng = {
    .open = pcapng_open,
    .next = pcapng_next,
    .link_type = pcapng_link_type,
    .counts = pcapng_counts,
    .free = pcapng_free,
};
