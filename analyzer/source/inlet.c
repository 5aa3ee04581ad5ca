/* inlet: see inlet.h. */
#include "inlet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FEW = 16 * 1024,
    AT_ONCE = 256 * 1024, /* what read() puts there stays in a core's second cache */
};

enum status inlet_init(struct inlet *inlet, struct stream *stream)
{
    uint8_t *buffer = malloc(INLET_SIZE);
    if (buffer == NULL)
        return STATUS_NO_MEMORY;
    *inlet = (struct inlet){.stream = stream, .buffer = buffer};
    return STATUS_OK;
}

static void inlet_move(struct inlet *inlet)
{
    memmove(inlet->buffer, inlet->buffer + inlet->start, inlet->end - inlet->start);
    inlet->end -= inlet->start;
    inlet->start = 0;
}

/* What moves is little, or as much is read before it moves again. */
static void inlet_make_room(struct inlet *inlet, size_t needed)
{
    if (inlet_left(inlet) < FEW || inlet->start + needed > INLET_SIZE)
        inlet_move(inlet);
}

enum inlet_result inlet_need(struct inlet *inlet, size_t needed)
{
    if (inlet_left(inlet) >= needed)
        return INLET_THERE;
    inlet_make_room(inlet, needed);
    while (inlet_left(inlet) < needed) {
        size_t room = INLET_SIZE - inlet->end;
        ssize_t got =
            stream_read(inlet->stream, inlet->buffer + inlet->end, room < AT_ONCE ? room : AT_ONCE);
        if (got == STREAM_IDLE || got == STREAM_BROKEN)
            return INLET_IDLE;
        if (got == STREAM_FAILED || got == STREAM_END)
            return INLET_SHORT;
        inlet->end += (size_t)got;
    }
    return INLET_THERE;
}

void inlet_skip(struct inlet *inlet, size_t count)
{
    inlet->start += count;
    inlet->offset += count;
}

uint8_t *inlet_octets(struct inlet *inlet)
{
    return inlet->buffer + inlet->start;
}

size_t inlet_left(const struct inlet *inlet)
{
    return inlet->end - inlet->start;
}

enum reader_result inlet_end(const struct inlet *inlet, enum inlet_result result, size_t needed,
                             uint64_t packets, char *problem)
{
    const char *failure = stream_problem(inlet->stream);
    const char *unpacked = stream_compression(inlet->stream) != NULL ? " once unpacked" : "";
    if (result == INLET_IDLE)
        return READER_IDLE;
    if (failure[0] != '\0')
        snprintf(problem, READER_PROBLEM_SIZE, "packet %llu, at octet %llu%s, cannot be read: %s",
                 (unsigned long long)packets + 1, (unsigned long long)inlet->offset, unpacked,
                 failure);
    else if (inlet_left(inlet) > 0)
        snprintf(problem, READER_PROBLEM_SIZE,
                 "cut short in packet %llu, at octet %llu%s: its record goes on for at least %zu "
                 "octets, %zu are there",
                 (unsigned long long)packets + 1, (unsigned long long)inlet->offset, unpacked,
                 needed, inlet_left(inlet));
    else
        return READER_END;
    return READER_DAMAGED;
}

void inlet_clear(struct inlet *inlet)
{
    free(inlet->buffer);
    inlet->buffer = NULL;
}
