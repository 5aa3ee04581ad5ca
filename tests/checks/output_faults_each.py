#!/usr/bin/env python3
"""Every output that cannot be written: a full disk, a limit, a folder that is not there, a reader
that goes away, descriptors that are closed from the start.  Exit 5 and a message that names it; of
records whole lines; nothing is left lying beside it.
"""
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

from livelab import LASTACK, enter, until
from output_faults import capture, limited, whole_lines
from tap import Tap

DONE, USAGE, UNREADABLE, DAMAGED, UNWRITTEN = 0, 2, 3, 4, 5
LINES = {"records", "segments", "a piece's records", "merged pieces"}


class Inputs:
    """A capture, what merge reads of it, and a connection that has a ladder."""

    def __init__(self, folder):
        self.folder, self.disk = folder, os.path.join(folder, "disk")
        self.big, self.piece = capture(os.path.join(folder, "big.pcap")), os.path.join(folder, "piece")
        subprocess.run([LASTACK, "--piece", "--ndjson=" + self.piece, self.big], check=True)
        lines = subprocess.run([LASTACK, "--ndjson", "--flows", "problems", self.big], check=True,
                               capture_output=True, text=True).stdout.splitlines()
        flows = [line for line in lines if '"dataset":"lastack.flow"' in line]
        self.flow = json.loads(flows[5])["lastack"]["flow_uid"]
        os.mkdir(self.disk)

    def outputs(self, out):
        """What is written to out: words of the command line."""
        return {
            "records": ["--ndjson=" + out, self.big],
            "segments": ["--ndjson=" + out, "--segments", "all", "--transitions", self.big],
            "a piece's records": ["--piece", "--ndjson=" + out, self.big],
            "merged pieces": ["merge", "--ndjson=" + out, self.piece],
            "a report": ["--json=" + out, "--flows", "all", self.big],
            "a summary": ["--text=" + out, self.big],
            "a page": ["--html=" + out, self.big],
            "packets": ["-w", out, self.big],
            "a drawing": ["--svg", out, "--flow", self.flow, self.big],
            "metrics": ["--metrics-file", out, self.big],
            "a state": ["--state-out", out, self.big],
        }


def run(words, **more):
    more.setdefault("stdout", subprocess.DEVNULL)
    return subprocess.run([LASTACK, *words], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          check=False, timeout=120, **more)


def faults_of(what, done, out, reason):
    """What is wrong with how it ended."""
    said = done.stderr.decode()
    wrong = []
    if done.returncode != UNWRITTEN:
        wrong.append("exit %d" % done.returncode)
    if out not in said or not re.search(reason, said) or len(said.splitlines()) > 1 + (what == "metrics"):
        wrong.append("said " + said)
    if what in LINES and os.path.isfile(out):
        try:
            whole_lines(out)
        except ValueError as error:
            wrong.append(str(error)[:200])
    if what == "a state" and os.path.isfile(out):
        wrong.append("half a state is left")
    return ["%s: %s" % (what, each) for each in wrong]


def empty(folder):
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))


def check_disk(tap, inputs):
    """A disk with room for a part of the least of them."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "none", inputs.disk],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tap.skip("a disk that is full", done.stderr.strip())
        return
    out, wrong = os.path.join(inputs.disk, "out"), []
    for what, words in inputs.outputs(out).items():
        wrong += faults_of(what, run(words), out, "No space left on device")
        if not {"out"} >= set(os.listdir(inputs.disk)):
            wrong.append("%s: %s" % (what, os.listdir(inputs.disk)))
        empty(inputs.disk)
    tap.ok(not wrong, "a disk that is full: %d outputs" % len(inputs.outputs("")), *wrong)
    subprocess.run(["umount", inputs.disk], check=True)


def check_limits(tap, inputs):
    if "tsan" in os.environ.get("LASTACK_SANITIZED", ""):
        tap.skip("files that may not grow", "this sanitizer writes a file of its own")
        return
    out, wrong = os.path.join(inputs.folder, "limited"), []
    for octets in (0, 700, 3000):
        for what, words in inputs.outputs(out).items():
            if os.path.exists(out):
                os.unlink(out)
            wrong += faults_of(what, run(words, preexec_fn=limited(octets)), out, "File too large")
    tap.ok(not wrong, "a file that may not grow", *wrong)


def check_long_line(tap, inputs):
    """A record that is larger than any buffer, cut within it, and before its end of line."""
    if "tsan" in os.environ.get("LASTACK_SANITIZED", ""):
        tap.skip("a long line", "this sanitizer writes a file of its own")
        return
    with open(inputs.piece, "rb") as file:
        lines = file.read().splitlines(True)
    longest = max(range(len(lines)), key=lambda number: len(lines[number]))
    before, length = sum(map(len, lines[:longest])), len(lines[longest])
    out, sizes = os.path.join(inputs.folder, "long"), []
    for room in (1, length // 2, length - 1):
        done = run(["--piece", "--ndjson=" + out, inputs.big], preexec_fn=limited(before + room))
        sizes.append((done.returncode, os.path.getsize(out)))
    tap.ok(length > 300000 and sizes == [(UNWRITTEN, before)] * 3,
           "a line of %d octets is written whole, or not at all" % length, before, sizes)


def check_places(tap, inputs):
    for name, out, reason in (
            ("no folder", os.path.join(inputs.folder, "none", "out"), "No such file or directory"),
            ("a folder in its place", inputs.disk, "Is a directory|no regular file"),
            ("a device that is full", "/dev/full", "No space left on device|no regular file")):
        wrong = []
        for what, words in inputs.outputs(out).items():
            wrong += faults_of(what, run(words), out, reason)
        tap.ok(not wrong, name, *wrong)


def check_standard_output(tap, inputs):
    """Of those that may go there, and of answers to questions."""
    asked = {name: words for name, words in inputs.outputs("-").items()
             if name not in ("metrics", "a state")}
    asked["ladders"] = ["ladder", inputs.big]
    asked.update({word: [word] for word in ("--schema", "--help", "--version", "--list-events",
                                            "--list-config")})
    wrong = []
    for what, words in asked.items():
        with open("/dev/full", "w") as full:
            done = run(words, stdout=full)
        wrong += ["%s: full: %d %s" % (what, done.returncode, done.stderr)] * (
            done.returncode != UNWRITTEN or b"standard output: No space" not in done.stderr)
        done = run(words, stdout=None, preexec_fn=lambda: os.close(1))
        wrong += ["%s: closed: %d %s" % (what, done.returncode, done.stderr)] * (
            done.returncode != UNWRITTEN or b"standard output: Bad file descriptor" not in done.stderr)
        reading, writing = os.pipe()
        os.close(reading)
        done = run(words, stdout=writing)
        os.close(writing)
        wrong += ["%s: no reader: %d %s" % (what, done.returncode, done.stderr)] * (
            done.returncode != DONE or done.stderr != b"")
    tap.ok(not wrong, "standard output full, closed, or without a reader: %d ways" % len(asked), *wrong)


def check_closed(tap, inputs):
    """What is closed at the start gives its number to no file that is written or read."""
    out, cut = os.path.join(inputs.folder, "out"), os.path.join(inputs.folder, "cut.pcap")
    with open(inputs.big, "rb") as file, open(cut, "wb") as part:
        part.write(file.read(3000))
    alone = run(["--ndjson", cut], stdout=subprocess.PIPE)
    shut = lambda *numbers: lambda: [os.close(number) for number in numbers]
    done = run(["--ndjson=" + out, cut], preexec_fn=shut(2))
    with open(out, "rb") as file:
        tap.ok(done.returncode == DAMAGED and b"cut short" in alone.stderr and
               file.read() == alone.stdout, "standard error closed: no message ends in a file",
               done.returncode)
    done = run(["--ndjson=" + out, "--json", cut], stdout=None, preexec_fn=shut(1))
    with open(out, "rb") as file:
        tap.ok(done.returncode == UNWRITTEN and file.read() == alone.stdout,
               "standard output closed: no report ends in another file", done.returncode)
    done = subprocess.run([LASTACK, "--ndjson", "-"], preexec_fn=shut(0), capture_output=True,
                          timeout=60, check=False)
    tap.ok(done.returncode == UNREADABLE and b"Bad file descriptor" in done.stderr,
           "standard input closed: it is not readable", done.returncode, done.stderr)
    done = run(["--ndjson=" + out, cut], stdout=None, preexec_fn=shut(0, 1, 2))
    with open(out, "rb") as file:
        tap.ok(done.returncode == DAMAGED and file.read() == alone.stdout, "and all three",
               done.returncode)


def check_spool(tap, inputs):
    """What comes through a pipe is kept in TMPDIR for -w; what finds no room there is counted."""
    packets, records = os.path.join(inputs.folder, "w.pcapng"), os.path.join(inputs.folder, "w.ndjson")
    words = ["-w", packets, "--ndjson=" + records, "-"]

    def piped(place):
        with open(inputs.big, "rb") as file, subprocess.Popen(["cat"], stdin=file,
                                                              stdout=subprocess.PIPE) as cat:
            return subprocess.run([LASTACK, *words], stdin=cat.stdout, capture_output=True, check=False,
                                  timeout=120, env=dict(os.environ, TMPDIR=place))
    done = piped(os.path.join(inputs.folder, "none"))
    tap.ok(done.returncode == UNWRITTEN and b"TMPDIR" in done.stderr, "no folder to keep packets in",
           done.returncode, done.stderr)
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40k", "none", inputs.disk],
                           capture_output=True, text=True, check=False)
    if mount.returncode != 0:
        tap.skip("a folder that is full", mount.stderr.strip())
        return
    done = piped(inputs.disk)
    kept = run(["--ndjson", packets], stdout=subprocess.PIPE)
    tap.ok(re.search(rb"-w: the last \d+ packets found no room on disk", done.stderr) and
           kept.returncode == DONE and whole_lines(records) > 100 and not os.listdir(inputs.disk),
           "one that is full: what is left out is counted, the rest is whole", done.returncode,
           done.stderr, kept.stderr)
    subprocess.run(["umount", inputs.disk], check=True)


def check_folder_removed(tap, inputs):
    """While it reads: what is put into its place by its name fails, and says so; what is open goes
    on, as for any program."""
    place, wrong = os.path.join(inputs.folder, "gone"), []
    out = os.path.join(place, "out")
    with open(inputs.big, "rb") as file:
        octets = file.read()
    for what, words in inputs.outputs(out).items():
        if what == "merged pieces":  # which reads no stream
            continue
        os.mkdir(place)
        words = [*words[:-1], "-"]
        child = subprocess.Popen([LASTACK, *words], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                                 stdout=subprocess.DEVNULL)
        child.stdin.write(octets[:30000])
        child.stdin.flush()
        if not until(lambda: os.listdir(place), 10):
            wrong.append(what + ": is not begun")
        shutil.rmtree(place)
        child.stdin.write(octets[30000:])
        child.stdin.close()
        said, code = child.stderr.read().decode(), child.wait(60)
        by_name = what in ("metrics", "a state")
        if (code, out in said, said == "") != ((UNWRITTEN, True, False) if by_name else (DONE, False, True)):
            wrong.append("%s: exit %d, %s" % (what, code, said))
    tap.ok(not wrong, "a folder that is removed meanwhile", *wrong)


def main():
    enter()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        inputs = Inputs(folder)
        check_disk(tap, inputs)
        check_limits(tap, inputs)
        check_long_line(tap, inputs)
        check_places(tap, inputs)
        check_standard_output(tap, inputs)
        check_closed(tap, inputs)
        check_spool(tap, inputs)
        check_folder_removed(tap, inputs)
    return tap.end()


sys.exit(main())
