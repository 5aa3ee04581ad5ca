/*
 * pcapng_block: what is in the blocks of a pcapng file (draft-ietf-opsawg-pcapng 4): sections,
 * interfaces, statistics, and packets in three forms.
 *
 *     Section Header      0 byte-order magic   4 major   6 minor   8 section's length   16 options
 *     Enhanced Packet     0 interface   4 time, upper   8 time, lower   12 captured
 *                        16 on the wire   20 octets, filled up to four   then options
 *     Simple Packet       0 on the wire   4 octets; no time, interface 0
 *     Packet (obsolete)   0 interface, 16 bits   2 drops   4 as Enhanced Packet
 *
 * A block that is wrong inside is left out and counted as damage.
 */
#include "pcapng_block.h"

#include <stdio.h>

#include "octets.h"
#include "pseudo_header.h"

enum {
    PACKET_HEAD = 20,
    EPB_DROPCOUNT = 4,
    MAJOR = 1,
    UNKNOWN_DROPS = 0xffff,
};

static const uint8_t magic_little[] = {0x4d, 0x3c, 0x2b, 0x1a};
static const uint8_t magic_big[] = {0x1a, 0x2b, 0x3c, 0x4d};

void pcapng_note_damage(struct pcapng *pcapng, const char *reason)
{
    if (pcapng->counts.damaged_blocks++ > 0)
        return;
    pcapng->first_damage = pcapng->inlet.offset;
    pcapng->first_damage_packets = pcapng->packets;
    snprintf(pcapng->reason, sizeof pcapng->reason, "%s", reason);
}

bool pcapng_section_order(const uint8_t *octets, bool *ret_big_endian)
{
    const uint8_t *magic = octets + BLOCK_HEAD;
    *ret_big_endian = memcmp(magic, magic_big, sizeof magic_big) == 0;
    return *ret_big_endian || memcmp(magic, magic_little, sizeof magic_little) == 0;
}

static enum pcapng_taken pcapng_take_section(struct pcapng *pcapng,
                                             const struct pcapng_block *block)
{
    bool big_endian;
    pcapng_section_order(block->body - BLOCK_HEAD, &big_endian);
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

static enum pcapng_taken pcapng_take_interface(struct pcapng *pcapng,
                                               const struct pcapng_block *block)
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

static enum pcapng_taken pcapng_take_statistics(struct pcapng *pcapng,
                                                const struct pcapng_block *block)
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

/* big_endian is the section's: a constant where this and what follows is inlined for a run. */
static inline bool read_frame(const struct pcapng *pcapng, const struct pcapng_block *block,
                              bool big_endian, struct frame *ret_frame)
{
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

static void read_options(struct pcapng *pcapng, const struct pcapng_block *block,
                         const struct frame *frame, size_t at)
{
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

static inline void pcapng_take_packet_options(struct pcapng *pcapng,
                                              const struct pcapng_block *block,
                                              const struct frame *frame)
{
    size_t at = frame->at + (((size_t)frame->captured + 3) & ~(size_t)3);
    if (block->type != BLOCK_SIMPLE && at < block->size)
        read_options(pcapng, block, frame, at);
}

static void pcapng_note_obsolete_drops(struct pcapng *pcapng, const struct pcapng_block *block,
                                       struct pcapng_interface *interface)
{
    uint16_t drops = read_u16(block->body + 2, pcapng->big_endian);
    if (drops != UNKNOWN_DROPS)
        pcapng_note_drops(&pcapng->interfaces, interface, drops);
}

/* The time of a block that has one. */
static inline nanotime read_time(const struct pcapng *pcapng, const struct pcapng_block *block,
                                 bool big_endian, const struct frame *frame)
{
    uint64_t upper = read_u32(block->body + 4, big_endian);
    uint64_t lower = read_u32(block->body + 8, big_endian);
    return pcapng_time(&pcapng->interfaces.here[frame->interface], upper << 32 | lower);
}

/* What goes with the frame is counted, and its octets made ready; returns them. */
static inline const uint8_t *pcapng_take_octets(struct pcapng *pcapng,
                                                const struct pcapng_block *block,
                                                const struct frame *frame)
{
    struct pcapng_interface *interface = &pcapng->interfaces.here[frame->interface];
    pcapng_take_packet_options(pcapng, block, frame);
    pseudo_header_to_host(interface->link_type, block->body + frame->at, frame->captured,
                          pcapng->big_endian);
    if (interface->row != PCAPNG_NO_ROW)
        pcapng->interfaces.rows[interface->row].packets++;
    pcapng->packets++;
    return block->body + frame->at;
}

/* Where the packet comes from, and what stood before it. */
static void pcapng_note_origin(struct pcapng *pcapng, const struct frame *frame,
                               struct captured_packet *packet)
{
    packet->link_type = pcapng->interfaces.here[frame->interface].link_type;
    packet->interface = frame->interface;
    packet->others = pcapng->others;
    pcapng->others = 0;
    packet->lost = pcapng->interfaces.drops - pcapng->told;
    pcapng->told = pcapng->interfaces.drops;
}

static void pcapng_take_frame(struct pcapng *pcapng, const struct pcapng_block *block,
                              const struct frame *frame, struct captured_packet *packet)
{
    packet->data = pcapng_take_octets(pcapng, block, frame);
    packet->captured = frame->captured;
    packet->length = frame->length;
    packet->time = pcapng->last_time;
    pcapng_note_origin(pcapng, frame, packet);
}

static enum pcapng_taken pcapng_take_packet(struct pcapng *pcapng, const struct pcapng_block *block,
                                            struct captured_packet *packet)
{
    struct frame frame;
    if (!read_frame(pcapng, block, pcapng->big_endian, &frame)) {
        pcapng_note_damage(pcapng, "a packet that does not fit its block, or names no interface");
        return TAKEN_BLOCK;
    }
    if (block->type != BLOCK_SIMPLE)
        pcapng->last_time = read_time(pcapng, block, pcapng->big_endian, &frame);
    if (block->type == BLOCK_PACKET_OBSOLETE)
        pcapng_note_obsolete_drops(pcapng, block, &pcapng->interfaces.here[frame.interface]);
    pcapng_take_frame(pcapng, block, &frame, packet);
    return TAKEN_PACKET;
}

/* The block at hand, if it is an Enhanced Packet Block and all there, both lengths the same. */
static inline bool find_enhanced(struct pcapng *pcapng, bool big_endian,
                                 struct pcapng_block *ret_block)
{
    uint8_t *octets = inlet_octets(&pcapng->inlet);
    size_t there = inlet_left(&pcapng->inlet);
    if (there < BLOCK_FRAME + PACKET_HEAD || read_u32(octets, big_endian) != BLOCK_ENHANCED)
        return false;
    uint32_t length = read_u32(octets + 4, big_endian);
    if (length < BLOCK_FRAME + PACKET_HEAD || length % 4 != 0 || length > there ||
        length > INLET_MOST || read_u32(octets + length - 4, big_endian) != length)
        return false;
    *ret_block =
        (struct pcapng_block){BLOCK_ENHANCED, length, octets + BLOCK_HEAD, length - BLOCK_FRAME};
    return true;
}

/* Whether the frame, which is not the first of a run, has options: they may tell of drops, and
 * these of a run are those before its first. */
static inline bool may_tell_drops(const struct pcapng_block *block, const struct frame *frame)
{
    return frame->at + (((size_t)frame->captured + 3) & ~(size_t)3) < block->size;
}

static inline __attribute__((always_inline)) size_t take_run(struct pcapng *pcapng, bool big_endian,
                                                             struct run_wanted wanted,
                                                             struct packet_run *ret_run)
{
    struct pcapng_block block;
    struct frame frame;
    size_t count = 0;
    ret_run->earliest = INT64_MAX;
    ret_run->latest = INT64_MIN;
    for (; count < wanted.room && find_enhanced(pcapng, big_endian, &block) &&
           read_frame(pcapng, &block, big_endian, &frame);
         count++) {
        nanotime time = read_time(pcapng, &block, big_endian, &frame);
        bool goes_on = count == 0 || (frame.interface == ret_run->first.interface &&
                                      !may_tell_drops(&block, &frame));
        if (time_is_before(wanted.until, time) || !goes_on)
            break;
        pcapng->last_time = time;
        const uint8_t *octets = pcapng_take_octets(pcapng, &block, &frame);
        if (count == 0) {
            pcapng_note_origin(pcapng, &frame, &ret_run->first);
            wanted.before += ret_run->first.others;
        }
        ret_run->packet[count] = (struct captured){
            octets, frame.captured, frame.length, time, wanted.before + 1 + count, NULL};
        ret_run->earliest = time_earlier_of(ret_run->earliest, time);
        ret_run->latest = time_later_of(ret_run->latest, time);
        inlet_skip(&pcapng->inlet, block.length);
    }
    return count;
}

size_t pcapng_take_run(struct pcapng *pcapng, struct run_wanted wanted, struct packet_run *ret_run)
{
    return pcapng->big_endian ? take_run(pcapng, true, wanted, ret_run)
                              : take_run(pcapng, false, wanted, ret_run);
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

enum pcapng_taken pcapng_take(struct pcapng *pcapng, const struct pcapng_block *block,
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

bool pcapng_type_is_known(uint32_t type)
{
    return type == BLOCK_SECTION || (type >= BLOCK_INTERFACE && type <= BLOCK_ENHANCED);
}

static bool type_is_packet(uint32_t type)
{
    return type == BLOCK_ENHANCED || type == BLOCK_SIMPLE || type == BLOCK_PACKET_OBSOLETE;
}

bool pcapng_block_fits(const struct pcapng *pcapng, const struct pcapng_block *block)
{
    struct frame frame;
    return !type_is_packet(block->type) || read_frame(pcapng, block, pcapng->big_endian, &frame);
}
