#!/usr/bin/env python3
"""Files of each format that are cut at any octet, or have a record with a length that lies: what is
whole is analysed, and the damage is told.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
sys.path.insert(0, os.path.join(TOP, "tests", "tools"))
import segread
import segwire

CASE = os.path.join(TOP, "tests", "cases", "close", "client-first.seg")
SECOND = 10**9
DONE, DAMAGED = 0, 4  # exit codes


def good_frames():
    case = segread.read_case(CASE, CASE)
    return [(time, octets) for time, octets, _ in segwire.Wire(case, segwire.Variation()).frames()]


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def lastack(path):
    run = subprocess.run([LASTACK, "--ndjson", path], capture_output=True, check=False,
                         timeout=120)
    return run, [json.loads(line) for line in run.stdout.splitlines()]


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def classic(frames):
    out = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1)]
    for time, octets in frames:
        out.append(struct.pack("<IIII", time // SECOND, time % SECOND // 1000, len(octets),
                               len(octets)) + octets)
    return out


def snoop(frames):
    out = [b"snoop\0\0\0" + struct.pack(">II", 2, 4)]
    for time, octets in frames:
        pad = -len(octets) % 4
        out.append(struct.pack(">IIIIII", len(octets), len(octets), 24 + len(octets) + pad, 0,
                               time // SECOND, time % SECOND // 1000) + octets + b"\0" * pad)
    return out


def erf(frames):
    out = [b""]
    for time, octets in frames:
        body = b"\0\0" + octets
        body += b"\0" * (-len(body) % 8)
        out.append(struct.pack("<II", (time % SECOND << 32) // SECOND, time // SECOND) +
                   struct.pack(">BBHHH", 2, 0, 16 + len(body), 0, len(octets)) + body)
    return out


def blocks(frames):
    out = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) +
           block(1, struct.pack("<HHI", 1, 0, 0))]
    for time, octets in frames:
        stamp = time // 1000
        out.append(block(6, struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xffffffff, len(octets),
                                        len(octets)) + octets))
    return out


# How it is written, where a record has its length, in which order, and whether others follow it.
FORMATS = {"pcap": (classic, 8, "<I", False), "pcapng": (blocks, 4, "<I", True),
           "snoop": (snoop, 8, ">I", False), "erf": (erf, 10, ">H", False)}


def entry_of(records):
    return records[-1]["lastack"]["inputs"][0] if records else {}


def check_cuts(tap, folder, name, parts):
    """Cut at each octet of the last two records: what is whole is analysed, and the cut is told."""
    path, data = os.path.join(folder, "cut." + name), b"".join(parts)
    ends = [sum(map(len, parts[:n + 1])) for n in range(len(parts))]
    wrong = []
    for size in range(ends[-3], len(data) + 1):
        write(path, data[:size])
        run, records = lastack(path)
        entry, whole = entry_of(records), sum(end <= size for end in ends) - 1
        at_end = size in ends
        if (run.returncode, entry.get("packets"), entry.get("damaged")) != (
                DONE if at_end else DAMAGED, whole, not at_end):
            wrong.append((size, run.returncode, whole, entry, run.stderr))
    tap.ok(not wrong, "%s cut at every octet" % name, *wrong[:3])


def check_lies(tap, folder, name, parts, at, form, goes_on):
    """A record of which the length lies: those before it are read, and those behind where they can."""
    path, victim = os.path.join(folder, "lie." + name), len(parts) // 2
    most = 2**(8 * struct.calcsize(form)) - 1
    wrong = []
    for length in (0, 1, 7, most, most - 3, most // 2 + 1):
        lie = bytearray(parts[victim])
        lie[at:at + struct.calcsize(form)] = struct.pack(form, length)
        if bytes(lie) == parts[victim]:
            continue
        write(path, b"".join(parts[:victim]) + bytes(lie) + b"".join(parts[victim + 1:]))
        run, records = lastack(path)
        entry = entry_of(records)
        read = entry.get("packets", -1)
        right = read == len(parts) - 2 if goes_on else victim - 1 <= read < len(parts)
        told = (run.returncode == DAMAGED) == entry.get("damaged")
        if not right or not told or (goes_on and entry["damaged_blocks"] != 1):
            wrong.append((length, run.returncode, entry, run.stderr))
    tap.ok(not wrong, "%s with a record length that lies" % name, *wrong[:3])


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        for name, (make, at, form, goes_on) in FORMATS.items():
            parts = make(good_frames())
            check_cuts(tap, folder, name, parts)
            check_lies(tap, folder, name, parts, at, form, goes_on)
    return tap.end()


sys.exit(main())
