/*
 * Fuzzes `lastack merge`: results of two pieces of a capture (--piece), written anew by somebody
 * with bad intent.  The first octet says where the capture is cut, the second how many changes are
 * made to the first and to the second result (edits.h); the rest are valid packets in wrong
 * relations (conversation.h).
 *
 * Unchanged results: merged, they have the packets and connections of a run over the whole, with
 * their packets, octets and kinds of close; but for ports that are used again late, of whose
 * earlier connection the second piece cannot know (doc/pieces.md).  Changed ones are refused in
 * words, or each line written is a JSON object (what somebody else wrote is passed on as it is),
 * and the last is our own summary, valid by the schema.
 */
#include "claim.h"
#include "conversation.h"
#include "edits.h"

#include <json-c/json.h>
#include <string.h>

#include "../../analyzer/exit_status.h"
#include "../../dissect/dissect.h"

enum { MOST_PACKETS = 120, PIECES = 2, LONGEST_FACT = 400, LONGEST_PORT = 20 };
enum { TUPLES = 4, FIRST_PORT = 40000 }; /* as conversation.h has them */

/* 4MSL: what begins with a SYN so long into a piece is on no tape once it is over. */
static const nanotime settles = INT64_C(120) * NANO_PER_SECOND;

static struct octets analyse(const struct packets *packets, size_t from, size_t until, bool piece)
{
    struct memory_file capture = memory_file_of_packets(packets, from, until);
    struct memory_file records = memory_file_new("", 0);
    char output[2 * PROGRAM_NAME];
    snprintf(output, sizeof output, "--ndjson=%s", records.name);
    const char *words[] = {"--threads", "1", output, capture.name, piece ? "--piece" : NULL, NULL};
    CLAIM(program_run(words) == EXIT_DONE, "packets %zu to %zu", from, until);
    struct octets text = memory_file_read(&records);
    memory_file_free(&records);
    memory_file_free(&capture);
    return text;
}

static struct octets merge(const struct octets piece[PIECES], int *ret_exit)
{
    struct memory_file given[PIECES], records = memory_file_new("", 0);
    char output[2 * PROGRAM_NAME];
    for (int i = 0; i < PIECES; i++)
        given[i] = memory_file_new(piece[i].at, piece[i].count);
    snprintf(output, sizeof output, "--ndjson=%s", records.name);
    const char *words[] = {"merge", output, given[0].name, given[1].name, NULL};
    *ret_exit = program_run(words);
    struct octets text = memory_file_read(&records);
    for (int i = 0; i < PIECES; i++)
        memory_file_free(&given[i]);
    memory_file_free(&records);
    return text;
}

static bool opens(const struct segment *segment)
{
    return (segment->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* A bit for each tuple that spoke before the cut, and begins so late behind it with a SYN. */
static unsigned used_again_late(const struct packets *packets, size_t cut)
{
    unsigned before = 0, behind = 0, late = 0;
    for (size_t i = 0; i < packets->count; i++) {
        const struct analyzer_packet *packet = &packets->packet[i];
        const struct frame frame = {packet->data, packet->captured, packet->length,
                                    packet->link_type, 0};
        struct segment segment;
        if (dissect(&frame, &segment) != DISSECT_SEGMENT)
            continue;
        bool by_client = segment.source_port >= FIRST_PORT;
        unsigned tuple = (by_client ? segment.source_port : segment.destination_port) - FIRST_PORT;
        if (i >= cut && (behind >> tuple & 1) == 0 && opens(&segment) &&
            time_since(packet->time, packets->packet[cut].time) >= settles)
            late |= 1u << tuple;
        *(i < cut ? &before : &behind) |= 1u << tuple;
    }
    return before & late;
}

static bool is_of(const char *line, unsigned tuples)
{
    for (unsigned tuple = 0; tuple < TUPLES; tuple++) {
        char port[LONGEST_PORT];
        snprintf(port, sizeof port, "\"port\":%u,", FIRST_PORT + tuple);
        if ((tuples >> tuple & 1) != 0 && strstr(line, port) != NULL)
            return true;
    }
    return false;
}

/* From one word of the line to another, behind what there is of the fact. */
static void add_fact(char fact[LONGEST_FACT], const char *line, const char *from, const char *to)
{
    const char *begin = strstr(line, from), *end = begin == NULL ? NULL : strstr(begin, to);
    CLAIM(end != NULL, "no %s of a connection: %s", from, line);
    size_t used = strlen(fact);
    snprintf(fact + used, LONGEST_FACT - used, "%.*s ", (int)(end - begin), begin);
}

static int compare_facts(const void *a, const void *b)
{
    return strcmp(a, b);
}

/*
 * Of each connection its tuple, packets, octets, and how it closed, but of some tuples; sorted.
 * Changes the text.
 */
static char (*facts_of(struct octets *text, unsigned but, size_t *ret_count))[LONGEST_FACT]
{
    char(*facts)[LONGEST_FACT] = calloc(text->count + 1, 1);
    size_t count = 0;
    for (char *line = strtok((char *)text->at, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        bool summary = strstr(line, "\"dataset\":\"lastack.summary\"") != NULL;
        bool flow = strstr(line, "\"dataset\":\"lastack.flow\"") != NULL;
        if (!summary && (!flow || is_of(line, but)))
            continue;
        CLAIM((count + 1) * LONGEST_FACT <= text->count + 1, "lines shorter than facts");
        char *fact = facts[count++];
        if (summary) {
            add_fact(fact, line, "\"capture\":{\"packets\"", ",\"span\"");
            continue;
        }
        add_fact(fact, line, "\"community_id\"", "}");
        add_fact(fact, line, "\"close\":{\"kind\"", ",\"initiator\"");
    }
    qsort(facts, count, sizeof *facts, compare_facts);
    *ret_count = count;
    return facts;
}

static void claim_same(struct octets *merged, struct octets *whole, unsigned but)
{
    size_t count, whole_count;
    char(*facts)[LONGEST_FACT] = facts_of(merged, but, &count);
    char(*whole_facts)[LONGEST_FACT] = facts_of(whole, but, &whole_count);
    for (size_t i = 0; i < count && i < whole_count; i++)
        CLAIM(strcmp(facts[i], whole_facts[i]) == 0, "merged and whole:\n%s\n%s", facts[i],
              whole_facts[i]);
    CLAIM(count == whole_count, "%zu and %zu connections", count, whole_count);
    free(facts);
    free(whole_facts);
}

static void claim_lines(const struct octets *text)
{
    size_t last = 0;
    for (size_t at = 0; at < text->count; at += strcspn((char *)text->at + at, "\n") + 1) {
        char *line = (char *)text->at + at, *end = strchr(line, '\n');
        CLAIM(end != NULL, "half a line: %s", line);
        *end = '\0';
        struct json_object *record = json_tokener_parse(line);
        CLAIM(json_object_is_type(record, json_type_object), "%s", line);
        json_object_put(record);
        for (const char *octet = line; octet < end; octet++)
            CLAIM((unsigned char)*octet >= ' ' && *octet != 0x7f, "octet %d of %s", *octet, line);
        *end = '\n';
        last = at;
    }
    program_claim_lines(&(struct octets){text->at + last, text->count - last});
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    struct script script = {octets, size}, edits[PIECES];
    struct packets packets = {0};
    struct octets piece[PIECES];
    int done;
    uint8_t cut = script_u8(&script), both = script_u8(&script);
    const unsigned changes[PIECES] = {both & 3, both >> 2 & 3};
    for (int i = 0; i < PIECES; i++) {
        size_t count = changes[i] * 5u;
        edits[i].at = script_take(&script, &count);
        edits[i].left = count;
    }
    script.left = script.left < MOST_PACKETS * 6 ? script.left : MOST_PACKETS * 6;
    conversation_write(script, 0, &packets);
    size_t at = packets.count * cut / 255;
    for (int i = 0; i < PIECES; i++) {
        piece[i] = analyse(&packets, i == 0 ? 0 : at, i == 0 ? at : packets.count, true);
        edits_make_json(&edits[i], changes[i], &piece[i]);
    }
    struct octets merged = merge(piece, &done);
    if (done == EXIT_DONE)
        claim_lines(&merged);
    if (changes[0] == 0 && changes[1] == 0) {
        program_claim_lines(&merged);
        struct octets whole = analyse(&packets, 0, packets.count, false);
        CLAIM(done == EXIT_DONE, "%d", done);
        claim_same(&merged, &whole, used_again_late(&packets, at));
        octets_clear(&whole);
    }
    octets_clear(&merged);
    octets_clear(&piece[0]);
    octets_clear(&piece[1]);
    packets_clear(&packets);
    return 0;
}
