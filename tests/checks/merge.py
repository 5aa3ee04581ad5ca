#!/usr/bin/env python3
"""Pieces of a capture that were analysed apart, merged: connections, their packets, octets, kinds of
close, histories and events, and the census of hosts, are those of one run over the whole, wherever
the cuts are; and what is no result of a piece is refused.  The tasks of contrib/pieces are run as their
job systems run them."""
import base64
import collections
import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

import pieces
from pieces import LASTACK, SINGLE, SLOW, SOURCE, Capture, read, run, write
from tap import Tap

EDGE = "piece_boundary"
PIECE = os.path.join(SOURCE, "contrib", "pieces", "piece.sh")


def records(ndjson, kind):
    return [record for record in map(json.loads, ndjson.splitlines())
            if record["event"]["dataset"] == "lastack." + kind]


def bare(record):
    """A record without the caveat of edges, which a whole has not."""
    record["lastack"]["caveats"] = [c for c in record["lastack"]["caveats"] if c != EDGE]
    return json.dumps(record, sort_keys=True)


def named(record):
    """An event of a connection without what the census of a whole adds to it: numbers, and a higher
    level."""
    return record["event"]["id"], record["event"]["action"]


def told(ndjson, census=True):
    """What is to be equal: every flow and event record, and the summary's counts.  census: the tapes
    hold all, so that even what is counted over many connections is that of a whole."""
    summary = records(ndjson, "summary")[0]["lastack"]
    counts = summary["summary"]
    counts["limits"].pop("tombstones_evicted")  # of a piece alone, perhaps
    if not census:
        counts["events"].pop("by_level")
    capture = {key: summary["capture"][key] for key in ("packets", "bytes", "span", "link_types")}
    capture["span"].pop("duration")  # in ns, of times that records have in microseconds
    hosts = [json.dumps(record, sort_keys=True) for record in records(ndjson, "host")]
    return (collections.Counter(map(bare, records(ndjson, "flow"))), hosts,
            collections.Counter(map(bare if census else named, records(ndjson, "event"))), counts,
            capture)


def merged(capture, cuts, folder, arguments):
    """The pieces apart, then together."""
    edges, results = [0] + list(cuts) + [len(capture.records)], []
    for i, (first, last) in enumerate(zip(edges, edges[1:])):
        piece = capture.write(os.path.join(folder, "piece.pcap"), first, last)
        results.append(os.path.join(folder, "%d.ndjson" % i))
        run(arguments + ["--piece", "--ndjson=" + results[-1], piece])
    return run(["merge"] + results).stdout


def compare(name, capture, all_cuts, arguments, census=True):
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        path = capture.write(os.path.join(folder, "whole.pcap"))
        whole = told(run(arguments + ["--ndjson", path]).stdout, census)
        for cuts in all_cuts:
            parts = told(merged(capture, cuts, folder, arguments), census)
            faults += ["%s cut at %s: other %s" % (name, cuts, what) for what, x, y in
                       zip(("flows", "hosts", "events", "counts", "capture"), whole, parts) if x != y]
    return faults


def check_cases(tap, rng):
    jobs = []
    for name, capture in pieces.cases():
        count = len(capture.records)
        cuts = [[cut] for cut in rng.sample(range(1, count), min(2, count - 1))]
        jobs.append((name, capture, cuts, rng.choice((SINGLE, pieces.SEVERAL))))
    jobs = rng.sample(jobs, 30 if SLOW else 70)
    for name in sorted(os.listdir(os.path.join(SOURCE, "samples"))):
        if name.endswith(".pcap"):
            capture = Capture(read(os.path.join(SOURCE, "samples", name)))
            step = 5 if SLOW else 2
            cuts = [[i] for i in range(1, len(capture.records), step)]
            jobs.append((name, capture, cuts + [list(range(1, len(capture.records)))], SINGLE))
    faults = pieces.each(compare, jobs)
    tap.ok(len(jobs) > 30 and not faults, "%d captures in pieces" % len(jobs),
           "\n".join(faults[:9]))


def long_capture():
    """Half an hour, so that most connections are of one piece only; some last through all."""
    frames = []
    for i in range(400):
        frames += pieces.exchange(i * 4.5, 20000 + i % 90, isn=1000 + i * 7000,
                                  linger=(0, 0, 0, 5, 90)[i % 5])
    for i in range(3):
        frames += pieces.exchange(10 + i, 60000 + i, linger=1500)
    return pieces.raw_capture(frames)


def check_long(tap, rng):
    capture = long_capture()
    count = len(capture.records)
    cuts = [sorted(rng.sample(range(count // 8, count), 2)) for _ in range(1 if SLOW else 4)]
    faults = compare("half an hour", capture, cuts, SINGLE, census=False) + \
        compare("half an hour", capture, cuts[:1], pieces.SEVERAL, census=False)
    tap.ok(not faults, "connections within a piece and across", "\n".join(faults[:9]))
    with tempfile.TemporaryDirectory() as folder:
        path = capture.write(os.path.join(folder, "one.pcap"))
        alone = run(SINGLE + ["--piece", "--ndjson", path]).stdout
        several = run(["--threads", "3", "--piece", "--ndjson", path]).stdout
        flows, tapes = records(alone, "flow"), records(alone, "tape")
        tap.ok(0 < len(tapes) < len(flows) // 2, "what no other piece decides is on no tape",
               len(tapes), len(flows))
        hosts = records(run(["merge", write(os.path.join(folder, "r"), alone)]).stdout, "host")
        tap.ok(len(hosts) == 3 and {host["lastack"]["connections"]["opened"] for host in hosts} ==
               {len(flows)}, "and yet the census has it", [host["lastack"] for host in hosts])
        tap.ok(alone == several, "tapes are the same with any number of threads")
    mixed = sorted(glob.glob(os.path.join(SOURCE, "samples", "*.pcap")))  # and a tunnel
    alone, several = (run(["--threads", count, "--piece", "--ndjson"] + mixed).stdout
                      for count in ("1", "3"))
    tap.ok(alone == several and len(records(alone, "tape")) > 9,
           "and hold nothing of the packets that passed before them")


def check_awkward(tap, rng):
    for name, capture in (("a SYN flood", pieces.flood()), ("TIME_WAIT", pieces.time_waits())):
        cuts = pieces.draw_cuts(rng, capture, 1 if SLOW else 4)
        faults = compare(name, capture, cuts, SINGLE)
        tap.ok(not faults, "cut inside of " + name, "\n".join(faults[:9]))


def check_stamps_go_back(tap):
    """Right behind a cut: what begins there is no earlier connection."""
    capture = next(c for name, c in pieces.cases() if name.endswith("open/synack-of-another-syn.seg"))
    faults = []
    for i in range(1, len(capture.records) - 1):
        mixed = Capture(b"")
        mixed.header, mixed.records = capture.header, list(capture.records)
        mixed.records[i], mixed.records[i + 1] = mixed.records[i + 1], mixed.records[i]
        faults += compare("stamps that go back at %d" % i, mixed, [[i]], SINGLE)
    tap.ok(not faults, "cut where stamps go back", "\n".join(faults[:9]))


def check_clock_set_back(tap):
    """Ports that are used again at stamps before those of their first, ended connection."""
    early, late = (pieces.raw_capture(frames) for frames in (
        pieces.exchange(0, 50000) + pieces.exchange(300, 40000) + pieces.exchange(500, 40001),
        pieces.exchange(200, 40000, isn=7000000) + pieces.exchange(201, 40002)))
    both = Capture(b"")
    both.header, both.records = early.header, early.records + late.records
    faults = compare("set back", both, [[len(early.records) + i] for i in (0, 3, 8, 12)], SINGLE)
    tap.ok(not faults, "cut where the clock was set back", "\n".join(faults))


def check_resets_later(tap):
    """Resets of both ends, long after the connection: mid-stream, and yet no other piece's."""
    there, back = (lambda *rest: pieces.ip4(pieces.CLIENT, pieces.SERVER, pieces.tcp(40000, 80, *rest)),
                   lambda *rest: pieces.ip4(pieces.SERVER, pieces.CLIENT, pieces.tcp(80, 40000, *rest)))
    capture = pieces.raw_capture(
        pieces.exchange(0, 50000) + pieces.exchange(300, 40000) + pieces.exchange(800, 40001) +
        [(365, there(pieces.RST, 900000000)), (365.1, back(pieces.RST, 5))])
    count = len(capture.records)
    faults = compare("resets", capture, [[cut] for cut in range(count - 11, count)], SINGLE)
    tap.ok(not faults, "cut around resets long after the connection", "\n".join(faults))


def check_edges(tap):
    """Who has the caveat: a connection with packets in two pieces, and no other."""
    frames = pieces.exchange(0, 40000) + pieces.exchange(1, 40001, linger=10) + \
        pieces.exchange(6, 40002)
    capture = pieces.raw_capture(frames)
    cut = [i for i, frame in enumerate(sorted(frames, key=lambda f: f[0])) if frame[0] < 5][-1] + 1
    with tempfile.TemporaryDirectory() as folder:
        flows = records(merged(capture, [cut], folder, SINGLE), "flow")
        marked = {flow["source"]["port"] for flow in flows if EDGE in flow["lastack"]["caveats"]}
        tap.ok(len(flows) == 3 and marked == {40001}, "the caveat is on what crosses", marked)
        numbers = sorted(entry["packet"] for flow in flows for side in ("client", "server")
                         for entry in flow["lastack"][side]["history"] if entry["packet"])
        tap.ok(max(numbers) == len(frames), "packets are numbered on", numbers[-3:])


def refused(arguments, word, code=3):
    done = run(["merge"] + arguments, codes=None)
    lines = done.stderr.decode(errors="replace").splitlines()
    good = done.returncode == code and len(lines) == 1 and word in lines[0]
    return [] if good else ["exit %d, %s" % (done.returncode, lines[:2])]


def check_refusals(tap, rng):
    capture = pieces.raw_capture(pieces.exchange(0, 40000))
    with tempfile.TemporaryDirectory() as folder:
        names = [os.path.join(folder, name) for name in ("a", "b")]
        for i, name in enumerate(names):
            piece = capture.write(os.path.join(folder, "p.pcap"), 4 * i, 4 * i + 4)
            run(["--piece", "--ndjson=" + name, piece])
        plain = os.path.join(folder, "plain")
        run(["--ndjson=" + plain, os.path.join(folder, "p.pcap")])
        cut = write(os.path.join(folder, "cut"), b"".join(read(names[0]).splitlines(True)[:-1]))
        junk = write(os.path.join(folder, "junk"), b"\x00\xff{]\n")
        for what, arguments, word, code in (
                ("no result of a piece", [names[0], plain], "--piece", 3),
                ("a whole capture's result", [plain], "--piece", 3),
                ("a result that is cut short", [cut, names[1]], "cut short", 3),
                ("what is no JSON", [junk], "junk", 3),
                ("a file that is not there", [os.path.join(folder, "none")], "none", 3),
                ("nothing", [], "nothing", 2),
                ("a filter", ["--level", "error", names[0]], "--level", 2),
                ("another output", ["--json=x", names[0]], "NDJSON", 2),
                ("to write over an input", ["--ndjson=" + names[0], names[0]], "destroy", 2)):
            faults = refused(arguments, word, code)
            tap.ok(not faults, what + ": refused", *faults)
        tap.ok(len(read(names[0])) > 100, "the input is still there")
        for what, order, noisy in (("in order", names, False), ("in the wrong order", names[::-1], True),
                                   ("twice the same", [names[0]] * 2, True)):
            done = run(["merge"] + order)
            tap.ok((b"order of the capture" in done.stderr) == noisy, "pieces %s" % what,
                   done.stderr.decode(errors="replace"))
        spoil(tap, rng, folder, names)


def spoil(tap, rng, folder, names):
    """Tapes that were turned somewhere: refused, or taken for what they say."""
    lines, faults = read(names[0]).splitlines(True), []
    at = [i for i, line in enumerate(lines) if b'"lastack.tape"' in line][0]
    begin = lines[at].index(b'"tape":"') + 8
    for i in range(begin, len(lines[at]) - 4, 40 if SLOW else 5):
        line = lines[at][:i] + bytes([rng.choice(b"ABQf/9")]) + lines[at][i + 1:]
        spoilt = write(os.path.join(folder, "spoilt"),
                       b"".join(lines[:at] + [line] + lines[at + 1:]))
        done = run(["merge", spoilt, names[1]], codes=None)
        if done.returncode not in (0, 3):
            faults.append("octet %d: exit %d %s" % (i, done.returncode, done.stderr[-500:]))
    tap.ok(not faults, "a tape that lies ends in order", "\n".join(faults[:5]))


def spoil_deltas(tap, rng):
    """What a census was told, turned somewhere: refused, or counted for what it says."""
    capture, faults = pieces.time_waits(), []
    with tempfile.TemporaryDirectory() as folder:
        result = os.path.join(folder, "r")
        run(SINGLE + ["--piece", "--ndjson=" + result, capture.write(os.path.join(folder, "p.pcap"))])
        lines = read(result).splitlines(True)
        at = [i for i, line in enumerate(lines) if b'"lastack.deltas"' in line][0]
        record = json.loads(lines[at])
        octets = base64.b64decode(record["lastack"]["deltas"])
        for number in range(40 if SLOW else 150):
            turned = bytearray(octets)
            for _ in range(rng.choice((1, 1, 3))):
                turned[rng.randrange(len(turned))] = rng.choice((0, 1, 0x7f, 0x80, 0xff, rng.randrange(256)))
            record["lastack"]["deltas"] = base64.b64encode(turned).decode()
            spoilt = write(result + "-spoilt", b"".join(lines[:at]) +
                           json.dumps(record, separators=(",", ":")).encode() + b"\n" +
                           b"".join(lines[at + 1:]))
            done = run(["merge", spoilt], codes=None)
            if done.returncode not in (0, 3):
                faults.append("%d: exit %d %s" % (number, done.returncode, done.stderr[-800:]))
    tap.ok(not faults, "deltas that lie end in order", *faults[:3])


# --- contrib/pieces

def task(folder, number, **told_by):
    environment = dict(os.environ, LASTACK=LASTACK, LASTACK_PIECE=PIECE, **told_by)
    for name in ("SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"):
        if name not in told_by:
            environment.pop(name, None)
    script = PIECE
    if "SLURM_ARRAY_TASK_ID" in told_by:
        script = os.path.join(SOURCE, "contrib", "pieces", "slurm-array.sbatch")
    words = [os.path.join(folder, "pieces"), os.path.join(folder, "results")]
    return subprocess.run(["sh", script] + words + ([str(number)] if not told_by else []),
                          env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False)


def lay_out(folder, capture, count):
    os.mkdir(os.path.join(folder, "pieces"))
    size = len(capture.records) // count + 1
    for i in range(count):
        capture.write(os.path.join(folder, "pieces", "piece_%03d.pcap" % i), i * size,
                      (i + 1) * size)


def join(folder):
    results = os.path.join(folder, "results")
    return told(run(["merge"] + [os.path.join(results, name)
                                 for name in sorted(os.listdir(results))]).stdout)


def check_tasks(tap):
    capture = pieces.time_waits()
    with tempfile.TemporaryDirectory() as folder:
        whole = told(run(SINGLE + ["--ndjson", capture.write(os.path.join(folder, "w"))]).stdout)
        for name, tell in (("a number", None), ("Slurm", "SLURM_ARRAY_TASK_ID"),
                           ("Kubernetes", "JOB_COMPLETION_INDEX")):
            place = os.path.join(folder, name)
            os.mkdir(place)
            lay_out(place, capture, 4)
            done = [task(place, i, **({tell: str(i)} if tell else {})) for i in (2, 0, 3, 1, 1)]
            failed = [run_.stderr.decode() for run_ in done if run_.returncode != 0]
            tap.ok(not failed and join(place) == whole, "piece.sh, told by " + name, *failed)
        late = task(place, 9)
        tap.ok(late.returncode == 2 and b"no file number 9" in late.stderr, "a number too high",
               late.returncode, late.stderr)
        check_parallel(tap, capture, folder, whole)
    text = read(os.path.join(SOURCE, "contrib", "pieces", "kubernetes-job.yaml")).decode()
    check_yaml(tap, text)


def check_parallel(tap, capture, folder, whole):
    version = subprocess.run(["parallel", "--version"], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, check=False).stdout \
        if shutil.which("parallel") else b""
    if not version.startswith(b"GNU parallel"):
        tap.skip("GNU parallel", "it is not installed")
        return
    place = os.path.join(folder, "parallel")
    os.mkdir(place)
    lay_out(place, capture, 5)
    done = subprocess.run(["parallel", "-j2", "sh", PIECE, os.path.join(place, "pieces"),
                           os.path.join(place, "results"), "{}", ":::"] + list("01234"),
                          env=dict(os.environ, LASTACK=LASTACK, HOME=folder),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    tap.ok(done.returncode == 0 and join(place) == whole, "piece.sh, run by GNU parallel",
           done.stderr.decode())


# --- with editcap's own cuts

def missing_tools(*names):
    return [name for name in names if shutil.which(name) is None]


def documented_lines():
    """What doc/pieces.md tells to type for GNU parallel."""
    text = read(os.path.join(SOURCE, "doc", "pieces.md")).decode()
    return re.search(r"\*\*GNU parallel\*\*.*?^```\n(.*?)^```$", text, flags=re.M | re.S).group(1)


def check_documented(tap):
    """Those lines, with smaller pieces, of a capture in pcapng."""
    missing = missing_tools("editcap", "parallel", "bash")
    if missing:
        tap.skip("the example of GNU parallel as doc/pieces.md has it", "without " + ", ".join(missing))
        return
    with tempfile.TemporaryDirectory() as folder:
        whole = long_capture().write(os.path.join(folder, "big.pcap"))
        os.symlink(os.path.abspath(os.path.join(SOURCE, "contrib")), os.path.join(folder, "contrib"))
        lines = "set -e\neditcap -F pcapng big.pcap big.pcapng\n" + \
            documented_lines().replace("-c 5000000", "-c 700")
        path = os.path.dirname(os.path.abspath(LASTACK)) + ":" + os.environ["PATH"]
        done = subprocess.run(["bash", "-c", lines], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=dict(os.environ, PATH=path, HOME=folder, LASTACK=os.path.abspath(LASTACK)),
                              check=False)
        results = os.listdir(os.path.join(folder, "results")) if done.returncode == 0 else []
        wanted = told(run(SINGLE + ["--ndjson", whole]).stdout, census=False)
        tap.ok(len(results) >= 4 and
               told(read(os.path.join(folder, "whole.ndjson")), census=False)[:2] == wanted[:2],
               "the example of GNU parallel as doc/pieces.md has it, %d pieces" % len(results), done.stderr)


def check_editcap(tap):
    """Pieces that editcap cut: by packets, down to one a piece, and by time; as a chain, and merged."""
    if missing_tools("editcap"):
        tap.skip("pieces that editcap cut", "it is not installed")
        return
    faults = []
    sample = os.path.join(SOURCE, "samples", "syn-reset-in-last-ack.pcap")
    for words in (["-c", "1"], ["-c", "2"], ["-c", "5"], ["-c", "13"], ["-i", "1"]):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["editcap", *words, sample, os.path.join(folder, "piece.pcapng")], check=True)
            names = sorted(os.path.join(folder, name) for name in os.listdir(folder))
            whole = run(SINGLE + ["--ndjson", sample]).stdout
            chained, results = b"", []
            for i, name in enumerate(names):
                state = (["--state-in", folder + "/state"] if i else []) + \
                    (["--state-out", folder + "/state"] if i + 1 < len(names) else [])
                chained += run(SINGLE + state + ["--ndjson", name]).stdout
                results.append(name + ".ndjson")
                run(SINGLE + ["--piece", "--ndjson=" + results[-1], name])
            if chained.splitlines()[:-1] != whole.splitlines()[:-1]:
                faults.append("%s: another chain of %d" % (words, len(names)))
            if told(run(["merge"] + results).stdout)[:3] != told(whole)[:3]:
                faults.append("%s: another merge of %d" % (words, len(names)))
    tap.ok(not faults, "pieces that editcap cut, as a chain and merged", *faults)


def check_yaml(tap, text):
    try:
        import yaml
    except ImportError:
        tap.skip("the job of Kubernetes is well formed", "no yaml module")
        return
    job = yaml.safe_load(text)
    spec = job["spec"]
    container = spec["template"]["spec"]["containers"][0]
    tap.ok((job["apiVersion"], job["kind"], spec["completionMode"]) ==
           ("batch/v1", "Job", "Indexed") and container["command"][0].endswith("piece.sh"),
           "the job of Kubernetes is well formed")


def main():
    tap, rng = Tap(), random.Random(9293)
    check_cases(tap, rng)
    check_long(tap, rng)
    check_awkward(tap, rng)
    check_stamps_go_back(tap)
    check_clock_set_back(tap)
    check_resets_later(tap)
    check_edges(tap)
    check_refusals(tap, rng)
    spoil_deltas(tap, rng)
    check_tasks(tap)
    check_documented(tap)
    check_editcap(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
