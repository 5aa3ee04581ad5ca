/* kafka_sender: see kafka_sender.h. */
#include "kafka_sender.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

#include "base/status.h"
#include "messages.h"

enum {
    LOOK = 100,           /* ms between looks for acknowledgments while no line comes */
    PATIENCE = 60 * 10,   /* looks without one until a file's records are left out, too */
    FIRST_ROOM = 1 << 18, /* octets */
    WORD = 32
};

struct sender {
    const struct kafka_sending *sending;
    rd_kafka_t *producer;
    char *text; /* lines that came; owned */
    size_t length, room;
    struct kafka_result result;
    bool down, full; /* and it was said */
};

/* --- what librdkafka tells --- */

static void take_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *context)
{
    struct sender *sender = context;
    (void)producer;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        sender->result.left_out++;
        return;
    }
    sender->result.delivered++;
    if (sender->down)
        message_print("kafka: a broker answers again");
    sender->down = false;
}

static void take_error(rd_kafka_t *producer, int error, const char *reason, void *context)
{
    struct sender *sender = context;
    char words[256];
    if (error == RD_KAFKA_RESP_ERR__FATAL) {
        rd_kafka_fatal_error(producer, words, sizeof words);
        message_print("kafka: %s", words);
    }
    if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || sender->down)
        return;
    sender->down = true;
    message_print("kafka: no broker answers (%s); up to %llu octets of records wait", reason,
                  (unsigned long long)sender->sending->queue);
}

/* --- making it --- */

/* clang-format off */
static const char *const settings[][2] = {
    {"client.id",                    "lastack"},
    {"enable.idempotence",           "true"},           /* acks=all, in order, none twice */
    {"message.timeout.ms",           "0"},              /* kept as long as there is room */
    {"queue.buffering.max.messages", "10000000"},       /* octets are the limit */
    {"linger.ms",                    "50"},
    {"partitioner",                  "murmur2_random"}, /* as Java's: a key has its partition */
    {"compression.codec",            "lz4"},
    {"socket.keepalive.enable",      "true"},
};
/* clang-format on */

/* Settings, those of the options among them; NULL with a message. */
static rd_kafka_conf_t *configure(const struct kafka_sending *sending, char *message)
{
    char kbytes[WORD];
    snprintf(kbytes, sizeof kbytes, "%llu", (unsigned long long)(sending->queue / 1024));
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool done = rd_kafka_conf_set(conf, "bootstrap.servers", sending->brokers, message,
                                  MESSAGE_SIZE) == RD_KAFKA_CONF_OK &&
                rd_kafka_conf_set(conf, "queue.buffering.max.kbytes", kbytes, message,
                                  MESSAGE_SIZE) == RD_KAFKA_CONF_OK;
    for (size_t i = 0; done && i < sizeof settings / sizeof settings[0]; i++)
        done = rd_kafka_conf_set(conf, settings[i][0], settings[i][1], message, MESSAGE_SIZE) ==
               RD_KAFKA_CONF_OK;
    if (done)
        return conf;
    rd_kafka_conf_destroy(conf);
    return NULL;
}

static bool make_producer(struct sender *sender)
{
    char message[MESSAGE_SIZE] = "";
    rd_kafka_conf_t *conf = configure(sender->sending, message);
    if (conf != NULL) {
        rd_kafka_conf_set_opaque(conf, sender);
        rd_kafka_conf_set_dr_msg_cb(conf, take_delivery);
        rd_kafka_conf_set_error_cb(conf, take_error);
        rd_kafka_conf_set_log_cb(conf, NULL); /* take_error says what matters */
        sender->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, message, sizeof message);
    }
    if (sender->producer != NULL)
        return true;
    if (conf != NULL)
        rd_kafka_conf_destroy(conf);
    message_print("kafka: %s", message);
    return false;
}

/* --- lines --- */

/* The key of a record: strings from outside have their quotes escaped, so it is not found within
 * one.  NULL, with length 0: records about no connection have none. */
static const char *key_of(const char *line, size_t length, size_t *ret_length)
{
    static const char name[] = "\"community_id\":\"";
    const char *key = memmem(line, length, name, sizeof name - 1);
    *ret_length = 0;
    if (key == NULL)
        return NULL;
    key += sizeof name - 1;
    const char *end = memchr(key, '"', (size_t)(line + length - key));
    if (end == NULL)
        return NULL;
    *ret_length = (size_t)(end - key);
    return key;
}

static rd_kafka_resp_err_t produce(struct sender *sender, const char *line, size_t length)
{
    size_t key_length;
    const char *key = key_of(line, length, &key_length);
    return rd_kafka_producev(sender->producer, RD_KAFKA_V_TOPIC(sender->sending->topic),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                             RD_KAFKA_V_KEY(key, key_length),
                             RD_KAFKA_V_VALUE((void *)(uintptr_t)line, length), RD_KAFKA_V_END);
}

/* Of a file, room is waited for as long as acknowledgments come. */
static bool wait_for_room(struct sender *sender)
{
    uint64_t before = sender->result.delivered;
    for (int look = 0; !sender->sending->never_waits && look < PATIENCE; look++) {
        rd_kafka_poll(sender->producer, LOOK);
        if (sender->result.delivered > before)
            return true;
    }
    return false;
}

static void send_line(struct sender *sender, const char *line, size_t length)
{
    rd_kafka_resp_err_t error;
    while ((error = produce(sender, line, length)) == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        if (wait_for_room(sender))
            continue;
        if (!sender->full)
            message_print("kafka: %llu octets of records wait for a broker, and there is no room "
                          "for more; some are left out",
                          (unsigned long long)sender->sending->queue);
        sender->full = true;
        break;
    }
    sender->result.left_out += error != RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Sends the whole lines, and keeps what is not one yet. */
static void send_lines(struct sender *sender)
{
    const char *at = sender->text, *end = sender->text + sender->length, *line_end;
    while ((line_end = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        send_line(sender, at, (size_t)(line_end - at));
        at = line_end + 1;
    }
    sender->length = (size_t)(end - at);
    memmove(sender->text, at, sender->length);
    rd_kafka_poll(sender->producer, 0);
}

/* Without memory for a line: it is counted by its end, as are those that still come. */
static void leave_out_rest(struct sender *sender, int lines)
{
    char part[4096];
    ssize_t size;
    sender->length = 0;
    while ((size = read(lines, part, sizeof part)) > 0 || (size < 0 && errno == EINTR)) {
        for (ssize_t i = 0; i < size; i++)
            sender->result.left_out += part[i] == '\n';
    }
}

/* Reads what there is; false at the end. */
static bool read_lines(struct sender *sender, int lines)
{
    struct pollfd wait = {.fd = lines, .events = POLLIN};
    if (poll(&wait, 1, LOOK) <= 0)
        return true;
    if (sender->length == sender->room) {
        size_t room = sender->room == 0 ? FIRST_ROOM : 2 * sender->room;
        char *text = realloc(sender->text, room);
        if (text == NULL) {
            leave_out_rest(sender, lines);
            return false;
        }
        sender->text = text;
        sender->room = room;
    }
    ssize_t size = read(lines, sender->text + sender->length, sender->room - sender->length);
    if (size > 0)
        sender->length += (size_t)size;
    return size > 0 || (size < 0 && errno == EINTR);
}

bool kafka_sender_run(const struct kafka_sending *sending, int lines,
                      struct kafka_result *ret_result)
{
    struct sender sender = {.sending = sending};
    if (!make_producer(&sender))
        return false;
    while (read_lines(&sender, lines))
        send_lines(&sender);
    rd_kafka_flush(sender.producer, sending->wait);
    sender.result.left_out += (uint64_t)rd_kafka_outq_len(sender.producer);
    rd_kafka_purge(sender.producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                        RD_KAFKA_PURGE_F_NON_BLOCKING);
    *ret_result = sender.result;
    /* The producer is not destroyed: it would wait for what is left again, and the program ends. */
    free(sender.text);
    return true;
}
