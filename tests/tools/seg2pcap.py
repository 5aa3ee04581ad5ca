#!/usr/bin/env python3
"""seg2pcap: compiles a case script (case-language.md) into a capture file.

usage: seg2pcap.py CASE.seg OUT.pcap [--variation NAME]
       seg2pcap.py --check CASE.seg...      reads the scripts only
"""
import argparse
import sys

import segcase
import segread
import segwire


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--check", action="store_true", help="only read the scripts")
    names = [v.name for v in segwire.VARIATIONS]
    parser.add_argument("--variation", default="", choices=[""] + names)
    options = parser.parse_args()
    try:
        return check(options.files) if options.check else write(options)
    except (segcase.CaseError, OSError) as error:
        print(f"seg2pcap: {error}", file=sys.stderr)
        return 1


def check(files):
    for path in files:
        segwire.capture(segread.read_case(path, path))
    return 0


def write(options):
    if len(options.files) != 2:
        print("seg2pcap: wanted CASE.seg OUT.pcap", file=sys.stderr)
        return 2
    case = segread.read_case(options.files[0], options.files[0])
    chosen = [v for v in segwire.VARIATIONS if v.name == options.variation]
    with open(options.files[1], "wb") as file:
        file.write(segwire.capture(case, chosen[0] if chosen else segwire.Variation()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
