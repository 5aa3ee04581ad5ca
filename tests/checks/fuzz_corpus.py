#!/usr/bin/env python3
"""Every fuzz target over its seeds and over the corpus in the tree: no claim is broken."""
import os
import subprocess
import sys
import tempfile

from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
BUILD = os.environ.get("TOP_BUILDDIR", ".")
sys.path.insert(0, os.path.join(TOP, "tests", "fuzz"))
import seeds

CORPUS = os.path.join(TOP, "tests", "fuzz", "corpus")


def count_files(*folders):
    return sum(len(os.listdir(folder)) for folder in folders if os.path.isdir(folder))


def replay(tap, target, made):
    folders = [folder for folder in (os.path.join(made, target), os.path.join(CORPUS, target))
               if count_files(folder)]
    if not folders:
        tap.skip("%s: inputs" % target, "scapy makes them, and is not there")
        return
    program = os.path.join(BUILD, "tests", "fuzz", target + "-target")
    libfuzzer = ["-runs=0"] if "fuzz" in os.environ.get("LASTACK_SANITIZED", "").split() else []
    run = subprocess.run([program] + libfuzzer + folders, capture_output=True, check=False,
                         timeout=600)
    said = run.stderr.decode(errors="replace").splitlines()
    told = libfuzzer or "%d inputs" % count_files(*folders) in run.stdout.decode()
    tap.ok(run.returncode == 0 and told, "%s: %d inputs" % (target, count_files(*folders)),
           run.returncode, run.stdout.decode()[-200:], "\n".join(line[:300] for line in said[-12:]))


def check_teeth(tap, folder):
    """A claim that is broken ends the program: a script that lies about a file does."""
    program = os.path.join(BUILD, "tests", "fuzz", "settings-target")
    run = subprocess.run([program, os.path.join(folder, "no-such-file")], capture_output=True,
                         check=False)
    tap.ok(run.returncode != 0, "an input that is missing is not passed over", run.stderr)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as made:
        seeds.write_all(made)
        for target in sorted(seeds.SEEDS):
            replay(tap, target, made)
        check_teeth(tap, made)
    wanted = {name[:-5].replace("_", "-") for name in os.listdir(os.path.join(TOP, "tests", "fuzz"))
              if name.endswith(".dict")} | set(os.listdir(CORPUS) if os.path.isdir(CORPUS) else [])
    tap.ok(wanted <= set(seeds.SEEDS), "no dictionary and no corpus without its target",
           wanted - set(seeds.SEEDS))
    return tap.end()


sys.exit(main())
