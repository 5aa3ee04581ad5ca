/*
 * kafka_output: an output whose lines go to a topic of Kafka.
 *
 * They are sent by a program of its own (lastack-kafka), begun before rights are given up: this one
 * needs no socket for it, and the other one has neither the capture nor anything else that is open
 * here.  A live capture never waits for it: lines that it does not take are left out, counted
 * and said.
 */
#ifndef LASTACK_KAFKA_OUTPUT_H
#define LASTACK_KAFKA_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"
#include "base/time.h"

struct kafka_output;

struct kafka_options {
    const char *brokers; /* HOST:PORT,... */
    const char *topic;
    const char *user; /* of -Z; NULL: not named */
    uint64_t queue;   /* octets that may wait for a broker */
    nanotime wait;    /* for brokers, at the end */
    bool live;        /* leave out what finds no room, instead of waiting for some */
    bool verbose;
};

/* Whether lastack-kafka was built. */
bool kafka_output_is_built_in(void);

/* Begins the other program.  Fails with WRITE or NO_MEMORY, and a message. */
enum status kafka_output_open(const struct kafka_options *options, struct kafka_output **ret_output,
                              char *message);

/* What to write to, whole lines a write; closing it waits until the rest is sent, for a while, and
 * fails when something was left out. */
FILE *kafka_output_stream(struct kafka_output *output);

/* After the stream was closed. */
void kafka_output_free(struct kafka_output *output); /* accepts NULL */

#endif
