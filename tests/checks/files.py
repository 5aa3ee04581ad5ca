#!/usr/bin/python3
"""files: several inputs are one capture, in whatever names, pieces and dresses they come; growing
files and open pipes are read as they grow."""
import glob
import gzip
import json
import os
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cli
from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
sys.path.insert(0, os.path.join(TOP, "tests", "tools"))
import segread
import segwire

LASTACK = os.environ.get("LASTACK", "./lastack")
CASES = os.path.join(TOP, "tests", "cases")
SAMPLES = os.path.join(os.environ.get("TOP_SRCDIR", "."), "samples")
PIECES = 10
ALPHABET = "hcajebgidf"  # names that mislead: their order is not that of the pieces


def run(*arguments, limit=None, data=None):
    def lower():
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    done = subprocess.run([LASTACK, *arguments], input=data, capture_output=True,
                          preexec_fn=lower if limit else None)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def split(data):
    """The records of a little-endian capture."""
    found, at = [], 24
    while at < len(data):
        size = 16 + struct.unpack_from("<I", data, at + 8)[0]
        found.append(data[at:at + size])
        at += size
    return found


def in_micros(path, folder):
    """A copy of a little-endian capture with microseconds, as the pieces here are written."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    if data[:4] == struct.pack("<I", 0xa1b23c4d):
        data[:4] = struct.pack("<I", 0xa1b2c3d4)
        at = 24
        while at < len(data):
            nanos, size = struct.unpack_from("<II", data, at + 4)
            struct.pack_into("<I", data, at + 4, nanos // 1000)
            at += 16 + size
    copy = os.path.join(folder, os.path.basename(path))
    with open(copy, "wb") as file:
        file.write(data)
    return copy


def read_pcap(path):
    """The header and the records of a little-endian capture in microseconds."""
    with open(path, "rb") as file:
        data = file.read()
    return data[:24], split(data)


def block(kind, body, order="<"):
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def pcapng(header, records, order="<"):
    """The same packets as pcapng of two interfaces, with comments and a block of names."""
    link = struct.unpack_from("<I", header, 20)[0]
    interface = struct.pack(order + "HHI", link, 0, 0)
    nano = struct.pack(order + "HHB3x", 9, 1, 9) + struct.pack(order + "HH", 0, 0)
    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    out += block(1, interface, order) + block(1, interface + nano, order)
    out += block(4, struct.pack(order + "HH", 0, 0), order)
    for i, record in enumerate(records):
        seconds, micros, captured, length = struct.unpack_from("<IIII", record)
        stamp = (seconds * 1000000 + micros) * (1000 if i % 2 else 1)
        body = struct.pack(order + "IIIII", i % 2, stamp >> 32, stamp & 0xFFFFFFFF, captured, length)
        body += record[16:] + bytes(-captured % 4)
        body += struct.pack(order + "HH", 1, 4) + b"note" + struct.pack(order + "HH", 0, 0)
        out += block(6, body, order)
    return out


def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(data)
    return path


def strip(value):
    """A record without what only several files have."""
    if isinstance(value, dict):
        return {key: strip(entry) for key, entry in value.items()
                if key not in ("file", "file_packet")}
    return [strip(entry) for entry in value] if isinstance(value, list) else value


def records(output):
    found = [json.loads(line) for line in output.splitlines()]
    return [strip(record) for record in found if record["event"]["dataset"] != "lastack.summary"]


def summary(output):
    return json.loads(output.splitlines()[-1])["lastack"]


def dressed(header, pieces, dress):
    """Each piece as file contents, in the dress."""
    for i, piece in enumerate(pieces):
        plain = header + b"".join(piece)
        if dress == "compressed" and i % 2:
            yield gzip.compress(plain)
        elif dress == "pcapng" and i % 3:
            yield pcapng(header, piece, "<" if i % 3 == 1 else ">")
        else:
            yield plain


def check_pieces(tap, sample):
    header, packets = read_pcap(sample)
    size = max(1, len(packets) // PIECES)
    pieces = [packets[i:i + size] for i in range(0, len(packets), size)]
    title = os.path.basename(sample)
    wanted = run("--ndjson", "--segments", "all", "--transitions", sample)
    for dress in ("plain", "compressed", "pcapng"):
        with tempfile.TemporaryDirectory() as folder:
            for i, data in enumerate(dressed(header, pieces, dress)):
                write(folder, "%s%d.cap" % (ALPHABET[i % PIECES], i // PIECES), data)
            write(folder, "empty.pcap", header)
            write(folder, "notes.txt", b"no capture\n")
            given = {
                "a directory": [folder],
                "a pattern": [os.path.join(folder, "*.*ap")],
                "names": [os.path.join(folder, name) for name in sorted(os.listdir(folder))
                          if name != "notes.txt"],
            }
            for how, names in given.items():
                code, out, err = run("--ndjson", "--segments", "all", "--transitions", *names)
                tap.ok(code == 0 and records(out) == records(wanted[1]),
                       "%s in %d pieces, %s, as %s" % (title, len(pieces), dress, how), err)


def check_awkward(tap, seed):
    """Ten files cut anywhere, within handshakes and closes, too; their names mislead."""
    draw = random.Random(seed)
    cases = [path for topic in ("close", "open", "reuse", "stray", "timewait", "reset", "silence")
             for path in sorted(glob.glob(os.path.join(CASES, topic, "*.seg")))]
    done = 0
    for path in draw.sample(cases, len(cases)):
        case = segread.read_case(path, path)
        data = segwire.capture(case, segwire.Variation())
        packets, header = split(data), data[:24]
        if len(packets) < PIECES or case.arguments:
            continue
        cuts = [0] + sorted(draw.sample(range(1, len(packets)), PIECES - 1)) + [len(packets)]
        with tempfile.TemporaryDirectory() as folder:
            whole = write(folder, "whole", data)
            pieces = os.path.join(folder, "pieces")
            os.mkdir(pieces)
            for i, (begin, end) in enumerate(zip(cuts, cuts[1:])):
                write(pieces, ALPHABET[i] + ".pcap", header + b"".join(packets[begin:end]))
            wanted = run("--ndjson", "--segments", "all", whole)
            code, out, err = run("--ndjson", "--segments", "all", pieces)
            tap.ok(code == 0 and records(out) == records(wanted[1]),
                   "%s cut before packets %s" % (os.path.relpath(path, CASES),
                                                 [cut + 1 for cut in cuts[1:-1]]), err)
        done += 1
        if done == 15:
            return


def check_damaged(tap, sample):
    header, packets = read_pcap(sample)
    third = len(packets) // 3
    with tempfile.TemporaryDirectory() as folder:
        write(folder, "c", header + b"".join(packets[:third]))
        write(folder, "b", (header + b"".join(packets[third:2 * third]))[:-3])
        write(folder, "a", header + b"".join(packets[2 * third:]))
        code, out, err = run("--ndjson", folder)
        inputs = summary(out)["inputs"]
        tap.ok(code == 4 and [entry["damaged"] for entry in inputs] == [False, True, False] and
               summary(out)["capture"]["packets"] == len(packets) - 1,
               "a damaged file in the middle: the rest is read", err, inputs)


def check_overlap(tap, sample):
    header, packets = read_pcap(sample)
    with tempfile.TemporaryDirectory() as folder:
        names = [write(folder, name, header + b"".join(packets[start::3]))
                 for name, start in (("z", 0), ("m", 1), ("a", 2))]
        code, out, err = run("--ndjson", *names)
        wanted = run("--ndjson", sample)
        tap.ok(code == 0 and records(out) == records(wanted[1]),
               "three files that overlap are merged by time", err)
        text = " ".join(run("--text", *names)[1].split())
        tap.ok(text.count("before the inputs before end") == 2, "and in the text", text[:600])
        tap.ok([entry["overlap"] is None for entry in summary(out)["inputs"]] ==
               [True, False, False], "the overlap is told", summary(out)["inputs"])


def at_server(record, client):
    """The record as the server's end of the path has it: 10 ms on, and three routers away."""
    data = bytearray(record)
    address = bytes(data[16 + 14 + 12:16 + 14 + 16])
    seconds, micros = struct.unpack_from("<II", data)
    micros += seconds * 1000000 + (10000 if address == client else -10000)
    struct.pack_into("<II", data, 0, micros // 1000000, micros % 1000000)
    data[16 + 14 + 8] -= 3
    return bytes(data)


def two_interfaces(header, here, there):
    """Both captures as one of pcapng, an interface each."""
    link = struct.unpack_from("<I", header, 20)[0]
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += 2 * block(1, struct.pack("<HHI", link, 0, 0))
    order = sorted([(p[:8], 0, p) for p in here] + [(p[:8], 1, p) for p in there],
                   key=lambda entry: struct.unpack("<II", entry[0]))
    for _, interface, record in order:
        seconds, micros, captured, length = struct.unpack_from("<IIII", record)
        stamp = seconds * 1000000 + micros
        out += block(6, struct.pack("<IIIII", interface, stamp >> 32, stamp & 0xFFFFFFFF, captured,
                                    length) + record[16:])
    return out


def check_both_ends(tap):
    """Captures of both ends, joined: each packet is there twice, and nothing more is told."""
    for name in ("both-close-at-once", "last-ack-lost", "collision-challenged"):
        with tempfile.TemporaryDirectory() as folder:
            sample = in_micros(os.path.join(TOP, "samples", name + ".pcap"), folder)
            header, packets = read_pcap(sample)
            client = bytes(packets[0][16 + 14 + 12:16 + 14 + 16])
            late = sorted((at_server(p, client) for p in packets),
                          key=lambda p: struct.unpack_from("<II", p))
            there = write(folder, "there.pcap", header + b"".join(late))
            joined = write(folder, "joined.pcapng", two_interfaces(header, packets, late))
            told = []
            for files in ((sample,), (sample, there), (there, sample), (joined,)):
                lines = [json.loads(line) for line in run("--ndjson", *files)[1].splitlines()]
                told.append((sorted(r["event"].get("action", "") for r in lines),
                             [(r["lastack"]["close"]["kind"], r["lastack"]["client"]["state"])
                              for r in lines if r["event"]["dataset"] == "lastack.flow"]))
            tap.ok(told.count(told[0]) == 4, "%s, captured at both ends" % name, told)
            problems = os.path.join(folder, "problems.pcapng")
            kept = [sorted(re.findall(r'"action":"(\w+)"', run(*words, "--level", "notice")[1]))
                    for words in (("--ndjson", "-w", problems, sample, there),
                                  ("--ndjson", problems))]
            tap.ok(kept[0] == kept[1], "%s, captured at both ends: what -w kept" % name, kept)


def check_many(tap, sample):
    header, packets = read_pcap(sample)
    with tempfile.TemporaryDirectory() as folder:
        for i in range(500):
            data = header + (packets[i] if i < len(packets) else b"")
            write(folder, "%03d" % (i * 77 % 500), data if i % 2 else gzip.compress(data))
        code, out, err = run("--ndjson", folder, limit=64)
        wanted = run("--ndjson", sample)
        tap.ok(code == 0 and records(out) == records(wanted[1]),
               "five hundred files with 64 descriptors", err)


def check_pcapng(tap, sample):
    header, packets = read_pcap(sample)
    wanted = run("--ndjson", "--segments", "all", sample)
    for order in "<>":
        code, out, err = run("--ndjson", "--segments", "all", "-",
                             data=gzip.compress(pcapng(header, packets, order)))
        entry = summary(out)["inputs"][0]
        tap.ok(code == 0 and records(out) == records(wanted[1]) and
               entry["comments"] == len(packets) and entry["skipped_blocks"] == 1 and
               len(entry["interfaces"]) == 2, "pcapng, %s, as gzip on standard input" % order, err)
    sections = pcapng(header, packets[:9], "<") + pcapng(header, packets[9:], ">")
    code, out, err = run("--ndjson", "--segments", "all", "-", data=sections)
    tap.ok(code == 0 and records(out) == records(wanted[1]) and
           summary(out)["inputs"][0]["sections"] == 2, "two sections of two byte orders", err)
    drops = struct.pack("<IIIHHQ", 0, 0, 0, 5, 8, 7) + struct.pack("<HHQHH", 7, 8, 3, 0, 0)
    code, out, err = run("--ndjson", "-", data=sections[:0] + pcapng(header, packets) +
                         block(5, drops))
    tap.ok(code == 0 and summary(out)["capture"]["drops"]["kernel"] == 10,
           "drops that statistics tell", out[-600:], err)


class Growing:
    """lastack over something that grows; output() waits for words on its standard output."""

    def __init__(self, *arguments, **options):
        self.process = subprocess.Popen([LASTACK, *arguments], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, **options)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.seen = b""

    def wait_for(self, words, seconds):
        end = time.monotonic() + seconds
        while words not in self.seen and time.monotonic() < end:
            self.seen += self.process.stdout.read() or b""
            time.sleep(0.02)
        return words in self.seen

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, (self.seen + (out or b"")).decode(), err.decode()


def check_headless(tap, header):
    """A followed file whose header does not come, or not whole."""
    for title, data in (("nothing", b""), ("half a header", header[:10]),
                        ("a section without interfaces", pcapng(header, [])[:26]),
                        ("the beginning of a packed one", gzip.compress(header)[:12])):
        with tempfile.TemporaryDirectory() as folder:
            path = write(folder, "slow.pcap", data)
            growing = Growing("--ndjson", "--follow", path)
            time.sleep(0.5)
            code, out, err = growing.stop()
            tap.ok(code == 0 and summary(out)["capture"]["packets"] == 0,
                   "%s is in a followed file: SIGINT ends with a report" % title, code, err)


def check_follow(tap, sample):
    header, packets = read_pcap(sample)
    wanted = records(run("--ndjson", "--segments", "all", sample)[1])
    third = len(packets) // 3
    with tempfile.TemporaryDirectory() as folder:
        path = write(folder, "ring.pcap", b"")
        growing = Growing("--ndjson", "--segments", "all", "--follow", path)
        whole = header + b"".join(packets[:third])
        for start in range(0, len(whole), 333):
            with open(path, "ab") as file:
                file.write(whole[start:start + 333])
            time.sleep(0.01)
        tap.ok(growing.wait_for(b'"packet":%d,' % third, 5), "a growing file is followed")
        os.rename(path, path + ".1")
        write(folder, "ring.pcap", header + b"".join(packets[third:]))
        tap.ok(growing.wait_for(b'"packet":%d,' % len(packets), 5), "its successor, too")
        code, out, err = growing.stop()
        tap.ok(code == 0 and records(out) == wanted, "and the report is that of the whole", err)
    check_headless(tap, header)
    with tempfile.TemporaryDirectory() as folder:
        growing = Growing("--ndjson", "--segments", "all", "--follow", folder)
        time.sleep(0.2)
        write(folder, "b", header + b"".join(packets[:third]))
        tap.ok(growing.wait_for(b'"packet":%d,' % third, 5), "a capture appears in a directory")
        write(folder, "a", pcapng(header, packets[third:]))
        tap.ok(growing.wait_for(b'"packet":%d,' % len(packets), 5), "and another")
        code, out, err = growing.stop()
        tap.ok(code == 0 and records(out) == wanted, "a followed directory is one capture", err)


def check_idle(tap):
    """A deadline passes while the pipe stays open: TIME_WAIT of 2 MSL, here 2 seconds."""
    packets = cli.connection(40000, int(time.time() * 1000000))
    data = cli.pcap(packets)
    header, moved = data[:24], split(data)
    for title, data in (("pcap", data), ("pcapng", pcapng(header, moved))):
        growing = Growing("--ndjson", "--msl", "1", "-", stdin=subprocess.PIPE)
        growing.process.stdin.write(data)
        growing.process.stdin.flush()
        tap.ok(not growing.wait_for(b'"lastack.flow"', 1), "%s: not before its deadline" % title)
        tap.ok(growing.wait_for(b'"lastack.flow"', 3.5),
               "%s: a connection ends by the clock on an idle pipe" % title)
        code, out, err = growing.stop()
        tap.ok(code == 0, "%s: and the report comes" % title, code, err)


def main():
    tap = Tap()
    folder = tempfile.TemporaryDirectory()
    samples = [in_micros(path, folder.name)
               for path in sorted(glob.glob(os.path.join(SAMPLES, "*.pcap")))[::4]]
    for sample in samples:
        check_pieces(tap, sample)
        check_damaged(tap, sample)
        check_overlap(tap, sample)
        check_pcapng(tap, sample)
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
    print("# seed", seed)
    check_awkward(tap, seed)
    check_both_ends(tap)
    check_many(tap, samples[0])
    check_follow(tap, samples[0])
    check_idle(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
