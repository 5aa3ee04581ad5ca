/* derived_host: the derived values of the census; see derived.h. */
#include <stdio.h>

#include "../event/host_record.h"
#include "derived.h"
#include "record_writer.h"

static void put_address(struct record_writer *writer, const struct host_record *host,
                        const uint8_t *address)
{
    char *out = json_writer_reserve(&writer->json, JSON_SCALAR);
    if (out)
        json_writer_commit(&writer->json, json_spell_address(out, host->ip_version, address));
}

void derived_write_host_duration(struct record_writer *writer, const void *record)
{
    const struct host_record *host = record;
    json_put_integer(&writer->json, time_since(host->last, host->first));
}

void derived_write_host_network(struct record_writer *writer, const void *record)
{
    const struct host_record *host = record;
    json_put_word(&writer->json, host->ip_version == 4 ? "ipv4" : "ipv6");
}

void derived_write_host_source(struct record_writer *writer, const void *record)
{
    const struct host_record *host = record;
    put_address(writer, host, host->source);
}

void derived_write_host_destination(struct record_writer *writer, const void *record)
{
    const struct host_record *host = record;
    put_address(writer, host, host->destination);
}

/* Thousandths are counted as integers: a double would print seventeen digits. */
void derived_write_host_rate(struct record_writer *writer, const void *record)
{
    enum { THOUSAND = 1000 };
    const struct host_record *host = record;
    char text[TEXT_DECIMAL + 8];
    uint64_t millis = (uint64_t)time_since(host->last, host->first) / NANO_PER_MILLI;
    millis = millis < THOUSAND ? THOUSAND : millis; /* what came within a second is per second */
    uint64_t rate = (uint64_t)((unsigned __int128)host->opened * THOUSAND * THOUSAND / millis);
    int length = snprintf(text, sizeof(text), "%llu.%03llu", (unsigned long long)(rate / THOUSAND),
                          (unsigned long long)(rate % THOUSAND));
    json_put_raw(&writer->json, text, (size_t)length);
}

void derived_write_host_range(struct record_writer *writer, const void *record)
{
    const struct host_record *host = record;
    if (host->ports_high == 0)
        json_put_raw(&writer->json, "null", 4);
    else
        json_put_unsigned(&writer->json, host->ports_high - host->ports_low + 1);
}

void derived_write_host_share(struct record_writer *writer, const void *record)
{
    const struct host_record *host = record;
    if (host->ports.now == 0)
        json_put_raw(&writer->json, "null", 4);
    else
        json_put_unsigned(&writer->json, host->time_wait[CLIENT].now * 100 / host->ports.now);
}

bool derived_host_has_source(const void *record)
{
    const struct host_record *host = record;
    return host->scope != HOST_SERVICE;
}

bool derived_host_has_destination(const void *record)
{
    const struct host_record *host = record;
    return host->scope != HOST_SOURCE;
}

bool derived_host_knows_dwell(const void *record)
{
    const struct host_record *host = record;
    return host->dwell_known;
}

bool derived_host_has_series(const void *record)
{
    const struct host_record *host = record;
    return host->point_count > 0;
}
