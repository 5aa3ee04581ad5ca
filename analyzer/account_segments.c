/* account_segments: see account_parts.h.  What is asked of a segment is what ordinary_steps.h,
 * shown.h and tallies.h ask, as far as a record says it. */
#include "account_parts.h"

#include "tcp/tallies.h"

static void begin_trip(struct speaker *x, const struct transcript_entry *entry, nanotime t)
{
    x->timed = true;
    x->timed_t = t;
    x->timed_end = x->snd_nxt;
    x->timed_tsval = entry->tsval;
}

/* The first segment of a side. */
static void open_side(struct account *account, int side)
{
    const struct transcript_head *head = account->head;
    const struct transcript_entry *entry = &account->entry[side];
    struct speaker *x = &account->speaker[side];
    x->snd_una = head->iss[side];
    x->snd_nxt = seq_add(head->iss[side], 1);
    x->stamps = account_offers(head, side, OPTION_TIMESTAMPS);
    x->most = account_offers(head, side, OPTION_MSS) ? head->mss[side] : UINT32_MAX;
    begin_trip(x, entry, transcript_time(head, entry));
    account->strange |= entry->window == 0; /* Zeek has a letter for that */
}

/* As tally_end_trip() has it: the segment may end the round trip of what y sent. */
static void end_trip(struct speaker *y, const struct transcript_entry *entry, unsigned stamped,
                     nanotime t)
{
    if (!y->timed || seq_before(entry->acknowledgment, y->timed_end))
        return;
    y->timed = false;
    bool echo = stamped != 0 && y->stamps;
    bool earlier = echo && entry->tsecr != 0 && seq_before(entry->tsecr, y->timed_tsval);
    if (!earlier && !time_is_before(t, y->timed_t))
        rtt_add(&y->rtt, time_since(t, y->timed_t));
}

/* The first letter of that kind is written. */
static void write_letter(struct account *account, int side, unsigned flags, uint32_t payload)
{
    const unsigned kind = (flags & TCP_FIN) != 0 ? 2 : payload > 0;
    const unsigned which = 2 * kind + (unsigned)side;
    *account->letter = "AaDdFf"[which];
    account->letter += (account->written >> which & 1) == 0;
    account->written |= 1U << which;
}

static void count(struct account *account, const struct transcript_entry *entry, int side,
                  struct side_record *record)
{
    const uint32_t most = account->speaker[side_other(side)].most;
    const uint64_t partial = entry->checksum_verdict == CHECKSUM_PARTIAL;
    record->payload_bytes += entry->payload;
    record->psh_count += entry->flags / TCP_PSH % 2;
    record->urg_count += entry->flags / TCP_URG % 2;
    account->flow->caveats |= (uint64_t)(entry->cut != 0) << NOTE_capture_truncated |
                              partial << NOTE_checksum_offload |
                              (uint64_t)(entry->payload > most) << NOTE_offload_suspected;
    account->strange |= entry->cut != 0 && entry->payload > 0;
}

/* A segment that is no SYN. */
static inline void take(struct account *account, uint32_t i)
{
    const struct transcript_entry *entry = &account->entry[i];
    const int side = transcript_side(entry);
    struct speaker *x = &account->speaker[side], *y = &account->speaker[side_other(side)];
    struct side_record *record = &account->flow->side[side];
    const nanotime t = transcript_time(account->head, entry);
    const uint32_t occupies = transcript_occupies(entry->flags, entry->payload);
    count(account, entry, side, record);
    write_letter(account, side, entry->flags, entry->payload);
    end_trip(y, entry, entry->stamped, t);
    account->last_t = time_later_of(account->last_t, t);
    if (account->word == 0 && side == SERVER)
        account->word = i;
    if (occupies > 0) {
        x->snd_nxt = seq_add(x->snd_nxt, occupies);
        if (!x->timed)
            begin_trip(x, entry, t);
        const uint64_t in_flight = x->snd_nxt - x->snd_una;
        if (in_flight > record->bytes_in_flight_max)
            record->bytes_in_flight_max = in_flight;
    }
    y->snd_una = entry->acknowledgment; /* never before the one before it */
}

static void take_synack(struct account *account)
{
    const struct transcript_head *head = account->head;
    const struct transcript_entry *entry = account->entry;
    const nanotime first = transcript_time(head, &entry[0]), t = transcript_time(head, &entry[1]);
    end_trip(&account->speaker[CLIENT], &entry[1], account_offers(head, SERVER, OPTION_TIMESTAMPS),
             t);
    account->speaker[CLIENT].snd_una = entry[1].acknowledgment;
    account->last_t = time_later_of(first, t);
}

bool account_read(struct account *account)
{
    const struct transcript_head *head = account->head;
    account->letter = account->flow->zeek_history;
    *account->letter++ = 'S';
    *account->letter++ = 'h';
    for (int side = 0; side < SIDES; side++)
        open_side(account, side);
    for (int side = 0; side < SIDES; side++)
        count(account, &account->entry[side], side, &account->flow->side[side]);
    take_synack(account);
    for (uint32_t i = 2, all = transcript_count(head); i < all; i++)
        take(account, i);
    *account->letter = '\0';
    for (int side = 0; side < SIDES; side++) /* Zeek counts where a number comes round */
        account->strange |= account->speaker[side].snd_nxt < head->iss[side];
    return account->strange == 0;
}
