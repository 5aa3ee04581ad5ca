#!/usr/bin/env python3
"""plant-bugs: puts one bug after the other into a copy of the tree, and says which target finds it.

usage: plant-bugs.py [--seconds N] [--only NAME] [--work FOLDER]

The proof that what the fuzz targets claim bites: each bug is one that a careful author may make.
A target begins from the seeds alone, and has so many seconds of the processor for a bug.
Exit: 0 when all are found; 1 when not; 77 without clang and libFuzzer.
"""
import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LEFT_OUT = shutil.ignore_patterns("build", "build-check", "build-clang", "build-asan", "build-tsan",
                                  ".git", "fuzz-build", "fuzz-work", "__pycache__", "autom4te.cache")
SLOWEST = 20  # times as long by the clock as by the processor, and no more


@dataclass
class Bug:
    name: str
    target: str   # that should find it
    file: str
    right: str    # stands there once
    wrong: str


BUGS = (
    Bug("an octet too many is read of a packet", "dissect", "dissect/view.h",
        "if (!view_covers(view, offset, 2))", "if (!view_covers(view, offset, 1))"),
    Bug("a VLAN tag more than there is room for", "dissect", "dissect/link_ethernet.c",
        "segment->vlans < SEGMENT_VLANS", "segment->vlans <= SEGMENT_VLANS"),
    Bug("an option may end behind the header", "tcp-options", "dissect/tcp_options.c",
        "(length < 2 || length > octets)", "(length < 2 || length > octets + 1)"),
    Bug("the echo of a time stamp is read two octets early", "tcp-options", "dissect/tcp_options.c",
        "segment->tsecr = view_u32(option, 6);", "segment->tsecr = view_u32(option, 4);"),
    Bug("fragments beyond the largest packet", "fragments", "analyzer/intake/fragments.c",
        "if (fragment->offset + fragment->length > LARGEST - header)", "if (fragment->offset > LARGEST)"),
    Bug("what was not captured of a fragment is copied, too", "fragments",
        "analyzer/intake/fragments.c",
        "memcpy(whole->data + HEADER + fragment->offset, fragment->data, fragment->captured);",
        "memcpy(whole->data + HEADER + fragment->offset, fragment->data, fragment->length);"),
    Bug("sequence numbers that do not wrap", "conversations", "analyzer/base/seq.h",
        "return seq_distance(a, b) < 0;", "return a < b;"),
    Bug("records of threads merged by time alone", "conversations", "analyzer/shard/ledger.c",
        "return a->key.packet < b->key.packet;", "return false;"),
    Bug("a copy is not counted", "conversations", "analyzer/dispatch.c",
        "engine->counts.copies++;", ""),
    Bug("what is skipped is not counted", "frames", "analyzer/analyzer_packets.c",
        "    analyzer->results[result]++;\n    if (result == DISSECT_ICMP_ERROR)",
        "    if (result == DISSECT_ICMP_ERROR)"),
    Bug("the last group of lanes is not parked", "order", "analyzer/flow/park.c",
        "CLOSING_GROUPS = sizeof(struct closing) / LANES_GROUP,",
        "CLOSING_GROUPS = sizeof(struct closing) / LANES_GROUP - 1,"),
    Bug("the bits of a connection are not in a state", "states", "analyzer/tcp/connection_state.c",
        "    carry_bits(carry, connection);", "    (void)carry_bits;"),
    Bug("an empty list is searched", "pieces", "analyzer/sink/pieces_told.c",
        "return piece->replayed_count > 0 &&", "return"),
    Bug("a connection that began with its tape is told twice", "pieces",
        "analyzer/sink/pieces_pass.c", "packet >= piece->taped[low].first_packet",
        "packet > piece->taped[low].first_packet"),
    Bug("what both taps have shown is still waited for", "taps", "analyzer/path/match.c",
        "    if (held_done)\n", "    if (held_done && !whole)\n"),
    Bug("the short way of data forgets the IP identification", "usual",
        "analyzer/tcp/ordinary_steps.h",
        "    x->last_ip_id = segment->ip_id;\n", ""),
    Bug("an octet that probes the peer passes for ordinary", "usual",
        "analyzer/tcp/ordinary_steps.h",
        "!(data && segment->payload == 1) &&", ""),
    Bug("the short way of opening times no SYN", "usual", "analyzer/tcp/course_opening.c",
        "x->flags |= BEGUN | SIDE_TIMED;", "x->flags |= BEGUN;"),
    Bug("the short way of opening forgets who acknowledged", "usual",
        "analyzer/tcp/course_opening.c", "    connection->acknowledged = true;\n", ""),
    Bug("the short way of parting leaves what the last ACK proves presumed", "usual",
        "analyzer/tcp/course_parting.c", "    course_prove(connection, acked, segment);\n", ""),
    Bug("the FIN of the short way is one octet late", "usual", "analyzer/tcp/zeek_usual.h",
        "end->fin_at = segment->sequence - end->start;",
        "end->fin_at = segment->sequence + 1 - end->start;"),
    Bug("the frame read in one go has the echo for the stamp", "usual", "dissect/plain.c",
        "segment->tsecr = view_u32(head, LEAST + 8);", "segment->tsecr = view_u32(head, LEAST + 4);"),
    Bug("a number below its range is taken", "settings", "analyzer/tunables.c",
        "value >= range.least && value <= range.most", "value <= range.most"),
)


def built(folder, goal="fuzz-targets"):
    with open(os.path.join(folder, "build.log"), "ab") as log:
        return subprocess.run(["make", "-s", "-j2", goal], cwd=folder, stdout=log,
                              stderr=subprocess.STDOUT, check=False).returncode == 0


def prepare(work):
    """A copy of the tree, configured for libFuzzer and built; and the seeds."""
    tree, folder = os.path.join(work, "tree"), os.path.join(work, "build")
    shutil.copytree(TOP, tree, ignore=LEFT_OUT, symlinks=True)
    os.makedirs(folder)
    compiler = "ccache clang" if shutil.which("ccache") else "clang"
    done = subprocess.run([os.path.join(tree, "configure"), "-q", "--enable-fuzz", "--enable-asan",
                           "--enable-ubsan", "CC=" + compiler, "CFLAGS=-O1 -g"], cwd=folder,
                          capture_output=True, check=False)
    if done.returncode != 0:
        print("skipped: cannot configure for libFuzzer:", done.stderr.decode()[-300:])
        sys.exit(77)
    if not built(folder):
        sys.exit("the tree does not build: " + os.path.join(folder, "build.log"))
    subprocess.run([sys.executable, os.path.join(tree, "tests", "fuzz", "seeds.py"),
                    os.path.join(work, "seeds")], check=True)
    return tree, folder


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def hunt(work, folder, target, seconds):
    """(seconds until the target ended, what it said last); None: it found nothing."""
    found = tempfile.mkdtemp(dir=work)
    begin = processor_seconds()
    run = subprocess.run([os.path.join(folder, "tests", "fuzz", target + "-target"), "-max_len=4096",
                          "-max_total_time=%d" % (SLOWEST * seconds),
                          "-artifact_prefix=" + found + os.sep, found,
                          os.path.join(work, "seeds", target)], capture_output=True, check=False,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, 2 * seconds)))
    if run.returncode in (0, -signal.SIGXCPU):
        return None
    said = [line for line in run.stderr.decode(errors="replace").splitlines()
            if "does not hold" in line or "ERROR: AddressSanitizer" in line or "runtime error" in line]
    return processor_seconds() - begin, (said or ["(no words)"])[0]


def try_bug(bug, work, tree, folder, seconds):
    path = os.path.join(tree, bug.file)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if text.count(bug.right) != 1:
        print("STALE  %s: what is to be changed does not stand once in %s" % (bug.name, bug.file))
        return False
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(bug.right, bug.wrong))
    try:
        if not built(folder, "tests/fuzz/%s-target" % bug.target):
            print("STALE  %s: does not build" % bug.name)
            return False
        found = hunt(work, folder, bug.target, seconds)
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    if found is None:
        print("MISSED %s (%s, %d s)" % (bug.name, bug.target, seconds), flush=True)
        return False
    print("found  %-50s %-14s %6.1f s  %s" % (bug.name, bug.target, found[0], found[1][:110]),
          flush=True)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=120, help="for each bug at most")
    parser.add_argument("--only", default="", help="bugs with this in their names")
    parser.add_argument("--work", default=None, metavar="FOLDER", help="kept; default: a temporary one")
    options = parser.parse_args()
    if not shutil.which("clang"):
        print("skipped: fuzzing takes clang")
        return 77
    with tempfile.TemporaryDirectory() as temporary:
        work = os.path.abspath(options.work or temporary)
        tree, folder = prepare(work)
        bugs = [bug for bug in BUGS if options.only in bug.name]
        found = [try_bug(bug, work, tree, folder, options.seconds) for bug in bugs]
    print("%d of %d found" % (sum(found), len(bugs)))
    return 0 if all(found) else 1


if __name__ == "__main__":
    sys.exit(main())
