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


def check_more(tap, desk):
    """Five taps; a clock that is ahead; addresses and numbers that are others from the middle on."""
    lab = chain(2, dataclasses.replace(ROUGH, delay=2 * MS), 100, ["inside", "middle", "outside"])
    files = {name: desk.write(name, lab.taps[name]) for name in lab.names}
    files["middle"] = desk.write("middle", lab.taps["middle"], offset=3 * SECOND, drift=20e-6)
    for order in (lab.names, lab.names[::-1], ["outside", "client", "middle", "server", "inside"]):
        check_account(tap, lab, desk.ask(*(files[name] for name in order)),
                      "five taps, from " + order[0])
    ports = {}
    behind = {name: lab.taps[name] if name in ("client", "inside") else
              tapsim.translated(lab.taps[name], shift=1234567, ports=ports) for name in lab.names}
    files = {name: desk.write(name, behind[name]) for name in lab.names}
    for order in (lab.names, lab.names[::-1]):
        answer = desk.ask(*(files[name] for name in order))
        check_account(tap, lab, answer, "behind a NAT, from " + order[0])
        shifts = {(tuple(path["taps"]), path["second_tap"]["source"]["sequence_shift"])
                  for path in (record["lastack"] for record in answer.of("path"))
                  if path["second_tap"]}
        turned = {two for two, shift in shifts if shift != 0}
        tap.ok({frozenset(two) for two in turned} == {frozenset(("inside", "middle"))},
               "behind a NAT, from %s: it stands between two taps" % order[0], shifts)


def check_one_way(tap, desk):
    """A tap that shows one direction alone stands on that one's way; hop limits tell where."""
    lab = chain(3, ROUGH, 100, ["middle"])
    to_server = [number for number, segment in enumerate(lab.taps["middle"], 1)
                 if segment.target[1] == 443]
    places = {number: at for at, number in enumerate(to_server, 1)}
    at_server = {(segment.source, segment.ip_id): number
                 for number, segment in enumerate(lab.taps["server"], 1)}
    lost = []
    for left, number, missing in lab.log["lost"]:
        segment = lab.taps[left][number - 1]
        if segment.target[1] == 443:
            lost.append((left, places[number] if left == "middle" else number, missing))
        else:
            lost.append(("server", at_server[segment.source, segment.ip_id], "client"))
    shown = dict(lab.taps, middle=[lab.taps["middle"][number - 1] for number in to_server])
    files = {name: desk.write(name, shown[name]) for name in lab.names}
    for order in (("client", "middle", "server"), ("server", "client", "middle")):
        answer = desk.ask(*(files[name] for name in order))
        said, want = told(answer, "lost_between_taps"), collections.Counter(lost)
        tap.ok(said == want, "one direction, from %s: %d losses, each told once" % (
            order[0], len(lost)), sorted(want - said)[:8], sorted(said - want)[:8])
        ways = collections.Counter(
            (tuple(way["client_to_server"] or ()), tuple(way["server_to_client"] or ()), way["by"])
            for way in (record["lastack"]["way"] for record in answer.of("path")))
        want = ("client", "middle", "server"), ("server", "client"), "hop_limits"
        tap.ok(ways[want] > .9 * sum(ways.values()), "one direction, from %s: the ways" % order[0],
               ways)


def check_unknown_order(tap, desk):
    """Two captures of one place: nothing tells their order, so each is compared with the first."""
    lab = tapsim.Lab(4, Weather(loss=.03))
    for number in range(60):
        lab.connect(START + lab.random.randrange(200 * MS), number)
    lab.run()
    answer = desk.ask(desk.write("server", lab.taps["server"]),
                      desk.write("client", lab.taps["client"]),
                      desk.write("again", lab.taps["client"]))
    pairs = {tuple(record["lastack"]["taps"]) for record in answer.of("path")}
    tap.ok(pairs == {("server", "client"), ("server", "again")},
           "an order that cannot be told: each tap beside the first", pairs)
    ways = {record["lastack"]["way"]["by"] for record in answer.of("path")
            if record["lastack"]["joined"]}
    tap.ok(ways == {None}, "and the records say so", ways)
    lost = collections.Counter()
    for left, number in lab.log["lost"]:
        others = ("client", "again")
        for other in others:
            lost[(left, number, other) if left == "server" else (other, number, "server")] += 1
    said = told(answer, "lost_between_taps")
    tap.ok(said == lost, "and each says what it lacks", sorted(lost - said)[:8],
           sorted(said - lost)[:8])


def check_missed(tap, desk):
    """What a capture on the way misses has passed there: the taps on both its sides show it."""
    lab = chain(5, Weather(loss=.01, delay=5 * MS), 200, ["middle"])
    kept, numbers = tapsim.thinned(lab.taps["middle"], .05, 1)
    places = {number: at for at, number in enumerate(numbers, 1)}
    seen = {name: {(segment.source, segment.ip_id) for segment in lab.taps[name]}
            for name in lab.names}
    passed = sum((segment.source, segment.ip_id) in seen["client"] & seen["server"]
                 for number, segment in enumerate(lab.taps["middle"], 1) if number not in places)
    lost = {(left, places.get(number) if left == "middle" else number, missing)
            for left, number, missing in lab.log["lost"]}
    files = {name: desk.write(name, lab.taps[name]) for name in lab.names}
    files["middle"] = desk.write("middle", kept)
    for order in itertools.permutations(lab.names):
        answer = desk.ask(*(files[name] for name in order))
        said = set(told(answer, "lost_between_taps"))
        unsure = {record["event"]["id"] for record in answer.events("lost_between_taps")
                  if record["lastack"]["confidence"] != "certain"}
        known = {way for way in lost if way[1] is not None}
        tap.ok(len(known - said) <= 1 and len(said - known) <= len(lost - known) + 1 and unsure,
               "a capture in the middle misses some, taps as %s: losses" % ", ".join(order),
               sorted(known - said), sorted(said - known))
        counts = answer.counts()
        tap.ok(abs(counts["missed"] - 2 * passed) <= 8 and counts["injected"] == 0,
               "and %d are known for its loss, on both sides" % passed, counts)


def check_balancer(tap, desk):
    """Connections divide: each goes by one of two taps, and the other has nothing to say."""
    lab = chain(6, Weather(loss=.03, delay=5 * MS), 100, ["middle"])

    def port_of(segment):
        return min(segment.source, segment.target)[1]
    parts = {"one": [], "two": []}
    places = {}
    for number, segment in enumerate(lab.taps["middle"], 1):
        name = "one" if port_of(segment) % 2 else "two"
        parts[name].append(segment)
        places["middle", number] = name, len(parts[name])
    answer = desk.ask(desk.write("client", lab.taps["client"]), desk.write("one", parts["one"]),
                      desk.write("two", parts["two"]), desk.write("server", lab.taps["server"]))
    lost = collections.Counter()
    for left, number, missing in lab.log["lost"]:
        name = "one" if port_of(lab.taps[left][number - 1]) % 2 else "two"
        left, number = places.get((left, number), (left, number))
        lost[left, number, name if missing == "middle" else missing] += 1
    said = told(answer, "lost_between_taps")
    tap.ok(lost == said, "two ways between two taps: %d losses, each told once" % len(lost),
           sorted(lost - said)[:8], sorted(said - lost)[:8])


def check_records(tap, desk):
    """Segments say what lies between each tap and the next; ladders, text and page as well."""
    lab = chain(7, Weather(loss=.04, delay=5 * MS), 40, ["middle"])
    words = [word for name in lab.names for word in ("--tap", desk.write(name, lab.taps[name]))]
    answer = Answer(words + ["--segments", "all"])
    ends, fates = collections.Counter(), collections.Counter()
    for record in answer.of("segment"):
        for passage in record["lastack"]["path"]:
            fates[passage["fate"]] += 1
            if passage["fate"] == "lost":
                ends[passage["left"]["tap"], passage["left"]["packet"]] += 1
    lost = collections.Counter((left, number) for left, number, _ in lab.log["lost"])
    tap.ok(ends == lost, "segments: %d losses, each in one record" % len(lost),
           sorted(lost - ends)[:8], sorted(ends - lost)[:8])
    steps = sum(len(lab.taps[name]) for name in lab.names) - len(lab.taps["client"])
    tap.ok(fates["arrived"] > .9 * steps / 2, "segments: those that arrived step by step", fates)

    for flow in range(1, 41):
        text = subprocess.run([LASTACK, "ladder", "--flow", str(flow), *words],
                              capture_output=True, check=True,
                              env={**os.environ, "LC_ALL": "C"}).stdout.decode()
        if "(lost between middle and " in text and "retransmission" in text:
            break
    port = int(text.split(":")[2].split()[0])
    own = [(left, number, missing) for left, number, missing in lab.log["lost"]
           if port in (lab.taps[left][number - 1].source[1], lab.taps[left][number - 1].target[1])]
    tap.ok(text.count("(lost between") == len(own) and "tap client at the left" in text and
           "of tap server at the right" in text and
           all("(lost between %s and %s" % (left, missing) in text for left, _, missing in own),
           "a ladder from the first tap to the last: %d die where they died" % len(own), text, own)

    files = {kind: desk.path(kind) for kind in ("text", "json", "html")}
    subprocess.run([LASTACK, *words, *("--%s=%s" % item for item in files.items())], check=True)
    said = {}
    for kind, path in files.items():
        with open(path, encoding="utf-8") as file:
            said[kind] = file.read()
    tap.ok("Between taps client and middle" in said["text"] and
           "Between taps middle and server" in said["text"] and
           "Between taps client and server" not in said["text"], "the text speaks of neighbours",
           said["text"])
    counted = sum(way["lost"] for path in json.loads(said["json"])["paths"]
                  for way in path["lastack"]["direction"].values())
    tap.ok(counted == len(lab.log["lost"]), "the report counts each loss once", counted)
    tap.ok("did not come to tap middle" in said["html"], "the page names the neighbour")


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(folder)
        for check in (check_three, check_more, check_one_way, check_unknown_order, check_missed,
                      check_balancer, check_records):
            check(tap, desk)
    sys.exit(tap.end())


if __name__ == "__main__":
    main()
