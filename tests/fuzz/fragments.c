/*
 * Fuzzes the buffer of IP fragments.  An input is a list of fragments, six octets each; the octets
 * that a fragment carries are a function of its packet and of their place, so a packet that comes
 * out whole can be checked octet by octet.  Every fragment is counted once.
 */
#include "../../analyzer/intake/fragments.h"
#include "claim.h"
#include "script.h"

#include <string.h>

enum { IP4_HEADER = 20, IP6_HEADER = 40 };

static uint8_t octet_of(uint32_t id, uint32_t place)
{
    return (uint8_t)(place * 31 + (place >> 8) * 7 + id * 13);
}

static void claim_whole(const struct frame *whole, const struct fragment *last)
{
    uint32_t header = last->ip_version == 4 ? IP4_HEADER : IP6_HEADER;
    CLAIM(whole->captured >= header, "%u", whole->captured);
    CLAIM(whole->captured <= whole->length, "%u of %u", whole->captured, whole->length);
    CLAIM(whole->length - header <= 65535, "%u", whole->length);
    for (uint32_t i = header; i < whole->captured; i++)
        CLAIM(whole->data[i] == octet_of(last->id, i - header), "octet %u of packet %u", i - header,
              last->id);
}

/* One fragment of six octets; true when it made a packet whole. */
static bool take_one(struct script *script, struct fragments *fragments, nanotime *time)
{
    struct fragment fragment = {.ip_version = 4, .protocol = 6, .ttl = 64};
    uint8_t which = script_u8(script);
    fragment.id = which & 15;
    fragment.ip_version = (which & 16) != 0 ? 6 : 4;
    fragment.more = (which & 32) == 0;
    fragment.source[0] = which >> 7;
    fragment.offset = (uint32_t)(script_u16(script) & 0x1fff) * 8;
    fragment.length = script_u8(script) * ((which & 64) != 0 ? 8u : 1u);
    uint8_t cut = script_u8(script);
    fragment.captured = cut < fragment.length ? fragment.length - cut : fragment.length;
    uint8_t *data = malloc(fragment.captured > 0 ? fragment.captured : 1); /* no octet more */
    CLAIM(data != NULL, "no memory");
    fragment.data = data;
    for (uint32_t i = 0; i < fragment.captured; i++)
        data[i] = octet_of(fragment.id, fragment.offset + i);
    *time += (nanotime)script_u8(script) * 200 * NANO_PER_MILLI - NANO_PER_SECOND;
    struct frame whole;
    struct segment lost;
    bool made = fragments_take(fragments, &fragment, *time, &whole);
    free(data);
    if (made)
        claim_whole(&whole, &fragment);
    while (fragments_lost(fragments, &lost))
        CLAIM(lost.ip_version == 4 || lost.ip_version == 6, "%u", lost.ip_version);
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    struct script script = {octets, size};
    struct config config = config_default();
    config.fragment_packets = 1 + script_u8(&script) % 32;
    config.fragment_octets = 4096 + (uint64_t)script_u8(&script) * 1024;
    struct fragments *fragments = fragments_new(&config);
    CLAIM(fragments != NULL, "no memory");
    nanotime time = INT64_C(1700000000) * NANO_PER_SECOND;
    uint64_t taken = 0, completed = 0;
    while (script.left > 0) {
        completed += take_one(&script, fragments, &time);
        taken++;
    }
    fragments_finish(fragments);
    struct fragment_counts counts = fragments_counts(fragments);
    uint64_t told = counts.joined + counts.incomplete + counts.overlapping + counts.malformed +
                    counts.copies + completed;
    CLAIM(told == taken, "%llu counted of %llu", (unsigned long long)told,
          (unsigned long long)taken);
    fragments_free(fragments);
    return 0;
}
