#!/usr/bin/env python3
"""-w: the packets of connections with problems, with the evidence as comments."""
import glob
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__))))
from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
DONE, MATCHED, USAGE, UNREADABLE, DAMAGED, UNWRITTEN = range(6)


def run(*words, data=None, env=None):
    return subprocess.run([LASTACK, *words], input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, timeout=120,
                          env=dict(os.environ, **(env or {})))


def options(body):
    found = []
    while len(body) >= 4:
        code, length = struct.unpack("<HH", body[:4])
        if code == 0:
            break
        found.append((code, body[4:4 + length]))
        body = body[4 + length + (-length) % 4:]
    return found


def read_pcapng(data):
    """[(time in ns, link type, octets, [comment])] of a file as lastack writes it."""
    packets, links, at = [], [], 0
    while at < len(data):
        kind, total = struct.unpack("<II", data[at:at + 8])
        body = data[at + 8:at + total - 4]
        assert total % 4 == 0 and data[at + total - 4:at + total] == data[at + 4:at + 8]
        if kind == 1:
            links.append(struct.unpack("<H", body[:2])[0])
            assert (9, b"\t") in options(body[8:])
        elif kind == 6:
            interface, high, low, captured, _ = struct.unpack("<IIIII", body[:20])
            rest = body[20 + captured + (-captured) % 4:]
            packets.append((high << 32 | low, links[interface], body[20:20 + captured],
                            [text.decode() for code, text in options(rest) if code == 1]))
        at += total
    return packets


def read_pcap(path):
    with open(path, "rb") as file:
        data = file.read()
    scale = {0xa1b2c3d4: 1000, 0xa1b23c4d: 1}[struct.unpack("<I", data[:4])[0]]
    packets, at = [], 24
    while at < len(data):
        seconds, fraction, captured, _ = struct.unpack("<IIII", data[at:at + 16])
        packets.append((seconds * 10**9 + fraction * scale, data[at + 16:at + 16 + captured]))
        at += 16 + captured
    return packets


def expected(records, level, packets):
    """What the records say must be in the file: {packet: [comment]}."""
    levels = ["info", "notice", "warning", "error"]
    remarks, concerned = {}, set()
    for record in records:
        if record["event"]["dataset"] != "lastack.event":
            continue
        ours = record["lastack"]
        if levels.index(ours["level"]) < levels.index(level):
            continue
        concerned.add(ours["flow_uid"])
        for evidence in ours["evidence"]:
            remarks.setdefault(evidence["packet"], []).append(
                "%s (%s): %s" % (record["event"]["action"], evidence["role"], evidence["says"]))
            if evidence["incarnation"] < ours["incarnation"]:
                concerned.add(next((flow["lastack"]["previous"] for flow in records
                                    if flow["event"]["dataset"] == "lastack.flow" and
                                    flow["lastack"]["flow_uid"] == ours["flow_uid"]), None))
    wanted = {record["lastack"]["packet"] for record in records
              if record["event"]["dataset"] == "lastack.segment" and
              record["lastack"]["flow_uid"] in concerned} | set(remarks)
    return {packet: remarks.get(packet, []) for packet in wanted if packet <= packets}


def check_capture(tap, folder, path):
    name = os.path.basename(path)
    out = os.path.join(folder, "out.pcapng")
    packets = read_pcap(path)
    records = [json.loads(line) for line in
               run("--ndjson", "--segments=all", path).stdout.splitlines()]
    for level in ("notice", "error"):
        words = [] if level == "notice" else ["--level", level]
        done = run("-w", out, *words, path)
        with open(out, "rb") as file:
            data = file.read()
        written = read_pcapng(data)
        wanted = expected(records, level, len(packets))
        tap.ok(done.returncode == DONE and
               [packet[:1] + packet[2:3] for packet in written] ==
               [packets[number - 1] for number in sorted(wanted)],
               "%s, %s: the packets of the connections concerned" % (name, level),
               done.stderr.decode())
        tap.ok([packet[3] for packet in written] ==
               [wanted[number][:8] for number in sorted(wanted)],
               "%s, %s: the evidence is in the comments" % (name, level))
        with open(path, "rb") as file:
            stream = file.read()
        piped = run("-w", "-", *words, "-", data=stream)
        tap.ok(piped.returncode == DONE and piped.stdout == data,
               "%s, %s: through pipes the same" % (name, level), piped.stderr.decode())
        if shutil.which("tshark"):
            shown = subprocess.run(["tshark", "-r", out, "-T", "fields", "-e", "frame.comment"],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
            tap.ok(shown.returncode == 0 and shown.stdout.decode().splitlines() ==
                   [",".join(packet[3]) for packet in written],
                   "%s, %s: tshark shows the comments" % (name, level))
        else:
            tap.skip("%s, %s: tshark shows the comments" % (name, level), "no tshark")


def check_limits(tap, folder):
    sample = os.path.join(TOP, "samples", "syn-reset-in-last-ack.pcap")
    with open(sample, "rb") as file:
        stream = file.read()
    big = stream + stream[24:] * 2000
    out = os.path.join(folder, "out.pcapng")
    done = run("-w", out, "--spool=1M", "-", data=big)
    with open(out, "rb") as file:
        kept = read_pcapng(file.read())
    tap.ok(done.returncode == DONE and b"--spool" in done.stderr and kept,
           "what finds no room in the spool is counted", done.stderr.decode())
    done = run("-w", "/dev/full", sample)
    tap.ok(done.returncode == UNWRITTEN and b"No space left" in done.stderr and done.stdout,
           "a full disk is said, and the report is whole", done.stderr.decode())
    done = run("-w", sample, sample)
    tap.ok(done.returncode == USAGE and b"is read" in done.stderr,
           "the input is not written over", done.stderr.decode())
    done = run("-w", out, "-", data=stream, env={"TMPDIR": os.path.join(folder, "nowhere")})
    tap.ok(done.returncode == UNWRITTEN and b"TMPDIR" in done.stderr,
           "no folder for the spool", done.stderr.decode())
    done = run("-w", out, "-w", out + "2", sample)
    tap.ok(done.returncode == USAGE, "-w twice is refused", done.stderr.decode())
    done = run("-w", "-", "--ndjson", sample)
    tap.ok(done.returncode == USAGE and b"two outputs" in done.stderr,
           "packets and records on one standard output are refused", done.stderr.decode())
    done = run("-w", out, "--event=tw_assassination", sample)
    with open(out, "rb") as file:
        tap.ok(done.returncode == DONE and not read_pcapng(file.read()),
               "no problem chosen: a file without packets")
    first, second = (run("--ndjson", *words, sample).stdout for words in ((), ("-w", out)))
    tap.ok(first == second, "-w changes nothing in the records")


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(glob.glob(os.path.join(TOP, "samples", "*.pcap"))):
            check_capture(tap, folder, path)
        check_limits(tap, folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
