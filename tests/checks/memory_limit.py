#!/usr/bin/env python3
"""--max-memory holds: what the process had resident at the most is at most a tenth more than it says,
whatever comes, with one thread and with several; a limit that cannot hold is said at the start.

usage: memory_limit.py [--packets N] [--limits M,M,...]    N of each capture; with --limits every output with
       every number of threads.  A table stands in the lines that begin with #
"""
import argparse
import itertools
import json
import os
import random
import struct
import sys
import tempfile

import attacks
from tap import Tap

SANITIZED = os.environ.get("LASTACK_SANITIZED", "").strip()
OUTPUTS = {"the report": ["--json"], "records": ["--ndjson"], "a page": ["--html=/dev/stdout"]}
THREADS = "1", "3", "default"
# Without --limits: MiB, output, threads.
SOME = (64, "the report", "default"), (64, "records", "1"), (128, "records", "3"), (128, "a page", "default")


def avalanche(count):
    """Connections that end within a second, and then a packet a century later."""
    each, draw = count // 8, attacks.ordinary(count)
    for gap, packet in itertools.islice(draw, each * 8):
        yield gap // 50, packet
    yield attacks.CENTURY, attacks.Talk(1).up(1, 0, attacks.SYN)


def open_ones(count):
    """Connections that stay open, with a segment each from time to time, in no order."""
    each, draw = count // 6, random.Random(5)
    talks = [attacks.Talk(number) for number in range(each)]
    for number, talk in enumerate(talks):
        x, y = number * 7919, number * 104729
        for packet in (talk.up(x, 0, attacks.SYN), talk.down(y, x + 1, attacks.SYN | attacks.ACK),
                       talk.up(x + 1, y + 1, attacks.ACK)):
            yield 5, packet
    for _ in range(3 * each):
        number = draw.randrange(each)
        yield 5, talks[number].up(number * 7919 + 1, number * 104729 + 1, attacks.PSH | attacks.ACK, b"x")


def with_checksum(packet):
    """An IPv4 packet of 20 octets and a TCP segment without its checksum, with it."""
    length = len(packet) - 20
    words = packet[12:] + b"\0" * (length % 2)
    total = sum(struct.unpack(">%dH" % (len(words) // 2), words)) + 6 + length
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    return packet[:36] + struct.pack(">H", total ^ 0xffff) + packet[38:]


def patient_ones(count):
    """The same, where each of these segments is sound, and brings something new."""
    each, draw = count // 6, random.Random(6)
    said = [0] * each
    for gap, packet in itertools.islice(open_ones(count), 3 * each):
        yield gap, with_checksum(packet)
    for _ in range(3 * each):
        number = draw.randrange(each)
        x, y = number * 7919 + 1 + said[number], number * 104729
        said[number] += len(b"more")
        yield 5, with_checksum(attacks.Talk(number).up(x, y + 1, attacks.PSH | attacks.ACK, b"more"))


def many_hosts(count):
    """Short connections of thousands of hosts with hundreds, which the census has something to say of."""
    for number in range(count // 8):
        talk, x, y = attacks.Talk(number), number * 7919, number * 104729
        talk.ends = ((0x0b000000 + number * 7919 % 4000, 1024 + number // 4000 * 17 % 60000),
                     (0x0a800000 + number % 900, 80 + number % 7))
        for packet in (talk.up(x, 0, attacks.SYN), talk.down(y, x + 1, attacks.SYN | attacks.ACK),
                       talk.up(x + 1, y + 1, attacks.ACK),
                       talk.up(x + 1, y + 1, attacks.PSH | attacks.ACK, b"request"),
                       talk.down(y + 1, x + 8, attacks.FIN | attacks.ACK, b"x"),
                       talk.up(x + 8, y + 3, attacks.FIN | attacks.ACK),
                       talk.down(y + 3, x + 9, attacks.ACK)):
            yield 12, packet


LOADS = {"short connections": attacks.ordinary, "SYNs without an answer": attacks.half_open,
         "open connections": open_ones, "all end at once": avalanche,
         "trouble on every connection": attacks.many_storms}


def run(path, words, limit):
    """(exit status, processor seconds, peak octets, standard error)."""
    with tempfile.TemporaryFile() as said:
        child = os.posix_spawn(attacks.LASTACK, [attacks.LASTACK, "--max-memory", "%dM" % limit, *words, path],
                               os.environ,
                               file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                                             (os.POSIX_SPAWN_DUP2, said.fileno(), 2)])
        _, status, used = os.wait4(child, 0)
        said.seek(0)
        return (os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss * 1024,
                said.read().decode())


def check_load(tap, name, path, settings):
    faults = []
    for limit, output, threads in settings:
        words = OUTPUTS[output] + (["--threads", threads] if threads != "default" else [])
        code, seconds, octets, said = run(path, words, limit)
        print("# %-28s %-10s %5d MiB, threads %-7s: %5.1f s, at most %6.1f MiB" % (
            name, output, limit, threads, seconds, octets / 2**20))
        if code != 0 or said or not (SANITIZED or octets <= limit * 1.1 * 2**20):
            faults.append("%s, %d MiB, %s: exit %d, %.1f MiB; %s" % (
                output, limit, threads, code, octets / 2**20, said))
    tap.ok(not faults, "%s: the limit holds" % name, *faults)


def check_small(tap, path):
    code, _, octets, said = run(path, ["--json"], 8)
    tap.ok(code == 0 and said.count("\n") == 1 and "--max-memory 8 MiB will not hold" in said,
           "a limit that cannot hold is said", code, said)
    enough = int(said.split("give --max-memory ")[1].split("M")[0]) if "give --max-memory " in said else 8
    code, _, octets, said = run(path, ["--json"], enough)
    tap.ok(code == 0 and not said and (SANITIZED or octets <= enough * 1.1 * 2**20),
           "and the one that is named holds", code, said, octets / 2**20, enough)


def check_counted(tap, path):
    """What gave way is in the summary, and every connection was written."""
    with tempfile.NamedTemporaryFile() as out:
        code = os.spawnv(os.P_WAIT, attacks.LASTACK, [attacks.LASTACK, "--ndjson=" + out.name, "--max-memory",
                                                      "64M", "--threads", "1", path])
        flows, last = 0, b"{}"
        for line in out:
            flows += b'"dataset":"lastack.flow"' in line
            last = line
    summary = json.loads(last).get("lastack", {}).get("summary", {})
    tap.ok(code == 0 and summary.get("limits", {}).get("evictions", 0) > 0 and
           flows == summary.get("flows", {}).get("total"),
           "what gave way is counted, and written all the same", code, flows, summary.get("limits"),
           summary.get("flows"))


def check_packed(tap, path, count, limit, which):
    """So many open connections find room in so many MiB."""
    with tempfile.NamedTemporaryFile() as out:
        code = os.spawnv(os.P_WAIT, attacks.LASTACK, [attacks.LASTACK, "--ndjson=" + out.name, "--max-memory",
                                                      "%dM" % limit, "--threads", "1", path])
        last = out.readlines()[-1]
    summary = json.loads(last).get("lastack", {}).get("summary", {})
    tap.ok(code == 0 and summary.get("limits", {}).get("evictions") == 0 and
           summary.get("flows", {}).get("total") == count,
           "%d open connections, %s, find room in %d MiB" % (count, which, limit), code,
           summary.get("limits"), summary.get("flows"))


def check_many_hosts(tap, folder, count):
    """What the census keeps counts, and so do texts on their way to a large file."""
    path, faults = os.path.join(folder, "attack.pcap"), []
    maker = os.fork()  # what this process had resident would count as that of those it starts
    if maker == 0:
        attacks.put(folder, many_hosts(count))
        os._exit(0)
    os.waitpid(maker, 0)
    for limit, threads in ((64, []), (64, ["--threads", "1"]), (96, ["--threads", "2"])):
        words = ["--ndjson=" + os.path.join(folder, "records"), *threads]
        code, _, octets, said = run(path, words, limit)
        if code != 0 or said or octets > limit * 1.1 * 2**20:
            faults.append("%d MiB, %s: exit %d, %.1f MiB; %s" % (limit, threads, code,
                                                                 octets / 2**20, said))
    tap.ok(not faults, "connections of many hosts: the limit holds", *faults)


def check_taps(tap, folder, count):
    """What is gathered of connections and segments between two taps counts."""
    for name, makers, count, limits in (
            ("two taps, short connections", [attacks.ordinary] * 2, count, (64, 96)),
            ("two taps, SYNs without an answer", [attacks.half_open] * 2, count, (64, 96)),
            ("SYNs at a tap, connections at another", [attacks.half_open, attacks.ordinary], count, (64, 96)),
            ("eight taps, short connections", [attacks.ordinary] * 8, count // 4, (128,))):
        words, faults = [], []
        for number, make in enumerate(makers):
            place = os.path.join(folder, "tap%d" % number)
            os.makedirs(place, exist_ok=True)
            words += ["--tap", "t%d=%s" % (number, attacks.put(place, make(count)))]
        for limit in limits:
            code, seconds, octets, said = run(words[-1], ["--ndjson", *words[:-1]], limit)
            print("# %-40s %5d MiB: %5.1f s, at most %6.1f MiB" % (name, limit, seconds,
                                                                         octets / 2**20))
            if code != 0 or said or not (SANITIZED or octets <= limit * 1.1 * 2**20):
                faults.append("%d MiB: exit %d, %.1f MiB; %s" % (limit, code, octets / 2**20, said))
        tap.ok(not faults, "%s: the limit holds" % name, *faults)


def later(packets, gap):
    for first, packet in packets:
        yield first + gap, packet
        gap = 0


def check_let_go(tap, folder, count):
    """Of two taps the second's clock is a second ahead: more comes until then than can be held.  What is not
    known is not said to be lost."""
    words = ["--tap", "a=" + attacks.put(folder, attacks.half_open(count))]
    place = os.path.join(folder, "tap1")
    words += ["--tap", "b=" + attacks.put(place, later(attacks.half_open(count), 1000000))]
    with tempfile.NamedTemporaryFile() as out:
        code = os.spawnv(os.P_WAIT, attacks.LASTACK, [attacks.LASTACK, "--ndjson=" + out.name, "--max-memory",
                                                      "64M", *words])
        unknown = lost = 0
        for record in map(json.loads, out):
            if record["event"]["dataset"] == "lastack.path":
                ways = record["lastack"]["direction"].values()
                unknown += sum(way["unknown"] for way in ways)
                lost += sum(way["lost"] for way in ways)
    tap.ok(code == 0 and unknown > 0 and lost == 0, "two taps: what there was no room for is not said to be lost",
           code, unknown, lost)


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--packets", type=int, default=80000 if SANITIZED else 160000)
    words.add_argument("--limits")
    words = words.parse_args()
    settings = SOME if words.limits is None else list(itertools.product(
        [int(limit) for limit in words.limits.split(",")], OUTPUTS, THREADS))
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        if not SANITIZED:
            check_many_hosts(tap, folder, 800000)  # first: this process is small
        for name, make in LOADS.items():
            path = attacks.put(folder, make(words.packets))
            check_load(tap, name, path, settings)
            if make is attacks.ordinary:
                check_small(tap, path)
            if make is attacks.half_open:
                check_counted(tap, path)
        check_taps(tap, folder, words.packets)
        check_let_go(tap, folder, words.packets)
        count = 160000
        check_packed(tap, attacks.put(folder, patient_ones(count)), count // 6, 56, "kept as their segments")
        check_packed(tap, attacks.put(folder, open_ones(count)), count // 6, 96, "and packed")
    return tap.end()


sys.exit(main())
