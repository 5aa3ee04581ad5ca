#!/usr/bin/env python3
"""The program from outside: for each thing that can go wrong one clear line and its exit status."""
import json
import os
import pty
import re
import select
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time

from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))

DONE, MATCHED, USAGE, UNREADABLE, DAMAGED, UNWRITTEN = range(6)
SYN, ACK, FIN, RST = 0x02, 0x10, 0x01, 0x04


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packet(client_to_server, port, flags, seq, ack):
    """An IPv4 packet with a TCP segment between 10.0.0.1:port and 10.0.0.2:443."""
    ends = (bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    ports = (port, 443)
    if not client_to_server:
        ends, ports = ends[::-1], ports[::-1]
    tcp = struct.pack(">HHIIBBHHH", *ports, seq, ack, 5 << 4, flags, 65535, 0, 0)
    pseudo = ends[0] + ends[1] + struct.pack(">BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack(">H", checksum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + ends[0] + ends[1]
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    return ip + tcp


def connection(port, start):
    """An orderly connection as (time in microseconds, packet)."""
    steps = [(True, SYN, 100, 0), (False, SYN | ACK, 500, 101), (True, ACK, 101, 501),
             (True, FIN | ACK, 101, 501), (False, ACK, 501, 102), (False, FIN | ACK, 501, 102),
             (True, ACK, 102, 502)]
    return [(start + 1000 * i, packet(step[0], port, *step[1:])) for i, step in enumerate(steps)]


def pcap(packets):
    """A capture of link type RAW (101)."""
    out = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 101)]
    for moment, data in packets:
        out.append(struct.pack("<IIII", moment // 1000000, moment % 1000000, len(data), len(data)))
        out.append(data)
    return b"".join(out)


START = 1795186800 * 1000000  # 2026-11-20T15:00:00Z
ONE = pcap(connection(40000, START))
MANY = pcap([p for i in range(3000) for p in connection(20000 + i, START + 10000 * i)])


class Program:
    """One finished run."""

    def __init__(self, *arguments, stdin=subprocess.DEVNULL, data=None, stdout=subprocess.PIPE,
                 wrapper=()):
        command = [*wrapper, LASTACK, *arguments]
        if data is not None:
            stdin = None
        result = subprocess.run(command, stdin=stdin, input=data, stdout=stdout,
                                stderr=subprocess.PIPE, timeout=60, check=False)
        self.code = result.returncode
        self.out = (result.stdout or b"").decode(errors="replace")
        self.err = result.stderr.decode(errors="replace")

    def describe(self):
        return "exit status %d\nstderr: %s\nstdout: %s" % (self.code, self.err, self.out[:600])

    def says_one_line(self, *words):
        """Whether stderr is a single line of ours that has all the words."""
        lines = self.err.splitlines()
        return len(lines) == 1 and lines[0].startswith("lastack: ") and \
            all(word in lines[0] for word in words)


def refused(tap, name, run, code, *words):
    """The run ends with code, one line with the words, and nothing on stdout."""
    tap.ok(run.code == code and run.says_one_line(*words) and not run.out, name, run.describe())


def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(data)
    return path


def check_unreadable(tap, folder):
    empty = write(folder, "empty", b"")
    refused(tap, "an empty file", Program(empty), UNREADABLE, empty)
    text = write(folder, "notes.txt", b"these are notes, not packets\n" * 20)
    refused(tap, "a text file", Program(text), UNREADABLE, text)
    bare = os.path.join(folder, "bare")
    os.mkdir(bare)
    write(bare, "notes.txt", b"no capture\n" * 10)
    refused(tap, "a directory without a capture", Program(bare), UNREADABLE, bare)
    missing = os.path.join(folder, "missing.pcap")
    refused(tap, "a missing file", Program(missing), UNREADABLE, missing, "no such file")
    refused(tap, "a missing file among good ones", Program(write(folder, "good.pcap", ONE), missing),
            UNREADABLE, missing)
    hostile = write(folder, "a\033[31mb\n.pcap", b"not a capture at all, but text")
    run = Program(hostile)
    tap.ok(run.code == UNREADABLE and run.says_one_line() and "\033" not in run.err,
           "a hostile file name is shown harmless", run.describe())
    check_forbidden(tap, folder)


def check_forbidden(tap, folder):
    name = "a file without permission"
    path = write(folder, "secret.pcap", ONE)
    os.chmod(path, 0)
    wrapper = ()
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            tap.skip(name, "root may read everything, and setpriv is not installed")
            return
        wrapper = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        probe = subprocess.run([*wrapper, LASTACK, "--version"], capture_output=True, check=False)
        if probe.returncode != 0:
            tap.skip(name, "root may read everything, and an ordinary user cannot run the program")
            return
    refused(tap, name, Program(path, wrapper=wrapper), UNREADABLE, path, "no permission")


def check_damaged(tap, folder):
    cut = write(folder, "cut.pcap", ONE[:-10])
    run = Program("--json", cut)
    tap.ok(run.code == DAMAGED and run.says_one_line(cut), "a capture cut inside a record",
           run.describe())
    report = json.loads(run.out)
    tap.ok(report["inputs"][0]["packets"] == 6, "what was read before the damage is counted",
           report["inputs"])
    tap.ok(report["inputs"][0]["damaged"] is True, "the report says that it stopped",
           report["inputs"])
    whole = write(folder, "whole.pcap", pcap(connection(41000, START + 100000)))
    run = Program("--json", cut, whole)
    report = json.loads(run.out)
    tap.ok(run.code == DAMAGED and report["inputs"][1]["packets"] == 7,
           "the file after a damaged one is read", run.describe())


def check_usage(tap, folder):
    good = write(folder, "good.pcap", ONE)
    refused(tap, "a wrong filter", Program("-f", "tcp prot 80", good), USAGE, "tcp prot 80")
    refused(tap, "an unknown option", Program("--ndjsom", good), USAGE, "did you mean --ndjson?")
    refused(tap, "an unknown letter", Program("-Q", good), USAGE, "-Q")
    refused(tap, "nothing to read", Program(), USAGE, "nothing to read")
    refused(tap, "two outputs on stdout", Program("--json", "--ndjson", good), USAGE,
            "standard output")
    refused(tap, "an unknown event", Program("--explain", "final_ack"), USAGE,
            "did you mean final_ack_lost?")
    refused(tap, "an output that is an input", Program("--json=" + good, good), USAGE, good)
    with open(good, "rb") as file:
        tap.ok(file.read() == ONE, "the input is left alone")


def check_unwritten(tap, folder):
    good = write(folder, "good.pcap", ONE)
    for kind in ("json", "ndjson", "text"):
        refused(tap, "--%s on a full disk" % kind, Program("--%s=/dev/full" % kind, good), UNWRITTEN,
                "/dev/full", "No space left on device")
        with open("/dev/full", "wb") as full:
            refused(tap, "--%s on a full standard output" % kind,
                    Program("--" + kind, good, stdout=full), UNWRITTEN, "No space left on device")
    many = write(folder, "many.pcap", MANY)
    beside = os.path.join(folder, "beside.json")
    run = Program("--ndjson=/dev/full", "--json=" + beside, many)
    with open(beside, encoding="utf-8") as file:
        report = json.load(file)
    tap.ok(run.code == UNWRITTEN and report["inputs"][0]["packets"] == 21000,
           "the other output is complete", run.describe())
    nowhere = os.path.join(folder, "no", "such", "folder.json")
    refused(tap, "an output in a missing directory", Program("--json=" + nowhere, good), UNWRITTEN,
            nowhere, "No such file")
    for question in ("--help", "--version", "--schema", "--list-events"):
        with open("/dev/full", "wb") as full:
            refused(tap, question + " on a full standard output", Program(question, stdout=full),
                    UNWRITTEN, "No space left on device")


def check_closed_pipe(tap, folder):
    many = write(folder, "many.pcap", MANY)
    for arguments in (("--ndjson", many), ("--json", "--flows=all", many), ("--text", many),
                      ("--schema",)):
        with subprocess.Popen([LASTACK, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            first = process.stdout.read(1)
            process.stdout.close()
            error = process.stderr.read().decode()
            code = process.wait(timeout=60)
        tap.ok(code == DONE and not error and first, "a reader that goes away: " + arguments[0],
               "exit status %d" % code, error)


def check_config(tap, folder):
    good = write(folder, "good.pcap", ONE)
    rows = json.loads(Program("--list-config=json").out)["config"]
    names = [row["name"] for row in rows]
    with open(os.path.join(TOP, "analyzer", "config.def"), encoding="utf-8") as file:
        known = re.findall(r"^TUNABLE\(\w+, *(\w+),", file.read(), re.MULTILINE)
    tap.ok(names == known and all(row["least"] <= row["default"] <= row["most"] for row in rows),
           "--list-config has every row, its default within its limits", "%s" % rows)
    text = Program("--list-config").out
    tap.ok(len(text.splitlines()) == len(rows) and " 30s " in text, "--list-config as text", text)
    for row in rows:
        wrong = str(row["most"] + 1)
        refused(tap, "%s above its limit" % row["name"],
                Program("--set", "%s=%s" % (row["name"], wrong), good), USAGE, row["name"], wrong)
    file = os.path.join(folder, "settings.json")
    for content, words in (('{"msl": "60s", "tombstones": 2}', None), ("[1]", ("JSON object",)),
                           ('{"msl": 1.5}', ("msl", "whole number")),
                           ('{"ms1": "3s"}', ("ms1", "did you mean msl")),
                           ('{"msl": "30s"} {}', ("JSON object",)), ("", ("JSON object",))):
        with open(file, "w", encoding="utf-8") as stream:
            stream.write(content)
        run = Program("--config", file, "--list-config=json")
        if words is not None:
            refused(tap, "--config with %r" % content, run, USAGE, file, *words)
            continue
        values = {row["name"]: row["value"] for row in json.loads(run.out)["config"]}
        tap.ok(values["msl"] == 60 * 10**9 and values["tombstones"] == 2,
               "--config sets what it names", run.describe())
    refused(tap, "--config without the file", Program("--config", file + "x", good), USAGE,
            file + "x", "No such file")
    for words in (("--ndjson=",), ("-w", ""), ("--html", ""), ("-r", ""), ("-i", ""), ("-F", "")):
        refused(tap, "an empty name for %s" % words[0], Program(*words, good), USAGE, "empty",
                words[0].rstrip("="))
    refused(tap, "a file without a name", Program(good, ""), USAGE, "file 2", "empty")
    refused(tap, "--set without a value", Program("--set", "msl", good), USAGE, "NAME=VALUE")
    refused(tap, "--set of nothing known", Program("--set", "ms1=3s", good), USAGE, "ms1", "msl")
    wider = [Program(*words, "--ndjson", os.path.join(TOP, "samples", "collision-challenged.pcap")).out
             for words in (("--msl", "60"), ("--set", "msl=60s"), ("--set=msl=60000000000",), ())]
    tap.ok(wider[0] == wider[1] == wider[2] != wider[3], "--set msl does what --msl does")


def check_good(tap, folder):
    good = write(folder, "good.pcap", ONE)
    run = Program(good)
    tap.ok(run.code == DONE and not run.err and "lastack" in json.loads(run.out),
           "not a terminal: the JSON report, and silence on stderr", run.describe())
    run = Program("--ndjson", good)
    records = [json.loads(line) for line in run.out.splitlines()]
    datasets = [record["event"]["dataset"] for record in records]
    tap.ok(run.code == DONE and datasets == ["lastack.flow"] + 3 * ["lastack.host"] + ["lastack.summary"],
           "NDJSON: one flow, the census, and the summary", run.describe())
    tap.ok(Program("--ndjson", "-", data=ONE).out.splitlines()[:1] == run.out.splitlines()[:1],
           "standard input gives the same flow")
    tap.ok(Program("--ndjson", "-n", "-r", good, "tcp", "port", "443").out == run.out,
           "-r and a filter give the same")
    report = json.loads(Program("--json", "-c", "3", good).out)
    tap.ok(report["inputs"][0]["packets"] == 3, "-c stops reading", report["inputs"])
    run = Program("-v", "--text", good)
    tap.ok(run.code == DONE and good in run.err and "7 packets" in run.err,
           "-v says what was read", run.describe())
    a, b = os.path.join(folder, "a.json"), os.path.join(folder, "b.ndjson")
    run = Program("--json=" + a, "--ndjson=" + b, "--text", good)
    tap.ok(run.code == DONE and run.out and os.path.getsize(a) and os.path.getsize(b),
           "three outputs at once", run.describe())


def check_since(tap, folder):
    good = write(folder, "good.pcap", ONE)
    whole = json.loads(Program("--ndjson", "--transitions", good).out.splitlines()[-1])
    late = Program("--ndjson", "--since", "2026-11-20T15:00:00.003Z", good).out.splitlines()
    flow = json.loads(late[0])
    tap.ok(whole and flow["network"]["packets"] == 4, "--since leaves out what was before", late[0])
    history = flow["lastack"]["client"]["history"]
    tap.ok(any(entry["packet"] == 4 for entry in history),
           "packets keep their numbers in the whole input", history)
    early = Program("--ndjson", "--until", "2026-11-20T15:00:00.003Z", good).out.splitlines()
    tap.ok(json.loads(early[0])["network"]["packets"] == 3, "--until leaves out what is at it or "
           "after", early[0])


def check_fail_on(tap, folder):
    good = write(folder, "good.pcap", ONE)
    run = Program("--fail-on", "info", good)
    tap.ok(run.code == DONE, "--fail-on: a clean capture is 0", run.describe())
    bad = write(folder, "bad.pcap", pcap(lost_final_ack(40000, START)))
    for word, code in (("final_ack_lost", MATCHED), ("notice", MATCHED), ("error", DONE),
                       ("tw_assassination", DONE), ("C4", MATCHED), ("C3", DONE),
                       ("C99", USAGE)):
        run = Program("--fail-on", word, "--level", "error", bad)
        tap.ok(run.code == code, "--fail-on %s is %d" % (word, code), run.describe())


def lost_final_ack(port, start):
    """A close whose last ACK is lost behind the tap: the FIN comes again and is acknowledged."""
    return connection(port, start) + [(start + 300000, packet(False, port, FIN | ACK, 501, 102)),
                                      (start + 301000, packet(True, port, ACK, 102, 502))]


def records_of(run, dataset):
    records = [json.loads(line) for line in run.out.splitlines()]
    return [record for record in records if record["event"]["dataset"] == "lastack." + dataset]


def check_segments(tap, folder):
    """Of three connections one has a problem, and its first packet comes before anyone knows."""
    packets = connection(40000, START) + lost_final_ack(41000, START + 100) + \
        connection(42000, START + 200)
    path = write(folder, "three.pcap", pcap(sorted(packets)))

    def ports(*arguments):
        run = Program("--ndjson", *arguments, path)
        return run, [record["source"]["port"] for record in records_of(run, "segment")]

    run, found = ports("--segments", "problems")
    tap.ok(run.code == DONE and found == [41000] * 9, "--segments problems: whole connections, "
           "and no other's", run.describe())
    everything, _ = ports("--segments", "all")
    wanted = [line for line in everything.out.splitlines()
              if "lastack.segment" not in line or '"port":41000' in line]
    tap.ok(run.out.splitlines() == wanted, "the rest is as with --segments all", run.describe())
    for arguments, count in ((("--level", "error"), 0), (("--event", "C3"), 0),
                             (("--event", "C4"), 9), (("--threads", "2"), 9), (("-c", "12"), 0)):
        run, found = ports("--segments", "problems", *arguments)
        tap.ok(run.code == DONE and len(found) == count,
               "--segments problems %s: %d segments" % (" ".join(arguments), count), run.describe())
    cut = write(folder, "cut-in-the-end.pcap", pcap(sorted(packets))[:-3])
    run = Program("--ndjson", "--segments", "problems", cut)
    tap.ok(run.code == DAMAGED and run.says_one_line(cut) and records_of(run, "summary"),
           "what is damaged is said once", run.describe())
    refused(tap, "--segments problems of a pipe", Program("--segments", "problems", "-", data=ONE),
            USAGE, "standard input", "tcpdump -w")


def check_several(tap, folder):
    """With several files a packet is named by its file and place there, too."""
    late = write(folder, "a-late.pcap", pcap(lost_final_ack(41000, START + 60 * 1000000)))
    early = write(folder, "z-early.pcap", pcap(connection(40000, START)))
    between = write(folder, "between.pcap", pcap(connection(42000, START + 1000000)))
    for name, words in (("all packets", ()),
                        ("one file with nothing that the filter lets pass",
                         ("-f", "not tcp port 42000"))):
        run = Program("--ndjson", "--segments", "all", *words, late, early, between)
        event = records_of(run, "event")[0]["lastack"]
        places = [(entry["packet"], entry["file"], entry["file_packet"])
                  for entry in event["evidence"]]
        tap.ok(places and all(file == late and number == place + 14
                              for number, file, place in places),
               "several files, %s: evidence" % name, places, run.describe())
        segment = records_of(run, "segment")[0]["lastack"]
        tap.ok((segment["packet"], segment["file"], segment["file_packet"]) == (1, early, 1),
               "several files, %s: segments" % name, segment)
        inputs = records_of(run, "summary")[0]["lastack"]["inputs"]
        tap.ok([(entry["name"], entry["first_packet"]) for entry in inputs] ==
               [(early, 1), (between, 8), (late, 15)], "several files, %s: inputs" % name, inputs)
    run = Program("--ndjson", "--segments", "all", late)
    tap.ok(run.code == DONE and "file_packet" not in run.out and '"file"' not in run.out,
           "one file: no places", run.describe())
    run = Program("--text", late, early)
    tap.ok("#9" in run.out and "a-late.pcap" in run.out.replace("\n", " ").split("Problems")[1],
           "the text names the file of each packet", run.out)


def check_signals(tap, folder):
    """A stream that does not end, and someone who wants the report now."""
    for name, number in (("SIGINT", signal.SIGINT), ("SIGTERM", signal.SIGTERM)):
        with subprocess.Popen([LASTACK, "--ndjson", "-"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdin.write(ONE)
            process.stdin.flush()
            time.sleep(1)
            process.send_signal(number)
            out = process.stdout.read().decode()
            code = process.wait(timeout=30)
        last = json.loads(out.splitlines()[-1]) if out else {}
        tap.ok(code == DONE and last.get("event", {}).get("dataset") == "lastack.summary",
               name + " ends with the report", "exit status %d" % code, out)


def has_terminals():
    try:
        for descriptor in pty.openpty():
            os.close(descriptor)
    except OSError:
        return False
    return True


def check_terminal(tap, folder):
    """On a terminal: text instead of JSON, and colour only where it is welcome."""
    if not has_terminals():
        tap.skip("text and colour on a terminal", "no pseudo-terminal can be opened here")
        return
    good = write(folder, "good.pcap", ONE)
    for environment, colour in (({"TERM": "xterm"}, None), ({"TERM": "dumb"}, False),
                                ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
        out = on_terminal([LASTACK, good], environment)
        name = " ".join("%s=%s" % item for item in environment.items())
        tap.ok(out.strip() and not out.lstrip().startswith("{"), "a terminal gets text, " + name, out)
        if colour is False:
            tap.ok("\033[3" not in out and "\033[1" not in out, "no colour with " + name, repr(out))


def on_terminal(command, environment):
    """Runs a command with stdout on a pseudo-terminal; what it wrote there."""
    leader, follower = pty.openpty()
    environment = {**{key: value for key, value in os.environ.items() if key != "NO_COLOR"},
                   **environment}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=follower,
                          stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(follower)
        out = b""
        while select.select([leader], [], [], 30)[0]:
            try:
                block = os.read(leader, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            out += block
        process.wait(timeout=30)
    os.close(leader)
    return out.decode(errors="replace")


def check_progress(tap, folder):
    """The bar is for terminals, and -q turns it off.  A pipe that trickles keeps the run going."""
    if not has_terminals():
        tap.skip("progress on a terminal", "no pseudo-terminal can be opened here")
        return
    for arguments, wanted in (((), True), (("-q",), False)):
        leader, follower = pty.openpty()
        with subprocess.Popen([LASTACK, *arguments, "--json=/dev/null", "-"],
                              stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              stderr=follower) as process:
            os.close(follower)
            half = len(MANY) // 2
            process.stdin.write(MANY[:half])
            process.stdin.flush()
            time.sleep(0.5)
            process.stdin.write(MANY[half:])
            process.stdin.close()
            process.wait(timeout=60)
        out = b""
        while select.select([leader], [], [], 0)[0]:
            try:
                out += os.read(leader, 65536)
            except OSError:
                break
        os.close(leader)
        tap.ok((b"packets" in out) == wanted, "progress on a terminal, %s" % (arguments or "plain",),
               repr(out))


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, stat.S_IRWXU | stat.S_IXGRP | stat.S_IXOTH)
        for check in (check_good, check_config, check_unreadable, check_damaged, check_usage, check_unwritten,
                      check_closed_pipe, check_since, check_fail_on, check_segments, check_several,
                      check_signals, check_terminal,
                      check_progress):
            check(tap, folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
