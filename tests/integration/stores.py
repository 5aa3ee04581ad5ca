#!/usr/bin/env python3
"""SQLite, DuckDB and ClickHouse answer the ten questions as the records themselves do."""
import glob
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict

TOP = os.path.abspath(os.environ.get("TOP_SRCDIR", "."))
BUILD = os.environ.get("TOP_BUILDDIR", ".")
sys.path.insert(0, os.path.join(TOP, "tests", "checks"))
from tap import Tap  # noqa: E402

LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
CONTRIB = os.path.join(TOP, "contrib")
QUESTIONS = os.path.join(CONTRIB, "sql", "questions.sql")
HERE = os.path.join(TOP, "tests", "integration")
MODULES = os.path.join(BUILD, "integration-node")


# --- records: many cases, an hour apart, as one capture ---

def shift(path, seconds):
    """Moves the time stamps of a classic pcap."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at = 24
    while at < len(data):
        moment, _, length, _ = struct.unpack_from(order + "IIII", data, at)
        struct.pack_into(order + "I", data, at, moment + seconds)
        at += 16 + length
    with open(path, "wb") as file:
        file.write(data)


def make_captures(folder):
    made = []
    for number, case in enumerate(sorted(glob.glob(os.path.join(TOP, "tests", "cases", "*", "*.seg")))):
        if number % 3:
            continue
        path = os.path.join(folder, "%04d.pcap" % number)
        result = subprocess.run([sys.executable, os.path.join(TOP, "tests", "tools", "seg2pcap.py"), case, path],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if result.returncode != 0:
            continue
        shift(path, 6 * 3600 * number)
        made.append(path)
    return made + sorted(glob.glob(os.path.join(TOP, "samples", "*.pcap")))


def make_records(folder, name, captures, *options):
    path = os.path.join(folder, name)
    subprocess.run([LASTACK, "-q", "--set", "close_wait_leak=20s", *options, "--ndjson=" + path, *captures],
                   check=False, stdin=subprocess.DEVNULL)
    with open(path) as lines:
        return path, [json.loads(line) for line in lines]


# --- what the records say, question by question ---

def micros(moment):
    if moment is None:
        return None
    import datetime
    parsed = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return round((parsed - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) /
                 datetime.timedelta(microseconds=1))


def actions(question):
    """The ids that a question names."""
    with open(QUESTIONS) as file:
        text = file.read().split("-- %d. " % question)[1]
    return set(re.findall(r"'([a-z_0-9]+)'", re.search(r"action IN \(([^)]*)\)", text).group(1)))


def ends(record):
    return record["source"]["ip"], record["source"]["port"], record["destination"]["ip"], \
        record["destination"]["port"]


def ports_held(flows):
    moves = defaultdict(list)
    for flow in flows:
        client, _, server, port = ends(flow)
        wait = flow["lastack"]["close"]["time_wait"]
        until = micros(wait["until"]) if wait and wait["side"] in ("client", "both") else \
            micros(flow["event"]["end"])
        moves[client, server, port] += [(micros(flow["event"]["start"]), -1), (until, 1)]
    found = []
    for pair, changes in moves.items():
        held = most = when = 0
        for moment, change in sorted(changes):
            held -= change
            if held > most:
                most, when = held, moment
        found.append([*pair, most, when])
    return sorted(found, key=lambda row: (-row[3], row[:3]))


def expected(records):
    """Answers by number; questions 5 and 7 are compared between the stores only."""
    flows = [r for r in records if r["event"]["dataset"] == "lastack.flow" and r["lastack"]["final"]]
    events = [r for r in records if r["event"]["dataset"] == "lastack.event"]
    leaks, collisions, resets = Counter(), Counter(), Counter()
    for event in events:
        client, client_port, server, port = ends(event)
        action, blame = event["event"]["action"], event["lastack"]["blame"] or "none"
        if action == "close_wait_leak":
            leaks[client if blame == "client" else server, port] += 1
        if action in actions(2):
            collisions[ends(event)] += 1
        if action in actions(4):
            resets[event["@timestamp"][:13], blame] += 1
    service = Counter((*ends(f)[2:], f["lastack"]["close"]["initiator"] or "none") for f in flows)
    kinds = defaultdict(Counter)
    for flow in flows:
        kinds[ends(flow)[2:]][flow["lastack"]["close"]["kind"]] += 1
    left = Counter((side, f["lastack"][side]["state"], f["lastack"][side]["basis"])
                   for f in flows for side in ("client", "server"))
    levels = defaultdict(Counter)
    for event in events:
        levels[ends(event)[2:]][event["lastack"]["level"]] += 1
    worst = [[*key, c["error"], c["warning"], sum(c.values())] for key, c in levels.items()]
    return {
        1: sorted([[*key, n] for key, n in leaks.items()], key=lambda r: (-r[2], r[:2])),
        2: sorted([[*key, n] for key, n in collisions.items()], key=lambda r: (-r[4], r[:4])),
        3: ports_held(flows),
        4: sorted([*key, n] for key, n in resets.items()),
        6: sorted([*key, n] for key, n in service.items()),
        8: sorted([*key, sum(c.values()), c["refused"], c["unanswered"]] for key, c in kinds.items()
                  if c["refused"] + c["unanswered"]),
        9: sorted(worst, key=lambda r: (-r[2], -r[3], -r[4], r[:2]))[:20],
        10: sorted([*key, n] for key, n in left.items()),
    }


# --- the stores ---

def tidy(value):
    """One spelling for numbers and moments of all three."""
    if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return int(value)
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d[ T]", value):
        value = value.replace("T", " ").rstrip("Z")
        whole, _, fraction = value.partition(".")
        return whole + "." + fraction.ljust(6, "0")
    return value


def answers(lines):
    """Of each line the rows; SQLite gives objects, the others arrays."""
    rows = [[list(row.values()) if isinstance(row, dict) else row for row in json.loads(line)]
            for line in lines]
    return [[[tidy(value) for value in row] for row in answer] for answer in rows]


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=True, **options).stdout


def sqlite(folder, files, sql):
    database = os.path.join(folder, "lastack.db")
    for path in files:
        with open(os.path.join(CONTRIB, "sqlite", "load.sql")) as load:
            run("sqlite3", "-bail", database, stdin=load, env=dict(os.environ, NDJSON=path))
    with open(sql) as file:
        statements = [s for s in re.sub(r"(?m)^ *--.*$", "", file.read()).split(";\n") if s.strip()]
    return answers(run("sqlite3", "-json", database, s).strip() or "[]" for s in statements)


def duckdb(folder, files, sql):
    words = []
    for path in files:
        words += ["ndjson=" + path, os.path.join(CONTRIB, "duckdb", "load.sql")]
    return answers(run("node", os.path.join(HERE, "duckdb.mjs"), os.path.join(MODULES, "node_modules"),
                       os.path.join(folder, "lastack.duckdb"), *words, sql).splitlines())


def clickhouse(folder, files, sql):
    return answers(run("node", os.path.join(HERE, "clickhouse.cjs"), os.path.join(MODULES, "node_modules"),
                       os.path.join(folder, "clickhouse"), os.path.join(CONTRIB, "clickhouse", "schema.sql"),
                       *["JSONAsString=" + path for path in files], sql).splitlines())


# Columns of the answer that are compared with the records: those that do not tell a moment in words.
COLUMNS = {1: (0, 1, 2), 2: (0, 1, 2, 3, 4), 3: (0, 1, 2, 3, 4), 4: None, 6: None, 8: None, 9: None, 10: None}


def check_answers(tap, name, found, wanted):
    wrong = []
    for question, rows in wanted.items():
        got = found[question - 1]
        if COLUMNS[question]:
            got = [[row[i] for i in COLUMNS[question]] for row in got]
        if question == 4:
            got = [[row[0][:13].replace(" ", "T"), *row[1:]] for row in got]
        if got != [list(row) for row in rows]:
            wrong.append("question %d: %s, but the records say %s" % (question, got[:4], rows[:4]))
    tap.ok(not wrong, "%s answers as the records do" % name, *wrong)
    tap.ok(all(found), "%s has an answer to every question" % name, [len(answer) for answer in found])


def check_counts(tap, name, store, folder, parts, whole, records):
    """Loaded twice, and its parts before: each connection and event is there once."""
    count = os.path.join(folder, "count.sql")
    with open(count, "w") as file:
        file.write("SELECT count(*), sum(final) FROM flows;\nSELECT count(*) FROM events;\n"
                   "SELECT count(*) FROM states;\n")
    flows = {r["lastack"]["flow_uid"] for r in records if r["event"]["dataset"] == "lastack.flow"}
    events = {r["event"]["id"] for r in records if r["event"]["dataset"] == "lastack.event"}
    states = sum(len(r["lastack"][side]["history"]) for r in records
                 if r["event"]["dataset"] == "lastack.flow" and r["lastack"]["final"]
                 for side in ("client", "server"))
    found = store(folder, [parts, whole, whole], count)
    tap.ok([answer[0] for answer in found] == [[len(flows), len(flows)], [len(events)], [states]],
           "%s: what is loaded again is there once" % name, found, len(flows), len(events), states)


def why_not(name):
    if name == "SQLite":
        return None if shutil.which("sqlite3") else "sqlite3 is not installed"
    result = subprocess.run([os.path.join(TOP, ".ci", "install-databases"), MODULES], capture_output=True, text=True,
                            check=False)
    return None if result.returncode == 0 else result.stderr.strip().replace("\n", ": ")


def main():
    tap = Tap()
    folder = tempfile.mkdtemp(prefix="lastack-stores-")
    captures = make_captures(folder)
    whole, records = make_records(folder, "whole.ndjson", captures)
    parts, all_parts = make_records(folder, "parts.ndjson", captures, "--active-timeout", "1")
    wanted = expected(records)
    tap.ok(len(captures) > 60 and all(wanted.values()) and len(all_parts) > len(records),
           "%d captures give records for every question" % len(captures),
           {question: len(rows) for question, rows in wanted.items()})
    told = {}
    for name, store in (("SQLite", sqlite), ("DuckDB", duckdb), ("ClickHouse", clickhouse)):
        reason = why_not(name)
        if reason:
            tap.skip(name, reason)
            continue
        check_counts(tap, name, store, folder, parts, whole, records)
        told[name] = store(folder, [], QUESTIONS)
        check_answers(tap, name, told[name], wanted)
    first = next(iter(told), None)
    for name in told:
        if name != first:
            wrong = [i + 1 for i, (a, b) in enumerate(zip(told[first], told[name])) if a != b]
            tap.ok(not wrong and len(told[name]) == 10, "%s and %s agree on all ten" % (first, name), wrong,
                   *["%s\n%s" % (told[first][i - 1][:3], told[name][i - 1][:3]) for i in wrong])
    shutil.rmtree(folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
