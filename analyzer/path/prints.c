/* prints: see prints.h. */
#include "prints.h"

seq print_end(const struct print *print)
{
    return seq_add(print->sequence, print->payload + ((print->flags & TCP_SYN) != 0) +
                                        ((print->flags & TCP_FIN) != 0));
}

bool print_occupies(const struct print *print)
{
    return print_end(print) != print->sequence;
}

bool print_is_alike(const struct print *a, const struct print *b)
{
    return a->sequence == b->sequence && a->acknowledgment == b->acknowledgment &&
           a->payload == b->payload && a->flags == b->flags && a->window == b->window &&
           a->ip_id == b->ip_id && a->stamped == b->stamped && a->tsval == b->tsval &&
           a->tsecr == b->tsecr && a->payload_hash == b->payload_hash;
}

bool print_is_marked(const struct print *a, const struct print *b)
{
    bool stamp = a->stamped && b->stamped && a->tsval == b->tsval;
    return stamp || (a->ip_id != 0 && a->ip_id == b->ip_id);
}

bool print_is_unmistakable(const struct print *a, const struct print *b)
{
    bool octets = print_occupies(a) && a->stamped; /* acknowledgments of one moment look the same */
    return print_is_alike(a, b) && print_is_marked(a, b) && (a->ip_id != 0 || octets);
}

/* RFC 6864 4.1: an identification names a packet as long as a datagram may live, which is two
 * minutes; after that it comes round. */
static const nanotime lifetime = 120 * (nanotime)NANO_PER_SECOND;

static bool is_within_lifetime(nanotime apart)
{
    return apart <= lifetime && apart >= -lifetime;
}

bool print_is_old_copy(const struct print *a, const struct print *b, nanotime apart)
{
    return print_is_unmistakable(a, b) && is_within_lifetime(apart);
}

/* Without an IP identification, a repetition of the sender looks the same, but comes later. */
bool print_is_copy(const struct print *a, const struct print *b, nanotime apart,
                   nanotime copy_window)
{
    if (!print_is_alike(a, b))
        return false;
    if (a->ip_id != 0)
        return is_within_lifetime(apart);
    return a->payload > 0 && apart <= copy_window;
}

bool print_may_be_same(const struct joint *joint, const struct print *a, const struct print *b)
{
    enum { FATEFUL = TCP_SYN | TCP_RST };
    bool same_id = a->ip_id != 0 && a->ip_id == b->ip_id;
    if (((a->flags ^ b->flags) & FATEFUL) != 0)
        return false;
    bool exact = a->payload == b->payload && a->sequence == b->sequence;
    /* 0 is an identification, too, but for what is left of a segment that arrived in pieces. */
    bool ids_told = (a->ip_id != 0 && b->ip_id != 0) || !print_occupies(a);
    if (exact && ids_told && a->ip_id != b->ip_id && joint->ids_kept == LONES_IDS &&
        !joint->ids_changed)
        return false;
    if (exact && ((a->flags ^ b->flags) & TCP_FIN) != 0)
        return false;
    if (!exact && (a->payload == 0 || b->payload == 0 || (a->flags & FATEFUL) != 0))
        return false;
    bool stamped = a->stamped && b->stamped;
    if (stamped && a->tsval != b->tsval && !(same_id && exact))
        return false;
    if (exact && !print_occupies(a) && a->acknowledgment != b->acknowledgment)
        return same_id && stamped && a->tsval == b->tsval;
    bool other_octets = exact && a->hashed == b->hashed && a->payload_hash != b->payload_hash;
    return !other_octets || same_id;
}

int print_likeness(const struct print *a, const struct print *b)
{
    int points = 0;
    points += a->ip_id != 0 && a->ip_id == b->ip_id ? 8 : 0;
    points += a->payload == b->payload ? 4 : 0;
    points += a->stamped && b->stamped && a->tsval == b->tsval && a->tsecr == b->tsecr ? 4 : 0;
    points += a->acknowledgment == b->acknowledgment ? 2 : 0;
    points += a->window == b->window ? 1 : 0;
    points += a->flags == b->flags ? 1 : 0;
    return points;
}

uint8_t lones_compare(const struct lone *a, const struct lone *b)
{
    const struct print *x = &a->print, *y = &b->print;
    unsigned changed = 0;
    bool cut = ((a->options | b->options) & OPTION_CUT) != 0;
    uint16_t both = a->options & b->options;
    if (x->payload != y->payload) /* a piece: its own header says nothing of the whole */
        return 0;
    changed |= x->acknowledgment != y->acknowledgment ? CHANGED_ACKNOWLEDGMENT : 0;
    changed |= x->window != y->window ? CHANGED_WINDOW : 0;
    changed |= (x->flags ^ y->flags) & ~(TCP_ECE | TCP_CWR) ? CHANGED_FLAGS : 0;
    changed |= !cut && a->options != b->options ? CHANGED_OPTIONS : 0;
    changed |= (both & OPTION_MSS) != 0 && a->mss != b->mss ? CHANGED_MSS : 0;
    changed |= (both & OPTION_WINDOW_SCALE) != 0 && a->window_scale != b->window_scale
                   ? CHANGED_WINDOW_SCALE
                   : 0;
    changed |= x->stamped && y->stamped && (x->tsval != y->tsval || x->tsecr != y->tsecr)
                   ? CHANGED_TIMESTAMPS
                   : 0;
    changed |= x->hashed > 0 && x->hashed == y->hashed && x->payload_hash != y->payload_hash
                   ? CHANGED_PAYLOAD
                   : 0;
    return (uint8_t)changed;
}
