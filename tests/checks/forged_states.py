#!/usr/bin/env python3
"""A state that was forged, with a good checksum, is refused where it claims what no run can have
written: nothing is read or written beyond its place, no small file takes much memory, and nothing
of it reaches a terminal or a report unescaped."""
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

from tap import Tap

from pieces import (ACK, CLIENT, LASTACK, PSH, SERVER, SLOW, SYN, exchange, ip4, raw_capture,
                    read, sum_of, tcp, write)

BEGIN = 15  # octets of the magic and of the version
MORE = 48 << 20  # octets of memory that a lie may take beyond what the true state takes
EXTREMES = (0, 1, 127, 2**16 - 1, 2**20, 2**30, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**63, 2**64 - 1)


def number(value):
    """As a state spells it: seven bits an octet, the least first."""
    octets = bytearray()
    while value > 0x7f:
        octets.append(value & 0x7f | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def folded(value):
    """One with a sign."""
    return number((value << 1) ^ (2**64 - 1 if value < 0 else 0) if value >= 0 else -2 * value - 1)


def state_of(folder, frames, cut, *form):
    """(its octets without the checksum, what comes behind the cut)"""
    capture = raw_capture(frames)
    first = capture.write(os.path.join(folder, "first.pcap"), 0, cut)
    rest = capture.write(os.path.join(folder, "rest.pcap"), cut)
    state = os.path.join(folder, "state")
    subprocess.run([LASTACK, *form, "--threads", "1", "--state-out", state, first], check=True,
                   stdout=subprocess.DEVNULL)
    return read(state)[:-8], rest


def resume(folder, body, rest, form):
    """(exit status, what was written, what was said, peak octets) of going on from it."""
    state, out = write(os.path.join(folder, "forged"), body + sum_of(body)), folder + "/out"
    errors = folder + "/errors"
    words = [LASTACK, form, "--threads", "1", "--state-in", state, rest]
    opened = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    child = os.posix_spawn(LASTACK, words, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, out, opened, 0o600), (os.POSIX_SPAWN_OPEN, 2, errors, opened, 0o600)])
    _, status, used = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), read(out), read(errors).decode(), used.ru_maxrss << 10


def check_lie(tap, name, body, lie, rest, form="--ndjson"):
    """The state is read as it is, and refused with the lie in the last place that it goes."""
    old, new = lie
    with tempfile.TemporaryDirectory() as folder:
        true = resume(folder, body, rest, form)
        code, out, said, _ = resume(folder, new.join(body.rsplit(old, 1)), rest, form)
        good = code == 3 and not out and "--state-in" in said and len(said.splitlines()) == 1
        tap.ok(body.count(old) > 0 and true[0] == 0 and good, name, body.count(old), true[0],
               true[2][-300:], code, said[-300:])


def check_fragments(tap):
    """Pieces that stand on one another sum up to more than there is."""
    segment = tcp(40002, 80, PSH | ACK, 5, 6, bytes(44))
    frames = exchange(0, 40000, linger=9)
    frames += [(1, ip4(CLIENT, SERVER, segment, 7, 0x2000)),
               (1.1, ip4(CLIENT, SERVER, bytes(64), 7, 0x2000 | 16)),
               (2, ip4(CLIENT, SERVER, bytes(64), 7, 0x2000 | 24))]
    with tempfile.TemporaryDirectory() as folder:
        body, rest = state_of(folder, frames, 8, "--ndjson")
        true = number(0) + number(64) * 2 + segment + number(128) + number(192) + number(64)
        for name, lie in (("that overlap", number(0) + number(64) * 2 + segment +
                           number(0) + number(64) + number(64)),
                          ("that end before they begin", number(0) + number(64) * 2 + segment +
                           number(128) + number(64) + number(64)),
                          ("with more octets than they are long", number(0) + number(8) + number(64)
                           + segment + number(128) + number(192) + number(64))):
            check_lie(tap, "fragments %s: refused" % name, body, (true, lie), rest)


def check_numbers(tap):
    frames = exchange(0, 40000, payload=b"x", linger=2) + exchange(100, 40001, linger=9)
    with tempfile.TemporaryDirectory() as folder:
        body, rest = state_of(folder, frames, 11, "--ndjson")
        stay = 2001 * 10**6  # in FIN_WAIT_2: the server lingers
        check_lie(tap, "a time in a state that is less than none: refused", body,
                  (folded(stay), folded(-stay)), rest)
        trip = struct.unpack("<I", struct.pack("<f", 10**6))[0]
        for name, value in (("no number", 0x7fc00000), ("infinite", 0x7f800000)):
            check_lie(tap, "a round trip that is %s: refused" % name, body,
                      (number(trip), number(value)), rest)


def check_words(tap):
    """What stands in a state ready to be written."""
    frames = [(t, ip4(CLIENT, SERVER, tcp(40000, 80, SYN, 7))) for t in (0, 1, 3)]
    frames += exchange(300, 40001, linger=9)
    with tempfile.TemporaryDirectory() as folder:
        body, rest = state_of(folder, frames, 6)
        check_lie(tap, "a record that is none: refused", body, (b'{"', b'["'), rest, "--json")
        check_lie(tap, "a record with a control character: refused", body,
                  (b"got no answer", b"got\x1bno answer"), rest, "--json")
        place = body.find(b"\n" + b" " * 9) + 1
        tap.ok(place > 0, "a state for text has prose")
        for name, octets in (("a command to the terminal", b"\x1b]"), ("a turn of the line", b"\r\r"),
                             ("half a character", b"\xc3\x28"), ("a one-octet command", b"\xc2\x9b")):
            lie = body[:place] + octets + body[place + 2:]
            code, out, said, _ = resume(folder, lie, rest, "--text")
            tap.ok(code == 3 and not out and "--state-in" in said, "%s in it: refused" % name, code,
                   said[-300:])


def check_memory(tap, rng):
    """Any number of a small state replaced by another."""
    with tempfile.TemporaryDirectory() as folder:
        frames = exchange(0, 40000, linger=2) + exchange(.5, 40001, linger=9)
        body, rest = state_of(folder, frames, 12, "--ndjson")
        plain, faults = resume(folder, body, rest, "--ndjson")[3], []
        places = [at for at in range(BEGIN, len(body)) if not body[at - 1] & 0x80]
        places = rng.sample(places, len(places) // (24 if SLOW else 6))
        for at in places:
            end = at
            while body[end] & 0x80:
                end += 1
            lie = body[:at] + number(rng.choice(EXTREMES)) + body[end + 1:]
            code, out, said, octets = resume(folder, lie, rest, "--ndjson")
            try:
                sum(1 for line in out.splitlines() if json.loads(line))
            except ValueError:
                faults.append("octet %d: a line that is no JSON" % at)
            if code not in (0, 2, 3) or (not SLOW and octets > plain + MORE):
                faults.append("octet %d: exit %d, %d KiB, %s" % (at, code, octets >> 10, said[-300:]))
        tap.ok(not faults, "numbers that lie end in order, in bounded memory (%d)" % len(places),
               plain, *faults[:9])


def main():
    tap = Tap()
    check_fragments(tap)
    check_numbers(tap)
    check_words(tap)
    check_memory(tap, random.Random(7))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
