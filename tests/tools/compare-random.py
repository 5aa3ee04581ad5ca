#!/usr/bin/env python3
"""compare-random: random captures of the structured mutator through dissect and through tshark.

usage: compare-random.py [--build FOLDER] [--packets N] [--each N] [--seed N] [--keep FOLDER]

Captures are drawn by tests/tools/conversations and compared frame by frame and field by field by
compare-dissect.py: addresses, ports, sequence and acknowledgment numbers, flags, window, length,
options, checksums.  A capture that shows a difference is kept.  Exit: 0; 1 something differs; 77 no
tshark.
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=".", metavar="FOLDER")
    parser.add_argument("--packets", type=int, default=1000000)
    parser.add_argument("--each", type=int, default=100000, help="packets of a capture")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", default=".", metavar="FOLDER")
    options = parser.parse_args()
    if not shutil.which("tshark"):
        print("skipped: no tshark")
        return 77
    tools = os.path.join(options.build, "tests", "tools")
    seed = random.getrandbits(31) if options.seed is None else options.seed
    begin, compared, differ = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        while compared < options.packets:
            path = os.path.join(folder, "drawn-%d.pcap" % seed)
            with open(path, "wb") as file:
                how = "--lives" if seed % 2 else "--draw"  # usual ones have the usual headers
                subprocess.run([os.path.join(tools, "conversations"), how, str(seed),
                                str(options.each)], stdout=file, check=True)
            run = subprocess.run([sys.executable, os.path.join(HERE, "compare-dissect.py"), "--dump",
                                  os.path.join(tools, "dissect-dump"), path], capture_output=True,
                                 text=True, check=False)
            print("seed %d: %s" % (seed, " ".join(run.stdout.split())[:400]), flush=True)
            if run.returncode != 0:
                differ += 1
                shutil.copy(path, options.keep)
                print(run.stderr[-500:])
            compared += options.each
            seed += 1
            os.unlink(path)
    print("%d packets or more, %d captures differ, %d s" % (compared, differ,
                                                            time.monotonic() - begin))
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
