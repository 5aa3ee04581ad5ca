/*
 * kafka_sender: reads lines and sends each to a topic, until there are no more.
 *
 * The only place that knows librdkafka.  The key is the Community ID, so that what is said of a
 * connection stays in order; idempotent, so that nothing comes twice; what waits for a broker is
 * bounded.
 */
#ifndef LASTACK_KAFKA_SENDER_H
#define LASTACK_KAFKA_SENDER_H

#include <stdbool.h>
#include <stdint.h>

enum { KAFKA_RESULT = 3 }; /* the descriptor that the result is written to, where it is open */

struct kafka_result {
    uint64_t delivered; /* acknowledged by all brokers that must have them */
    uint64_t left_out;
};

struct kafka_sending {
    const char *brokers, *topic;
    uint64_t queue;   /* octets that may wait for a broker */
    int wait;         /* ms, for brokers, at the end */
    bool never_waits; /* leave out what finds no room, instead of waiting for some */
};

/* Sends until the descriptor `lines` ends.  False, with a message said, when it cannot begin. */
bool kafka_sender_run(const struct kafka_sending *sending, int lines,
                      struct kafka_result *ret_result);

#endif
