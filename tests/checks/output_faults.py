#!/usr/bin/env python3
"""Outputs that fail: a disk that fills up anywhere, a file that may not grow, a reader that goes away
or is slow, a file that is removed.  The exit status and the message are the manual's, files end
with a whole line, and what else was asked for is complete.
"""
import glob
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time

from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
sys.path.insert(0, os.path.join(TOP, "tests", "tools"))
import segread
import segwire

DONE, UNWRITTEN = 0, 5
FORMS = ("ndjson", "json", "text", "html")


def capture(path):
    """All cases one after the other: some megabytes of records."""
    out, begin = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)], 0
    for case in sorted(glob.glob(os.path.join(TOP, "tests", "cases", "*", "*.seg"))):
        wire = segwire.Wire(segread.read_case(case, case), segwire.Variation())
        for when, frame, _ in wire.frames():
            when += begin
            out.append(struct.pack("<IIII", when // 10**9, when % 10**9, len(frame), len(frame))
                       + frame)
        begin += 150 * 10**9
    with open(path, "wb") as file:
        file.write(b"".join(out))
    return path


def run(*arguments, **more):
    return subprocess.run([LASTACK] + list(arguments), stderr=subprocess.PIPE, check=False,
                          timeout=120, **more)


def limited(octets):
    """What a child does first: its files may not grow beyond so many octets."""
    def begin():
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it
        resource.setrlimit(resource.RLIMIT_FSIZE, (octets, octets))
    return begin


def whole_lines(path):
    """How many records the file holds; ValueError where one is not whole."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if text and not text.endswith("\n"):
        raise ValueError("half a line: " + text[-80:])
    return sum(1 for line in text.splitlines() if json.loads(line))


def check_limits(tap, folder, big):
    if "tsan" in os.environ.get("LASTACK_SANITIZED", ""):
        tap.skip("files that may not grow", "this sanitizer writes a file of its own")
        return
    out, faults, kept = os.path.join(folder, "out"), [], []
    for octets in (0, 1, 4095, 4096, 100001, 262144, 262145, 300000, 1000000):
        done = run("--ndjson=" + out, big, preexec_fn=limited(octets))
        try:
            kept.append(whole_lines(out))
        except ValueError as error:
            faults.append("%d: %s" % (octets, error))
        said = done.stderr.decode()
        if done.returncode != UNWRITTEN or "File too large" not in said or out not in said:
            faults.append("%d: exit %d, %s" % (octets, done.returncode, said[-300:]))
    tap.ok(not faults and kept == sorted(kept) and kept[-1] > 100,
           "a file that may not grow holds whole lines, and the exit status says so", kept, *faults)
    with open(out, "w") as file:
        file.write("of another\n")
        file.flush()
        done = run("--ndjson", big, stdout=file, preexec_fn=limited(50000))
    with open(out) as file:
        lines = file.read()
    tap.ok(done.returncode == UNWRITTEN and lines.startswith("of another\n{") and
           lines.endswith("}\n"), "standard output that is a file, too", done.stderr)
    for form in FORMS[1:]:
        done = run("--%s=%s" % (form, out), big, preexec_fn=limited(500))
        tap.ok(done.returncode == UNWRITTEN and out.encode() in done.stderr and
               b"not complete" in done.stderr, "--%s that may not grow" % form, done.stderr)


def check_beside(tap, folder, big):
    beside = os.path.join(folder, "beside")
    alone = run("--ndjson", big, stdout=subprocess.PIPE).stdout
    done = run("--json=/dev/full", "--ndjson=" + beside, big)
    with open(beside, "rb") as file:
        tap.ok(done.returncode == UNWRITTEN and file.read() == alone,
               "what else was asked for is complete", done.stderr)
    return alone


def check_disk(tap, folder, big):
    """On a disk of its own, where namespaces are allowed."""
    disk = os.path.join(folder, "disk")
    os.mkdir(disk)
    script = 'mount -t tmpfs -o size=200k none "$1" && "$2" --ndjson="$1/out" "$3"; echo $?; ' \
        'tail -c 3 "$1/out" | od -An -c; rm "$1/out"; df "$1" | tail -n 1'
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script, "sh", disk, LASTACK, big],
                          capture_output=True, text=True, check=False)
    if "mount" in done.stderr or "unshare" in done.stderr:
        return tap.skip("a disk that fills up", "no namespace of mounts can be made here")
    lines = done.stdout.splitlines()
    return tap.ok(lines[0] == str(UNWRITTEN) and lines[1].split() == ["}", "}", "\\n"] and
                  "No space left on device" in done.stderr, "a disk that fills up: whole lines",
                  done.stdout, done.stderr)


def check_readers(tap, big, alone):
    child = subprocess.Popen([LASTACK, "--ndjson", big], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
    child.stdout.read(10)
    child.stdout.close()
    said = child.stderr.read()
    tap.ok(child.wait(60) == DONE and said == b"", "a reader that goes away ends it quietly",
           child.returncode, said)
    with subprocess.Popen([LASTACK, "--ndjson", big], stdout=subprocess.PIPE) as child:
        begun, parts = time.monotonic(), []
        while True:
            part = os.read(child.stdout.fileno(), 4096 if len(parts) < 50 else 65536)
            if not part:
                break
            parts.append(part)
            if len(parts) < 50:
                time.sleep(.02)
        tap.ok(b"".join(parts) == alone and time.monotonic() - begun > .9 and
               child.wait(60) == DONE, "a slow reader gets everything")


def check_removed(tap, folder, big):
    """The name goes while it is written: the program is not disturbed."""
    fifo, out = os.path.join(folder, "fifo"), os.path.join(folder, "removed")
    os.mkfifo(fifo)
    child = subprocess.Popen([LASTACK, "--ndjson=" + out, "-r", fifo], stderr=subprocess.PIPE)
    with open(big, "rb") as file, open(fifo, "wb") as pipe:
        pipe.write(file.read(4096))
        pipe.flush()
        end = time.monotonic() + 20
        while not os.path.exists(out) and time.monotonic() < end:
            time.sleep(.01)
        os.unlink(out)
        pipe.write(file.read())
    said = child.stderr.read()
    tap.ok(child.wait(60) == DONE and said == b"" and not os.path.exists(out),
           "a file that is removed meanwhile is none that failed", said)


def check_brokers(tap, big):
    """Nobody listens at that port: records are not delivered, and it is said what is the matter."""
    if not os.path.exists(os.path.join(os.path.dirname(LASTACK), "lastack-kafka")):
        tap.skip("no broker", "built without librdkafka")
        return
    if "tsan" in os.environ.get("LASTACK_SANITIZED", ""):
        tap.skip("no broker", "this sanitizer does not know thrd_create(), by which librdkafka begins "
                              "its threads")
        return
    done = run("-q", "--kafka", "127.0.0.1:1", "--topic", "lastack", "--set", "kafka_wait=1s", big)
    tap.ok(done.returncode == UNWRITTEN and b"no broker took all of the records" in done.stderr and
           b"buffer space" not in done.stderr, "no broker: said as what it is", done.returncode,
           done.stderr)


def check_long_record(tap):
    """What sends records has no memory for one: it is counted, and so are those behind it."""
    sender = os.path.join(os.path.dirname(LASTACK), "lastack-kafka")
    if not os.path.exists(sender) or os.environ.get("LASTACK_SANITIZED"):
        tap.skip("a record that is too long", "built without librdkafka, or with a sanitizer, which "
                                              "takes memory of its own")
        return
    room = 160 << 20
    child = subprocess.Popen([sender, "127.0.0.1:1", "lastack", "1000000", "500", "live"],
                             stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (room, room)))
    with child.stdin as lines:
        for _ in range(1500):
            lines.write(b"x" * 100000)
        lines.write(b"\n{}\n{}\n{}\n")
    said = child.stderr.read()
    tap.ok(child.wait(60) == 1 and b"0 records delivered, 4 left out" in said,
           "a record that is too long is counted, and what comes behind it", said)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        big = capture(os.path.join(folder, "big.pcap"))
        check_limits(tap, folder, big)
        alone = check_beside(tap, folder, big)
        check_disk(tap, folder, big)
        check_readers(tap, big, alone)
        check_removed(tap, folder, big)
        check_brokers(tap, big)
        check_long_record(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
