#!/usr/bin/env python3
"""More than two taps: what happened is told once, between the two neighbours that it happened
between, in whatever order the taps are given.

The captures come of a simulated path with taps along it (tests/tools/tapchain.py).
"""
import collections
import dataclasses
import itertools
import json
import os
import subprocess
import sys
import tempfile

TOP = os.environ.get("TOP_SRCDIR", ".")
sys.path.insert(0, os.path.join(TOP, "tests", "tools"))
sys.path.insert(0, os.path.join(TOP, "tests", "checks"))

from tap import Tap  # noqa: E402
import tapsim  # noqa: E402
from tapchain import Chain  # noqa: E402
from taps import LASTACK, Answer, Desk  # noqa: E402
from tapsim import MS, SECOND, START, Weather  # noqa: E402

ROUGH = Weather(loss=.02, hold=.005, inject=.05, delay=5 * MS, jitter=MS)


def chain(seed, weather, connections, between, apart=3 * MS):
    lab = Chain(seed, weather, between)
    for number in range(connections):
        lab.connect(START + lab.random.randrange(connections * apart), number)
    lab.run()
    return lab


def told(answer, event):
    """Counter of (tap it left, packet of the trigger, tap it did not come to)."""
    keys = {"lost_between_taps": ("left", "missing_at"),
            "injected_between_taps": ("never_left", "entered_before"),
            "delayed_between_taps": ("left", "came_to")}[event]
    return collections.Counter(
        (record["lastack"]["details"][keys[0]], evidence["packet"],
         record["lastack"]["details"][keys[1]])
        for record in answer.events(event) for evidence in record["lastack"]["evidence"]
        if evidence["role"] == "trigger")


def check_account(tap, lab, answer, name):
    """Every loss between its neighbours, once, and no other."""
    for kind, event in (("lost", "lost_between_taps"), ("injected", "injected_between_taps"),
                        ("held", "delayed_between_taps")):
        want, said = collections.Counter(lab.log[kind]), told(answer, event)
        tap.ok(want == said, "%s: %d segments %s, each told once, between its neighbours" % (
            name, len(lab.log[kind]), kind), "not told: %s" % sorted(want - said)[:8],
            "told: %s" % sorted(said - want)[:8])
    counts = answer.counts()
    tap.ok(counts["lost"] == len(lab.log["lost"]) and counts["missed"] == 0,
           "%s: the records count each once" % name, counts)
    neighbours = {frozenset(two) for two in zip(lab.names, lab.names[1:])}
    pairs = {frozenset(record["lastack"]["taps"]) for record in answer.of("path")}
    tap.ok(pairs == neighbours, "%s: neighbours alone have a record" % name,
           [sorted(pair) for pair in pairs])
    ways = collections.Counter(tuple(record["lastack"]["way"]["client_to_server"] or ())
                               for record in answer.of("path"))
    tap.ok(ways[tuple(lab.names)] > .9 * sum(ways.values()), "%s: the way is stated" % name, ways)


def check_three(tap, desk):
    lab = chain(1, ROUGH, 200, ["middle"])
    files = {name: desk.write(name, lab.taps[name]) for name in lab.names}
    for order in itertools.permutations(lab.names):
        answer = desk.ask(*(files[name] for name in order))
        check_account(tap, lab, answer, "taps as " + ", ".join(order))


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(folder)
        for check in (check_three,):
            check(tap, desk)
    sys.exit(tap.end())


if __name__ == "__main__":
    main()
