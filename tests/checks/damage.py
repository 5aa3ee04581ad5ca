#!/usr/bin/env python3
"""Damaged frames of every link type and tunnel: cut anywhere, with octets that lie, with headers
without end.  Each is counted by reason, none hurts a connection beside it, and the file is read on.

usage: damage.py [--seed N]
"""
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

import encapsulations
from tap import Tap

BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
START = 1_700_000_000
FIN, SYN, PSH, ACK = 1, 2, 8, 16
PORTS = (55555, 4242)  # of the connection that must come through
GOOD_LINK = 101        # raw IP, in an interface of its own


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def packet(interface, micros, octets, length=None):
    stamp = START * 10**6 + micros
    return block(6, struct.pack("<IIIII", interface, stamp >> 32, stamp & 0xffffffff, len(octets),
                                len(octets) if length is None else length) + octets)


def good_segments():
    """A whole connection as raw IPv4 packets."""
    x, y = (bytes([203, 0, 113, 1]), PORTS[0]), (bytes([203, 0, 113, 2]), PORTS[1])
    steps = [(x, y, SYN, 100, 0, b""), (y, x, SYN | ACK, 500, 101, b""), (x, y, ACK, 101, 501, b""),
             (x, y, PSH | ACK, 101, 501, b"data"), (y, x, ACK, 501, 105, b""),
             (x, y, FIN | ACK, 105, 501, b""), (y, x, FIN | ACK, 501, 106, b""),
             (x, y, ACK, 106, 502, b"")]
    for source, target, flags, seq, ack, payload in steps:
        tcp = struct.pack(">HHIIBBHHH", source[1], target[1], seq, ack, 0x50, flags, 9999, 0,
                          0) + payload
        yield struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 7, 0, 64, 6, 0, source[0],
                          target[0]) + tcp


def capture(link_type, spoilt):
    """The spoilt frames with the good connection spread among them."""
    out = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)),
           block(1, struct.pack("<HHI", GOOD_LINK, 0, 0)),
           block(1, struct.pack("<HHI", link_type, 0, 0))]
    good = list(good_segments())
    apart = max(1, len(spoilt) // len(good))
    for i, (octets, length) in enumerate(spoilt):
        if i % apart == 0 and good:
            out.append(packet(0, 10 * i, good.pop(0)))
        out.append(packet(1, 10 * i + 5, octets, length))
    out += [packet(0, 10 * len(spoilt) + i, octets) for i, octets in enumerate(good)]
    return b"".join(out)


def cut(frames):
    """Every frame at every length: the capture's fault, and as if the wire had no more."""
    for frame, _ in frames:
        for size in range(len(frame)):
            yield frame[:size], len(frame)
            yield frame[:size], size


def over_long(frames):
    for frame, _ in frames:
        yield frame + b"\xa5" * 3000, None
        yield frame, len(frame) + 60000


def lying(frames, draw):
    """Any octet of the headers another one: lengths, versions, offsets, kinds."""
    for frame, _ in frames:
        for at in range(min(len(frame), 120)):
            for value in (0, 0xff, draw.randrange(256)):
                yield frame[:at] + bytes([value]) + frame[at + 1:], None


def looped():
    """Headers without end, of every kind that may follow itself; as Ethernet."""
    mac = encapsulations.MACS
    yield mac + b"\x81\0\0\1" * 300 + b"\x08\0", None
    yield mac + b"\x88\xa8\0\1" * 300, None
    yield mac + b"\x88\x47" + b"\0\1\0\x40" * 300, None
    six = struct.pack(">IHBB", 6 << 28, 1400, 0, 64) + bytes(32)
    yield mac + b"\x86\xdd" + six + b"\0\0\1\4\0\0\0\0" * 175, None
    yield mac + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, 1400, 60, 64) + bytes(32) + \
        b"\x3c\0\1\4\0\0\0\0" * 175, None

    def nested(protocol, head, times=40):
        inner = bytes(20)
        for _ in range(times):
            inner = struct.pack(">BBHHHBBH8s", 0x45, 0, 20 + len(head) + len(inner), 0, 0, 64,
                                protocol, 0, b"\xc0\0\2\1\xc0\0\2\2") + head + inner
        return mac + b"\x08\0" + inner, None
    yield nested(4, b"")
    yield nested(47, b"\0\0\x08\0")
    yield nested(137, b"\0\0\x11\x40")


def fragment_bomb():
    """Fragments that never become whole, that overlap, and that end beyond the largest packet."""
    mac = encapsulations.MACS
    for number in range(6000):
        fields = (number & 0xffff, 0x2000 | number * 7 % 8190)
        yield mac + b"\x08\0" + struct.pack(">BBHHHBBH8s", 0x45, 0, 28 + number % 200, *fields, 64,
                                            6, 0, struct.pack(">II", number % 3, 1)) + \
            bytes(8 + number % 200), None


def check(tap, folder, name, link_type, spoilt):
    spoilt = list(spoilt)
    path = os.path.join(folder, "spoilt.pcapng")
    with open(path, "wb") as file:
        file.write(capture(link_type, spoilt))
    run = subprocess.run([LASTACK, "--ndjson", path], capture_output=True, check=False, timeout=300)
    records = [json.loads(line) for line in run.stdout.splitlines()]
    counts = records[-1]["lastack"]["capture"] if records else None
    told = counts and counts["segments"] + counts["copies"] + sum(counts["skipped"].values())
    flows = [r["lastack"] for r in records if r["event"]["dataset"] == "lastack.flow" and
             (r["source"]["port"], r["destination"]["port"]) == PORTS]
    # an aggregate holds several packets, so a frame may count more than once
    tap.ok(run.returncode == 0 and counts["packets"] == len(spoilt) + 8 and
           told >= counts["packets"],
           "%s: %d frames, each counted by reason" % (name, len(spoilt)), run.returncode,
           run.stderr.decode()[-500:], counts)
    tap.ok(len(flows) == 1 and flows[0]["close"]["kind"] == "orderly" and not
           {"midstream_start", "capture_gap"} & set(flows[0]["caveats"]),
           "%s: the connection among them is whole" % name, flows)


def main():
    seed = int(sys.argv[2]) if sys.argv[1:2] == ["--seed"] else random.SystemRandom().randrange(10**6)
    print("# seed", seed)
    draw, tap = random.Random(seed), Tap()
    with tempfile.TemporaryDirectory() as folder:
        check(tap, folder, "headers without end", 1, looped())
        check(tap, folder, "a fragment bomb", 1, fragment_bomb())
        if encapsulations.MISSING:
            tap.skip("every link type and tunnel", encapsulations.MISSING)
            return tap.end()
        for name, (link_type, frames) in {**encapsulations.links(),
                                          **encapsulations.tunnels()}.items():
            check(tap, folder, name + ", cut", link_type, cut(frames))
            check(tap, folder, name + ", over-long", link_type, over_long(frames))
            check(tap, folder, name + ", lying", link_type, lying(frames, draw))
    return tap.end()


sys.exit(main())
