/*
 * Fuzzes what one run leaves for the next (--state-out, --state-in).  The first octet chooses the
 * threads, the second where the capture is cut, the third how many changes are made to the state
 * between the runs (edits.h); the rest are valid packets in wrong relations (conversation.h).
 *
 * An unchanged state: both runs together write what one run over the whole writes, octet for octet.
 * A changed one, with a checksum that fits, is refused in words and nothing is written, or what is
 * written is valid by the schema.
 */
#include "claim.h"
#include "conversation.h"
#include "edits.h"

#include <string.h>

#include "../../analyzer/exit_status.h"

enum { MOST_PACKETS = 120, CHECKSUM = 8, PIECES = 2 };

struct story {
    struct packets packets;
    size_t cut;
    const char *threads[PIECES];
};

/* As base/carry.c has it: FNV-1a, the least octet first. */
static void put_checksum(struct octets *state)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    size_t body = state->count < CHECKSUM ? 0 : state->count - CHECKSUM;
    for (size_t i = 0; i < body; i++)
        sum = (sum ^ state->at[i]) * UINT64_C(0x100000001b3);
    for (int i = 0; i < CHECKSUM && body > 0; i++)
        state->at[body + (size_t)i] = (uint8_t)(sum >> 8 * i);
}

/* The records of the first piece; its state in *ret_state. */
static struct octets run_first(const struct story *story, struct octets *ret_state)
{
    struct memory_file capture = memory_file_of_packets(&story->packets, 0, story->cut);
    struct memory_file records = memory_file_new("", 0);
    struct memory_pipe state = memory_pipe_new();
    char output[2 * PROGRAM_NAME];
    snprintf(output, sizeof output, "--ndjson=%s", records.name);
    const char *words[] = {"--threads",   story->threads[0], "--transitions", output,
                           "--state-out", state.name,        capture.name,    NULL};
    CLAIM(program_run(words) == EXIT_DONE, "the first piece");
    *ret_state = memory_pipe_take(&state);
    struct octets text = memory_file_read(&records);
    memory_file_free(&records);
    memory_file_free(&capture);
    return text;
}

/* The records from `from` on, with a state or without (NULL); the exit status in *ret_exit. */
static struct octets run_rest(const struct story *story, size_t from, const struct octets *state,
                              int *ret_exit)
{
    struct memory_file capture =
        memory_file_of_packets(&story->packets, from, story->packets.count);
    struct memory_file records = memory_file_new("", 0);
    struct memory_file given =
        memory_file_new(state == NULL ? NULL : state->at, state == NULL ? 0 : state->count);
    char output[2 * PROGRAM_NAME];
    snprintf(output, sizeof output, "--ndjson=%s", records.name);
    const char *words[] = {"--threads",     story->threads[1],
                           "--transitions", output,
                           capture.name,    state == NULL ? NULL : "--state-in",
                           given.name,      NULL};
    *ret_exit = program_run(words);
    struct octets text = memory_file_read(&records);
    memory_file_free(&given);
    memory_file_free(&records);
    memory_file_free(&capture);
    return text;
}

/* The summary from what it counts on: before that stand the inputs, which differ. */
static char *skip_inputs(struct octets *text)
{
    char *at = strstr((char *)text->at, "\"dataset\":\"lastack.summary\"");
    char *capture = at == NULL ? NULL : strstr(at, "\"capture\":");
    CLAIM(capture != NULL, "no summary");
    while (at > (char *)text->at && at[-1] != '\n')
        at--;
    *at = '\0'; /* ends the records before */
    return capture;
}

static void claim_chain(const struct story *story, const struct octets *first,
                        const struct octets *state)
{
    int done, whole_done;
    struct octets rest = run_rest(story, story->cut, state, &done);
    struct octets whole = run_rest(story, 0, NULL, &whole_done);
    CLAIM(done == EXIT_DONE && whole_done == EXIT_DONE, "%d and %d", done, whole_done);
    const char *summary = skip_inputs(&rest), *whole_summary = skip_inputs(&whole);
    const char *records = (const char *)whole.at;
    CLAIM(strncmp(records, (const char *)first->at, first->count) == 0,
          "before the cut:\n%.2000s\n%.2000s", records, first->at);
    CLAIM(strcmp(records + first->count, (const char *)rest.at) == 0,
          "behind the cut:\n%.2000s\n%.2000s", records + first->count, rest.at);
    CLAIM(strcmp(summary, whole_summary) == 0, "%.2000s\n%.2000s", whole_summary, summary);
    octets_clear(&rest);
    octets_clear(&whole);
}

static void claim_changed(const struct story *story, const struct octets *state)
{
    int done;
    struct octets text = run_rest(story, story->cut, state, &done);
    CLAIM(done == EXIT_DONE || done == EXIT_UNREADABLE || done == EXIT_USAGE, "%d", done);
    CLAIM(done == EXIT_DONE || text.count == 0, "refused, and yet written");
    program_claim_lines(&text);
    octets_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    struct script script = {octets, size}, edits;
    uint8_t first = script_u8(&script), cut = script_u8(&script), changes = script_u8(&script) & 7;
    struct story story = {.threads = {(first & 1) != 0 ? "2" : "1", (first & 2) != 0 ? "3" : "1"}};
    size_t edited = changes * 4u;
    edits.at = script_take(&script, &edited);
    edits.left = edited;
    script.left = script.left < MOST_PACKETS * 6 ? script.left : MOST_PACKETS * 6;
    conversation_write(script, 0, &story.packets);
    story.cut = story.packets.count * cut / 255;
    struct octets state, records = run_first(&story, &state);
    edits_make(&edits, changes, &state);
    if (changes == 0)
        claim_chain(&story, &records, &state);
    put_checksum(&state);
    if (changes > 0)
        claim_changed(&story, &state);
    octets_clear(&records);
    octets_clear(&state);
    packets_clear(&story.packets);
    return 0;
}
