#!/usr/bin/env python3
"""Fragment bombs: each fragment is counted by its reason, memory stays bounded, and what is said of
a connection among them is what is said of it alone.
"""
import json
import os
import resource
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
BOMB = 60000          # fragments
MEMORY = 128 * 2**20  # octets that the program may take at most
RAW, ETHERNET = 101, 1
REASONS = {"fragment", "fragment_incomplete", "fragment_overlap", "fragment_malformed",
           "fragment_copy"}
NUMBERS = ("packet", "proof", "acked_by")


def good_frames():
    case = segread.read_case(CASE, CASE)
    return [(time, octets) for time, octets, _ in segwire.Wire(case, segwire.Variation()).frames()]


def ip4(protocol, payload, number=1, fragment=0):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), number, fragment, 64, protocol, 0,
                       b"\xc6\x33\x64\1", b"\xc6\x33\x64\2") + payload


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def pcapng(packets):
    """packets: (time, link type, frame, octets on the wire); an interface for each link type."""
    links = sorted({link for _, link, _, _ in packets})
    out = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
    for link in links:
        out.append(block(1, struct.pack("<HHI", link, 0, 0)))
    for time, link, frame, length in packets:
        stamp = time // 1000
        out.append(block(6, struct.pack("<IIIII", links.index(link), stamp >> 32, stamp & 0xffffffff,
                                        len(frame), length) + frame))
    return b"".join(out)


def lastack(path):
    run = subprocess.run([LASTACK, "--ndjson", path], capture_output=True, check=False,
                         timeout=120)
    return run, [json.loads(line) for line in run.stdout.splitlines()]


def renumbered(value, places):
    """The same, with packets called by their place among the good ones."""
    if isinstance(value, (list, tuple)):
        return [renumbered(item, places) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: places.get(item, item) if key in NUMBERS else renumbered(item, places)
            for key, item in value.items()}


def ends_of(record):
    return (record["source"]["ip"], record["source"]["port"], record["destination"]["ip"],
            record["destination"]["port"])


def story(records, ends, places):
    """What is said of the connection with these ends."""
    told = []
    for record in records:
        if record["event"]["dataset"] == "lastack.flow" and ends_of(record) == ends:
            told.append((record["@timestamp"], record["source"], record["destination"],
                         {key: record["lastack"][key] for key in ("close", "handshake", "client",
                                                                  "server")}))
    return json.dumps(renumbered(told, places), sort_keys=True)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def report_of(records):
    return records[-1]["lastack"]


def among(good, bad):
    """Bad frames in equal parts before each good one, at its time; {number: place of a good one}."""
    packets, places, share = [], {}, -(-len(bad) // len(good))
    for i, (time, octets) in enumerate(good):
        packets += [(time, link, frame, length) for link, frame, length in
                    bad[i * share:(i + 1) * share]]
        packets.append((time, ETHERNET, octets, len(octets)))
        places[len(packets)] = i + 1
    return packets, places


def check_bomb(tap, folder, name, bad):
    good, path = good_frames(), os.path.join(folder, "bomb.pcapng")
    write(path, pcapng([(time, ETHERNET, octets, len(octets)) for time, octets in good]))
    _, clean = lastack(path)
    packets, places = among(good, bad)
    write(path, pcapng(packets))
    run, records = lastack(path)
    if run.returncode != 0 or not records:
        return tap.ok(False, name, run.returncode, run.stderr.decode(errors="replace")[:500])
    capture, before = report_of(records)["capture"], report_of(clean)["capture"]
    skipped, others = capture["skipped"], before["skipped"]
    ends = next(ends_of(r) for r in clean if r["event"]["dataset"] == "lastack.flow")
    same = story(records, ends, places) == story(clean, ends, {})
    counted = (capture["segments"] == before["segments"] and
               set(skipped) <= REASONS | set(others) and
               sum(skipped.values()) == len(bad) + sum(others.values()))
    return tap.ok(same and counted, name, "" if same else "the connection differs",
                  json.dumps(capture)[:900])


def check_bombs(tap, folder):
    payload = b"\0" * 8
    many = [(RAW, ip4(6, payload, n % 65536, 0x2000 | 1 + n // 65536), 28) for n in range(BOMB)]
    one = [(RAW, ip4(6, payload, 7, 0x2000 | 1 + n % 8000), 28) for n in range(BOMB)]
    lies = [(RAW, ip4(6, payload, n % 65536, 0x1fff), 28) for n in range(BOMB)]
    for name, bad in (("of as many packets", many), ("of one packet", one), ("behind its end", lies)):
        check_bomb(tap, folder, "%d fragments %s" % (BOMB, name), bad)
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    if os.environ.get("LASTACK_SANITIZED", "").strip():
        tap.skip("memory stayed below %d MiB" % (MEMORY >> 20), "a sanitizer takes its own")
    else:
        tap.ok(used < MEMORY, "memory stayed below %d MiB" % (MEMORY >> 20), used)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        check_bombs(tap, folder)
    return tap.end()


sys.exit(main())
