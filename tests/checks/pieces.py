#!/usr/bin/env python3
"""A capture in pieces, one after the other: a chain of runs joined by --state-out and --state-in writes byte for byte
what one run over the whole writes, wherever the cuts are; and a state that is damaged, foreign or
of other settings is refused."""
import glob
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from tap import Tap

BUILD = os.environ.get("TOP_BUILDDIR", ".")
SOURCE = os.environ.get("TOP_SRCDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
SLOW = bool(os.environ.get("LASTACK_SANITIZED"))  # every run costs ten times as much
sys.path.insert(0, os.path.join(SOURCE, "tests", "tools"))
import segread  # noqa: E402
import segwire  # noqa: E402

START = 1_700_000_000
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
SINGLE, SEVERAL = ["--threads", "1"], ["--threads", "3"]
TRACED = SINGLE + ["--segments", "all", "--transitions", "--active-timeout", "5", "--nano"]


def run(arguments, codes=(0,)):
    """Runs the program; fails on any exit status but those expected."""
    done = subprocess.run([LASTACK] + arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False)
    if codes and done.returncode not in codes:
        raise AssertionError("exit %d of %s: %s" % (done.returncode, arguments,
                                                    done.stderr.decode(errors="replace")))
    return done


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, octets):
    with open(path, "wb") as file:
        file.write(octets)
    return path


# --- captures

class Capture:
    """A classic capture: its header and its records."""

    def __init__(self, octets):
        self.header, self.records, at = octets[:24], [], 24
        while at + 16 <= len(octets):
            size = 16 + struct.unpack_from("<I", octets, at + 8)[0]
            self.records.append(octets[at:at + size])
            at += size

    def write(self, path, first=0, last=None):
        return write(path, self.header + b"".join(self.records[first:last]))


def raw_capture(frames):
    """Raw IPv4 packets (seconds, octets) as a capture."""
    header = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101)
    out = [header]
    for t, octets in sorted(frames, key=lambda frame: frame[0]):
        micros = round(t * 1e6)
        out.append(struct.pack("<IIII", START + micros // 10**6, micros % 10**6, len(octets),
                               len(octets)) + octets)
    return Capture(b"".join(out))


def ip4(source, destination, payload, number=1, fragment=0):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), number & 0xffff, fragment, 64,
                       6, 0, bytes(source), bytes(destination)) + payload


def tcp(sport, dport, flags, seq, ack=0, payload=b""):
    return struct.pack(">HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff, 5 << 4,
                       flags, 65000, 0, 0) + payload


CLIENT, SERVER = (10, 1, 0, 1), (10, 2, 0, 2)


def exchange(t, port, client=CLIENT, payload=b"", isn=1000, linger=0.0):
    """A whole connection; `linger` s before the server closes."""
    there = lambda *rest: ip4(client, SERVER, tcp(port, 80, *rest))
    back = lambda *rest: ip4(SERVER, client, tcp(80, port, *rest))
    end, peer = isn + 1 + len(payload), isn + 500001
    return [(t, there(SYN, isn)), (t + .001, back(SYN | ACK, peer - 1, isn + 1)),
            (t + .002, there(ACK, isn + 1, peer)),
            (t + .003, there(PSH | ACK, isn + 1, peer, payload)),
            (t + .004, there(FIN | ACK, end, peer)), (t + .005, back(ACK, peer, end + 1)),
            (t + .006 + linger, back(FIN | ACK, peer, end + 1)),
            (t + .007 + linger, there(ACK, end + 1, peer + 1))]


def flood():
    """SYNs from everywhere among connections that are answered."""
    frames = []
    for i in range(1500):
        source = (10, 9, i // 250, i % 250)
        frames.append((i * .004, ip4(source, SERVER, tcp(1024 + i, 80, SYN, i))))
        if i % 3 == 0:
            frames.append((i * .004 + .001,
                           ip4(SERVER, source, tcp(80, 1024 + i, SYN | ACK, 7 * i, i + 1))))
    for i in range(40):
        frames += exchange(i * .15, 30000 + i)
    return raw_capture(frames)


def crowd():
    """Connections that were there before and go on in turn: more than little memory holds."""
    frames, said = [], [0] * 260
    for i in range(4 * len(said)):
        which = i * 7 % len(said) if i < len(said) else i * i % len(said)
        frames.append((i * .05, ip4(CLIENT, SERVER, tcp(20000 + which, 80, PSH | ACK,
                                                        1 + said[which], 1, b"more"))))
        said[which] += 4
    return raw_capture(frames)


def fragments():
    """A segment in three fragments, between others; one of another packet is missing."""
    frames = exchange(0, 40000, payload=b"x" * 16, linger=20)
    segment = tcp(40001, 80, PSH | ACK, 5, 6, bytes(range(256)) * 10)
    for i, (begin, end) in enumerate(((0, 1000), (1000, 2000), (2000, len(segment)))):
        more = 0x2000 if end < len(segment) else 0
        frames.append((1 + .1 * i, ip4(CLIENT, SERVER, segment[begin:end], 77, more | begin // 8)))
    lost = tcp(40002, 80, PSH | ACK, 5, 6, bytes(800))
    frames.append((.5, ip4(CLIENT, SERVER, tcp(40002, 80, PSH | ACK, 5, 6, b"y"))))
    frames.append((1.05, ip4(CLIENT, SERVER, lost[:400], 78, 0x2000)))
    frames.append((50, ip4(CLIENT, SERVER, tcp(40002, 80, ACK, 805, 6))))
    return raw_capture(frames)


def time_waits():
    """Ports that come again: within TIME_WAIT, after it, and in the middle of a close."""
    frames = []
    for i in range(30):
        port = 50000 + i % 6
        frames += exchange(i * 12.5, port, isn=1000 + i * 100000, linger=(0, 3, 65)[i % 3])
    return raw_capture(frames)


def cases():
    """Every case of tests/cases, by name."""
    folder = os.path.join(SOURCE, "tests", "cases")
    for path in sorted(glob.glob(os.path.join(folder, "**", "*.seg"), recursive=True)):
        name = os.path.relpath(path, folder)
        yield name, Capture(segwire.capture(segread.read_case(path, name), segwire.Variation()))


# --- chains

def results(ndjson, report, text):
    """What a run wrote, without what names its inputs."""
    lines = read(ndjson).splitlines(keepends=True)
    summary, document = json.loads(lines[-1]), json.loads(read(report))
    summary["lastack"].pop("inputs")
    document.pop("inputs")
    return lines[:-1], summary, document, read(text).split(b"\n  time ")[-1]


def whole_of(capture, folder, arguments):
    path = capture.write(os.path.join(folder, "whole.pcap"))
    out = [os.path.join(folder, "whole." + name) for name in ("ndjson", "json", "txt")]
    run(arguments + ["--ndjson=" + out[0], "--json=" + out[1], "--text=" + out[2], path])
    return results(*out)


def chain_of(capture, cuts, folder, arguments):
    """A run for each piece; arguments: of the runs, in turn."""
    edges = [0] + list(cuts) + [len(capture.records)]
    out = [os.path.join(folder, "chain." + name) for name in ("ndjson", "json", "txt")]
    state, written = os.path.join(folder, "state"), b""
    for i, (first, last) in enumerate(zip(edges, edges[1:])):
        piece = capture.write(os.path.join(folder, "piece.pcap"), first, last)
        line = arguments[i % len(arguments)] + ["--ndjson=" + out[0]]
        line += ["--state-in", state] if i > 0 else []
        if i + 2 < len(edges):
            line += ["--state-out", state]
        else:
            line += ["--json=" + out[1], "--text=" + out[2]]
        run(line + [piece])
        written += read(out[0])
    write(out[0], written)
    return results(*out)


def difference(whole, chain):
    """Where two results part; None: nowhere."""
    for i, name in enumerate(("records", "summary", "report", "text")):
        if whole[i] != chain[i]:
            return name
    return None


def compare(name, capture, all_cuts, settings):
    """What a chain gets wrong: a line each."""
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        for arguments in settings:
            whole = whole_of(capture, folder, arguments[0])
            for cuts in all_cuts:
                part = difference(whole, chain_of(capture, cuts, folder, arguments))
                if part:
                    faults.append("%s cut at %s, %s: other %s" % (name, cuts, arguments, part))
    return faults


def draw_cuts(rng, capture, times):
    """So many drawn sets of cuts, and where that is not too long, one at every packet."""
    count = len(capture.records)
    places = range(1, count)
    cuts = [sorted(rng.sample(places, min(len(places), rng.choice((1, 1, 2, 5)))))
            for _ in range(times) if places]
    return cuts + ([list(places)] if 1 < count <= 24 else [])


def each(work, jobs):
    """All that the jobs complain of."""
    with ThreadPoolExecutor(2) as pool:
        return [fault for faults in pool.map(lambda job: work(*job), jobs) for fault in faults]


def check_samples(tap):
    jobs = []
    for path in sorted(glob.glob(os.path.join(SOURCE, "samples", "*.pcap"))):
        capture = Capture(read(path))
        name, places = os.path.basename(path), list(range(1, len(capture.records)))
        cuts = [[i] for i in places[::4 if SLOW else 1]]
        jobs.append((name, capture, cuts + [places], [[SINGLE]]))
        jobs.append((name, capture, cuts[::5] + [places], [[SEVERAL], [TRACED]]))
    tap.ok(len(jobs) >= 3, "there are samples to cut")
    faults = each(compare, jobs)
    tap.ok(not faults, "samples, cut at every packet", "\n".join(faults[:9]))


def check_cases(tap, rng):
    jobs = [(name, capture, draw_cuts(rng, capture, 1), [[rng.choice((SINGLE, SEVERAL, TRACED))]])
            for name, capture in cases()]
    jobs = rng.sample(jobs, 40 if SLOW else 90)
    faults = each(compare, jobs)
    tap.ok(len(jobs) >= 40 and not faults, "%d cases, cut anywhere" % len(jobs),
           "\n".join(faults[:9]))


def check_awkward(tap, rng):
    made = {"a SYN flood": flood(), "fragments of a packet": fragments(),
            "TIME_WAIT": time_waits()}
    for name, capture in made.items():
        cuts = draw_cuts(rng, capture, 2 if SLOW else 6)
        if len(capture.records) < 60:
            cuts += [[i] for i in range(1, len(capture.records))]
        faults = compare(name, capture, cuts, [[SINGLE], [SEVERAL]])
        tap.ok(not faults, "cut inside of " + name, "\n".join(faults[:9]))
    faults = compare("flood", made["a SYN flood"], draw_cuts(rng, made["a SYN flood"], 3),
                     [[SINGLE + ["--max-memory", "1M"]]])
    faults += compare("crowd", crowd(), draw_cuts(rng, crowd(), 3),
                      [[SINGLE + ["--max-memory", "1M"]]])
    tap.ok(not faults, "cut where memory is short", "\n".join(faults[:9]))
    return made


def check_made(tap, made):
    """That the captures hold what they are for."""
    with tempfile.TemporaryDirectory() as folder:
        lines, summary, _, _ = whole_of(made["a SYN flood"], folder, SINGLE)
        tap.ok(any(b'"syn_flood"' in line for line in lines), "the flood is one")
        _, summary, _, _ = whole_of(made["fragments of a packet"], folder, SINGLE)
        skipped = json.dumps(summary)
        tap.ok("fragment" in skipped, "fragments are counted", skipped[:300])
        lines, _, _, _ = whole_of(made["TIME_WAIT"], folder, SINGLE)
        tap.ok(any(b'"C1"' in line or b"tw_reuse" in line or b"collision" in line or
                   b'"incarnation":2' in line for line in lines), "ports come again")


def check_threads(tap, made, rng):
    faults = []
    for name, capture in made.items():
        cuts = draw_cuts(rng, capture, 2)
        for mixed in ([SINGLE, ["--threads", "5"]], [SEVERAL, SINGLE, ["--threads", "2"]]):
            faults += compare(name, capture, cuts, [mixed])
    tap.ok(not faults, "a state is read by a run with another number of threads",
           "\n".join(faults[:9]))


# --- states that are refused

def sum_of(octets):
    """The checksum at the end of a state, FNV-1a of 64 bits."""
    total = 0xcbf29ce484222325
    for octet in octets:
        total = (total ^ octet) * 0x100000001b3 & 0xffffffffffffffff
    return struct.pack("<Q", total)


def small_state(folder):
    """A state of one connection in the middle of its close, and the packets that follow."""
    capture = raw_capture(exchange(0, 40000, linger=1))
    first = capture.write(os.path.join(folder, "first.pcap"), 0, 6)
    rest = capture.write(os.path.join(folder, "rest.pcap"), 6)
    state = os.path.join(folder, "small")
    run(SINGLE + ["--state-out", state, first])
    return read(state), rest


def resume(octets, rest, folder, name):
    """A run that goes on from such a state; what is wrong with how it ended, and how it did."""
    state = write(os.path.join(folder, "state-%s" % name), octets)
    out = os.path.join(folder, "out-%s" % name)
    done = run(SINGLE + ["--state-in", state, "--ndjson=" + out, rest], codes=None)
    os.unlink(state)
    return done, out


def refused(octets, rest, folder, name, code=3):
    """What is wrong with a refusal: exit status, one line that names the state, nothing written."""
    done, out = resume(octets, rest, folder, name)
    lines = done.stderr.decode(errors="replace").splitlines()
    good = done.returncode == code and len(lines) == 1 and "--state-in" in lines[0] and \
        not (os.path.exists(out) and read(out))
    return [] if good else ["%s: exit %d: %s" % (name, done.returncode, lines[:3])]


def check_damaged(tap, rng):
    with tempfile.TemporaryDirectory() as folder:
        octets, rest = small_state(folder)
        done, _ = resume(octets, rest, folder, "good")
        tap.ok(done.returncode == 0, "a state as it was written is read", done.stderr)
        step = 13 if SLOW else 1
        flips = [(octets[:i] + bytes([octets[i] ^ 1 << rng.randrange(8)]) + octets[i + 1:], rest,
                  folder, "flip-%d" % i) for i in range(0, len(octets), step)]
        faults = each(refused, flips)
        tap.ok(not faults, "an octet of it turned: refused (%d)" % len(flips),
               "\n".join(faults[:9]))
        cuts = [(octets[:i], rest, folder, "cut-%d" % i) for i in range(0, len(octets), step)]
        faults = each(refused, cuts)
        tap.ok(not faults, "cut short: refused (%d)" % len(cuts), "\n".join(faults[:9]))
        faults = refused(octets + b"\0", rest, folder, "longer")
        tap.ok(not faults, "with more behind it: refused", *faults)


def check_forged(tap, rng):
    """What lies with a good checksum is refused, or taken for what it says; nothing else."""
    def forged(body, rest, folder, name):
        done, _ = resume(body + sum_of(body), rest, folder, name)
        return [] if done.returncode in (0, 2, 3, 4) else \
            ["%s: exit %d: %s" % (name, done.returncode, done.stderr[-2000:])]

    with tempfile.TemporaryDirectory() as folder:
        octets, rest = small_state(folder)
        jobs = []
        for i in range(14, len(octets) - 8, 17 if SLOW else 7):
            octet = rng.choice((0, 1, 0x7f, 0x80, 0xff, rng.randrange(256)))
            jobs.append((octets[:i] + bytes([octet]) + octets[i + 1:-8], rest, folder,
                         "forged-%d" % i))
        faults = each(forged, jobs)
        tap.ok(not faults, "lies with a good checksum end in order (%d)" % len(jobs),
               "\n".join(faults[:9]))
        faults = refused(octets[:14] + b"\1" + octets[15:-8] +
                         sum_of(octets[:14] + b"\2" + octets[15:-8]), rest, folder, "version")
        tap.ok(not faults, "another version: refused", *faults)
        faults = refused(read(rest), rest, folder, "capture")
        tap.ok(not faults, "a capture in the place of a state: refused", *faults)


def check_rights_of_pipe(tap, folder, capture):
    """What is there and is no ordinary file is somebody else's: a run as root must not give /dev/null other rights."""
    pipe = os.path.join(folder, "pipe")
    os.mkfifo(pipe)
    os.chmod(pipe, 0o620)
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE)
    done = run(["--state-out", pipe, capture], codes=None)
    written = reader.communicate()[0]
    tap.ok(done.returncode == 0 and len(written) > 24 and os.stat(pipe).st_mode & 0o777 == 0o620,
           "a state in a pipe leaves it its rights", done.returncode, len(written), oct(os.stat(pipe).st_mode))
    os.remove(pipe)


def check_settings(tap):
    with tempfile.TemporaryDirectory() as folder:
        octets, rest = small_state(folder)
        state = write(os.path.join(folder, "state"), octets)
        for what, arguments, word in (
                ("another MSL", ["--msl", "10"], "msl"),
                ("another --level", ["--level", "error"], "--level"),
                ("another observer", ["--observer", "x"], "--observer")):
            done = run(arguments + ["--state-in", state, rest], codes=None)
            message = done.stderr.decode()
            tap.ok(done.returncode == 2 and word in message and not done.stdout and "000000" not in message,
                   "a state of %s: refused, with its name" % what, done.returncode, message)
        for what in (["--html=x.html"], ["-w", "x.pcapng"], ["--segments", "problems"],
                     ["--follow"], ["--json=x.json", "--state-out", "y"]):
            done = run(["--state-in", state] + what + [rest], codes=None)
            tap.ok(done.returncode == 2 and b"--state-" in done.stderr,
                   "with %s: refused" % what[0], done.returncode, done.stderr)
        for option in ("--state-in", "--state-out"):
            done = run([option, "-", rest], codes=None)
            tap.ok(done.returncode == 2 and option.encode() in done.stderr and not os.path.exists("-"),
                   "%s -: refused" % option, done.returncode, done.stderr)
        early = raw_capture(exchange(-9, 40002)).write(os.path.join(folder, "early.pcap"), 0)
        for piece, said in ((rest, 0), (early, 1)):
            done = run(["--state-in", state, "--ndjson=/dev/null", piece], codes=None)
            tap.ok(done.returncode == 0 and done.stderr.count(b"older than the last one") == said,
                   "a piece that came before is %s" % ("said", "not")[1 - said], done.returncode, done.stderr)
        done = run(["--state-in", os.path.join(folder, "none"), rest], codes=None)
        tap.ok(done.returncode == 3 and b"none" in done.stderr, "no such state", done.stderr)
        done = run(["--state-out", rest, rest], codes=None)
        tap.ok(done.returncode == 2 and len(read(rest)) > 24, "a state is not written over a capture",
               done.stderr)
        done = run(["--state-out", os.path.join(folder, "no", "state"), rest], codes=None)
        tap.ok(done.returncode == 5 and b"--state-out" in done.stderr, "a state that cannot be made",
               done.returncode, done.stderr)
        if os.path.exists("/dev/full"):
            done = run(["--state-out", "/dev/full", rest], codes=None)
            tap.ok(done.returncode == 5 and b"--state-out" in done.stderr, "a full disk is said",
                   done.returncode, done.stderr)
        check_rights_of_pipe(tap, folder, rest)
        left = sorted(os.listdir(folder))
        tap.ok(left == ["early.pcap", "first.pcap", "rest.pcap", "small", "state"],
               "nothing half written stays behind", left)


def check_inputs(tap):
    """The summary of the last run names the inputs of all, as that of several files does."""
    with tempfile.TemporaryDirectory() as folder:
        capture = raw_capture(exchange(0, 40000) + exchange(2, 40001))
        names = [capture.write(os.path.join(folder, "%d.pcap" % i), i * 4, i * 4 + 4)
                 for i in range(4)]
        state, out = os.path.join(folder, "state"), os.path.join(folder, "out")
        for i, name in enumerate(names):
            run((["--state-in", state] if i else []) +
                (["--state-out", state] if i < 3 else []) + ["--ndjson=" + out, name])
        chained = json.loads(read(out).splitlines()[-1])["lastack"]["inputs"]
        several = os.path.join(folder, "several")
        run(["--ndjson=" + several] + names)
        wanted = json.loads(read(several).splitlines()[-1])["lastack"]["inputs"]
        tap.ok(chained == wanted, "the last run's summary names the inputs of all runs",
               json.dumps(chained)[:600], json.dumps(wanted)[:600])
        cut = write(os.path.join(folder, "cut.pcap"), read(names[0])[:-3])
        done = run(["--state-out", state, "--ndjson=" + out, cut], codes=(4,))
        run(["--state-in", state, "--ndjson=" + out, names[1]])
        first = json.loads(read(out).splitlines()[-1])["lastack"]["inputs"][0]
        tap.ok(b"cut.pcap" in done.stderr and first["damaged"] is True,
               "a piece that is cut short is said, and the chain goes on", first)


# --- the tables of fields

def members_of(text):
    """The members of every struct that a header defines."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for name, body in re.findall(r"^struct (\w+) \{(.*?)^\}", text, flags=re.S | re.M):
        body = re.sub(r"(struct|union) \{|\}\s*;", "", body)
        found = []
        for line in body.split(";"):
            line = re.sub(r"\[[^]]*\]|:\s*\d+", "", " ".join(line.split()))
            pointer = re.fullmatch(r".*\(\*(\w+)\)\(.*\)", line)
            words = [pointer.group(1)] if pointer else \
                [re.findall(r"\w+", part)[-1] for part in line.split(",") if part.strip()]
            found += words
        yield name, found


def check_tables(tap):
    """A member that a table forgets would be lost between two pieces."""
    sources, tables = "", {}
    for path in sorted(glob.glob(os.path.join(SOURCE, "analyzer", "**", "*.[ch]"),
                                 recursive=True)) + \
            [os.path.join(SOURCE, "dissect", "dissect.h")]:
        sources += read(path).decode() + "\n"
    for path in glob.glob(os.path.join(SOURCE, "analyzer", "**", "*_state.def"), recursive=True) + \
            glob.glob(os.path.join(SOURCE, "analyzer", "**", "*_bits.def"), recursive=True):
        for word, owner, rest in re.findall(r"^([A-Z]+)\((\w+), (.*)\)$", read(path).decode(),
                                            flags=re.M):
            parts = [part.strip() for part in rest.split(",")]
            member = parts[0] if word in ("LEFT", "FLAG", "BITS") else parts[1]
            tables.setdefault(owner, []).append(member)
    structs = {}
    for name, members in members_of(sources):
        if name in tables and (name not in structs or len(members) > len(structs[name])):
            structs[name] = members
    wrong = ["struct %s: %s" % (owner, sorted(set(structs.get(owner, [])) ^ set(members)))
             for owner, members in sorted(tables.items())
             if set(structs.get(owner, [])) != set(members) or len(set(members)) != len(members)]
    tap.ok(len(tables) > 40 and not wrong, "every member of %d structs has its row" % len(tables),
           "\n".join(wrong))


def main():
    tap, rng = Tap(), random.Random(793)
    check_tables(tap)
    check_samples(tap)
    check_cases(tap, rng)
    made = check_awkward(tap, rng)
    check_made(tap, made)
    check_threads(tap, made, rng)
    check_damaged(tap, rng)
    check_forged(tap, rng)
    check_settings(tap)
    check_inputs(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
