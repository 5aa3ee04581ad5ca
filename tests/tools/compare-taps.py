#!/usr/bin/env python3
"""Joins the two captures of each scenario of a lab, and compares what is said to be lost between
them with what the relay between them knows.

    compare-taps.py FOLDER [SCENARIO...]        LASTACK names the program

A scenario is NAME.pcap on the client's side, NAME.srv.pcap on the server's, and NAME.truth.json,
whose only_at_one_tap lists the packets that the relay lost.  Each must be told, and nothing else.
"""
import glob
import json
import os
import subprocess
import sys

LASTACK = os.environ.get("LASTACK", "./lastack")


def records(client, server):
    """All records of both captures together."""
    words = [LASTACK, "--tap", "client=" + client, "--tap", "server=" + server, "--ndjson"]
    run = subprocess.run(words, stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def told(records_read, event, tap):
    """The packets of a tap that events of this id are about."""
    return sorted(
        evidence["packet"] for record in records_read
        if record["event"]["dataset"] == "lastack.event" and record["event"]["action"] == event
        for evidence in record["lastack"]["evidence"]
        if evidence["role"] == "trigger" and evidence["tap"] == tap)


def counted(records_read, fate):
    """How often the path records count a fate, both ways."""
    return sum(direction[fate] for record in records_read
               if record["event"]["dataset"] == "lastack.path"
               for direction in record["lastack"]["direction"].values())


def compare(folder, name):
    """What is wrong with the account of one scenario, a line each."""
    base = os.path.join(folder, name)
    with open(base + ".truth.json", encoding="utf-8") as file:
        truth = json.load(file)["only_at_one_tap"]
    found = records(base + ".pcap", base + ".srv.pcap")
    faults = []
    for tap in ("client", "server"):
        named, lost = told(found, "lost_between_taps", tap), sorted(truth[tap + "_tap_only"])
        if named != lost:
            faults.append("lost after tap %s: %s, of %s" % (tap, named, lost))
    losses = sum(len(packets) for packets in truth.values())
    if counted(found, "lost") != losses:
        faults.append("the path records count %d losses of %d" % (counted(found, "lost"), losses))
    for fate in ("injected", "missed", "unknown"):
        if counted(found, fate) != 0:
            faults.append("%d segments are said to be %s" % (counted(found, fate), fate))
    return faults


def main():
    folder, wanted = sys.argv[1], sys.argv[2:]
    names = [os.path.basename(path)[:-len(".truth.json")]
             for path in sorted(glob.glob(os.path.join(folder, "*.truth.json")))]
    bad = 0
    for name in wanted or names:
        faults = compare(folder, name)
        bad += bool(faults)
        print("%s %s" % ("not ok" if faults else "ok", name))
        for fault in faults:
            print("    " + fault)
    print("%d scenarios, %d differ" % (len(wanted or names), bad))
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
