#!/usr/bin/env python3
"""Compares dissect with tshark, frame by frame and field by field.

    compare-dissect.py --dump PROGRAM [-v] CAPTURE...

PROGRAM is the built tests/tools/dissect-dump.  For each capture the frames in which both see TCP
are compared in every field, and the ICMP errors in which both see TCP quoted; the frames that only
one of the two reads so are counted by what dissect answered and by the protocols that tshark named.
Exit status 1 when anything differs.

These are no difference: tshark goes on into a packet that is quoted so short that it lacks the
sequence number, it reads the
start of a first fragment as if it were the whole packet, and it prints what there is of a header or
an option that the capture cut, where dissect says that it is cut.

What tshark is told: no reassembly of any kind, absolute sequence numbers, checksums judged.
"""
import argparse
import collections
import subprocess
import sys

# Our name, tshark's field, and how its text becomes ours.
FIELDS = [
    ("sport", "tcp.srcport", int),
    ("dport", "tcp.dstport", int),
    ("seq", "tcp.seq_raw", int),
    ("ack", "tcp.ack_raw", int),
    ("flags", "tcp.flags", lambda text: int(text, 16) & 0xFF),
    ("len", "tcp.len", int),
    ("window", "tcp.window_size_value", int),
    ("sum", "tcp.checksum", lambda text: int(text, 16)),
    ("mss", "tcp.options.mss_val", int),
    ("scale", "tcp.options.wscale.shift", int),
    ("tsval", "tcp.options.timestamp.tsval", int),
    ("tsecr", "tcp.options.timestamp.tsecr", int),
]
# Of an ICMP error, the fields of its own and of what it quotes; tshark's for either version.
QUOTED = [
    ("sport", "tcp.srcport", "tcp.srcport", int),
    ("dport", "tcp.dstport", "tcp.dstport", int),
    ("seq", "tcp.seq", "tcp.seq", int),
    ("type", "icmp.type", "icmpv6.type", int),
    ("code", "icmp.code", "icmpv6.code", int),
    ("mtu", "icmp.mtu", "icmpv6.mtu", int),
    ("source", "ip.src", "ipv6.src", str),
    ("destination", "ip.dst", "ipv6.dst", str),
]
# Every IP header has these; the last one read is the one that carries TCP.
BY_VERSION = {
    "ttl": ("ip.ttl", "ipv6.hlim", int),
    "id": ("ip.id", None, lambda text: int(text, 16)),
    "iplen": ("ip.len", None, int),
}
EXTRA = ["frame.protocols", "tcp.options.sack_le", "tcp.options.sack_re", "tcp.options.sack_perm",
         "tcp.checksum.status"]
# The addresses of the connection: under a source route or a home address option these columns,
# unlike ip.dst and ipv6.src, name the ends and not the hops.
ADDRESSES = {"source": "_ws.col.Source", "destination": "_ws.col.Destination"}
# tshark gives 802.1ad tags, one or two, fields of their own; they stand outside 802.1Q ones.
TAGS = ["ieee8021ad.svid", "ieee8021ad.cvid", "ieee8021ad.id", "vlan.id"]
PREFERENCES = ["tcp.relative_sequence_numbers:FALSE", "tcp.desegment_tcp_streams:FALSE",
               "tcp.analyze_sequence_numbers:FALSE", "tcp.check_checksum:TRUE",
               'gui.column.format:"Source","%us","Destination","%ud"',
               "ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.try_heuristic_first:FALSE"]
# tcp.checksum.status: 0 bad, 1 good, 2 unverified.
STATUS = {"good": {"1"}, "bad": {"0"}, "unverified": {"2", ""}, "partial": {"0", "1", "2"}}
# Answers under which tshark may see a TCP header in part.
PARTS = {"fragment", "tcp_truncated"}
OPTION_CUT = 0x800
OPTIONS = {"mss", "scale", "tsval", "tsecr", "sackok", "sack"}


def read_tshark(capture):
    """Yields (frame number, {field: [values]})."""
    names = ["frame.number"] + EXTRA + TAGS + list(ADDRESSES.values()) + [field for _, field, _ in FIELDS]
    names += [name for pair in BY_VERSION.values() for name in pair[:2] if name]
    names += [name for _, *pair, _ in QUOTED for name in pair if name not in names]
    command = ["tshark", "-n", "-r", capture, "-T", "fields", "-E", "separator=\t",
               "-E", "occurrence=a", "-E", "aggregator=,"]
    for preference in PREFERENCES:
        command += ["-o", preference]
    for name in names:
        command += ["-e", name]
    # A capture cut in the middle of its last record ends both programs there, tshark with status 2.
    output = subprocess.run(command, capture_output=True, text=True, check=False)
    if output.returncode not in (0, 2) or (output.returncode == 2 and not output.stdout):
        sys.exit(f"tshark: {capture}: {output.stderr.strip()}")
    for line in output.stdout.splitlines():
        values = line.split("\t")
        row = {name: value.split(",") if value else [] for name, value in zip(names, values)}
        yield int(row["frame.number"][0]), row


def read_dump(program, capture):
    output = subprocess.run([program, capture], capture_output=True, text=True, check=True)
    frames = {}
    for line in output.stdout.splitlines():
        number, result, *pairs = line.split(" ")
        if "/" in number:
            continue  # a further packet of the frame: tshark's fields are of the last
        frames[int(number)] = (result, dict(pair.split("=", 1) for pair in pairs))
    return frames


def expected(ours, theirs):
    """What tshark says of a segment, under our names: {name: (value, how to read ours)}."""
    want = {}
    for name, field, convert in FIELDS:
        if theirs[field]:
            want[name] = (convert(theirs[field][-1]), int)
        elif name in ours:
            want[name] = (None, int)
    for name, field in ADDRESSES.items():
        want[name] = (theirs[field][-1], str)
    version6 = ":" in ours["source"]
    for name, (field4, field6, convert) in BY_VERSION.items():
        field = field6 if version6 else field4
        if field and theirs[field]:
            want[name] = (convert(theirs[field][-1]), type(convert(theirs[field][-1])))
    edges = zip(theirs["tcp.options.sack_le"], theirs["tcp.options.sack_re"])
    want["sack"] = (",".join(f"{left}-{right}" for left, right in edges), str)
    want["vlan"] = (",".join([tag for field in TAGS for tag in theirs[field]][:4]), str)
    want["sackok"] = ("1" if theirs["tcp.options.sack_perm"] else "", str)
    return want


def differences(ours, theirs):
    found = []
    cut = int(ours["options"], 0) & OPTION_CUT
    for name, (value, read) in expected(ours, theirs).items():
        mine = read(ours[name]) if name in ours else (None if read is int else "")
        partial = cut and name in OPTIONS and name not in ours
        if mine != value and not partial:
            found.append((name, mine, value))
    status = theirs["tcp.checksum.status"][-1] if theirs["tcp.checksum.status"] else ""
    if status not in STATUS[ours["verdict"]]:
        found.append(("verdict", ours["verdict"], f"status {status}"))
    return found


def quoted_only(protocols):
    """Whether the TCP that tshark names is the one that an ICMP error quotes."""
    names = protocols.split(":")
    return any(name.startswith("icmp") for name in names[: names.index("tcp")])


def quote_differences(ours, theirs):
    version6 = ours["version"] == "6"
    found = []
    for name, field4, field6, read in QUOTED:
        values = theirs[field6 if version6 else field4]
        if name == "mtu" and not values:
            values = ["0"]
        value = read(values[-1]) if values else None
        if read(ours[name]) != value:
            found.append((name, ours[name], value))
    return found


def compare(program, capture, verbose):
    """Returns (segments and quotes compared, field differences, {(answer, protocols): frames})."""
    mine = read_dump(program, capture)
    compared, fields, one_sided = collections.Counter(), 0, collections.Counter()
    for number, theirs in read_tshark(capture):
        result, ours = mine.pop(number, ("missing", {}))
        protocols = ":".join(theirs["frame.protocols"])
        they_see = "tcp" in protocols.split(":")
        quoted = they_see and quoted_only(protocols)
        if quoted and not theirs["tcp.seq"]:
            continue
        wanted = "icmp_error" if quoted else "segment" if they_see else None
        if result != wanted:
            if they_see or result in ("segment", "icmp_error"):
                one_sided[result, protocols] += 1
            continue
        if result not in ("segment", "icmp_error"):
            continue
        compared[result] += 1
        for name, value, other in (quote_differences if quoted else differences)(ours, theirs):
            fields += 1
            if verbose:
                print(f"{capture}: frame {number}: {name}: dissect {value}, tshark {other}")
    for number in mine:
        one_sided["missing in tshark", ""] += 1
    return compared, fields, one_sided


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--dump", required=True, help="the built dissect-dump")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every difference")
    parser.add_argument("captures", nargs="+")
    arguments = parser.parse_args()

    failed = False
    for capture in arguments.captures:
        compared, fields, one_sided = compare(arguments.dump, capture, arguments.verbose)
        print(f"{capture}: {compared['segment']} segments and {compared['icmp_error']} quotes "
              f"compared, {fields} fields differ")
        for (result, protocols), frames in sorted(one_sided.items()):
            print(f"    {frames} frames: dissect {result}, tshark {protocols}")
        failed = failed or fields > 0 or any(result not in PARTS for result, _ in one_sided)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
