/* intake: see intake.h. */
#include "intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status intake_init(struct intake *intake, struct stream *stream)
{
    uint8_t *buffer = malloc(INTAKE_SIZE);
    if (buffer == NULL)
        return STATUS_NO_MEMORY;
    *intake = (struct intake){.stream = stream, .buffer = buffer};
    return STATUS_OK;
}

static void intake_move(struct intake *intake)
{
    memmove(intake->buffer, intake->buffer + intake->start, intake->end - intake->start);
    intake->end -= intake->start;
    intake->start = 0;
}

enum intake_result intake_need(struct intake *intake, size_t needed)
{
    if (intake->start + needed > INTAKE_SIZE || intake->start == intake->end)
        intake_move(intake);
    while (intake->end - intake->start < needed) {
        ssize_t got = stream_read(intake->stream, intake->buffer + intake->end,
                                  INTAKE_SIZE - intake->end);
        if (got == STREAM_IDLE || got == STREAM_BROKEN)
            return INTAKE_IDLE;
        if (got == STREAM_FAILED || got == STREAM_END)
            return INTAKE_SHORT;
        intake->end += (size_t)got;
    }
    return INTAKE_THERE;
}

void intake_skip(struct intake *intake, size_t count)
{
    intake->start += count;
    intake->offset += count;
}

uint8_t *intake_octets(struct intake *intake)
{
    return intake->buffer + intake->start;
}

size_t intake_left(const struct intake *intake)
{
    return intake->end - intake->start;
}

enum reader_result intake_end(const struct intake *intake, enum intake_result result,
                              size_t needed, uint64_t packets, char *problem)
{
    const char *failure = stream_problem(intake->stream);
    const char *unpacked = stream_compression(intake->stream) != NULL ? " once unpacked" : "";
    if (result == INTAKE_IDLE)
        return READER_IDLE;
    if (failure[0] != '\0')
        snprintf(problem, READER_PROBLEM_SIZE, "packet %llu, at octet %llu%s, cannot be read: %s",
                 (unsigned long long)packets + 1, (unsigned long long)intake->offset, unpacked,
                 failure);
    else if (intake_left(intake) > 0)
        snprintf(problem, READER_PROBLEM_SIZE,
                 "cut short in packet %llu, at octet %llu%s: its record goes on for at least %zu "
                 "octets, %zu are there",
                 (unsigned long long)packets + 1, (unsigned long long)intake->offset, unpacked,
                 needed, intake_left(intake));
    else
        return READER_END;
    return READER_DAMAGED;
}

void intake_clear(struct intake *intake)
{
    free(intake->buffer);
    intake->buffer = NULL;
}
