#!/usr/bin/env python3
"""Compares lastack's flow records with the conn.log rows that Zeek's own tests expect.

    LASTACK=PROGRAM compare-zeek.py [--plain] [-v] DIR

DIR holds captures and expected.json: {CAPTURE: {"ignore_checksums": bool, "rows": [conn.log row]}}.
Each TCP row must have a flow of the same addresses and ports, and no flow may be without a row;
then packets, IP bytes, conn_state and history are compared.  Where our client is Zeek's responder
the row is turned over first.  --plain leaves out tunnels and rare link types.

A line is printed for each difference with what may explain it, then the share of equal fields.
Exit status 1 when anything differs.
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys

RARE = re.compile(r"^(mpls|pbb|pppoe|tunnels_|vntag)")
FIELDS = ("packets", "ip bytes", "conn_state", "history")
TURNED_STATE = {"S2": "S3", "S3": "S2", "RSTO": "RSTR", "RSTR": "RSTO", "SH": "SHR", "SHR": "SH"}


def run_lastack(path):
    done = subprocess.run([os.environ.get("LASTACK", "lastack"), "--ndjson", "--nano", path],
                          capture_output=True, text=True, check=False)
    if done.returncode not in (0, 4) or not done.stdout:  # 4: a damaged capture, as far as it goes
        sys.exit(f"compare-zeek: {path}: lastack ended with {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def zeek_row(row):
    """A row of conn.log in the form in which both are compared; both ends as (address, port)."""
    return {
        "ends": ((row["id.orig_h"], int(row["id.orig_p"])),
                 (row["id.resp_h"], int(row["id.resp_p"]))),
        "packets": (int(row["orig_pkts"]), int(row["resp_pkts"])),
        "ip bytes": (int(row["orig_ip_bytes"]), int(row["resp_ip_bytes"])),
        "conn_state": row["conn_state"],
        "history": row["history"].replace("-", ""),
    }


def flow_row(flow):
    ours, source, destination = flow["lastack"], flow["source"], flow["destination"]
    return {
        "ends": ((source["ip"], source["port"]), (destination["ip"], destination["port"])),
        "packets": (source["packets"], destination["packets"]),
        "ip bytes": (source["bytes"], destination["bytes"]),
        "conn_state": ours["zeek"]["conn_state"],
        "history": ours["zeek"]["history"] or "",
    }


def turned(row):
    """The same connection with the other end as originator."""
    history = row["history"]
    history = history[1:] if history.startswith("^") else "^" + history
    return {
        "ends": row["ends"][::-1],
        "packets": row["packets"][::-1],
        "ip bytes": row["ip bytes"][::-1],
        "conn_state": TURNED_STATE.get(row["conn_state"], row["conn_state"]),
        "history": history.swapcase(),
    }


def by_ends(rows):
    found = collections.defaultdict(list)
    for row in rows:
        found[tuple(sorted(row["ends"]))].append(row)
    return found


def explain(field, expected, ours, context):
    """What is known to make such a difference."""
    if context["bad_checksums"] and not context["ignore_checksums"]:
        return f"Zeek left out {context['bad_checksums']} segments with a wrong checksum"
    if field in ("packets", "ip bytes") and context["copies"]:
        return f"we left out {context['copies']} copies"
    if field == "history" and sorted(expected.lower()) == sorted(ours.lower()):
        return "the same letters in another order or direction"
    if context["truncated"]:
        return f"{context['truncated']} packets were cut by the capture"
    return "not explained"


def compare_rows(name, expected, ours, context):
    """Prints what differs; counts fields."""
    if expected["ends"] != ours["ends"]:
        context["totals"]["turned rows"] += 1
        expected = turned(expected)
    for field in FIELDS:
        same = expected[field] == ours[field]
        context["totals"][field, same] += 1
        if not same:
            ends = " > ".join(f"{address} {port}" for address, port in ours["ends"])
            print(f"{field.upper()} {name}: {ends}: Zeek {expected[field]}, lastack {ours[field]} "
                  f"({explain(field, expected[field], ours[field], context)})")


def compare_capture(name, path, wanted, totals):
    records = run_lastack(path)
    capture = records[-1]["lastack"]["capture"]
    context = {"totals": totals, "ignore_checksums": wanted["ignore_checksums"],
               "bad_checksums": capture["bad_checksums"], "copies": capture["copies"],
               "truncated": capture["truncated"]}
    expected = by_ends(zeek_row(row) for row in wanted["rows"])
    ours = by_ends(flow_row(r) for r in records if r["event"]["dataset"] == "lastack.flow")
    for ends in sorted(set(expected) | set(ours)):
        zeek, flows = expected.get(ends, []), ours.get(ends, [])
        totals["rows found"] += min(len(zeek), len(flows))
        totals["rows missing"] += max(0, len(zeek) - len(flows))
        totals["rows invented"] += max(0, len(flows) - len(zeek))
        if len(zeek) != len(flows):
            print(f"ROWS {name}: {ends}: Zeek {len(zeek)}, lastack {len(flows)}: "
                  f"{[row['history'] for row in zeek]} {[row['history'] for row in flows]}; "
                  f"left out: {capture['skipped']}")
        for row, flow in zip(zeek, flows):
            compare_rows(name, row, flow, context)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory")
    parser.add_argument("--plain", action="store_true", help="no tunnels, no rare link types")
    parser.add_argument("-v", "--verbose", action="store_true", help="name each capture")
    options = parser.parse_args()
    totals = collections.Counter()
    with open(os.path.join(options.directory, "expected.json"), encoding="utf-8") as file:
        wanted = json.load(file)
    for name in sorted(wanted):
        if options.plain and RARE.match(name):
            continue
        if options.verbose:
            print(f"{name}:")
        totals["captures"] += 1
        compare_capture(name, os.path.join(options.directory, name), wanted[name], totals)
    return report(totals)


def report(totals):
    for name in ("captures", "rows found", "rows missing", "rows invented", "turned rows"):
        print(f"{name}: {totals[name]}")
    bad = totals["rows missing"] + totals["rows invented"]
    for field in FIELDS:
        same, different = totals[field, True], totals[field, False]
        bad += different
        share = 100 * same / (same + different) if same + different else 0
        print(f"{field}: {same} of {same + different} equal ({share:.1f} %)")
    return 1 if bad or not totals["rows found"] else 0


if __name__ == "__main__":
    sys.exit(main())
