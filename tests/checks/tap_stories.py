#!/usr/bin/env python3
"""What another tap proves is certain, what it refutes is withdrawn: whichever of the taps is first.

Each story is an exchange between a client and a server, written out below with what either tap
knows by then; what lastack says of both captures is held against it, in both orders.
"""
import os
import sys
import tempfile

TOP = os.environ.get("TOP_SRCDIR", ".")
sys.path.insert(0, os.path.join(TOP, "tests", "tools"))
sys.path.insert(0, os.path.join(TOP, "tests", "checks"))

from tap import Tap  # noqa: E402
from taps import Desk  # noqa: E402
from tapstory import Story  # noqa: E402

OPEN = """
0    C  S   0     -          # C SYN_SENT (sent)
10   S  SA  0     1          # S SYN_RCVD (sent)
20   C  A   1     1          # both ESTABLISHED; client's tap: S presumed, server's tap: S presumed
30   C  PA  1+18  1
40   S  PA  1+24  19         # S ESTABLISHED (acked)
50   C  A   19    25
"""

CLIENT_CLOSES = OPEN + """
100  C  FA  19    25         # C FIN_WAIT_1 (sent); client's tap: S CLOSE_WAIT presumed
110  S  A   25    20         # S CLOSE_WAIT (acked); server's tap: C FIN_WAIT_2 presumed
150  S  FA  25    20         # S LAST_ACK (sent); server's tap: C TIME_WAIT presumed
"""

BACK = """
new
{0}   C  S   0     -
"""

# name, exchange, {event: (confidence with the client's tap first, with the server's)}; None: no
# such event; "-": not asked (the first tap has nothing that it could rest on)
STORIES = (
    ("the last ACK is lost, and sent again", CLIENT_CLOSES + """
160  C  A   20    26  lost   # C TIME_WAIT (acked); client's tap: S CLOSED presumed
360  S  FA  25    20         # S still LAST_ACK: client's tap revokes; server's tap never knew more
370  C  A   20    26         # C TIME_WAIT again; S CLOSED
""", {"final_ack_lost": ("certain", None), "final_ack_missing": (None, "certain")}),
    ("the last ACK is held, and another comes before it", CLIENT_CLOSES + """
160  C  A   20    26  held 1500
360  S  FA  25    20         # S LAST_ACK still: nothing was lost
370  C  A   20    26
""", {"final_ack_lost": (None, None), "final_ack_missing": (None, None)}),
    ("the FIN is lost, not the ACK of it", OPEN + """
100  C  FA  19    25         # C FIN_WAIT_1
110  S  A   25    20         # S CLOSE_WAIT
150  S  FA  25    20  lost   # S LAST_ACK: client's tap knows nothing of it
170  C  A   20    25         # C FIN_WAIT_2 still: a keep-alive's answer
360  S  FA  25    20         # C TIME_WAIT
370  C  A   20    26         # S CLOSED
""", {"final_ack_lost": (None, None), "final_ack_missing": (None, None)}),
    ("a SYN finds LAST_ACK, and is challenged", CLIENT_CLOSES + """
160  C  A   20    26  lost   # client's tap: S CLOSED presumed
""" + BACK.format(310) + """
320  S  old A   26  20       # S LAST_ACK: a challenge in the old numbers
330  C  old R   20  -        # C was in SYN_SENT: kills it
341  C  S   0     -          # the same SYN again
351  S  SA  0     1
361  C  A   1     1
""", {"final_ack_lost": ("certain", None), "final_ack_missing": (None, "certain"),
      "incarnation_collision": ("certain", "certain"),
      "syn_in_last_ack_challenged": ("certain", "certain")}),
    ("a SYN finds LAST_ACK, and is reset", CLIENT_CLOSES + """
160  C  A   20    26  lost   # client's tap: S CLOSED presumed; server's tap: S LAST_ACK (sent)
""" + BACK.format(310) + """
320  S  RA  -27000000 1      # S was in LAST_ACK: RST, SEQ 0; CLOSED (sent)
""", {"incarnation_collision": ("certain", "certain"),
      "syn_in_last_ack_rst": ("certain", "certain")}),
    ("the ports come back after an end that one tap presumes", CLIENT_CLOSES + """
160  C  A   20    26         # S CLOSED: presumed by either tap alone
""" + BACK.format(310) + """
320  S  SA  0     1
330  C  A   1     1
""", {"incarnation_collision": ("certain", "certain")}),
    ("an old segment is held into the next incarnation", OPEN + """
60   C  PA  19+11 25  held 600
260  C  PA  19+11 25         # the same octets again: these come
280  S  A   25    30
300  C  FA  30    25
310  S  A   25    31
320  S  FA  25    31
330  C  A   31    26
""" + BACK.format(500) + """
510  S  SA  0     1
520  C  A   1     1          # the old segment comes at 670, far below the window
690  C  PA  1+5   1
700  S  A   1     6
""", {"stray_old_segment": ("-", "certain")}),
    ("the third packet of the handshake is lost", """
0    C  S   0     -
10   S  SA  0     1
20   C  A   1     1   lost   # C ESTABLISHED; client's tap: S ESTABLISHED presumed
1010 S  SA  0     1          # S SYN_RCVD still
1020 C  A   1     1
1030 C  PA  1+18  1
1040 S  A   1     19
""", {"handshake_ack_lost": ("certain", None)}),
    ("ACK and data of the handshake are lost: no queue is full", """
0    C  S   0     -
10   S  SA  0     1
20   C  A   1     1   lost
21   C  PA  1+18  1   lost   # client's tap: S has it, presumed
221  C  PA  1+18  1   lost
1010 S  SA  0     1          # S SYN_RCVD still: nothing came
1020 C  A   1     1
1030 C  PA  1+18  1
1040 S  A   1     19
""", {"accept_queue_overflow": (None, None)}),
    ("every SYN is lost", """
0    C  S   0     -   lost
1000 C  S   0     -   lost
3000 C  S   0     -   lost
7000 C  S   0     -   lost
""", {"syn_no_answer": ("-", None)}),
    ("every SYN-ACK is lost", """
0    C  S   0     -
10   S  SA  0     1   lost
1000 C  S   0     -
1010 S  SA  0     1   lost
3000 C  S   0     -
3010 S  SA  0     1   lost
7000 C  S   0     -
7010 S  SA  0     1   lost
""", {"syn_no_answer": ("certain", None)}),
    ("no copy of a FIN comes through", OPEN + """
100   C  FA  19   25  lost   # C FIN_WAIT_1; server's tap: ESTABLISHED on both sides
300   C  FA  19   25  lost
700   C  FA  19   25  lost
1500  C  FA  19   25  lost
3100  C  FA  19   25  lost
6300  C  FA  19   25  lost
""", {"fin_wait_1_stuck": ("certain", None)}),
    ("the server answers no FIN", OPEN + """
100   C  FA  19   25         # C FIN_WAIT_1; S's host is gone, and its tap shows that nothing leaves
300   C  FA  19   25
700   C  FA  19   25
1500  C  FA  19   25
3100  C  FA  19   25
6300  C  FA  19   25
""", {"fin_wait_1_stuck": ("certain", "certain")}),
    ("the server closes, and its FIN is lost", OPEN + """
100   C  FA  19   25         # C FIN_WAIT_1
110   S  A   25   20         # S CLOSE_WAIT (acked)
900   S  FA  25   20  lost   # S LAST_ACK: client's tap sees CLOSE_WAIT for ever
1100  S  FA  25   20  lost
1500  S  FA  25   20  lost
2300  S  FA  25   20  lost
80000 C  A   19   25         # C's keep-alive: nobody answers
""", {"close_wait_leak": (None, None)}),
    ("the server never closes", OPEN + """
100   C  FA  19   25
110   S  A   25   20         # S CLOSE_WAIT (acked), and stays there
80000 C  A   19   25         # C's keep-alive
80010 S  A   25   20
""", {"close_wait_leak": ("certain", "certain")}),
    ("a reset comes of the path", OPEN + """
100   C  PA  19+30 25
105   S  R   25    -  made   # S has sent nothing of the kind; client's tap: C CLOSED presumed
""", {"no_state_reset": (None, None)}),
    ("data into a closed connection, and a reset", OPEN + """
100   S  FA  25   19         # S FIN_WAIT_1
110   C  A   19   26         # C CLOSE_WAIT
1100  C  PA  19+12 26        # C sends on
1110  S  R   26   -          # S knows nothing of it any more
""", {"keepalive_race": ("certain", "certain")}),
    ("what is sent is lost, six times over", OPEN + """
100    C  PA  19+30 25  lost # client's tap: under way
300    C  PA  19+30 25  lost
700    C  PA  19+30 25  lost
1500   C  PA  19+30 25  lost
3100   C  PA  19+30 25  lost
6300   C  PA  19+30 25  lost
12700  C  RA  49    25       # C gives up
""", {"rto_abort": ("certain", None)}),
)


# Where the first tap cannot know what the other's host did afterwards, its states stay what they are.
UNEQUAL = {"every SYN-ACK is lost",
           "no copy of a FIN comes through", "the server closes, and its FIN is lost",
           "a reset comes of the path", "what is sent is lost, six times over"}

# No record of its own; and what may be known after the flow's record was written.
APART = {"close_graceful", "lost_between_taps", "delayed_between_taps", "injected_between_taps"}


def confidences(answer, event):
    """Of all events of that id about the story's ports."""
    return {record["lastack"]["confidence"] for record in answer.events(event)
            if record["source"]["port"] == 40000 or record["destination"]["port"] == 40000}


def ends(answer):
    """{incarnation: ((state, basis), (state, basis))} of the story's connections at their end."""
    return {flow["lastack"]["incarnation"]: tuple(
        (flow["lastack"][side]["state"], flow["lastack"][side]["basis"])
        for side in ("client", "server"))
        for flow in answer.of("flow") if 40000 in (flow["source"]["port"],
                                                   flow["destination"]["port"])}


def tell(tap, desk, name, story, expected):
    client = desk.write("client", story.taps["client"])
    server = desk.write("server", story.taps["server"])
    left = []
    for order, (first, taps) in enumerate((("client", (client, server)),
                                           ("server", (server, client)))):
        answer = desk.ask(*taps)
        told = answer.triggers("lost_between_taps")
        left.append(ends(answer))
        tap.ok(set(told) == story.lost, "%s: %s's tap first: %d lost, each told" % (
            name, first, len(story.lost)), sorted(story.lost), told)
        for event, wanted in expected.items():
            found = confidences(answer, event)
            if wanted[order] == "-":
                continue
            want = set() if wanted[order] is None else {wanted[order]}
            tap.ok(found == want, "%s: %s's tap first: %s is %s" % (
                name, first, event, wanted[order] or "not told"), found)
        for flow in answer.of("flow"):
            listed = set(flow["lastack"]["events"])
            raised = {record["event"]["action"] for record in answer.of("event")
                      if record["lastack"]["flow_uid"] == flow["lastack"]["flow_uid"]}
            listed, raised = listed - APART, raised - APART
            tap.ok(listed == raised, "%s: %s's tap first: a flow lists what was told of it" % (
                name, first), sorted(listed ^ raised))
    if left[1] and name not in UNEQUAL:
        tap.ok(left[0] == left[1], "%s: both orders leave both ends in the same states" % name,
               *left)


def check_reset_behind_loss(tap, desk):
    """A reset whose number is beyond what came does not end its receiver: to have arrived is not
    enough (RFC 9293 3.10.7.4)."""
    text = next(text for name, text, _ in STORIES if name == "what is sent is lost, six times over")
    story = Story(text)
    answer = desk.ask(desk.write("client", story.taps["client"]),
                      desk.write("server", story.taps["server"]))
    bases = {state[1] for state in ends(answer).values()}
    tap.ok(bases and ("CLOSED", "acked") not in bases,
           "a reset that arrived behind lost data is not shown to have been taken", bases)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        for name, text, expected in STORIES:
            tell(tap, Desk(folder), name, Story(text), expected)
        check_reset_behind_loss(tap, Desk(folder))
    sys.exit(tap.end())


if __name__ == "__main__":
    main()
