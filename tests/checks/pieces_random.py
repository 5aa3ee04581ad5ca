#!/usr/bin/env python3
"""Captures spoilt at random, cut at random packets in two to five pieces: a chain writes byte for byte what
one run over the whole writes, and a merge has its packets, octets, connections, kinds of close and hosts.

usage: pieces_random.py [--seed N] [--captures N]

A capture is one or several cases, each in a variation (links, tunnels, fragments, both versions of IP),
one behind the other with pauses up to some minutes, or generated traffic; then it is spoilt as captures
get spoilt (properties.py).
"""
import argparse
import collections
import json
import os
import random
import sys
import tempfile

import merge
import pieces
import properties
from pieces import SLOW, SOURCE, run
from tap import Tap

sys.path.insert(0, os.path.join(SOURCE, "tests", "tools"))
import segread  # noqa: E402
import segwire  # noqa: E402

SECOND = 10**9
PAUSES = (0, 1, 30, 90, 130, 250)  # s, some of them over 4MSL
SETTINGS = (pieces.SINGLE, pieces.SEVERAL, pieces.TRACED, pieces.SINGLE + ["--max-memory", "1M"])


def variations():
    """Those that this can cut: of classic captures in the usual order of octets."""
    plain = [segwire.Variation()] * 8
    return plain + [v for v in segwire.VARIATIONS if v.form == "pcap" and not v.big]


def case_paths():
    folder = os.path.join(SOURCE, "tests", "cases")
    return sorted(os.path.join(top, name) for top, _, names in os.walk(folder) for name in names
                  if name.endswith(".seg"))


def draw_cases(rng, paths):
    """Some cases one behind the other, of one link type; with the options that the variation needs."""
    variation = rng.choice(variations())
    whole, clock = None, None
    for path in rng.sample(paths, rng.choice((1, 2, 4, 6))):
        capture = properties.Capture(path, segwire.capture(segread.read_case(path, path), variation))
        if whole is None:
            whole = capture
        elif capture.header == whole.header and capture.packets and whole.packets:
            shift = clock + rng.choice(PAUSES) * SECOND - min(p[0] for p in capture.packets)
            whole.packets += [[p[0] + shift, *p[1:]] for p in capture.packets]
        clock = max((p[0] for p in whole.packets), default=0)
    return "%s in %s" % (os.path.basename(path), variation.name or "plain"), whole, list(variation.arguments)


def draw_capture(rng, paths, generated):
    if generated and rng.random() < .25:
        made = rng.choice(generated)
        return made.name, made, []
    return draw_cases(rng, paths)


def spoil(rng, capture):
    """Its packets, half of the time spoilt, with the name of how."""
    name = rng.choice([None] * len(properties.SPOILERS) + list(properties.SPOILERS))
    packets = properties.SPOILERS[name](capture.packets, rng) if name else capture.packets
    return name or "not spoilt", packets


def counts_of(ndjson):
    """What a merge must have of a whole, whatever the cuts: packets and octets of the capture; connections
    with theirs and their kind of close, by tuple; hosts.  And the tuples of which fragments may be missing:
    those with the caveat; inside of a tunnel nobody knows whose they are, but that it is one with the edge."""
    summary = merge.records(ndjson, "summary")[0]["lastack"]
    capture = {key: summary["capture"][key] for key in ("packets", "bytes")}
    lacks = summary["capture"]["skipped"].get("fragment_incomplete", 0)
    flows, torn = collections.defaultdict(list), set()
    for flow in merge.records(ndjson, "flow"):
        network, told = flow["network"], flow["lastack"]
        flows[network["community_id"]].append((network["packets"], network["bytes"], told["close"]["kind"]))
        if lacks and (merge.EDGE in told["caveats"] or "fragment_incomplete" in told["caveats"]):
            torn.add(network["community_id"])
    hosts = [json.dumps(record, sort_keys=True) for record in merge.records(ndjson, "host")]
    return capture, flows, hosts, torn, lacks


def few_less(whole, parts, most):
    """Whether a tuple lacks packets, and not more than that: of a tunnel's fragments."""
    less = sum(flow[0] for flow in whole) - sum(flow[0] for flow in parts)
    return 0 < less <= most


def differences(whole, parts):
    """What is not as in the whole; of a packet whose fragments lie in two pieces, the caveat tells."""
    more = parts[4] - whole[4]
    torn = parts[3] | {tuple_ for tuple_ in whole[1] if few_less(whole[1][tuple_], parts[1][tuple_], more)}
    wrong = [what for what, x, y in zip(("packets", "", "hosts"), whole, parts)
             if x != y and (what == "packets" or (what == "hosts" and not torn))]
    return wrong + ["connections of %s: %s, not %s" % (tuple_, parts[1][tuple_], whole[1][tuple_])
                    for tuple_ in {*whole[1], *parts[1]}
                    if sorted(whole[1][tuple_]) != sorted(parts[1][tuple_]) and tuple_ not in torn]


def try_chain(name, cut, all_cuts, arguments):
    return ["chain: " + fault for fault in pieces.compare(name, cut, all_cuts, [[arguments]])]


def try_merge(name, cut, all_cuts, arguments):
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        path = cut.write(os.path.join(folder, "whole.pcap"))
        whole = counts_of(run(arguments + ["--ndjson", path]).stdout)
        for cuts in all_cuts:
            parts = counts_of(merge.merged(cut, cuts, folder, arguments))
            faults += ["merge: %s cut at %s: other %s" % (name, cuts, what)
                       for what in differences(whole, parts)]
    return faults


def jobs_of(rng, paths, generated, captures):
    for number in range(captures):
        name, capture, words = draw_capture(rng, paths, generated)
        how, packets = spoil(rng, capture)
        cut = pieces.Capture(capture.write(packets))
        if len(cut.records) < 2:
            continue
        places = range(1, len(cut.records))
        all_cuts = [sorted(rng.sample(places, min(len(places), rng.randrange(1, 5)))) for _ in range(2)]
        name = "%d: %s, %s" % (number, name, how)
        yield try_chain, name, cut, all_cuts, rng.choice(SETTINGS) + words
        if "--segments" not in words:
            yield try_merge, name, cut, all_cuts, rng.choice(SETTINGS[:2]) + words


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=5961)
    parser.add_argument("--captures", type=int, default=20 if SLOW else 60)
    options = parser.parse_args()
    print("# seed", options.seed)
    rng, tap = random.Random(options.seed), Tap()
    generated = list(properties.generated_captures(options.seed)) if os.path.exists(properties.GENERATE) else []
    jobs = list(jobs_of(rng, case_paths(), generated, options.captures))
    for work, what in ((try_chain, "chains"), (try_merge, "merges")):
        mine = [job[1:] for job in jobs if job[0] is work]
        faults = pieces.each(work, mine)
        tap.ok(mine and not faults, "%d random captures as %s" % (len(mine), what), "\n".join(faults[:20]))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
