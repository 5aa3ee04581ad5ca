#!/usr/bin/env python3
"""A file large enough to be read ahead by threads that have nothing else to do: what is said of it is
what is said of the same octets out of a pipe, which nobody reads ahead; where it is cut, or a
record lies, too."""
import json
import os
import struct
import subprocess
import sys
import tempfile

import pieces
from tap import Tap

LASTACK = pieces.LASTACK
CONNECTIONS, PAYLOAD = 10000, 1400
LEAST = 17 << 20  # octets: below, none is read ahead (source/ahead.c)
ETHERNET = bytes(6) + b"\2" + bytes(5) + b"\x08\x00"
RECORD = struct.Struct("<IIII")


def whole_file():
    """Connections of full segments, one behind the other."""
    out = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)]
    for i in range(CONNECTIONS):
        client = (10, 1, i // 250, i % 250)
        for t, packet in pieces.exchange(i * .01, 20000 + i, client, bytes([i % 251]) * PAYLOAD):
            micros, size = round(t * 1e6), len(ETHERNET) + len(packet)
            out.append(RECORD.pack(pieces.START + micros // 10**6, micros % 10**6, size, size) +
                       ETHERNET + packet)
    return out


def said(run, name):
    """Exit code, message and records, but for the file's name and how much read() brought."""
    records = []
    for line in run.stdout.splitlines():
        record = json.loads(line)
        for given in record.get("lastack", {}).get("inputs", []):
            given.pop("name")
            given.pop("bytes")
        records.append(record)
    return run.returncode, run.stderr.decode().replace(name, "-"), records


def check(tap, what, octets, code):
    with tempfile.TemporaryDirectory(prefix="lastack-ahead-") as folder:
        path = os.path.join(folder, "large.pcap")
        with open(path, "wb") as file:
            file.write(octets)
        words = [LASTACK, "--ndjson", "--threads"]
        piped = said(subprocess.run([*words, "1", "-"], input=octets, capture_output=True,
                                    check=False, timeout=120), "-")
        tap.ok(piped[0] == code and len(piped[2]) > CONNECTIONS / 2,
               "%s: through a pipe" % what, piped[:2], len(piped[2]))
        for threads in "1", "2", "3":
            run = subprocess.run([*words, threads, path], capture_output=True, check=False,
                                 timeout=120)
            tap.ok(said(run, path) == piped, "%s: the same of the file, %s threads" % (what, threads),
                   run.returncode, run.stderr[:300])


def main():
    tap = Tap()
    records = whole_file()
    octets = b"".join(records)
    tap.ok(len(octets) > LEAST, "the file is large enough", len(octets))
    check(tap, "whole", octets, 0)
    check(tap, "cut within a record", octets[:len(octets) - PAYLOAD - 1000], 4)
    lying = b"".join(records[:70001]) + RECORD.pack(pieces.START + 900, 0, 1 << 30, 1 << 30)
    check(tap, "a record that claims too much", lying + b"".join(records[70001:]), 4)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
