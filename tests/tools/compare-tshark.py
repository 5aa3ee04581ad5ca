#!/usr/bin/env python3
"""Compares lastack's flows with tshark's TCP streams: which there are, how many packets in each.

    LASTACK=PROGRAM compare-tshark.py [-v] CAPTURE...

For each pair of addresses and ports the packets of all incarnations are compared with those of all
streams, and the number of incarnations with the number of streams.  Copies of a packet, segments
with a wrong checksum and those after both sides were closed are no difference, but counted, where
lastack left them out and its summary says so.  tshark also reads TCP in what an ICMP error quotes:
such frames are not asked for.

A line is printed for each difference, then the totals.  Exit status 1 when anything differs.
"""
import argparse
import collections
import json
import os
import subprocess
import sys

ASKED = ("tcp.stream", "ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst", "tcp.dstport")
# No reassembly: a frame is a packet.  Nothing else: tshark's idea of a stream is its own.
SETTINGS = ("tcp.desegment_tcp_streams:FALSE", "ip.defragment:FALSE", "ipv6.defragment:FALSE")


def run_lastack(path):
    done = subprocess.run([os.environ.get("LASTACK", "lastack"), "--ndjson", "--nano", path],
                          capture_output=True, text=True, check=False)
    if done.returncode not in (0, 4) or not done.stdout:  # 4: a damaged capture, as far as it goes
        sys.exit(f"compare-tshark: {path}: lastack ended with {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def our_tuples(records):
    """{ends: [flows, packets]}; a flow may have several parts, each with the packets so far."""
    last = {}
    for record in records:
        if record["event"]["dataset"] == "lastack.flow":
            last[record["lastack"]["flow_uid"]] = record
    found = collections.defaultdict(lambda: [0, 0])
    for flow in last.values():
        ends = [(flow[side]["ip"], flow[side]["port"]) for side in ("source", "destination")]
        entry = found[tuple(sorted(ends))]
        entry[0] += 1
        entry[1] += flow["source"]["packets"] + flow["destination"]["packets"]
    return found


def tshark_tuples(path):
    """{ends: [streams, packets]}."""
    command = ["tshark", "-r", path, "-Y", "tcp && !icmp && !icmpv6", "-T", "fields",
               "-E", "occurrence=l", "-E", "separator=/t"]
    for name in ASKED:
        command += ["-e", name]
    for setting in SETTINGS:
        command += ["-o", setting]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    streams, packets = collections.defaultdict(set), collections.Counter()
    for line in done.stdout.splitlines():
        stream, *rest = line.split("\t")
        ends = frame_ends(rest)
        if ends:
            streams[ends].add(stream)
            packets[ends] += 1
    return {ends: [len(streams[ends]), packets[ends]] for ends in packets}


def frame_ends(fields):
    """Both (address, port) of a frame, sorted; None where the capture cut the header away."""
    source4, source6, sport, destination4, destination6, dport = fields
    if not sport or not dport:
        return None
    # Of a tunnel with both versions the address in the middle is unknown: neither is certain.
    source, destination = source6 or source4, destination6 or destination4
    return tuple(sorted([(source, int(sport)), (destination, int(dport))]))


def compare(path, totals, verbose):
    records, theirs = run_lastack(path), tshark_tuples(path)
    ours, capture = our_tuples(records), records[-1]["lastack"]["capture"]
    name = os.path.basename(path)
    if verbose:
        print(f"{name}: {len(theirs)} tuples, {sum(n for _, n in theirs.values())} packets")
    fewer = sum(frames - ours[ends][1] for ends, (_, frames) in theirs.items() if ends in ours)
    left_out = {"copies": capture["copies"], "wrong checksums": capture["bad_checksums"],
                "after both sides were closed": capture["skipped"].get("after_close", 0)}
    told = ", ".join(f"{count} {what}" for what, count in left_out.items() if count)
    reason = told if 0 < fewer <= sum(left_out.values()) else None
    for ends in sorted(set(ours) | set(theirs)):
        totals["tuples"] += 1
        compare_tuple(f"{name}: {ends}", ours.get(ends), theirs.get(ends),
                      {"reason": reason, "skipped": capture["skipped"], "totals": totals})


def compare_tuple(what, ours, theirs, context):
    """Each of both is [flows or streams, packets], or None where the tuple is not known."""
    totals = context["totals"]
    if ours is None or theirs is None:
        totals["tuples of one only"] += 1
        print(f"TUPLE {what}: tshark {theirs}, lastack {ours}; skipped: {context['skipped']}")
        return
    totals["packets"] += theirs[1]
    if ours[1] != theirs[1]:
        explained = context["reason"] and ours[1] < theirs[1]
        totals["packets left out" if explained else "packets differ"] += abs(theirs[1] - ours[1])
        print(f"{'note' if explained else 'PACKETS'} {what}: tshark {theirs[1]}, lastack {ours[1]}"
              + (f" ({context['reason']})" if explained else ""))
    if ours[0] != theirs[0]:
        totals["streams differ"] += 1
        print(f"STREAMS {what}: tshark {theirs[0]}, lastack {ours[0]}: a reuse that only one saw")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("captures", nargs="+")
    parser.add_argument("-v", "--verbose", action="store_true", help="name each capture")
    options = parser.parse_args()
    totals = collections.Counter()
    for path in options.captures:
        compare(path, totals, options.verbose)
    for name in sorted(totals):
        print(f"{name}: {totals[name]}")
    bad = ("packets differ", "streams differ", "tuples of one only")
    return 1 if any(totals[name] for name in bad) or not totals["tuples"] else 0


if __name__ == "__main__":
    sys.exit(main())
