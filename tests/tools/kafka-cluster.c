/*
 * kafka-cluster: three brokers that librdkafka mocks, and a consumer that writes what it reads.
 *
 *     kafka-cluster TOPIC PARTITIONS
 *
 * The first line of its output is the list of brokers; each further one is a message: partition,
 * offset, key (- for none) and value, with tabs between.  Lines on its input: "down N" and "up N"
 * take a broker away and bring it back; the end of it ends the program.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

enum { BROKERS = 3, LINE = 128, TEXT = 512 };

static rd_kafka_t *make_client(rd_kafka_type_t type, const char *brokers)
{
    char message[TEXT];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (brokers != NULL)
        rd_kafka_conf_set(conf, "bootstrap.servers", brokers, message, sizeof message);
    rd_kafka_conf_set(conf, "group.id", "kafka-cluster", message, sizeof message);
    rd_kafka_conf_set(conf, "enable.auto.commit", "false", message, sizeof message);
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", "100", message, sizeof message);
    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_t *client = rd_kafka_new(type, conf, message, sizeof message);
    if (client == NULL)
        fprintf(stderr, "kafka-cluster: %s\n", message);
    return client;
}

/* Every partition from its beginning, without a group: nothing is balanced anew in between. */
static void assign_all(rd_kafka_t *consumer, const char *topic, int partitions)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static void write_message(rd_kafka_t *consumer)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 50);
    if (message == NULL)
        return;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        int key = message->key == NULL ? 1 : (int)message->key_len;
        printf("%d\t%lld\t%.*s\t%.*s\n", (int)message->partition, (long long)message->offset, key,
               message->key == NULL ? "-" : (const char *)message->key, (int)message->len,
               (const char *)message->payload);
        fflush(stdout);
    }
    rd_kafka_message_destroy(message);
}

/* False at the end of the input. */
static bool obey(rd_kafka_mock_cluster_t *cluster)
{
    struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
    char line[LINE];
    if (poll(&wait, 1, 0) <= 0)
        return true;
    ssize_t length = read(STDIN_FILENO, line, sizeof line - 1);
    if (length <= 0)
        return false;
    line[length] = '\0';
    if (strncmp(line, "down ", 5) == 0)
        rd_kafka_mock_broker_set_down(cluster, atoi(line + 5));
    if (strncmp(line, "up ", 3) == 0)
        rd_kafka_mock_broker_set_up(cluster, atoi(line + 3));
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    int partitions = atoi(argv[2]);
    rd_kafka_t *keeper = make_client(RD_KAFKA_PRODUCER, NULL);
    rd_kafka_mock_cluster_t *cluster =
        keeper == NULL ? NULL : rd_kafka_mock_cluster_new(keeper, BROKERS);
    if (cluster == NULL)
        return 1;
    rd_kafka_mock_topic_create(cluster, argv[1], partitions, BROKERS);
    const char *brokers = rd_kafka_mock_cluster_bootstraps(cluster);
    rd_kafka_t *consumer = make_client(RD_KAFKA_CONSUMER, brokers);
    if (consumer == NULL)
        return 1;
    assign_all(consumer, argv[1], partitions);
    printf("%s\n", brokers);
    fflush(stdout);
    while (obey(cluster))
        write_message(consumer);
    _exit(0); /* brokers that are down would be waited for */
}
