#!/usr/bin/env python3
"""valgrind's memcheck over the samples, in every output and way of reading: nothing is read that was
not written, nothing beyond its end, nothing after it was freed, and nothing is lost."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
FAULT = 99
VALGRIND = ["valgrind", "--quiet", "--error-exitcode=%d" % FAULT, "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect"]


def readable(folder):
    """The program, as valgrind can read it: where it gives up over the forms of another compiler's
    debugging information, a copy without that."""
    trial = subprocess.run(["valgrind", "--quiet", LASTACK, "--version"], capture_output=True,
                           timeout=100, check=False)
    if b"debuginfo reader" not in trial.stderr:
        return LASTACK
    copy = os.path.join(folder, "lastack")
    subprocess.run(["objcopy", "--strip-debug", LASTACK, copy], check=True)
    return copy


def check(tap, program, name, words, codes=(0, 4)):
    done = subprocess.run(VALGRIND + [program] + words, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=300, check=False)
    said = [line for line in done.stderr.decode(errors="replace").splitlines() if "==" in line]
    return tap.ok(done.returncode in codes and not said, name, done.returncode, "\n".join(said[:40]))


def main():
    tap = Tap()
    if os.environ.get("LASTACK_SANITIZED", "").strip():
        tap.skip("memcheck", "a sanitizer looks at memory itself")
        return tap.end()
    if not shutil.which("valgrind"):
        tap.skip("memcheck", "no valgrind")
        return tap.end()
    samples = sorted(glob.glob(os.path.join(TOP, "samples", "*.pcap*")))
    with tempfile.TemporaryDirectory() as folder:
        out = lambda name: os.path.join(folder, name)
        state, empty = out("state"), out("never")
        program = readable(folder)
        words = ["--threads", "1", "--ndjson=" + out("a"), "--json=" + out("b"), "--text=" + out("c"),
                 "--html=" + out("d"), "--metrics-file", out("e"), "-w", out("f"), "--transitions",
                 "--segments", "all", "--nano"]
        check(tap, program, "every output of %d samples" % len(samples), words + samples)
        check(tap, program, "on three threads", ["--threads", "3", "--ndjson=" + out("a")] + samples)
        check(tap, program, "a ladder", ["ladder"] + samples[:1])
        check(tap, program, "two taps", ["--ndjson=" + out("a"), "--tap", "a=" + samples[0],
                                         "--tap", "b=" + samples[0]])
        half = len(samples) // 2
        check(tap, program, "a state is written",
              ["--threads", "1", "--state-out", state] + samples[:half])
        check(tap, program, "and read",
              ["--threads", "1", "--state-in", state, "--json=" + out("b")] + samples[half:])
        with open(samples[0], "rb") as file, open(out("cut"), "wb") as cut:
            cut.write(file.read()[:-5])
        check(tap, program, "a file that is cut short", ["--json=" + out("b"), out("cut")])
        check(tap, program, "a file that is not there", ["--json=" + out("b"), empty], codes=(3,))
    return tap.end()


sys.exit(main())
