#!/usr/bin/env python3
"""Every allocation of an analysis fails once, and every tail of them: the end is clear each time.

Clear means: no crash, an exit status of the manual, a message when it is not 0, whole lines only;
and when it is 0, the same records as with all the memory there is.

usage: no_memory.py [--all]    every point of every form; else at most so many of each
"""
import functools
import glob
import gzip
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
BUILD = os.environ.get("TOP_BUILDDIR", ".")
PROGRAM = os.path.join(BUILD, "tests", "tools", "scarce-memory")
sys.path.insert(0, os.path.join(TOP, "tests", "tools"))
import segread
import segwire
import pieces
from pieces import sum_of

POINTS = 60  # of a form and a capture, when not all
CODES = (0, 3, 4, 5)
# IN is the capture, OUT a file that is written, STATE what a run over the piece before left.
FORMS = (
    ("--ndjson",), ("--ndjson", "--segments", "all", "--transitions"),
    ("--ndjson", "--segments", "problems"), ("--json",), ("--text",), ("ladder",),
    ("--html=OUT",), ("--ndjson", "-w", "OUT"), ("--ndjson", "--threads", "3"),
    ("--ndjson", "--tap", "a=IN", "--tap", "b=IN"), ("--ndjson", "--metrics-file=OUT"),
    ("--ndjson", "--state-out", "OUT"), ("--ndjson", "--state-in", "STATE"), ("--ndjson", "--piece"),
)


def captures(folder):
    """Many stories in one file, some in fragments and some in a tunnel; plain and compressed."""
    frames, begin = [], 0
    paths = sorted(glob.glob(os.path.join(TOP, "tests", "cases", "*", "*.seg")))[::6]
    for number, path in enumerate(paths):
        case = segread.read_case(path, path)
        variation = segwire.Variation(fragment=44 if number % 5 == 4 else 0,
                                      link="vxlan" if number % 5 == 3 else "ethernet")
        told = list(segwire.Wire(case, variation).frames())
        frames += [(time + begin, frame) for time, frame, _ in told]
        begin += 150 * 10**9
    data = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1) + b"".join(
        struct.pack("<IIII", time // 10**9, time % 10**9, len(frame), len(frame)) + frame
        for time, frame in frames)
    names = os.path.join(folder, "plain.pcap"), os.path.join(folder, "packed.pcap.gz")
    with open(names[0], "wb") as file:
        file.write(data)
    with open(names[1], "wb") as file:
        file.write(gzip.compress(data))
    return names


def many_services(folder):
    """Each has one connection, which it closes first: whatever one is kept in may be what fails."""
    frames = []
    for port in range(1, 1501):
        there, back = (functools.partial(pieces.tcp, 20000 + port, port),
                       functools.partial(pieces.tcp, port, 20000 + port))
        sent = ((there, pieces.SYN, 1000), (back, pieces.SYN | pieces.ACK, 5000, 1001),
                (there, pieces.ACK, 1001, 5001), (there, pieces.PSH | pieces.ACK, 1001, 5001, b"x"),
                (back, pieces.FIN | pieces.ACK, 5001, 1002), (there, pieces.ACK, 1002, 5002),
                (there, pieces.FIN | pieces.ACK, 1002, 5002), (back, pieces.ACK, 5002, 1003))
        for number, (way, *rest) in enumerate(sent):
            ends = (pieces.CLIENT, pieces.SERVER) if way is there else (pieces.SERVER, pieces.CLIENT)
            frames.append((port * 1e-4 + number * 1e-5, pieces.ip4(*ends, way(*rest))))
    return pieces.raw_capture(frames).write(os.path.join(folder, "services.pcap"))


def is_whole_state(path):
    """Its checksum fits: it ends where its writer meant it to."""
    with open(path, "rb") as file:
        octets = file.read()
    return octets[-8:] == sum_of(octets[:-8])


def run(form, capture, folder, **scarce):
    out = os.path.join(folder, "out-%s" % "-".join(map(str, scarce.values())))
    places = {"IN": capture, "OUT": out, "STATE": os.path.join(folder, "state")}
    arguments = [re.sub("IN$|OUT$|STATE$", lambda word: places[word.group()], word)
                 for word in form]
    if "--threads" not in form:  # several count their allocations in another order each time
        arguments += ["--threads", "1"]
    environment = {**os.environ, **{name.upper(): str(value) for name, value in scarce.items()}}
    arguments += [] if "--tap" in form else ["--", capture]
    done = subprocess.run([PROGRAM] + arguments, capture_output=True, check=False,
                          env=environment, timeout=60)
    if os.path.exists(out) and "--state-out" in form and not is_whole_state(out):
        done.stderr += b"left half a state\n"
        done.returncode = 99
    if os.path.exists(out):
        os.unlink(out)
    return done


def what_is_wrong(form, done, whole):
    """Why this end is not clear; None when it is."""
    said = done.stderr.decode(errors="replace")
    if done.returncode not in CODES:
        return "exit %d: %s" % (done.returncode, said[-300:])
    if done.returncode != 0 and "lastack: " not in said:
        return "exit %d without a message" % done.returncode
    if form[0] == "--ndjson":
        if done.stdout and not done.stdout.endswith(b"\n"):
            return "half a line: %r" % done.stdout[-80:]
        for line in done.stdout.splitlines():
            json.loads(line)
    if done.returncode == 0 and done.stdout != whole:
        return "exit 0, but other output than with all memory"
    return None


def try_point(form, capture, folder, whole, point):
    """(how it ended, what is wrong with it)"""
    number, together = point
    done = run(form, capture, folder, scarce_fail=number, scarce_all=together)
    try:
        fault = what_is_wrong(form, done, whole)
    except ValueError as error:
        fault = str(error)
    where = "%s %d: " % ("from" if together else "allocation", number)
    return done.returncode, where + fault if fault else None


def try_form(tap, form, capture, folder, every):
    whole = run(form, capture, folder, scarce_count=1)
    count = int(re.search(r"(\d+) allocations", whole.stderr.decode()).group(1))
    step = 1 if every else max(1, count // POINTS)
    begin = 1 + (FORMS.index(form) if form in FORMS else 0) % step  # other points for other forms
    points = [(number, together) for number in range(begin, count + 1, step) for together in (0, 1)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(functools.partial(try_point, form, capture, folder, whole.stdout),
                             points))
    faults = [fault for _, fault in done if fault]
    ends = {code: sum(1 for other, _ in done if other == code) for code, _ in done}
    tap.ok(whole.returncode == 0 and not faults and count > 20,
           "%s of %s: %d allocations fail" % (" ".join(form), os.path.basename(capture), count),
           whole.returncode, *faults[:12], "%d faults, ends: %s" % (len(faults), ends))
    print("# ends:", " ".join("%d times %d" % (times, code) for code, times in sorted(ends.items())))


def main():
    tap = Tap()
    if os.environ.get("LASTACK_SANITIZED", "").strip():
        tap.skip("allocations that fail", "a sanitizer brings an allocator of its own")
        return tap.end()
    with tempfile.TemporaryDirectory() as folder:
        plain, packed = captures(folder)
        run(("--state-out", "STATE"), plain, folder)
        for form in FORMS:
            try_form(tap, form, plain, folder, "--all" in sys.argv)
        try_form(tap, FORMS[0], packed, folder, "--all" in sys.argv)
        # with threads what fails in one engine does not keep the census from being told of others
        try_form(tap, ("--json", "--threads", "2"), many_services(folder), folder,
                 "--all" in sys.argv)
    return tap.end()


sys.exit(main())
