/*
 * pcapng: our own reader of pcapng (draft-ietf-opsawg-pcapng): any number of sections, each with
 * its byte order, and of interfaces, each with its link type, snapshot length and clock.  Packets
 * are given out where read() put them, without a copy.  What blocks hold stands in pcapng_block.c.
 *
 *     block       0  type   4  total length   8  body ...   total length once more
 *
 * A block is trusted when both of its total lengths agree.  One that is trusted and wrong inside is
 * left out and counted.  Where the lengths do not agree, the next block is looked for octet by
 * octet: one of a known type, whose lengths agree and whose fields fit.  (Known weakness: a capture
 * carried inside a damaged packet would be taken for the file's own blocks.)  What was left out is
 * told at the end, as damage.
 */
#include "pcapng_block.h"

#include <stdio.h>
#include <stdlib.h>

#include "octets.h"

enum { LARGEST_SKIPPED = 16 * 1024 * 1024 }; /* octets of a block that is not looked into */

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

static bool is_section(const uint8_t *octets)
{
    return read_u32(octets, true) == BLOCK_SECTION;
}

/* The head of the block at hand; false when it cannot be one.  BLOCK_FRAME octets are there. */
static bool pcapng_read_head(struct pcapng *pcapng, struct pcapng_block *ret_block)
{
    uint8_t *octets = inlet_octets(&pcapng->inlet);
    bool big_endian = pcapng->big_endian;
    if (is_section(octets) && !pcapng_section_order(octets, &big_endian))
        return false;
    uint32_t length = read_u32(octets + 4, big_endian);
    if (length < BLOCK_FRAME || length % 4 != 0)
        return false;
    *ret_block = (struct pcapng_block){read_u32(octets, big_endian), length, octets + BLOCK_HEAD,
                                       length - BLOCK_FRAME};
    return true;
}

/* With the whole block there: whether its second length agrees. */
static bool pcapng_block_agrees(const struct pcapng *pcapng, struct pcapng_block *block)
{
    uint8_t *octets = pcapng->inlet.buffer + pcapng->inlet.start; /* it may have moved */
    bool big_endian = pcapng->big_endian;
    if (block->type == BLOCK_SECTION)
        pcapng_section_order(octets, &big_endian);
    block->body = octets + BLOCK_HEAD;
    return read_u32(octets + block->length - 4, big_endian) == block->length;
}

/* While seeking: whether the octets may begin a block, as far as its head tells. */
static bool pcapng_may_begin(struct pcapng *pcapng, struct pcapng_block *ret_block)
{
    return pcapng_read_head(pcapng, ret_block) && pcapng_type_is_known(ret_block->type) &&
           ret_block->length <= INLET_MOST &&
           (ret_block->type != BLOCK_SECTION || ret_block->length >= SECTION_LEAST);
}

/* One step of the search; TAKEN_BLOCK: go on. */
static enum pcapng_taken pcapng_seek_on(struct pcapng *pcapng)
{
    struct pcapng_block block;
    enum inlet_result result = inlet_need(&pcapng->inlet, BLOCK_FRAME);
    if (result != INLET_THERE)
        return result == INLET_IDLE ? TAKEN_IDLE : TAKEN_END;
    if (pcapng_may_begin(pcapng, &block)) {
        result = inlet_need(&pcapng->inlet, block.length);
        if (result == INLET_IDLE)
            return TAKEN_IDLE;
        bool fits = result == INLET_THERE && pcapng_block_agrees(pcapng, &block) &&
                    pcapng_block_fits(pcapng, &block);
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
static enum pcapng_taken pcapng_skip_on(struct pcapng *pcapng)
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

static enum pcapng_taken pcapng_lose_track(struct pcapng *pcapng, const char *reason)
{
    pcapng_note_damage(pcapng, reason);
    pcapng_seek(pcapng);
    return TAKEN_BLOCK;
}

static enum pcapng_taken pcapng_take_large(struct pcapng *pcapng, const struct pcapng_block *block)
{
    if (pcapng_type_is_known(block->type) && block->type != BLOCK_NAMES)
        return pcapng_lose_track(pcapng, "a block longer than one of its kind can be");
    if (block->length > LARGEST_SKIPPED)
        return pcapng_lose_track(pcapng, "a block longer than 16 MiB");
    pcapng->to_skip = block->length;
    pcapng->large = block->length;
    return TAKEN_BLOCK;
}

/* The end came inside the block at hand; what is left may hold others, if its length lied. */
static enum pcapng_taken pcapng_take_cut(struct pcapng *pcapng, size_t needed)
{
    if (inlet_left(&pcapng->inlet) == 0)
        return TAKEN_END;
    pcapng_note_cut(pcapng, needed);
    if (stream_problem(pcapng->inlet.stream)[0] != '\0')
        return TAKEN_END;
    pcapng_seek(pcapng);
    return TAKEN_BLOCK;
}

static enum pcapng_taken pcapng_take_next(struct pcapng *pcapng, struct captured_packet *packet)
{
    struct pcapng_block block;
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
    enum pcapng_taken taken = pcapng_take(pcapng, &block, packet);
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
        snprintf(problem, READER_PROBLEM_SIZE, "%s%s%.250s", pcapng->cut,
                 pcapng->cut[0] != '\0' && damage[0] != '\0' ? "; " : "", damage);
    return problem[0] != '\0' ? READER_DAMAGED : READER_END;
}

static enum reader_result pcapng_next(void *reader, struct captured_packet *ret_packet,
                                      char *problem)
{
    struct pcapng *pcapng = reader;
    for (;;) {
        enum pcapng_taken taken = pcapng_take_next(pcapng, ret_packet);
        if (taken == TAKEN_PACKET)
            return READER_PACKET;
        if (taken == TAKEN_IDLE)
            return READER_IDLE;
        if (taken == TAKEN_END)
            return pcapng_end(pcapng, problem);
    }
}

/* Whatever is no packet is left to pcapng_next(). */
static size_t pcapng_more(void *reader, struct run_wanted wanted, struct packet_run *ret_run)
{
    struct pcapng *pcapng = reader;
    if (pcapng->is_seeking || pcapng->to_skip > 0)
        return 0;
    return pcapng_take_run(pcapng, wanted, ret_run);
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
    enum pcapng_taken taken = TAKEN_BLOCK;
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
    .more = pcapng_more,
    .link_type = pcapng_link_type,
    .counts = pcapng_counts,
    .free = pcapng_free,
};
