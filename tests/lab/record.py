#!/usr/bin/env python3
"""Makes the captures in samples/ anew from scenarios of the lab, and what lastack says of them.

    LASTACK=PROGRAM tests/lab/record.py [NAME...]       (make record-samples)

Each sample has a network of its own, so that all can be read together.  The datagram with which the
lab ends a capture is left out, but where a deadline is waited for.
"""
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "checks")]
os.environ.setdefault("TOP_SRCDIR", os.path.dirname(os.path.dirname(HERE)))

from lab import TICK
from run import enter, is_right, play
from samples import SAMPLES, path

HEADER, RECORD = 24, struct.Struct("<IIII")  # of a pcap file, and of each packet in it


def is_tick(frame):
    return frame[12:14] == b"\x08\x00" and frame[23] == 17 and \
        struct.unpack_from("!H", frame, 36)[0] == TICK


def without_ticks(octets):
    kept, at = octets[:HEADER], HEADER
    while at < len(octets):
        end = at + RECORD.size + RECORD.unpack_from(octets, at)[2]
        if not is_tick(octets[at + RECORD.size:end]):
            kept += octets[at:end]
        at = end
    return kept


def make(sample, net, folder):
    result = play(sample.scenario, os.path.join(folder, sample.name), False, net)
    if not is_right(result):
        sys.exit("samples: %s went wrong: %s" % (sample.scenario, result))
    last = "" if result["attempt"] == 1 else ".%d" % result["attempt"]
    with open(os.path.join(folder, sample.name + last, sample.side + ".pcap"), "rb") as file:
        octets = file.read()
    with open(path(sample.name, ".pcap"), "wb") as file:
        file.write(octets if sample.settings else without_ticks(octets))


def main():
    enter()
    chosen = sys.argv[1:] or [sample.name for sample in SAMPLES]
    with tempfile.TemporaryDirectory(prefix="lastack-samples-") as folder:
        os.chmod(folder, 0o777)
        for net, sample in enumerate(SAMPLES, 1):
            if sample.name in chosen:
                make(sample, net, folder)
    checks = os.path.join(os.path.dirname(HERE), "checks")
    for name in "samples.py", "ladder.py":
        subprocess.run([sys.executable, os.path.join(checks, name), "--accept"], check=False,
                       stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
