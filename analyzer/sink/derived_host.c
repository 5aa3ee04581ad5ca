/* derived_host: the derived values of the census; see derived.h. */
#include "../event/host_record.h"
#include "derived.h"
#include "record_writer.h"

char *derived_spell_host_duration(struct record_writer *writer, const void *record, char *out)
{
    const struct host_record *host = record;
    (void)writer;
    return json_spell_integer(out, time_since(host->last, host->first));
}

char *derived_spell_host_network(struct record_writer *writer, const void *record, char *out)
{
    const struct host_record *host = record;
    (void)writer;
    memcpy(out, host->ip_version == 4 ? "\"ipv4\"" : "\"ipv6\"", 6);
    return out + 6;
}

char *derived_spell_host_source(struct record_writer *writer, const void *record, char *out)
{
    const struct host_record *host = record;
    (void)writer;
    return json_spell_address(out, host->ip_version, host->source);
}

char *derived_spell_host_destination(struct record_writer *writer, const void *record, char *out)
{
    const struct host_record *host = record;
    (void)writer;
    return json_spell_address(out, host->ip_version, host->destination);
}

/* Thousandths are counted as integers: a double would print seventeen digits. */
char *derived_spell_host_rate(struct record_writer *writer, const void *record, char *out)
{
    enum { THOUSAND = 1000 };
    const struct host_record *host = record;
    uint64_t millis = (uint64_t)time_since(host->last, host->first) / NANO_PER_MILLI;
    (void)writer;
    millis = millis < THOUSAND ? THOUSAND : millis; /* what came within a second is per second */
    uint64_t rate = (uint64_t)((unsigned __int128)host->opened * THOUSAND * THOUSAND / millis);
    out = text_put_decimal(out, rate / THOUSAND);
    *out = '.';
    return digits_put_three(out + 1, (uint32_t)(rate % THOUSAND));
}

char *derived_spell_host_range(struct record_writer *writer, const void *record, char *out)
{
    const struct host_record *host = record;
    (void)writer;
    if (host->ports_high == 0)
        return json_spell_null(out);
    return json_spell_unsigned(out, host->ports_high - host->ports_low + 1);
}

char *derived_spell_host_share(struct record_writer *writer, const void *record, char *out)
{
    const struct host_record *host = record;
    (void)writer;
    if (host->ports.now == 0)
        return json_spell_null(out);
    return json_spell_unsigned(out, host->time_wait[CLIENT].now * 100 / host->ports.now);
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
