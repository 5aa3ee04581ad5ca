#!/usr/bin/env python3
"""icmp_unreachable_reset: raised for an abort, or a SYN without success, right after an ICMP error
about that connection, and for nothing else.  An error is of a connection when what it quotes lies
where the sender's numbers are, wherever these are, and whether the sender was heard or not."""
import json
import os
import struct
import subprocess
import sys

from tap import Tap

LASTACK = os.environ.get("LASTACK", os.path.join(os.environ.get("TOP_BUILDDIR", "."), "lastack"))
CLIENT, SERVER, ROUTER = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2)), bytes((10, 0, 0, 254))
SYN, RST, PSH, ACK = 0x02, 0x04, 0x08, 0x10
ISN = {CLIENT: 1000, SERVER: 5000}


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip(source, target, protocol, body):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, protocol, 0, source,
                       target)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def tcp(source, flags, sequence, acknowledgment=0, payload=b""):
    """One segment; numbers relative to the ISNs, a reset's acknowledgment 0 where it has none."""
    target = SERVER if source == CLIENT else CLIENT
    ports = (40000, 80) if source == CLIENT else (80, 40000)
    known = (ISN[target] + acknowledgment) % 2**32 if flags & ACK else 0
    body = struct.pack("!HHIIBBHHH", *ports, (ISN[source] + sequence) % 2**32, known, 0x50, flags,
                       64240, 0, 0) + payload
    if len(body) % 2:
        body += b"\0"
    pseudo = source + target + struct.pack("!BBH", 0, 6, 20 + len(payload))
    body = body[:20 + len(payload)]
    padded = body + b"\0" * (len(body) % 2)
    return ip(source, target, 6, body[:16] + struct.pack("!H", checksum(pseudo + padded)) +
              body[18:])


def icmp(about, kind=3, code=1, target=CLIENT):
    """An error of the router that quotes a packet: its IP header and eight octets."""
    body = struct.pack("!BBHI", kind, code, 0, 0) + about[:28]
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    return ip(ROUTER, target, 1, body)


def records(packets):
    """What lastack writes of (seconds, packet) pairs."""
    capture = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101)
    for seconds, packet in packets:
        micros = round((1700000000 + seconds) * 1000000)
        capture += struct.pack("<IIII", micros // 1000000, micros % 1000000, len(packet),
                               len(packet)) + packet
    run = subprocess.run([LASTACK, "-r", "-", "--ndjson"], input=capture, capture_output=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def events(packets):
    """The events among them, by id."""
    return {record["event"]["action"]: record for record in records(packets)
            if record["event"]["dataset"] == "lastack.event"}


def quoted_of_unheard(next_number, apart):
    """What a record has of an error that quotes the server, of whose numbers the client's ACK tells
    the next, and nothing else does: it quotes one so far from there."""
    next_number -= ISN[SERVER]
    packets = [(0, tcp(CLIENT, ACK, 1, next_number)),
               (.1, icmp(tcp(SERVER, PSH | ACK, next_number + apart, 1), target=SERVER))]
    flow, = (record for record in records(packets)
             if record["event"]["dataset"] == "lastack.flow")
    return flow["lastack"]["icmp"]


def opened():
    data = tcp(CLIENT, PSH | ACK, 1, 1, b"x" * 100)
    return data, [(0, tcp(CLIENT, SYN, 0)), (.01, tcp(SERVER, SYN | ACK, 0, 1)),
                  (.02, tcp(CLIENT, ACK, 1, 1)), (1, data)]


def main():
    tap = Tap()
    data, handshake = opened()
    abort = tcp(CLIENT, RST | ACK, 101, 1)

    found = events(handshake + [(1.1, icmp(data)), (1.5, abort)]).get("icmp_unreachable_reset")
    evidence = found and [(one["packet"], one["role"]) for one in found["lastack"]["evidence"]]
    tap.ok(found and evidence == [(5, "trigger"), (6, "reaction")] and
           found["lastack"]["level"] == "notice" and
           found["lastack"]["numbers"]["icmp_code"] == 1 and
           found["lastack"]["details"]["end"] == "rst", "an abort half a second after the error",
           found)
    late = events(handshake + [(1.1, icmp(data)), (2.2, abort)])
    tap.ok("icmp_unreachable_reset" not in late, "not an abort after more than a second", late)
    before = events(handshake + [(1.1, abort), (1.2, icmp(data))])
    tap.ok("icmp_unreachable_reset" not in before, "not an abort before the error", before)
    other = events(handshake + [(1.1, icmp(data, 11, 0)), (1.5, abort)])
    tap.ok("icmp_unreachable_reset" not in other, "not a time exceeded", other)
    mtu = events(handshake + [(1.1, icmp(data, 3, 4)), (1.5, abort)])
    tap.ok("icmp_unreachable_reset" not in mtu, "not fragmentation needed", mtu)
    peer = events(handshake + [(1.1, icmp(data)), (1.5, tcp(SERVER, RST | ACK, 1, 101))])
    tap.ok("icmp_unreachable_reset" not in peer, "not the abort of the other side", peer)

    syn = tcp(CLIENT, SYN, 0)
    found = events([(0, syn), (.1, icmp(syn)), (1, syn), (1.1, icmp(syn, 3, 13))]).get(
        "icmp_unreachable_reset")
    tap.ok(found and found["lastack"]["evidence"][0]["packet"] == 4 and
           found["lastack"]["details"]["end"] == "syn_unanswered", "a SYN that drew the error",
           found)
    again = events([(0, syn), (.1, icmp(syn)), (1, syn), (3, syn)])
    tap.ok("icmp_unreachable_reset" not in again, "not when SYNs went on without another", again)

    told = [(0, syn), (.1, icmp(syn)), (1, syn), (1.1, icmp(syn)), (3, syn), (3.05, icmp(syn))]
    later = [(9, ip(CLIENT, SERVER, 17, bytes(8)))]  # time passes
    both = events(told + later)
    tap.ok("syn_no_answer" not in both and
           both["icmp_unreachable_reset"]["lastack"]["suppresses"] == ["syn_no_answer"],
           "one story: each SYN had the error for an answer", both)
    soon = events(told[:4])
    tap.ok(soon["icmp_unreachable_reset"]["lastack"]["suppresses"] == [],
           "nothing is suppressed that had not come up within 3 s", soon)
    rest = events(told[:2] + [(1, syn), (3, syn)] + later)
    tap.ok("syn_no_answer" in rest and "icmp_unreachable_reset" not in rest,
           "SYNs that went on without another error had no answer", rest)
    answered = events([(0, syn), (.1, icmp(syn)), (1, syn), (1.01, tcp(SERVER, SYN | ACK, 0, 1))])
    tap.ok("icmp_unreachable_reset" not in answered, "not when the SYN was answered", answered)

    for number in (0, 1000, 2**31 - 1, 2**31, 2**31 + 1000, 3 * 2**30, 2**32 - 1):
        near = [quoted_of_unheard(number, apart) for apart in (-60000, -1, 0, 1460, 60000)]
        tap.ok(all(found and found["errors"] == 1 and found["last"]["quoted"] == "server"
                   for found in near), "a quote where an unheard side's numbers are, %d" % number,
               near)
        far = [quoted_of_unheard(number, apart) for apart in (-2**30, -70000, 70000, 2**30, 2**31)]
        tap.ok(far == [None] * 5, "none where they are not, %d" % number, far)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
