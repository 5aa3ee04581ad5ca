/* idle: see idle.h. */
#include "idle.h"

/* A stream is live when its last packet is this close to the present. */
static const nanotime present = INT64_C(10) * NANO_PER_SECOND;

/* What a writer may hold back (tcpdump without -U, a network). */
static const nanotime held_by_writer = INT64_C(1) * NANO_PER_SECOND;

/* What the kernel and the merge of several interfaces hold back (source/live.c). */
static const nanotime held_by_kernel = INT64_C(400) * NANO_PER_MILLI;

static bool is_present(nanotime capture_time, nanotime now)
{
    nanotime age = time_since(now, capture_time);
    return age < present && age > -present;
}

struct idle idle_begin(bool own_interfaces)
{
    return (struct idle){
        .last_packet = NANOTIME_UNKNOWN,
        .held_back = own_interfaces ? held_by_kernel : held_by_writer,
    };
}

void idle_note_packet(struct idle *idle, nanotime capture_time)
{
    idle->waiting = false;
    if (idle->last_packet == NANOTIME_UNKNOWN)
        idle->last_packet = capture_time;
    idle->last_packet = time_later_of(idle->last_packet, capture_time);
}

nanotime idle_capture_time(struct idle *idle, nanotime now)
{
    if (!idle->waiting)
        idle->since = now;
    idle->waiting = true;
    if (idle->last_packet == NANOTIME_UNKNOWN || !is_present(idle->last_packet, idle->since))
        return idle->last_packet;
    nanotime passed = time_since(time_since(now, idle->since), idle->held_back);
    return passed > 0 ? time_after(idle->last_packet, passed) : idle->last_packet;
}
