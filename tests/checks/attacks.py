#!/usr/bin/env python3
"""Captures made to exhaust: time per packet and memory stay within a bound beside an ordinary one's,
and the report counts what was given up.

usage: attacks.py [--packets N] [--only NAME]    N of each capture; the table stands in the lines that begin with #

The ordinary capture has as many packets, of connections that open, exchange, and close.  Time is
the processor's; memory is never told as less than that of this script, whose child the program is.
Connections may take 16 MiB (--max-memory), so that the limit bites here, too.
"""
import argparse
import gzip
import json
import os
import random
import struct
import sys
import tempfile
import zlib

from tap import Tap

BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
PACKETS = 60000
LIMIT = 16 << 20
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
START = 1_700_000_000 * 10**6
CENTURY = 36525 * 86400 * 10**6
# What an attack may cost: times the processor of the ordinary capture, and octets above its memory.
# Ordinary packets share their connection's record with seven others, an attack's may not; the
# lists of a batch and of an epoch, and what a record may hold at most, are the constant part.
TIMES, MORE_OCTETS = 12, LIMIT + (48 << 20)


def packet(source, sport, target, dport, seq, ack, flags, payload=b""):
    """As raw IPv4; checksums are left zero, which costs what a right one costs."""
    tcp = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff, 0x50, flags,
                      501, 0, 0) + payload
    return struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(tcp), 7, 0, 64, 6, 0, source, target) + tcp


class Talk:
    """Both directions of one tuple."""

    def __init__(self, number, port=443):
        self.ends = (0x0a000000 + number // 20000, 20000 + number % 20000), (0x0a800001, port)

    def up(self, seq, ack, flags, payload=b""):
        return packet(*self.ends[0], *self.ends[1], seq, ack, flags, payload)

    def down(self, seq, ack, flags, payload=b""):
        return packet(*self.ends[1], *self.ends[0], seq, ack, flags, payload)


# Each gives pairs of microseconds since the one before and a packet.

def ordinary(count):
    for number in range(count // 8):
        talk, x, y = Talk(number), number * 7919, number * 104729
        yield from ((50, p) for p in (
            talk.up(x, 0, SYN), talk.down(y, x + 1, SYN | ACK), talk.up(x + 1, y + 1, ACK),
            talk.up(x + 1, y + 1, PSH | ACK, b"request"), talk.down(y + 1, x + 8, FIN | PSH | ACK, b"x"),
            talk.up(x + 8, y + 3, ACK), talk.up(x + 8, y + 3, FIN | ACK), talk.down(y + 3, x + 9, ACK)))


def half_open(count):
    for number in range(count):
        yield 10, packet(0x14000000 + number * 17, 1024 + number % 60000, 0x0a800001, 443, number, 0,
                         SYN)


def equal_sums(count):
    """Tuples whose addresses and ports have the same sum and the same exclusive or."""
    for number in range(count):
        high, low = number >> 12 & 0xffff, number & 0xfff
        yield 10, packet(0x0a000000 | high << 8 | low & 0xff, 0x4000 + (low << 2), 0x0a000000 | high << 8
                         | (low ^ 0xfff) & 0xff, 0x4000 + ((low ^ 0xfff) << 2), 1, 0, SYN)


def incarnations(count):
    talk, x, y = Talk(1), 1000, 5000
    for _ in range(count // 4):
        yield from ((20, p) for p in (talk.up(x, 0, SYN), talk.down(y, x + 1, SYN | ACK),
                                      talk.up(x + 1, y + 1, ACK), talk.down(y + 1, x + 1, RST | ACK)))
        x, y = x + 70001, y + 90001


def retransmissions(count):
    talk = Talk(1)
    yield 0, talk.up(1, 0, SYN)
    yield 9, talk.down(1, 2, SYN | ACK)
    yield 9, talk.up(2, 2, ACK)
    for _ in range(count - 3):
        yield 200000, talk.up(2, 2, PSH | ACK, b"again")


def jumps(count):
    """Back by hours and ahead by a century, by turns, over many connections."""
    for number in range(count):
        talk = Talk(number % 500)
        jump = (-7200 * 10**6, CENTURY // 4, -CENTURY // 4, 10)[number % 4]
        yield jump, talk.up(number, number, (SYN, ACK, FIN | ACK, RST)[number // 500 % 4])


def storm(count):
    """Everything that is out of order, on one established connection."""
    talk, draw = Talk(1), random.Random(1)
    yield 0, talk.up(1, 0, SYN)
    yield 9, talk.down(1, 2, SYN | ACK)
    yield 9, talk.up(2, 2, ACK)
    for _ in range(count - 3):
        flags = draw.choice((SYN, SYN | ACK, RST, RST | ACK, FIN | ACK, ACK, FIN))
        send = draw.choice((talk.up, talk.down))
        yield 3000, send(draw.getrandbits(32), draw.getrandbits(32), flags)


def many_storms(count):
    """The same over many connections, which have few packets each."""
    draw = random.Random(2)
    for number in range(count // 6):
        talk = Talk(number)
        yield 20, talk.up(1, 0, SYN)
        yield 20, talk.down(1, 2, SYN | ACK)
        yield 20, talk.up(2, 2, ACK)
        for _ in range(3):
            send = draw.choice((talk.up, talk.down))
            yield 20, send(draw.getrandbits(32), draw.getrandbits(32),
                           draw.choice((SYN, RST, FIN | ACK, ACK)))


def fragments(count):
    for number in range(count):
        yield 10, struct.pack(">BBHHHBBHII", 0x45, 0, 28, number & 0xffff, 0x2000 | 1 + number % 99, 64,
                              6, 0, 0x14000000 + (number >> 16), 0x0a800001) + b"\0" * 8


def first_fragments(count):
    """Those that tell the ports, and nothing follows."""
    for number in range(count):
        yield 10, struct.pack(">BBHHHBBHII", 0x45, 0, 28, number & 0xffff, 0x2000, 64, 6, 0,
                              0x14000000 + (number >> 16), 0x0a800001) + b"\0\x50\1\xbb" * 2


def holes(count):
    """A segment a window apart each, so that nothing is ever in order; the peer selects all."""
    talk = Talk(1)
    for number in range(count // 2):
        yield 10, talk.up(2 + number * 3000, 2, ACK, b"x" * 8)
        yield 10, talk.down(2, 2, ACK)


ATTACKS = {"a SYN from everywhere": half_open, "tuples of equal sums": equal_sums,
           "one tuple again and again": incarnations, "one segment again and again": retransmissions,
           "time stamps that jump": jumps, "events without end": storm,
           "events on every connection": many_storms, "fragments that never meet": fragments,
           "fragments that begin alone": first_fragments,
           "holes without end": holes}


def records(packets):
    time = START
    for gap, octets in packets:
        time = min(max(time + gap, 0), (2**32 - 1) * 10**6)
        yield struct.pack("<IIII", time // 10**6, time % 10**6, len(octets), len(octets)) + octets


def block(kind, body):
    """Of pcapng."""
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


SECTION = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
ERF = struct.pack("<Q", START // 10**6 << 32) + struct.pack(">BBHHH", 2, 4, 80, 0, 60)
FARTHEST = 2**63 - 1
# What a clock can say in pcapng: exponent of its unit (10^-n s), seconds added, ticks of packet i of n.
CLOCKS = {
    "a century ahead in the middle": (9, 0, lambda i, n, t: t + (2 * i > n) * CENTURY * 1000),
    "half a century back in the middle": (9, 0, lambda i, n, t: t - (2 * i > n) * CENTURY * 500),
    "one packet at the farthest moment": (9, 0, lambda i, n, t: FARTHEST if i == n // 2 else t),
    "the farthest moment and the first by turns": (9, 0, lambda i, n, t: (FARTHEST - i) * (i & 1)),
    "beyond 64 bits, with a sign": (9, 0, lambda i, n, t: FARTHEST + i),
    "seconds without end": (0, 0, lambda i, n, t: 2**64 - 1 - i),
    "the farthest past": (9, -2**63, lambda i, n, t: i),
    "the farthest future": (9, FARTHEST, lambda i, n, t: i),
    "all at one moment": (9, 0, lambda i, n, t: 0),
}


def stamped(packets, clock):
    """A pcapng file with such time stamps."""
    unit, added, ticks = clock
    yield SECTION + block(1, struct.pack("<HHIHHB3xHHqI", 101, 0, 262144, 9, 1, unit, 14, 8, added, 0))
    packets, time = list(packets), START * 1000
    for number, (gap, octets) in enumerate(packets):
        time += gap * 1000
        stamp = ticks(number, len(packets), time) & 2**64 - 1
        yield block(6, struct.pack("<IIIII", 0, stamp >> 32, stamp & 2**32 - 1, len(octets), len(octets)) +
                    octets + bytes(-len(octets) % 4))


HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)


def run(path, folder, *taps):
    """(exit status, processor seconds, peak octets, summary or None)."""
    words = ["--tap", "a=" + path] + [word for tap in taps for word in ("--tap", tap)] if taps else [path]
    out = os.path.join(folder, "out")
    with open(out, "wb") as file:
        child = os.posix_spawn(LASTACK, [LASTACK, "--ndjson", "--max-memory", "16M", "--threads", "1",
                                         *words], os.environ,
                               file_actions=[(os.POSIX_SPAWN_DUP2, file.fileno(), 1),
                                             (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)])
        _, status, used = os.wait4(child, 0)
    with open(out, "rb") as file:
        file.seek(max(0, os.path.getsize(out) - 65536))
        last = file.read().splitlines()[-1:]
    try:
        told = json.loads(last[0])["lastack"] if last else None
    except ValueError:
        told = None
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, told


def count_events(summary):
    return sum(summary["summary"]["events"]["by_level"].values())


def put(folder, packets):
    path = os.path.join(folder, "attack.pcap")
    with open(path, "wb") as file:
        file.write(HEADER)
        file.writelines(records(packets))
    return path


def limits_that_bit(summary):
    return {key: value for key, value in summary["summary"]["limits"].items() if value}


def check_attack(tap, folder, name, make, count, plain):
    code, seconds, octets, told = run(put(folder, make(count)), folder)
    read = told["capture"]["packets"] if told else 1
    print("# %-28s %6d packets %7.2f us each (%4.1f times) %6.1f MiB, %d events; %s" % (
        name, read, seconds / read * 10**6, seconds / read / plain[0], octets / 2**20,
        count_events(told) if told else 0,
        json.dumps(limits_that_bit(told)) if told else "no summary"))
    sanitized = os.environ.get("LASTACK_SANITIZED", "").strip()
    within = sanitized or (seconds / read < TIMES * plain[0] and octets < plain[1] + MORE_OCTETS)
    return tap.ok(code == 0 and told and read >= count * .99 and within,
                  "%s: bounded time and memory" % name, code, seconds, octets, plain), told


def check_far_fragments(tap, folder, count, plain):
    """Between two taps those of the second are put together, too, and as many of them given up."""
    near = os.path.join(folder, "near.pcap")
    os.rename(put(folder, ordinary(count // 10)), near)
    code, seconds, octets, told = run(near, folder, "b=" + put(folder, first_fragments(count)))
    print("# %-28s %6d packets %7.2f us each %18.1f MiB" % ("the same at a second tap", count,
                                                         seconds / count * 10**6, octets / 2**20))
    sanitized = os.environ.get("LASTACK_SANITIZED", "").strip()
    tap.ok(code == 0 and told and (sanitized or octets < plain[1] + MORE_OCTETS),
           "fragments that begin alone, at a second tap: bounded memory", code, octets, plain)


def check_bombs(tap, folder, plain):
    """Files that unpack to much more, and files whose lengths lie."""
    zeros = os.path.join(folder, "zeros.pcap.gz")
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    with open(zeros, "wb") as file:
        file.write(squeeze.compress(HEADER))
        for _ in range(32):
            file.write(squeeze.compress(bytes(1 << 20)))
        file.write(squeeze.flush())
    code, seconds, octets, told = run(zeros, folder)
    read = told["capture"]["packets"] if told else 1
    print("# 32 MiB of empty packets in %d octets: %.2f us each, %.1f MiB" % (
        os.path.getsize(zeros), seconds / read * 10**6, octets / 2**20))
    sanitized = os.environ.get("LASTACK_SANITIZED", "").strip()
    tap.ok(code == 0 and read == 2 << 20 and (sanitized or octets < plain[1] + MORE_OCTETS),
           "a file that unpacks to a thousand times its size", code, octets, read)
    lies = {"a packet of 4 GiB": HEADER + struct.pack("<IIII", 1, 1, 0xffffffff, 0xffffffff) + b"x" * 99,
            "a packet that ends behind the file": HEADER + struct.pack("<IIII", 1, 1, 262144, 262144),
            "a block of 4 GiB": struct.pack("<IIIHHq", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1) +
            struct.pack("<I", 28) + struct.pack("<II", 6, 0xfffffffc) + b"x" * 99,
            "a section of 2^62 octets": struct.pack("<IIIHHq", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, 1 << 62) +
            struct.pack("<I", 28),
            "a block of no octets": SECTION + struct.pack("<II", 6, 0) * 9999,
            "a block that is shorter than its head": SECTION + struct.pack("<II", 6, 8) * 9999,
            "an option beyond its block": SECTION + block(1, struct.pack("<HHIHH", 1, 0, 262144, 2, 65535)),
            "a packet beyond its block": SECTION + block(1, struct.pack("<HHI", 1, 0, 0)) +
            block(6, struct.pack("<IIIII", 0, 0, 0, 0xffffffff, 1)),
            "a resolution of 2^-127 s": SECTION + block(1, struct.pack("<HHIHHB3x", 1, 0, 0, 9, 1, 255)) +
            block(6, struct.pack("<IIIII", 0, 0xffffffff, 0xffffffff, 0, 0)),
            "a snoop record of 4 GiB": b"snoop\0\0\0" + struct.pack(">II", 2, 4) +
            struct.pack(">IIIIII", 0xffffffff, 0xffffffff, 0xffffffff, 0, 1, 1) + b"x" * 99,
            "a snoop record without an end": b"snoop\0\0\0" + struct.pack(">II", 2, 4) +
            struct.pack(">IIIIII", 60, 60, 0, 0, 1, 1) * 999,
            "an ERF record of no octets": ERF + b"x" * 64 + (ERF[:10] + bytes(6)) * 999,
            "an ERF record beyond the file": ERF + b"x" * 64 + ERF[:10] + struct.pack(">HHH", 65535, 0, 9)}
    for name, data in lies.items():
        for packed in (False, True):
            path = os.path.join(folder, "lie")
            with open(path, "wb") as file:
                file.write(gzip.compress(data) if packed else data)
            code, _, octets, told = run(path, folder)
            tap.ok(code in (0, 4) and (sanitized or octets < plain[1] + (16 << 20)),
                   "%s%s: nothing is believed" % (name, ", packed" if packed else ""), code, octets)


def check_clocks(tap, folder, count, plain):
    """Clocks at the ends of their range: every packet is counted once, every line is a record."""
    path = os.path.join(folder, "clock.pcapng")
    for name, clock in CLOCKS.items():
        with open(path, "wb") as file:
            file.writelines(stamped(ordinary(count), clock))
        code, seconds, octets, told = run(path, folder)
        with open(os.path.join(folder, "out"), "rb") as file:
            kinds = [json.loads(line)["event"]["dataset"] for line in file]
        print("# %-42s %7.2f us each (%4.1f times) %6.1f MiB" % (
            name, seconds / count * 10**6, seconds / count / plain[0], octets / 2**20))
        sanitized = os.environ.get("LASTACK_SANITIZED", "").strip()
        within = sanitized or (seconds / count < TIMES * plain[0] and octets < plain[1] + MORE_OCTETS)
        tap.ok(code == 0 and told["capture"]["packets"] == count and within and
               kinds.count("lastack.flow") == count // 8, "a clock: " + name, code, seconds, octets, plain)


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--packets", type=int, default=PACKETS)
    words.add_argument("--only", choices=ATTACKS, help="that attack alone")
    words = words.parse_args()
    count = words.packets
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        path = put(folder, ordinary(count))
        code, seconds, octets, told = min((run(path, folder) for _ in range(3)), key=lambda r: r[1])
        plain = seconds / count, octets
        print("# %-28s %6d packets %7.2f us each %18.1f MiB" % ("ordinary", count, plain[0] * 10**6,
                                                             octets / 2**20))
        tap.ok(code == 0 and told["capture"]["packets"] == count // 8 * 8, "an ordinary capture", code)
        for name, make in ATTACKS.items():
            if words.only not in (None, name):
                continue
            held, told = check_attack(tap, folder, name, make, count, plain)
            if held and make is half_open and count * 128 > LIMIT // 4:
                tap.ok(limits_that_bit(told).get("evictions", 0) > 0, "what gave way is counted",
                       limits_that_bit(told))
        if words.only is not None:
            return tap.end()
        check_far_fragments(tap, folder, count, plain)
        check_bombs(tap, folder, plain)
        check_clocks(tap, folder, count // 8 * 8, plain)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
