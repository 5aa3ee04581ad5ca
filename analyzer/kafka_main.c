/*
 * kafka_main: the program lastack-kafka, which lastack begins for --kafka.
 *
 *     lastack-kafka BROKERS TOPIC [QUEUE [WAIT [live]]] < records.ndjson
 *
 * QUEUE is octets, WAIT milliseconds.  Ends when its input does.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kafka_sender.h"
#include "messages.h"

enum { ENDED, LEFT_OUT, USAGE };

static void tell(const struct kafka_result *result)
{
    if (fcntl(KAFKA_RESULT, F_GETFD) >= 0 &&
        write(KAFKA_RESULT, result, sizeof *result) == sizeof *result)
        return;
    message_print("kafka: %llu records delivered, %llu left out",
                  (unsigned long long)result->delivered, (unsigned long long)result->left_out);
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 6) {
        message_print("usage: lastack-kafka BROKERS TOPIC [QUEUE [WAIT [live]]] < records.ndjson");
        return USAGE;
    }
    const struct kafka_sending sending = {
        .brokers = argv[1],
        .topic = argv[2],
        .queue = argc > 3 ? strtoull(argv[3], NULL, 10) : 64 << 20,
        .wait = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 30000,
        .never_waits = argc > 5,
    };
    struct kafka_result result = {0};
    signal(SIGINT, SIG_IGN); /* it ends with its input */
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    if (!kafka_sender_run(&sending, STDIN_FILENO, &result))
        return USAGE;
    tell(&result);
    _exit(result.left_out > 0 ? LEFT_OUT : ENDED);
}
