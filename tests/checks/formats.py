#!/usr/bin/env python3
"""Capture formats: times, link types and segments are those that tshark reads from the same file."""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
sys.path.insert(0, os.path.join(TOP, "tests", "tools"))
import pieces
import segread
import segwire

CASE = os.path.join(TOP, "tests", "cases", "close", "client-first.seg")
FIELDS = ("frame.number", "frame.time_epoch", "ip.src", "ipv6.src", "tcp.srcport", "tcp.dstport",
          "tcp.seq_raw", "tcp.ack_raw", "tcp.len")
SECOND = 10**9


def tshark(path):
    """{packet number: (time in ns, source, ports, seq, ack, length)}"""
    command = ["tshark", "-r", path, "-Y", "tcp", "-T", "fields", "-o",
               "tcp.relative_sequence_numbers:FALSE"]
    for field in FIELDS:
        command += ["-e", field]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    found = {}
    for line in run.stdout.splitlines():
        row = line.split("\t")
        seconds, _, part = row[1].partition(".")
        found[int(row[0])] = (int(seconds or 0) * SECOND + int(part.ljust(9, "0")[:9]),
                              row[2] or row[3], int(row[4]), int(row[5]), int(row[6]),
                              int(row[7]), int(row[8]))
    return found


def lastack(path, *arguments):
    run = subprocess.run([LASTACK, "--ndjson", "--nano", "--segments", "all", *arguments, path],
                         capture_output=True, text=True, check=False, timeout=60)
    return run, [json.loads(line) for line in run.stdout.splitlines()]


def nanoseconds(moment):
    """Of "2026-11-20T15:00:00.123456789Z"."""
    import calendar
    import time
    whole, _, part = moment.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * SECOND + int(part)


def segments(records):
    found = {}
    for record in records:
        if record["event"]["dataset"] != "lastack.segment":
            continue
        ends = [record["source"], record["destination"]]
        body = record["lastack"]
        x, y = ends if body["from"] == "client" else reversed(ends)
        found[body["packet"]] = (nanoseconds(body["t"]), x["ip"], x["port"], y["port"],
                                 body["seq_abs"], body["ack_abs"] or 0, body["len"])
    return found


def compare(tap, name, path, *arguments):
    run, records = lastack(path, *arguments)
    ours, theirs = segments(records), tshark(path)
    wrong = [(n, ours.get(n), theirs.get(n)) for n in sorted(set(ours) | set(theirs))
             if ours.get(n) != theirs.get(n)]
    return tap.ok(run.returncode == 0 and theirs and not wrong, name, run.stderr, *wrong[:3])


def frames():
    case = segread.read_case(CASE, CASE)
    return [(time, octets) for time, octets, _ in segwire.Wire(case, segwire.Variation()).frames()]


def block(kind, body, order="<"):
    body += b"\0" * (-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def option(code, value, order="<"):
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def section(order="<"):
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link=1, snaplen=0, resolution=None, offset=None, name=None, order="<"):
    options = b""
    if name:
        options += option(2, name, order)
    if resolution is not None:
        options += option(9, bytes([resolution]), order)
    if offset is not None:
        options += option(14, struct.pack(order + "q", offset), order)
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options + option(0, b"", order),
                 order)


def ticks(time, resolution, offset=0):
    """A time in ns in units of an if_tsresol."""
    time -= offset * SECOND
    if resolution & 0x80:
        return time * 2**(resolution & 0x7f) // SECOND
    return time * 10**resolution // SECOND


def enhanced(number, stamp, octets, options=b"", order="<"):
    head = struct.pack(order + "IIIII", number, stamp >> 32, stamp & 0xffffffff, len(octets),
                       len(octets))
    return block(6, head + octets + b"\0" * (-len(octets) % 4) + options, order)


def obsolete(number, drops, stamp, octets, order="<"):
    head = struct.pack(order + "HHIIII", number, drops, stamp >> 32, stamp & 0xffffffff,
                       len(octets), len(octets))
    return block(2, head + octets, order)


def check_tools(tap, folder):
    """What editcap writes of a capture."""
    source = os.path.join(folder, "source.pcap")
    with open(source, "wb") as file:
        file.write(segwire.capture(segread.read_case(CASE, CASE)))
    for kind in ("pcap", "nsecpcap", "pcapng", "modpcap", "snoop"):
        path = os.path.join(folder, "file." + kind)
        subprocess.run(["editcap", "-F", kind, source, path], capture_output=True, check=True)
        compare(tap, "editcap -F %s" % kind, path)


def check_erf(tap, folder):
    """Records as Endace's cards write them, which editcap cannot."""
    path, out = os.path.join(folder, "file.erf"), b""
    for i, (time, octets) in enumerate(frames()):
        more = 0x80 if i % 3 == 0 else 0                       # one extension header
        extension = struct.pack(">Q", 0x0300000000000001) if more else b""
        kind = 2 if i % 2 else 22
        body = b"\0\0" + octets if kind == 2 else octets[14:]
        length = len(octets) if kind == 2 else len(octets) - 14
        body += b"\0" * (-len(body) % 8)  # records are so aligned
        stamp = (time // SECOND << 32) | -(-(time % SECOND << 32) // SECOND)
        size = 16 + len(extension) + len(body)
        out += struct.pack("<Q", stamp) + struct.pack(">BBHHH", kind | more, i % 4, size, 0, length)
        out += extension + body
    with open(path, "wb") as file:
        file.write(out)
    compare(tap, "ERF: Ethernet and IPv4 records, extension headers", path)


def check_resolutions(tap, folder):
    path = os.path.join(folder, "resolutions.pcapng")
    for order in "<>":
        kinds = [6, 9, 7, 3, 0x80 | 20, 0x80 | 30, 0x80 | 10]
        out = section(order)
        for i, resolution in enumerate(kinds):
            out += interface(resolution=resolution, name=b"if%d" % i, order=order)
        for i, (time, octets) in enumerate(frames()):
            number = i % len(kinds)
            out += enhanced(number, ticks(time, kinds[number]), octets, order=order)
        with open(path, "wb") as file:
            file.write(out)
        compare(tap, "resolutions of 10 and of 2, %s" % ("little-endian" if order == "<" else
                                                         "big-endian"), path)


def check_offset(tap, folder):
    path = os.path.join(folder, "offset.pcapng")
    out = section() + interface(resolution=9, offset=1_600_000_000) + interface(offset=-3600)
    for i, (time, octets) in enumerate(frames()):
        if i % 2:
            out += enhanced(1, ticks(time, 6, -3600), octets)
        else:
            out += enhanced(0, ticks(time, 9, 1_600_000_000), octets)
    with open(path, "wb") as file:
        file.write(out)
    compare(tap, "offsets of the time stamps", path)


def check_blocks(tap, folder):
    """Sections of both byte orders, old packet blocks, blocks that have no packets."""
    path = os.path.join(folder, "blocks.pcapng")
    all_frames = frames()
    out = section("<") + interface(resolution=6, name=b"eth0") + interface(101, 64, 9)
    out += block(4, struct.pack("<HH", 0, 0))                        # names
    out += block(0x00000BAD, struct.pack("<I", 4711) + b"whatever")   # custom: it has a number
    for i, (time, octets) in enumerate(all_frames[:5]):
        if i % 2:
            out += enhanced(1, time, octets[14:])
        else:
            out += obsolete(0, 0xffff, time // 1000, octets)
    out += section(">") + interface(113, 0, order=">")
    for time, octets in all_frames[5:]:
        cooked = struct.pack("!HHH", 0, 1, 6) + octets[6:12] + b"\0\0" + octets[12:]
        out += enhanced(0, time // 1000, cooked, option(1, b"a comment", ">"), ">")
    out += block(5, struct.pack(">III", 0, 0, 0), ">")                # statistics
    out += block(0x7fffff01, b"from the future", ">")
    with open(path, "wb") as file:
        file.write(out)
    compare(tap, "sections, link types, obsolete and unknown blocks", path)
    _, records = lastack(path)
    entry = records[-1]["lastack"]["inputs"][0]
    tap.ok((entry["sections"], entry["comments"], entry["damaged_blocks"]) ==
           (2, len(all_frames) - 5, 0) and
           [i["link_type"] for i in entry["interfaces"]] == ["EN10MB", "RAW", "LINUX_SLL"],
           "what was counted beside them", entry)


def check_simple(tap, folder):
    path = os.path.join(folder, "simple.pcapng")
    out = section() + interface(1, 60)
    for _, octets in frames():
        out += block(3, struct.pack("<I", len(octets)) + octets[:60])
    with open(path, "wb") as file:
        file.write(out)
    run, records = lastack(path)
    ours, theirs = segments(records), tshark(path)
    tap.ok(run.returncode == 0 and set(ours) == set(theirs) and
           all(ours[n][1:6] == theirs[n][1:6] for n in ours),
           "simple packet blocks, cut at the snap length; they have no time", run.stderr,
           ours, theirs)


def check_damage(tap, folder):
    """A damaged block is left out and counted, and what follows is read."""
    path = os.path.join(folder, "damage.pcapng")
    good = [enhanced(0, time // 1000, octets) for time, octets in frames()]
    spoilt = good[3][:20] + struct.pack("<I", 0x7fffffff) + good[3][24:]  # a captured length that lies
    with open(path, "wb") as file:
        file.write(section() + interface() + b"".join(good[:3]) + spoilt + b"".join(good[4:]))
    run, records = lastack(path)
    entry = records[-1]["lastack"]["inputs"][0]
    tap.ok(run.returncode in (0, 4) and entry["damaged_blocks"] == 1 and
           entry["packets"] == len(good) - 1, "a block whose length lies", run.stderr, entry)


def flow_of(records):
    return [r["lastack"] for r in records if r["event"]["dataset"] == "lastack.flow"]


def check_losses(tap, folder):
    """What the capture tells of its own losses is a caveat of the connections concerned."""
    path = os.path.join(folder, "losses.pcapng")
    whole = frames()

    def capture(lost_at, statistics=0):
        out = section() + interface()
        for i, (time, octets) in enumerate(whole):
            lost = option(4, struct.pack("<Q", 3)) if i == lost_at else b""
            out += enhanced(0, time // 1000, octets, lost)
        if statistics:
            out += block(5, struct.pack("<III", 0, 0, 0) + option(5, struct.pack("<Q", statistics)))
        with open(path, "wb") as file:
            file.write(out)
        return lastack(path)[1]
    for what, lost_at, statistics, wanted in (("in the middle", 4, 0, True),
                                              ("before the first packet", 0, 0, False),
                                              ("nowhere", None, 0, False)):
        records = capture(lost_at, statistics)
        caveats = flow_of(records)[0]["caveats"]
        tap.ok(("capture_drop" in caveats) == wanted, "packets lost %s" % what, caveats)
    records = capture(None, 9)
    tap.ok(records[-1]["lastack"]["capture"]["drops"]["kernel"] == 9, "statistics at the end",
           records[-1]["lastack"]["capture"]["drops"])
    for statistics in (0, 9):
        entry = capture(None, statistics)[-1]["lastack"]["inputs"][0]["interfaces"][0]
        tap.ok(entry["drops"] == (statistics or None), "an interface's drops, or that nothing is known",
               entry)


def check_losses_told_late(tap, folder):
    """A loss that is told once a deadline has passed is no caveat of what was decided then, with
    any number of threads."""
    path = os.path.join(folder, "late.pcapng")
    told = [(t, octets, b"") for i in range(30)  # 60 s after the FIN a leak is reported
            for t, octets in pieces.exchange(i * .1, 20000 + i)[:-2]]
    told.sort(key=lambda each: each[0])
    lost = option(4, struct.pack("<Q", 3))
    told += [(t, pieces.exchange(t, 40000 + t)[0][1], drops)  # one comes late, and tells a loss
             for t, drops in ((61, b""), (89, b""), (30, lost), (91, b""))]
    with open(path, "wb") as file:
        file.write(section() + interface(101) + b"".join(
            enhanced(0, pieces.START * 10**6 + round(t * 10**6), octets, drops)
            for t, octets, drops in told))
    runs = [lastack(path, "--flows", "all", "--threads", str(threads)) for threads in (1, 2, 3, 5)]
    leaks = [r["lastack"]["caveats"] for r in runs[0][1]
             if r["event"].get("action") == "close_wait_leak"]
    flows = [flow["caveats"] for flow in flow_of(runs[0][1])]
    tap.ok(len(leaks) == 30 and not any("capture_drop" in caveats for caveats in leaks) and
           all("capture_drop" in caveats for caveats in flows[:30]),
           "packets lost, told after a deadline", leaks[:2], flows[:2])
    tap.ok(all(run.stdout == runs[0][0].stdout for run, _ in runs),
           "and the same with several threads")


def check_early(tap, folder):
    """An offset may put times before 1970: all that is told but the times is the same."""
    path = os.path.join(folder, "early.pcapng")
    told = []
    for back in (0, 2_000_000_000):
        out = section() + interface(resolution=9, offset=-back)
        out += b"".join(enhanced(0, time, octets) for time, octets in frames())
        with open(path, "wb") as file:
            file.write(out)
        run, records = lastack(path, "--transitions")
        flows = [r for r in records if r["event"]["dataset"] == "lastack.flow"]
        told.append((run.returncode, flows[0]["event"]["end"] if flows else None,
                     [(r["event"]["duration"], r["lastack"]["close"]["kind"],
                       r["lastack"]["client"]["state"], r["lastack"]["caveats"]) for r in flows]))
    tap.ok(told[0][2] == told[1][2] != [] and told[1][0] == 0 and told[1][1] < "1970",
           "times before 1970", told)


def main():
    tap = Tap()
    missing = [tool for tool in ("tshark", "editcap") if not shutil.which(tool)]
    with tempfile.TemporaryDirectory() as folder:
        if missing:
            tap.skip("formats as tshark reads them", "no " + " and no ".join(missing))
        else:
            for check in (check_tools, check_erf, check_resolutions, check_offset, check_blocks, check_simple):
                check(tap, folder)
        check_damage(tap, folder)
        check_losses(tap, folder)
        check_losses_told_late(tap, folder)
        check_early(tap, folder)
    return tap.end()


sys.exit(main())
