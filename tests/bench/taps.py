#!/usr/bin/env python3
"""taps: what joining the captures of two taps costs, beside analysing each alone.

usage: taps.py [options] [WORKLOAD]

A workload's capture is generated as the first tap's; the second one's is made of it: segments of
clients pass it later, those of servers earlier, its clock is ahead, and a few are lost between the
two.  The three runs take turns, round after round; what counts is processor time, so that what else
the machine does matters little.  LASTACK and GENERATE name the programs (default: those of the
build in the current directory).
"""
import argparse
import heapq
import os
import random
import statistics
import struct
import sys
import tempfile

from run import LASTACK, Failure, generate, run, warm

DELAY = 50_000  # ns from tap to tap: less than what answers take, as on any path
AHEAD = 3_000_000_000
LOST = .001


def main():
    options = read_arguments()
    with tempfile.TemporaryDirectory(dir=options.directory) as scratch:
        try:
            measure(options, scratch)
        except Failure as failure:
            print(f"taps.py: {failure}", file=sys.stderr)
            return 1
    return 0


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workload", nargs="?", default="short")
    parser.add_argument("--rounds", type=int, default=5, help="how often each runs")
    parser.add_argument("--directory", help="where captures are made; some GiB of room")
    parser.add_argument("--output", default="--ndjson=/dev/null", help="what lastack writes")
    for amount in ("connections", "live", "span", "packets", "payload", "snaplen", "reuse", "seed"):
        parser.add_argument(f"--{amount}", type=int, help="as generate has it")
    return parser.parse_args()


def measure(options, scratch):
    near, far = os.path.join(scratch, "near.pcap"), os.path.join(scratch, "far.pcap")
    made = generate(options.workload, options, near)
    print(" ".join(f"{key}={value}" for key, value in made.items()))
    move(near, far, made["seed"])
    commands = {
        "near alone": [LASTACK, "-q", options.output, near],
        "far alone": [LASTACK, "-q", options.output, far],
        "both as taps": [LASTACK, "-q", options.output, "--tap", "near=" + near, "--tap",
                         "far=" + far],
    }
    for file in (near, far):
        warm(file)
    runs = {title: [] for title in commands}
    for _ in range(options.rounds):
        for title, command in commands.items():
            runs[title].append(run(command, near, scratch))
    for title, done in runs.items():
        print(f"{title:14} {statistics.median(cpu for _, cpu, _ in done):8.2f} s of processor time "
              f"{statistics.median(peak for _, _, peak in done) / 1024:9.1f} MiB")
    ratios = [both[1] / (one[1] + other[1]) for one, other, both in zip(*runs.values())]
    print(f"joining costs {statistics.median(ratios):.2f} times the sum of each alone "
          f"({min(ratios):.2f} to {max(ratios):.2f} over {len(ratios)} rounds)")


def move(near, far, seed):
    """The same connections as the other tap shows them."""
    draw = random.Random(seed)
    with open(near, "rb", buffering=1 << 20) as source, \
            open(far, "wb", buffering=1 << 20) as target:
        header = source.read(24)
        magic, = struct.unpack("<I", header[:4])
        unit = {0xa1b2c3d4: 1000, 0xa1b23c4d: 1}[magic]
        target.write(header)
        waiting, number = [], 0
        while record := source.read(16):
            seconds, fraction, captured, length = struct.unpack("<IIII", record)
            packet = source.read(captured)
            t = seconds * 10**9 + fraction * unit
            for at in range(len(waiting)):  # those that nothing precedes any more
                if waiting[0][0] > t - DELAY:
                    break
                put(target, unit, heapq.heappop(waiting))
            number += 1
            if draw.random() >= LOST:
                from_client = packet[26] == 10  # Ethernet, IPv4: clients are of 10.0.0.0/8
                heapq.heappush(waiting, (t + (DELAY if from_client else -DELAY), number, length,
                                         packet))
        while waiting:
            put(target, unit, heapq.heappop(waiting))


def put(target, unit, waiting):
    t, _, length, packet = waiting
    seconds, fraction = divmod(t + AHEAD, 10**9)
    target.write(struct.pack("<IIII", seconds, fraction // unit, len(packet), length) + packet)


if __name__ == "__main__":
    sys.exit(main())
