#!/usr/bin/env python3
"""run-cases: every case script through the real program, in every variation; TAP on stdout.

usage: run-cases.py [--accept] [--no-golden] [--stop] [--only NAME] [--variations A,B|none]
                    [CASE.seg...]

LASTACK names the program (default ./lastack).  Each case is compiled, analysed, and asked what the
script claims; its normalised answer is compared with the .json beside it, and the answers of all
variations with the first.  --accept shows each new or changed golden file and writes it.
"""
import argparse
import concurrent.futures
import copy
import difflib
import os
import subprocess
import sys
import tempfile
import zlib

import segcase
import segcheck
import segread
import segwire
from segtunnel import TUNNELS

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "cases")
PROGRAM = os.environ.get("LASTACK", "./lastack")
TIMEOUT = 60


class UsageError(Exception):
    """The program does not know an option, or the value given to it."""


def main():
    options = read_arguments()
    if not os.access(PROGRAM, os.X_OK):
        print(f"Bail out! no program at {PROGRAM}; set LASTACK")
        return 2
    paths = options.cases or sorted(find_cases(CASES))
    paths = [p for p in paths if options.only in p]
    jobs = [(path, options) for path in paths]
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(run_case, jobs, chunksize=1)
        exit_code = report(results, options.stop)
        pool.shutdown(cancel_futures=True)
        return exit_code


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE.seg")
    parser.add_argument("--accept", action="store_true", help="show and write golden files")
    parser.add_argument("--no-golden", action="store_true", help="only what the scripts claim")
    parser.add_argument("--stop", action="store_true", help="end at the first failure")
    parser.add_argument("--only", default="", metavar="NAME", help="cases with NAME in their path")
    parser.add_argument("--variations", default="some",
                        help="names, 'all', 'none', or 'some': of tunnels and rare links a quarter")
    options = parser.parse_args()
    names = {v.name for v in segwire.VARIATIONS}
    chosen = {"all": names, "some": names, "none": set()}.get(options.variations)
    options.names = set(options.variations.split(",")) if chosen is None else chosen
    if options.names - names:
        parser.error(f"unknown variations {sorted(options.names - names)}")
    return options


def find_cases(folder):
    for place, _, files in os.walk(folder):
        for name in files:
            if name.endswith(".seg"):
                yield os.path.normpath(os.path.join(place, name))


def case_name(path):
    parts = os.path.abspath(path).split(os.sep)
    return "/".join(parts[-2:])[:-len(".seg")]


def report(results, stop):
    """Prints TAP as results come, in order; returns the exit code."""
    count = failures = 0
    for lines in results:
        if stop and failures:
            break
        for verdict, name, notes in lines:
            count += 1
            failures += verdict == "not ok"
            print(f"{verdict} {count} - {name}")
            for note in notes:
                print(f"# {note}")
        sys.stdout.flush()
    print(f"1..{count}")
    if failures:
        print(f"# {failures} of {count} failed")
    return 1 if failures or not count else 0


def run_case(job):
    """All checks of one case: [(verdict, name, notes), ...]."""
    path, options = job
    name = case_name(path)
    try:
        case = segread.read_case(path, name)
        plain = segwire.Variation()
        records = analyse(case, plain)
    except (segcase.CaseError, OSError, RuntimeError, ValueError) as error:
        return [("not ok", name, str(error).splitlines())]
    try:
        lines = [first_line(path, name, case, records, options)]
        answer = segcheck.normalise(case, plain, records)
    except (KeyError, TypeError) as error:
        return [("not ok", name, [f"a record lacks {error}"])]
    except RuntimeError as error:
        return [("not ok", name, str(error).splitlines())]
    for variation in segwire.VARIATIONS:
        if variation.name in options.names and is_due(name, variation, options):
            lines.append(vary(name, case, variation, answer))
    return lines


def is_due(name, variation, options):
    """Of the dresses that are not for every case, those whose turn it is: one in four."""
    if variation.always or options.variations != "some":
        return True
    return zlib.crc32(f"{name} {variation.name}".encode()) % 4 == 0


def first_line(path, name, case, records, options):
    plain = segwire.Variation()
    traced = [r for r in analyse(case, plain, "--segments", "all", "--transitions")
              if segcheck.dataset(r) in ("lastack.segment", "lastack.transition")]
    notes = segcheck.Answer(case, plain, records + traced).check()
    if not options.no_golden:
        notes += compare_golden(path, segcheck.normalise(case, plain, records), options.accept)
    return "not ok" if notes else "ok", name, notes


def compare_golden(path, answer, accept):
    golden = path[:-len(".seg")] + ".json"
    found = segcheck.show(answer) + "\n"
    wanted = None
    if os.path.exists(golden):
        with open(golden, encoding="utf-8") as file:
            wanted = file.read()
    if wanted == found:
        return []
    if accept:
        print(f"# {golden}\n" + (difference(wanted, found) if wanted else found), file=sys.stderr)
        with open(golden, "w", encoding="utf-8") as file:
            file.write(found)
        return []
    if wanted is None:
        return [f"no golden file {os.path.basename(golden)}: read the answer, then --accept"]
    return ["differs from the golden file:"] + difference(wanted, found).splitlines()[:60]


def difference(wanted, found):
    return "\n".join(difflib.unified_diff(wanted.splitlines(), found.splitlines(), "wanted",
                                          "found", lineterm="", n=2))


def vary(name, case, variation, answer):
    """The same case in another dress: the same answer but for the listed fields."""
    title = f"{name} [{variation.name}]"
    reason = case.skips.get(variation.name) or case.skips.get("all")
    if variation.ip == 6 and ":" in case.ends[1]["A"][0]:
        reason = "the case is IPv6 already"
    if case.snaplen and (variation.snaplen or variation.fragment or variation.link in TUNNELS):
        reason = "the case cuts its packets itself"
    if variation.doubled and ":" in case.ends[1]["A"][0]:
        reason = "copies of IPv6 packets are known only behind a router"
    if reason:
        return "ok", f"{title} # SKIP {reason}", []
    try:
        found = segcheck.normalise(case, variation, analyse(case, variation))
    except UsageError as error:
        return "ok", f"{title} # SKIP {error}", []  # an option that this version does not have yet
    except (RuntimeError, OSError, ValueError, KeyError, TypeError) as error:
        return "not ok", title, str(error).splitlines()
    wanted = [blanked(record, variation) for record in answer]
    if variation.events_only:
        found, wanted = segcheck.only_events(found), segcheck.only_events(wanted)
    if found == wanted:
        return "ok", title, []
    notes = difference(segcheck.show(wanted), segcheck.show(found)).splitlines()[:60]
    return "not ok", title, notes


def blanked(record, variation):
    record = copy.deepcopy(record)
    segcheck.drop_changeable(record, variation)
    return record


def analyse(case, variation, *more):
    """Runs the program, with more words, on the case's capture; its NDJSON records."""
    suffix = "." + variation.form
    with tempfile.NamedTemporaryFile(suffix=suffix) as file:
        file.write(segwire.capture(case, variation))
        file.flush()
        words = [PROGRAM, *case.arguments, *variation.arguments, *more, "--ndjson", file.name]
        done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT)
    if done.returncode == 2 and variation.arguments:
        raise UsageError(" ".join(done.stderr.split())[:200])
    if done.returncode != 0:
        raise RuntimeError(f"exit code {done.returncode}\n{done.stderr[-2000:]}")
    return segcheck.read_records(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
