/* problem_packets: see problem_packets.h. */
#include "problem_packets.h"

#include "analyzer.h"
#include "source/pcapng_writer.h"

/* The second look: the same analysis, of which only the segments matter. */
static enum status mark_packets(struct analyzer *analyzer, const struct packet_feed *feed)
{
    struct captured_packet captured;
    uint64_t number;
    while (feed->next(feed->context, &captured, &number)) {
        struct analyzer_packet packet = {
            .data = captured.data,
            .captured = captured.captured,
            .length = captured.length,
            .time = captured.time,
            .link_type = captured.link_type,
            .number = number,
        };
        enum status status = analyzer_packet(analyzer, &packet);
        if (status != STATUS_OK)
            return status;
    }
    return analyzer_finish(analyzer, &(struct analyzer_inputs){0});
}

static enum status look_again(struct chosen *chosen, const struct packet_feed *feed,
                              const struct config *config)
{
    struct analyzer *analyzer = NULL;
    struct analyzer_options wanted = {
        .config = *config, .segments = true, .sink = chosen_segments(chosen)};
    enum status status = feed->rewind(feed->context);
    if (status == STATUS_OK)
        status = analyzer_new(&wanted, &analyzer);
    if (status == STATUS_OK)
        status = mark_packets(analyzer, feed);
    analyzer_free(analyzer);
    return status;
}

static enum status write_packet(const struct chosen *chosen, struct pcapng_writer *writer,
                                const struct captured_packet *packet, uint64_t number)
{
    struct chosen_remarks remarks;
    const char *comments[CHOSEN_REMARKS];
    chosen_remarks(chosen, number, &remarks);
    for (uint32_t i = 0; i < remarks.count; i++)
        comments[i] = remarks.text[i];
    return pcapng_writer_packet(writer, packet, comments, remarks.count);
}

/* The third look: those packets, in their order. */
static enum status copy_packets(const struct chosen *chosen, const struct packet_feed *feed,
                                struct pcapng_writer *writer, uint64_t *ret_written)
{
    struct captured_packet packet;
    uint64_t number;
    enum status status = feed->rewind(feed->context);
    while (status == STATUS_OK && feed->next(feed->context, &packet, &number)) {
        if (!chosen_has(chosen, number))
            continue;
        status = write_packet(chosen, writer, &packet, number);
        *ret_written += status == STATUS_OK;
    }
    return status;
}

enum status problem_packets_write(struct chosen *chosen, const struct packet_feed *feed,
                                  const struct config *config, FILE *stream, uint64_t *ret_written)
{
    struct pcapng_writer *writer = NULL;
    *ret_written = 0;
    enum status status = STATUS_OK;
    if (chosen_any(chosen))
        status = look_again(chosen, feed, config);
    if (status == STATUS_OK)
        status = pcapng_writer_new(stream, "lastack " PACKAGE_VERSION, &writer);
    if (status == STATUS_OK && chosen_any(chosen))
        status = copy_packets(chosen, feed, writer, ret_written);
    pcapng_writer_free(writer);
    if (status == STATUS_OK && fflush(stream) != 0)
        status = STATUS_WRITE;
    return status;
}
