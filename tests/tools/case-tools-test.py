#!/usr/bin/env python3
"""case-tools-test: do the case compiler and the runner themselves tell right from wrong?  TAP."""
import ipaddress
import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import segcase
import segcheck
import segread
import segwire

CLOSE = """# A closes, the last ACK is lost behind the capture point.
open
+.010  A > B  F.  1:1(0) ack 1          [fin]
+.010  B > A  F.  1:1(0) ack 2
+.0002 A > B  .   2:2(0) ack 2 dropped  [ack]
~ B CLOSED
= B LAST_ACK
+.200  B > A  F.  1:1(0) ack 2          [again]
expect close orderly initiator A
expect event final_ack_lost trigger=again
expect only
"""


def read(text):
    return segread.Reader("test").read(text)


def tcp_headers(case, variation=segwire.Variation()):
    """(source, seq, ack, flags, window, (tsval, tsecr) or None) of each packet, from its bytes."""
    link = segwire.link_header(variation.link, variation.ip, "A")
    offset = len(link) + {4: 20, 6: 40}[variation.ip]
    rows = []
    for _, frame, _ in segwire.Wire(case, variation).frames():
        ip, tcp = frame[offset - {4: 20, 6: 40}[variation.ip]:offset], frame[offset:]
        source = ipaddress.ip_address(ip[12:16] if variation.ip == 4 else ip[8:24])
        _, _, seq, ack, flags, window = struct.unpack("!HHIIHH", tcp[:16])
        options, stamps = tcp[20:(flags >> 12) * 4], None
        at = options.find(b"\x08\x0a")
        if at >= 0:
            stamps = struct.unpack("!II", options[at + 2:at + 10])
        rows.append((str(source), seq, ack, flags & 0xFF, window, stamps))
    return rows


def answer_of_close(closed_revoked=True, kind="orderly", events=("final_ack_lost",)):
    """A hand-made answer to CLOSE, as lastack would write it."""
    entry = lambda state, packet, revoked_by=None: {
        "state": state, "basis": "sent", "t": "2023-11-14T22:13:20.000000Z", "packet": packet,
        "proof": None, "revoked": revoked_by is not None, "revoked_by": revoked_by}
    ends = {"source": {"ip": "10.0.0.1", "port": 40000},
            "destination": {"ip": "10.0.0.2", "port": 80}}
    server = [entry("SYN_RCVD", 2), entry("ESTABLISHED", 3), entry("CLOSE_WAIT", 4),
              entry("LAST_ACK", 5), entry("CLOSED", 6, 7 if closed_revoked else None)]
    flow = {"event": {"dataset": "lastack.flow"}, **ends, "lastack": {
        "incarnation": 1, "midstream": False, "final": True, "client": {"history": []},
        "server": {"history": server}, "close": {"kind": kind, "initiator": "client"}}}
    told = [{"event": {"dataset": "lastack.event", "action": name, "id": "x"}, **ends, "lastack": {
        "level": "notice", "numbers": {}, "details": {}, "incarnation": 1,
        "evidence": [{"packet": 7, "role": "trigger"}]}} for name in events]
    return [flow] + told


def problems(**changes):
    case = read(CLOSE)
    return segcheck.Answer(case, segwire.Variation(), answer_of_close(**changes)).check()


def refuses(text):
    try:
        read(text)
    except segcase.CaseError:
        return True
    return False


def timestamps_follow_what_arrived():
    rows = tcp_headers(read(CLOSE))
    again, first = rows[6][5], rows[4][5]
    return again[1] == first[1] == rows[3][5][0] and again[0] == first[0] + 200


def retransmission_is_identical():
    case = read("# a\nopen\n+.1 A > B P. 1:101(100) ack 1\n+.1 A > B P. 1:101(100) ack 1\n")
    frames = [frame for _, frame, _ in segwire.Wire(case, segwire.Variation()).frames()]
    return frames[3][-100:] == frames[4][-100:] != frames[3][-101:-1]


def wrap_keeps_distances():
    case = read(CLOSE)
    plain, wrapped = tcp_headers(case), tcp_headers(case, segwire.Variation(wrap=True))
    same = all((p[1] - plain[0][1]) % 2**32 == (w[1] - wrapped[0][1]) % 2**32
               for p, w in zip(plain, wrapped) if p[0] == "10.0.0.1")
    return same and wrapped[0][1] == 2**32 - 2 and wrapped[6][2] == 0


def swap_exchanges_addresses():
    rows = tcp_headers(read(CLOSE), segwire.Variation(swap=True))
    return rows[0][0] == "10.0.0.2" and rows[1][0] == "10.0.0.1"


def scaled_window():
    case = read("# a\nopen\n+.1 A > B P. 1:101(100) ack 1 win 12800\n")
    return tcp_headers(case)[3][4] == 100 and tcp_headers(case)[0][4] == 64240


def old_numbers():
    case = read("# a\nopen\nclose A\nincarnation A 9000 B nxt+10\n+1 A > B S 0:0(0)\n"
                "+.1 B > A . 2:2(0) ack 2 @1\n")
    rows = tcp_headers(case)
    return rows[7][1] == 9000 and rows[8][1:3] == (5002, 1002)


def checksum_sums_to_zero():
    case = read(CLOSE)
    frame = next(iter(segwire.Wire(case, segwire.Variation(link="raw")).frames()))[1]
    pseudo = segwire.pseudo_header(ipaddress.ip_address("10.0.0.1"),
                                   ipaddress.ip_address("10.0.0.2"), 6, len(frame) - 20)
    return segwire.checksum(pseudo + frame[20:]) == 0 and segwire.checksum(frame[:20]) == 0


def addresses_come_back():
    case = read(CLOSE)
    swapped = segwire.Variation(swap=True)
    node = {"text": "10.0.0.2:40000 met 10.0.0.1. Not 10.0.0.11."}
    segcheck.restore_addresses(node, segcheck.addresses_back(case, swapped))
    return node["text"] == "10.0.0.1:40000 met 10.0.0.2. Not 10.0.0.11."


TESTS = (
    ("a right answer has no problems", lambda: problems() == []),
    ("a state never revoked is noticed", lambda: len(problems(closed_revoked=False)) == 1),
    ("a wrong close is noticed", lambda: len(problems(kind="reset")) == 1),
    ("a missing event is noticed", lambda: len(problems(events=())) == 1),
    ("an unwanted event is noticed",
     lambda: len(problems(events=("final_ack_lost", "tw_assassination"))) == 1),
    ("an event told twice is noticed",
     lambda: len(problems(events=("final_ack_lost", "final_ack_lost"))) == 1),
    ("a case without a claim is refused", lambda: refuses("open\n")),
    ("a sequence number from nowhere is refused",
     lambda: refuses("# a\nopen\n+.1 A > B P. 7:8(1) ack 1\n")),
    ("an acknowledgment of nothing is refused",
     lambda: refuses("# a\nopen\n+.1 A > B . 1:1(0) ack 9\n")),
    ("a wrong length is refused", lambda: refuses("# a\nopen\n+.1 A > B P. 1:9(1) ack 1\n")),
    ("an unknown word is refused", lambda: refuses("# a\nopen\n+.1 A > B . 1:1(0) ack 1 lots\n")),
    ("an unknown state is refused", lambda: refuses("# a\nopen\n= A CLOSE\n")),
    ("timestamps follow what arrived", timestamps_follow_what_arrived),
    ("a retransmission is identical", retransmission_is_identical),
    ("wrap keeps distances", wrap_keeps_distances),
    ("swap exchanges addresses", swap_exchanges_addresses),
    ("windows are scaled but in a SYN", scaled_window),
    ("numbers of an old incarnation", old_numbers),
    ("checksums are right", checksum_sums_to_zero),
    ("addresses come back in every text", addresses_come_back),
)


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, (name, test) in enumerate(TESTS, 1):
        good = test()
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
