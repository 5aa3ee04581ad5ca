/* lone: see lone.h. */
#include "lone.h"

#include <string.h>

#include "decide.h"
#include "expand.h"
#include "flow/embryo.h"
#include "tcp/window.h"
#include "tell.h"

/* Of whatever the capture may have hidden, or a detector may ask about, nothing. */
static bool fits(const struct engine *engine, const struct embryo *embryo)
{
    return (embryo->options & OPTION_CUT) == 0 && embryo->checksum_verdict != CHECKSUM_BAD &&
           engine->losses_known == 0 && decide_least_idle(&engine->config) > 0 &&
           engine->probe == NULL;
}

static void name(const struct tuple *tuple, struct flow_identity *who)
{
    const struct embryo *embryo = &tuple->embryo;
    who->ip_version = tuple->key.ip_version;
    for (int side = 0; side < SIDES; side++) {
        int end = side == CLIENT ? embryo->end : 1 - embryo->end;
        memcpy(who->end[side].address, tuple->key.address[end], sizeof(who->end[side].address));
        who->end[side].port = tuple->key.port[end];
    }
    who->end[CLIENT].packets = 1;
    who->end[CLIENT].ip_bytes = embryo->ip_length;
    who->flow_uid = tuple->last_uid != 0
                        ? tuple->last_uid
                        : flow_key_uid(&tuple->key, embryo->end, embryo->sequence, embryo->time);
    who->incarnation = 1;
    who->vlans = embryo->vlans;
    who->vlan[0] = embryo->vlan;
}

static void tell_options(const struct embryo *embryo, struct side_record *client)
{
    const unsigned options = embryo->options;
    client->mss_known = (options & OPTION_MSS) != 0;
    client->mss = client->mss_known ? embryo->mss : 0;
    client->window_scale_known = (options & OPTION_WINDOW_SCALE) != 0;
    client->window_scale = client->window_scale_known ? window_shift(embryo->window_scale) : 0;
    client->sack_known = client->timestamps_known = true;
    client->sack = (options & OPTION_SACK_PERMITTED) != 0;
    client->timestamps = (options & OPTION_TIMESTAMPS) != 0;
}

static void tell_client(const struct embryo *embryo, struct side_record *client)
{
    client->state = STATE_SYN_SENT;
    client->basis = BASIS_SENT;
    client->history[0] = (struct history_record){
        .t = embryo->time,
        .packet = embryo->packet,
        .proof = embryo->packet,
        .state = STATE_SYN_SENT,
        .fact = FACT_SND_SYN,
        .basis = BASIS_SENT,
    };
    client->history_count = 1;
    client->iss_known = true;
    client->iss = embryo->sequence;
    client->syn_count = 1;
    client->ttl = embryo->ttl;
    tell_options(embryo, client);
}

static uint64_t notes_of(const struct embryo *embryo)
{
    uint64_t notes = UINT64_C(1) << NOTE_end_of_capture_open;
    if (embryo->cut)
        notes |= UINT64_C(1) << NOTE_capture_truncated;
    if (embryo->checksum_verdict == CHECKSUM_PARTIAL)
        notes |= UINT64_C(1) << NOTE_checksum_offload;
    return notes;
}

void lone_record(const struct tuple *tuple, uint64_t notes, struct flow_record *flow)
{
    const struct embryo *embryo = &tuple->embryo;
    expand_clear(flow);
    name(tuple, &flow->who);
    flow->start = flow->end = embryo->time;
    flow->final = true;
    flow->part = 1;
    flow->direction = DIRECTION_SYN;
    tell_client(embryo, &flow->side[CLIENT]);
    flow->side[SERVER].state = STATE_CLOSED;
    for (int side = 0; side < SIDES; side++) {
        struct side_record *x = &flow->side[side];
        x->rtt_min = x->rtt_mean = x->rtt_p95 = x->rtt_max = NANOTIME_UNKNOWN;
    }
    flow->syn_to_synack = flow->synack_to_ack = NANOTIME_UNKNOWN;
    flow->vantage = VANTAGE_UNKNOWN;
    flow->close_kind = CLOSE_UNANSWERED;
    flow->initiator = INITIATOR_NONE;
    flow->fin_to_fin = flow->close_wait = flow->fin_wait_2 = NANOTIME_UNKNOWN;
    flow->zeek_state = "S0";
    flow->zeek_history[0] = 'S';
    flow->zeek_history[1] = embryo->window == 0 ? 'W' : '\0';
    flow->caveats = notes | notes_of(embryo);
}

/* As a flow that nothing is left of but its text, it need not be written where nobody makes one. */
static bool is_wanted(const struct sink *sink)
{
    return sink != NULL && sink->ops->flow != NULL &&
           (sink->ops->plain == NULL || sink->ops->speller != NULL);
}

/* Apart: where it is not wanted, no room is needed for a record. */
static __attribute__((noinline)) void write_flow(struct engine *engine, const struct tuple *tuple,
                                                 uint64_t notes)
{
    struct flow_record flow;
    lone_record(tuple, notes, &flow);
    enum status status = engine->sink->ops->flow(engine->sink, &flow);
    if (status != STATUS_OK && engine->status == STATUS_OK)
        engine->status = status;
}

static void count(struct engine_counts *counts)
{
    counts->segments++;
    counts->flows++;
    counts->flows_by_kind[CLOSE_UNANSWERED]++;
    counts->left[CLIENT][STATE_SYN_SENT]++;
    counts->left[SERVER][STATE_CLOSED]++;
}

bool lone_end(struct engine *engine, struct tuple *tuple, uint64_t notes)
{
    if (!fits(engine, &tuple->embryo))
        return false;
    count(&engine->counts);
    tell_lone_gone(engine, tuple);
    if (is_wanted(engine->sink))
        write_flow(engine, tuple, notes);
    tuple->numbers = 1; /* four octets; behind one of them being written they would wait for it */
    embryo_forget(tuple);
    return true;
}
