#!/usr/bin/env python3
"""fuzz: runs the fuzz targets with libFuzzer, one after the other, and says what came of each.

usage: fuzz.py [--build FOLDER] [--work FOLDER] [--seconds N] [--only TARGET[,TARGET]]

FOLDER of --build is made, configured for clang with libFuzzer, AddressSanitizer and
UndefinedBehaviorSanitizer, and brought up to date.  --work keeps the corpus from run to run, and
in findings/ what broke a claim.  The seconds are the processor's, so that a host that has other
things to do fuzzes longer, not less; they are shared out by what a target has to explore.
Exit: 0; 1 there are findings; 77 no clang, or no libFuzzer.
"""
import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
# What share of the time: the structured target has most to say, the readers of one form least.
SHARES = {"capture": 4, "conversations": 8, "crowd": 3, "dissect": 3, "filter": 1, "fragments": 2, "frames": 5,
          "order": 1, "pieces": 3, "settings": 1, "states": 3, "taps": 4, "tcp-options": 1,
          "unpack": 2, "usual": 6}
LONGEST = 4096
# More lives, or deeds of many, than that are not written.
FLAGS = {"usual": ["-max_len=240", "-len_control=0"], "crowd": ["-max_len=65"]}
SLOWEST = 20  # times as long by the clock as by the processor, and no more
SLOW = 5      # s of the processor that one input may take
SANITIZERS = {"ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1:allocator_may_return_null=1",
              "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}


def build(folder):
    """The folder with all targets up to date; ends the program where that cannot be."""
    if not shutil.which("clang"):
        print("skipped: fuzzing takes clang")
        sys.exit(77)
    os.makedirs(folder, exist_ok=True)
    log = os.path.join(folder, "fuzz-build.log")
    with open(log, "wb") as file:
        if not os.path.exists(os.path.join(folder, "Makefile")):
            compiler = "ccache clang" if shutil.which("ccache") else "clang"
            done = subprocess.run([os.path.join(TOP, "configure"), "-q", "--enable-fuzz",
                                   "--enable-asan", "--enable-ubsan", "CC=" + compiler,
                                   "CFLAGS=-O1 -g"], cwd=folder, stdout=file,
                                  stderr=subprocess.STDOUT, check=False)
            if done.returncode != 0:
                print("skipped: cannot configure for libFuzzer, see", log)
                sys.exit(77)
        done = subprocess.run(["make", "-s", "-j%d" % os.cpu_count(), "fuzz-targets"], cwd=folder,
                              stdout=file, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        sys.exit("the targets do not build, see " + log)


def processor_seconds():
    """What the children that ended have taken, all together."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def drop_stalls(command, findings):
    """Forgets inputs that were slow by the clock alone: the host had other things to do."""
    for name in os.listdir(findings):
        if not name.startswith(("slow-unit-", "timeout-")):
            continue
        path, begin = os.path.join(findings, name), processor_seconds()
        done = subprocess.run([command[0], "-timeout=600", path], capture_output=True, check=False,
                              env={**os.environ, **SANITIZERS})
        if done.returncode == 0 and processor_seconds() - begin < SLOW:
            os.unlink(path)


def run(options, target, seconds):
    """(processor seconds, executions, edges covered, inputs kept, findings) of one target."""
    corpus = os.path.join(options.work, "corpus", target)
    findings = os.path.join(options.work, "findings", target)
    folders = [corpus, os.path.join(options.work, "seeds", target)]
    for folder in folders + [findings]:
        os.makedirs(folder, exist_ok=True)
    if os.path.isdir(os.path.join(HERE, "corpus", target)):
        folders.append(os.path.join(HERE, "corpus", target))
    command = [os.path.join(options.build, "tests", "fuzz", target + "-target"),
               "-max_len=%d" % LONGEST, "-timeout=25", "-rss_limit_mb=2048",
               "-report_slow_units=%d" % SLOW,
               "-print_final_stats=1", "-artifact_prefix=" + findings + os.sep]
    words = os.path.join(HERE, target + ".dict")
    command += FLAGS.get(target, [])
    command += ["-dict=" + words] if os.path.exists(words) else []
    log = os.path.join(options.work, target + ".log")
    begin, executions, edges = processor_seconds(), 0, 0
    first, slower = time.monotonic(), 1
    last = first + SLOWEST * seconds
    while processor_seconds() - begin < seconds - .5 and time.monotonic() < last:
        left = max(1, int(slower * (seconds - (processor_seconds() - begin))))
        with open(log, "wb") as file:
            done = subprocess.run(command + ["-max_total_time=%d" % left] + folders, stdout=file,
                                  stderr=subprocess.STDOUT, check=False,
                                  env={**os.environ, **SANITIZERS})
        with open(log, encoding="utf-8", errors="replace") as file:
            text = file.read()
        executions += sum(int(n) for n in re.findall(r"number_of_executed_units: (\d+)", text))
        edges = max([edges] + [int(n) for n in re.findall(r" cov: (\d+)", text)])
        # Beginning anew means to read the corpus anew, so the rest should be done in one go.
        slower = max(1, (time.monotonic() - first) / max(1, processor_seconds() - begin))
        if done.returncode == 0:
            continue
        shutil.copy(log, os.path.join(findings, "log-%d" % len(os.listdir(findings))))
    drop_stalls(command, findings)
    found = [name for name in os.listdir(findings) if not name.startswith("log-")]
    return processor_seconds() - begin, executions, edges, len(os.listdir(corpus)), found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="fuzz-build", metavar="FOLDER")
    parser.add_argument("--work", default="fuzz-work", metavar="FOLDER")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--only", default=",".join(SHARES))
    options = parser.parse_args()
    options.build, options.work = os.path.abspath(options.build), os.path.abspath(options.work)
    targets = options.only.split(",")
    build(options.build)
    subprocess.run([sys.executable, os.path.join(HERE, "seeds.py"),
                    os.path.join(options.work, "seeds")], check=True)
    whole, broken = sum(SHARES[t] for t in targets), 0
    print("%-14s %9s %12s %7s %7s %s" % ("target", "seconds", "executions", "edges", "corpus",
                                         "findings"))
    for target in targets:
        seconds = max(1, options.seconds * SHARES[target] // whole)
        used, executions, edges, kept, found = run(options, target, seconds)
        broken += len(found)
        print("%-14s %9d %12d %7d %7d %s" % (target, used, executions, edges, kept,
                                             " ".join(found) or "none"), flush=True)
    where = os.path.join(options.work, "findings")
    print("findings are in " + where if broken else "no findings")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
