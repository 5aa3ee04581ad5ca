#!/usr/bin/env python3
"""What a capture loses, doubles or swaps is never blamed on anyone for certain.

usage: properties.py [--seed N] [--captures N] [--rounds N] [--verbose] [CAPTURE.pcap...]

Clean captures (those on which lastack raises neither warning nor error) are spoilt as captures get
spoilt: packets removed at random, every packet doubled, one direction removed, the first half cut
off, neighbours within 2 ms swapped.  Whatever lastack then says, it may not be an error of which it
is certain, and the histories of both sides keep what doc/lastack.schema.json says of them.  The
seed is printed; --verbose names every warning and error, to be read by hand.
"""
import argparse
import collections
import glob
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.environ.get("TOP_SRCDIR", os.path.join(HERE, "..", ".."))
BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
GENERATE = os.path.join(BUILD, "tests", "bench", "generate")
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(TOP, "tests", "tools"))
import segread
import segwire
from tap import Tap

SWAPPED = 2_000_000  # ns
LOUD = ("warning", "error")


class Capture:
    """A classic capture: its header, and packets as [time in ns, octets on the wire, frame]."""

    def __init__(self, name, data):
        self.name = name
        magic = struct.unpack("<I", data[:4])[0]
        self.order = "<" if magic in (0xa1b2c3d4, 0xa1b23c4d) else ">"
        magic, = struct.unpack(self.order + "I", data[:4])
        if magic not in (0xa1b2c3d4, 0xa1b23c4d):
            raise ValueError("not a classic capture")
        self.scale = 1000 if magic == 0xa1b2c3d4 else 1
        self.header, self.packets, at = data[:24], [], 24
        while at + 16 <= len(data):
            seconds, part, kept, length = struct.unpack(self.order + "IIII", data[at:at + 16])
            time = seconds * 10**9 + part * self.scale
            self.packets.append([time, length, data[at + 16:at + 16 + kept]])
            at += 16 + kept

    def write(self, packets):
        out = [self.header]
        for time, length, frame in packets:
            out.append(struct.pack(self.order + "IIII", time // 10**9,
                                   time % 10**9 // self.scale, len(frame), length) + frame)
        return b"".join(out)


def removed(share):
    return lambda packets, draw: [p for p in packets if draw.random() >= share]


def doubled(after):
    def spoil(packets, _draw):
        return sorted((p for packet in packets for p in (packet, [packet[0] + after, *packet[1:]])),
                      key=lambda p: p[0])
    return spoil




def one_direction(which):
    """Packets from the smaller, or the greater, of each pair of addresses alone."""
    def spoil(packets, _draw):
        kept = []
        for packet in packets:
            frame = packet[2]
            size = 4 if frame[12:14] == b"\x08\x00" else 16
            at = 26 if size == 4 else 22
            source, target = frame[at:at + size], frame[at + size:at + 2 * size]
            if (source < target) == which:
                kept.append(packet)
        return kept
    return spoil


def first_half_cut(packets, _draw):
    return packets[len(packets) // 2:]


def swapped(packets, draw):
    """Neighbours within 2 ms change places; the stamps stay where they are, as a queue does it."""
    frames = [p[1:] for p in packets]
    for i in range(len(packets) - 1):
        if packets[i + 1][0] - packets[i][0] <= SWAPPED and draw.random() < .3:
            frames[i], frames[i + 1] = frames[i + 1], frames[i]
    return [[p[0], *frame] for p, frame in zip(packets, frames)]


def late_stamped(packets, draw):
    """Packets keep their stamps and are written up to 2 ms late: time goes backwards."""
    order = [(p[0] + draw.randrange(SWAPPED), i) for i, p in enumerate(packets)]
    return [packets[i] for _, i in sorted(order)]


def one_after_another(*spoilers):
    def spoil(packets, draw):
        for spoiler in spoilers:
            packets = spoiler(packets, draw)
        return packets
    return spoil


SPOILERS = {
    "1 % removed": removed(.01),
    "5 % removed": removed(.05),
    "20 % removed": removed(.2),
    "every packet doubled": doubled(0),
    "doubled 50 us later": doubled(50_000),
    "only one direction": one_direction(True),
    "only the other direction": one_direction(False),
    "first half cut off": first_half_cut,
    "neighbours swapped": swapped,
    "written late": late_stamped,
    "doubled, then 20 % removed": one_after_another(doubled(20_000), removed(.2)),
    "cut, swapped, 5 % removed": one_after_another(first_half_cut, swapped, removed(.05)),
}


def analyse(data, arguments=()):
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(data)
        file.flush()
        run = subprocess.run([LASTACK, "--ndjson", "--nano", "--threads", "1", *arguments,
                              file.name], capture_output=True, check=False, timeout=120)
    if run.returncode not in (0, 4):
        raise RuntimeError("exit status %d: %s" % (run.returncode, run.stderr.decode()))
    return [json.loads(line) for line in run.stdout.splitlines()]


def loud(records):
    return [r for r in records
            if r["event"]["dataset"] == "lastack.event" and r["lastack"]["level"] in LOUD]


def stamp(time):
    """The nine digits of a record's time that tell packets of one second from each other."""
    return int(time[-10:-1])


def broken_histories(records, packets, in_order):
    """What is wrong with the histories of flow records; in_order: stamps never go back."""
    for record in records:
        if record["event"]["dataset"] != "lastack.flow":
            continue
        for side in ("client", "server"):
            body = record["lastack"][side]
            yield from ("%s: %s" % (side, fault)
                        for fault in faults(body, packets, in_order) if not body["history_dropped"])


def faults(side, packets, in_order):
    standing = [e for e in side["history"] if not e["revoked"]]
    for before, after in zip(standing, standing[1:]):
        if after["t"] < before["t"]:
            yield "packet %s before its predecessor" % after["packet"]
        if after["state"] == before["state"]:
            yield "%s twice" % after["state"]
    if standing and standing[-1]["state"] != side["state"]:
        yield "ends in %s, the side in %s" % (standing[-1]["state"], side["state"])
    for entry in side["history"]:
        if entry["basis"] == "timer":
            continue
        if (entry["proof"] is None) != (entry["basis"] == "presumed"):
            yield "%s, %s, proof %s" % (entry["state"], entry["basis"], entry["proof"])
        moved = packets[entry["packet"] - 1][0] % 10**9 if entry["packet"] else None
        if in_order and moved is not None and stamp(entry["t"]) != moved:
            yield "%s is not dated by its packet %d" % (entry["state"], entry["packet"])


def case_captures():
    for path in sorted(glob.glob(os.path.join(TOP, "tests", "cases", "*", "*.seg"))):
        case = segread.read_case(path, path)
        yield Capture(os.path.relpath(path, TOP), segwire.capture(case, segwire.Variation()))


def generated_captures(seed):
    for workload in ("short", "mixed", "headers"):
        with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
            subprocess.run([GENERATE, "--connections", "60", "--live", "6", "--span", "30",
                            "--reuse", "0", "--seed", str(seed), workload, file.name], check=True,
                           capture_output=True)
            with open(file.name, "rb") as made:
                yield Capture("generate " + workload, made.read())


def given_captures(paths):
    for path in paths:
        with open(path, "rb") as file:
            try:
                yield Capture(path, file.read())
            except ValueError:
                print("# not classic, left out:", path)


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    several = 15 if os.environ.get("LASTACK_SANITIZED") else 50  # every run costs ten times as much
    parser.add_argument("--captures", type=int, default=several,
                        help="drawn of the clean ones; 0: all")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("files", nargs="*")
    return parser.parse_args()


def choose(options, draw):
    """Clean captures, some of them."""
    if options.files:
        captures = list(given_captures(options.files))
    else:
        captures = list(case_captures())
        draw.shuffle(captures)
        if os.path.exists(GENERATE):
            captures = list(generated_captures(options.seed)) + captures
    clean = []
    for capture in captures:
        if options.captures and len(clean) >= options.captures:
            break
        if capture.packets and not loud(analyse(capture.write(capture.packets))):
            clean.append(capture)
    return clean


def main():
    options = read_arguments()
    print("# seed", options.seed)
    draw = random.Random(options.seed)
    tap, raised = Tap(), collections.Counter()
    clean = choose(options, draw)
    tap.ok(len(clean) >= 1, "there are clean captures: %d" % len(clean))
    for name, spoil in SPOILERS.items():
        wrong = []
        for capture in clean:
            for _ in range(options.rounds):
                packets = spoil(capture.packets, draw)
                records = analyse(capture.write(packets))
                times = [p[0] for p in packets]
                wrong += [(capture.name, fault) for fault in
                          broken_histories(records, packets, times == sorted(times))]
                for event in loud(records):
                    body = event["lastack"]
                    raised[name, event["event"]["action"], body["level"], body["confidence"]] += 1
                    if options.verbose:
                        print("#", name, capture.name, event["event"]["action"], body["level"],
                              body["confidence"], [e["packet"] for e in body["evidence"]])
                    if (body["level"], body["confidence"]) == ("error", "certain"):
                        wrong.append((capture.name, event["event"]["action"]))
        tap.ok(not wrong, name, *wrong)
    for key, count in sorted(raised.items()):
        print("# %5d %s" % (count, ", ".join(key)))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
