/* floods: see floods.h. */
#include "floods.h"

#include <math.h>
#include <string.h>

#include "worst_events.h"

enum { MOST_RANK = 55 }; /* of 64 bits without those that choose a register, and one */

static uint64_t name_of(const struct census_key *service)
{
    uint64_t words[2];
    memcpy(words, service->destination, sizeof(words));
    return words[0] ^ words[1] ^ (uint64_t)service->port << 48;
}

/* A bit for a name, one of FLOOD_MARKS. */
static unsigned mark_of(uint64_t name)
{
    return (unsigned)(name * UINT64_C(0x9e3779b97f4a7c15) >> 54);
}

static bool is_marked(const struct floods *floods, uint64_t name)
{
    unsigned mark = mark_of(name);
    return (floods->marks[mark / 64] >> mark % 64 & 1) != 0;
}

static void set_mark(struct floods *floods, uint64_t name)
{
    unsigned mark = mark_of(name);
    floods->marks[mark / 64] |= UINT64_C(1) << mark % 64;
}

void floods_name(struct floods *floods)
{
    floods->count = 0;
    memset(floods->marks, 0, sizeof(floods->marks));
    for (uint32_t i = 0; i < floods->watched; i++) {
        floods->name[i] = name_of(&floods->flood[i].service);
        floods->count += floods->flood[i].watched;
        if (floods->flood[i].watched)
            set_mark(floods, floods->name[i]);
    }
}

static struct flood *find(struct floods *floods, const struct census_key *service)
{
    uint64_t name = name_of(service);
    if (!is_marked(floods, name))
        return NULL;
    for (uint32_t i = 0; i < floods->watched; i++) {
        struct flood *flood = &floods->flood[i];
        if (floods->name[i] == name && flood->watched &&
            memcmp(&flood->service, service, sizeof(*service)) == 0)
            return flood;
    }
    return NULL;
}

/* A place for a service; without one it is not watched, as while as many are flooded at once. */
static struct flood *watch(struct floods *floods, const struct census_key *service)
{
    for (uint32_t i = 0; i < FLOODS; i++) {
        struct flood *flood = &floods->flood[i];
        if (flood->watched)
            continue;
        memset(flood, 0, sizeof(*flood));
        flood->watched = true;
        flood->service = *service;
        floods->name[i] = name_of(service);
        set_mark(floods, floods->name[i]);
        floods->count++;
        flood->first = flood->begun = NANOTIME_UNKNOWN;
        floods->watched = floods->watched > i ? floods->watched : i + 1;
        return flood;
    }
    return NULL;
}

/* The same sources give the same estimate in every run, hence no secret. */
static void count_source(struct flood *flood, const struct delta *delta)
{
    uint64_t words[2];
    memcpy(words, delta->end[CLIENT].address, sizeof(words));
    uint64_t hash = hash_identity(words, 2);
    uint32_t place = (uint32_t)(hash % FLOOD_REGISTERS);
    uint64_t rest = hash / FLOOD_REGISTERS;
    uint8_t rank = rest == 0 ? MOST_RANK : (uint8_t)(__builtin_ctzll(rest) + 1);
    if (flood->registers[place] < rank)
        flood->registers[place] = rank;
    sources_count(&flood->sources, delta->end[CLIENT].address, hash, &flood->last_ref);
}

bool flood_is_sound(const struct flood *flood)
{
    for (int i = 0; i < FLOOD_REGISTERS; i++) {
        if (flood->registers[i] > MOST_RANK)
            return false;
    }
    return true;
}

/* HyperLogLog, with linear counting where it is small. */
static uint64_t sources_of(const struct flood *flood)
{
    double sum = 0;
    int empty = 0;
    for (int i = 0; i < FLOOD_REGISTERS; i++) {
        sum += ldexp(1, -flood->registers[i]);
        empty += flood->registers[i] == 0;
    }
    double registers = FLOOD_REGISTERS;
    double estimate = 0.7213 / (1 + 1.079 / registers) * registers * registers / sum;
    if (estimate <= 2.5 * registers && empty > 0)
        estimate = registers * log(registers / empty);
    return (uint64_t)(estimate + 0.5);
}

static void count_syn(struct flood *flood, const struct host_occasion *occasion)
{
    const struct delta *delta = occasion->delta;
    flood->last = delta->t;
    census_refer(delta, &flood->last_ref);
    count_source(flood, delta);
    if (flood->syns++ == 0) {
        flood->first = delta->t;
        flood->first_ref = flood->last_ref;
    }
    uint32_t rate = rate_sum(&occasion->place.service->more->opened_rate, delta->t, 1);
    flood->most = rate > flood->most ? rate : flood->most;
    if (flood->syns >= occasion->config->flood_syns && !flood->triggered) {
        flood->trigger = *delta;
        flood->triggered = true;
    }
}

void floods_take(struct floods *floods, const struct host_occasion *occasion)
{
    const struct delta *delta = occasion->delta;
    const struct census_entry *service = occasion->place.service;
    bool syn = (delta->what & (DELTA_OPENED | DELTA_MIDSTREAM)) == DELTA_OPENED;
    struct flood *flood = floods->watched == 0 ? NULL : find(floods, &service->key);
    if (flood == NULL && syn && floods->count < FLOODS &&
        floods_has_many(service, occasion->config) &&
        rate_sum(&service->more->opened_rate, delta->t, FLOOD_SECONDS) * 10 >=
            occasion->config->flood_syns)
        flood = watch(floods, &service->key);
    if (flood == NULL)
        return;
    if (syn)
        count_syn(flood, occasion);
    flood->syns_again += (delta->what & DELTA_SYN_AGAIN) != 0;
    flood->answered += (delta->what & DELTA_ANSWERED) != 0;
    flood->again += (delta->what & DELTA_ANSWER_AGAIN) != 0;
    flood->established += (delta->what & DELTA_ESTABLISHED) != 0;
    flood->successes += floods_shows_success(delta);
}

static const char *cookies_of(const struct flood *flood)
{
    if (flood->again > 0)
        return "no";
    bool lasted = time_since(flood->last, flood->first) >= (nanotime)FLOOD_SETTLE * NANO_PER_SECOND;
    return lasted && flood->answered > 0 ? "yes" : "unknown";
}

static void tell(struct host_occasion *occasion, const struct flood *flood,
                 const struct census_entry *service)
{
    uint64_t sources = sources_of(flood);
    nanotime span = time_since(flood->last, flood->first);
    const char *cookies = cookies_of(flood);
    struct event_record event;
    host_begin(&event, EVENT_syn_flood, &flood->trigger,
               flood->answered > 0 ? CONFIDENCE_PROBABLE : CONFIDENCE_POSSIBLE, BLAME_ATTACKER);
    host_trigger(&event, &flood->trigger, "with this SYN there were too many");
    host_evidence(&event, &flood->first_ref, ROLE_REFERENCE, "the first SYN counted");
    host_evidence(&event, &flood->last_ref, ROLE_CONSEQUENCE, "the last SYN counted");
    report_number(&event, "syns", (int64_t)flood->syns);
    report_number(&event, "answered", (int64_t)flood->answered);
    report_number(&event, "established", (int64_t)flood->established);
    report_number(&event, "addresses", (int64_t)sources);
    report_number(&event, "addresses_error_percent", 3);
    report_number(&event, "synacks_again", (int64_t)flood->again);
    report_number(&event, "per_second_most", flood->most);
    report_number(&event, "lasted_ns", span);
    report_detail(&event, "syn_cookies", cookies);
    report_explain(&event,
                   "%llu connection attempts in %s from about %llu addresses against %s, of which "
                   "%llu were completed; it answered %llu, at most %u came in a second. ",
                   (unsigned long long)flood->syns, report_duration(span).text,
                   (unsigned long long)sources, host_service(service).text,
                   (unsigned long long)flood->established, (unsigned long long)flood->answered,
                   flood->most);
    worst_tell_sources(&event, &flood->sources, flood->syns);
    report_explain(&event, flood->answered == 0
                               ? "That nobody is there does not explain it: clients repeat a SYN "
                                 "that is not answered, and these were not repeated."
                           : cookies[0] == 'y' ? "No SYN-ACK was repeated: SYN cookies are at work."
                           : cookies[0] == 'n'
                               ? "SYN-ACKs were repeated: these attempts filled the queue."
                               : "It was too short to tell whether SYN cookies were at work.");
    report_remedy(&event,
                  "On the host of %s: net.ipv4.tcp_syncookies=1, a larger "
                  "net.ipv4.tcp_max_syn_backlog; before it: limits by rate, filters against "
                  "forged source addresses upstream. If this is a load test, nothing.",
                  host_service(service).text);
    occasion->emit(occasion->context, &event);
}

/*
 * Where nothing is answered, the host may not be there, or its answers may pass elsewhere.  Then
 * clients repeat their SYNs, a second later for the first time, or go on.
 */
static bool comes_from_clients(const struct flood *flood)
{
    return (flood->syns_again + flood->successes) * 10 >= flood->syns;
}

/* Whether the SYNs of the last seconds, as far as they had time to settle, come to nothing. */
static bool is_flooded(const struct host_occasion *occasion, const struct flood *flood,
                       const struct census_entry *service, bool at_end)
{
    const struct config *config = occasion->config;
    nanotime settle = at_end ? 0 : (nanotime)FLOOD_SETTLE * NANO_PER_SECOND;
    struct cohort sum =
        cohorts_sum(service->more->cohorts, time_since(occasion->now, settle), FLOOD_SECONDS);
    return sum.opened >= config->flood_syns && (sum.answered > 0 || !comes_from_clients(flood)) &&
           (uint64_t)(sum.opened - sum.established) * 100 >=
               (uint64_t)sum.opened * config->flood_share;
}

static void look(struct flood *flood, struct host_occasion *occasion, bool at_end)
{
    enum { QUIET = FLOOD_SECONDS + FLOOD_SETTLE };
    const struct census_entry *service = census_find(occasion->census, &flood->service);
    if (service == NULL || service->more == NULL || service->more->cohorts == NULL) {
        flood->watched = false;
        return;
    }
    bool flooded = is_flooded(occasion, flood, service, at_end);
    flood->open |= flooded && flood->triggered;
    if (flood->open && (!flooded || at_end)) {
        tell(occasion, flood, service);
        flood->watched = false;
        return;
    }
    bool quiet = rate_sum(&service->more->opened_rate, occasion->now, QUIET) * 10 <
                 occasion->config->flood_syns;
    flood->watched = !quiet || flood->open;
}

void floods_look(struct floods *floods, struct host_occasion *occasion, bool at_end)
{
    for (uint32_t i = 0; i < floods->watched; i++) {
        if (floods->flood[i].watched)
            look(&floods->flood[i], occasion, at_end);
    }
    while (floods->watched > 0 && !floods->flood[floods->watched - 1].watched)
        floods->watched--;
    floods_name(floods);
}
