/*
 * asymmetry: only one direction of a connection passes the capture point, though its
 * acknowledgments show that the other one flows (EVENTS C7).
 */
#include <string.h>

#include "detectors.h"
#include "report.h"

/* A socket connected to itself: one address and port sends in both directions. */
static bool is_one_end(const struct flow_key *key)
{
    return key->port[0] == key->port[1] &&
           memcmp(key->address[0], key->address[1], sizeof key->address[0]) == 0;
}

void detect_path_asymmetry(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct connection *connection = &incarnation->connection;
    if (incarnation->story == NULL || incarnation->story->lone_ack.packet == 0 ||
        is_one_end(&occasion->tuple->key))
        return;
    const struct packet_ref ack = incarnation->story->lone_ack;
    int x = ack.from, y = side_other(x);
    const struct side *seen = &connection->side[x];
    if (connection->side[y].tally.packets > 0 ||
        incarnation_raised(incarnation, EVENT_path_asymmetry))
        return;
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_path_asymmetry, ack.t, CONFIDENCE_CERTAIN, BLAME_CAPTURE);
    for (int side = 0; side < SIDES; side++) {
        enum tcp_state state = (enum tcp_state)connection->side[side].state;
        report_change(&event, side, incarnation->number, state, state);
    }
    report_evidence(&event, &base, &ack, x, ROLE_TRIGGER,
                    "the %s's highest acknowledgment: of what did not pass here", report_side(x));
    report_number(&event, "packets", (int64_t)seen->tally.packets);
    report_detail(&event, "side_seen", report_side(x));
    report_explain(&event,
                   "Of this connection only what %s sent passed the capture point (%llu packets), "
                   "though its acknowledgments (packet %llu) show that %s sent, too: the other "
                   "direction takes another path. What %s did is only known from those "
                   "acknowledgments.",
                   report_endpoint(occasion, x).text, (unsigned long long)seen->tally.packets,
                   (unsigned long long)ack.packet, report_endpoint(occasion, y).text,
                   report_endpoint(occasion, y).text);
    report_remedy(&event, "Capture where both directions pass (on an end host, or both ports of "
                          "the bond or link), and check the mirror's configuration.");
    occasion->emit(occasion->context, &event);
}
