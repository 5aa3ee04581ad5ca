#!/usr/bin/env python3
"""A tap may be a file, a set of rotated files, a folder, compressed, a pipe; captures may begin and
end hours apart, keep few octets of a packet, and show what offload put together: the same losses.
"""
import dataclasses
import gzip
import json
import lzma
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.environ.get("TOP_SRCDIR", ".")
sys.path.insert(0, os.path.join(TOP, "tests", "tools"))
sys.path.insert(0, os.path.join(TOP, "tests", "checks"))

from tap import Tap  # noqa: E402
import tapsim  # noqa: E402
from taps import LASTACK, Answer, Desk, renamed, simulated  # noqa: E402
from tapsim import MS, SECOND, START, Weather  # noqa: E402

PIECES = 5


def check_told(tap, lab, answer, name, places=None, joined=None):
    """Every loss, and no other; every connection of the lab is joined."""
    want = set(renamed(lab.log, places or {})["lost"])
    told = set(answer.triggers("lost_between_taps"))
    tap.ok(want == told and want, "%s: %d losses, each told" % (name, len(want)),
           sorted(want - told)[:8], sorted(told - want)[:8], answer.errors)
    joins = sum(record["lastack"]["joined"] is not None for record in answer.of("path"))
    tap.ok(joins == (joined or len(lab.hosts)), "%s: all are joined" % name, joins)


def ask(firsts, seconds, data=None):
    """What is said of files of two taps; data: what the one that is - gets."""
    words = [word for name, files in (("client", firsts), ("server", seconds))
             for file in files for word in ("--tap", "%s=%s" % (name, file))]
    if data is None:
        return Answer(words)
    answer = Answer.__new__(Answer)
    run = subprocess.run([LASTACK, *words, "--ndjson"], input=data, capture_output=True,
                         check=False)
    answer.status, answer.errors, answer.text = run.returncode, run.stderr.decode(), run.stdout
    answer.records = [json.loads(line) for line in run.stdout.splitlines()]
    return answer


def read(path):
    with open(path, "rb") as file:
        return file.read()


def check_files(tap, desk):
    lab = simulated(7, Weather(loss=.03), 150)
    client, server = (desk.write(name, lab.taps[name]).partition("=")[2] for name in lab.taps)
    folder = os.path.join(desk.folder, "pieces")
    os.mkdir(folder)
    pieces, size = [], len(lab.taps["server"]) // PIECES + 1
    for i in range(PIECES):
        pieces.append(os.path.join(folder, "server.pcap%d" % i))
        tapsim.write(pieces[-1], lab.taps["server"][i * size:(i + 1) * size])
    check_told(tap, lab, ask([client], pieces), "a set of rotated files")
    check_told(tap, lab, ask([client], pieces[::-1]), "the same, the latest first")
    check_told(tap, lab, ask([client], [folder]), "the folder they are in")
    packed = []
    for i, piece in enumerate(pieces):
        packed.append(os.path.join(desk.folder, "%d.packed" % i))
        with (gzip.open if i % 2 else lzma.open)(packed[-1], "wb") as file:
            file.write(read(piece))
    check_told(tap, lab, ask([client], packed), "compressed ones")
    check_told(tap, lab, ask([client], ["-"], read(server)), "standard input for the second tap")
    check_told(tap, lab, ask(["-"], [server], read(client)), "standard input for the first tap")
    for slow, names in ((client, "first"), (server, "second")):
        pipe = os.path.join(desk.folder, names + ".pipe")
        os.mkfifo(pipe)
        writer = threading.Thread(target=drip, args=(pipe, read(slow)))
        writer.start()
        answer = ask([pipe], [server]) if slow == client else ask([client], [pipe])
        writer.join()
        check_told(tap, lab, answer, "a slow pipe for the %s tap" % names)


def drip(pipe, octets):
    """Writes a little at a time."""
    with open(pipe, "wb") as file:
        for at in range(0, len(octets), len(octets) // 10):
            file.write(octets[at:at + len(octets) // 10])
            file.flush()
            time.sleep(.05)


def check_snaplens(tap, desk):
    lab = simulated(7, Weather(loss=.03), 150)
    moved = tapsim.translated(lab.taps["server"], shift=99)
    for first, second in ((96, 65535), (54, 65535), (66, 66), (52, 65535), (72, 300)):
        client = desk.write("client", lab.taps["client"], snaplen=first)
        for what, segments in (("", lab.taps["server"]), (", behind a NAT", moved)):
            answer = desk.ask(client, desk.write("server", segments, snaplen=second))
            check_told(tap, lab, answer, "%d and %d octets of a packet%s" % (first, second, what))


def check_apart(tap, desk):
    """One capture goes on for hours with what the other tap never sees."""
    lab = simulated(7, Weather(loss=.03), 150)
    client, server = lab.taps["client"], lab.taps["server"]
    other = simulated(9, Weather(loss=.01), 1800, apart=MS).taps["server"]
    hour = 3600 * SECOND

    def strange(by):
        return [dataclasses.replace(s, t=s.t + by, source=(s.source[0] ^ 1 << 24, s.source[1]),
                                    target=(s.target[0] ^ 1 << 24, s.target[1])) for s in other]
    for name, first, second, clock in (
            ("the second capture begins an hour before", client, strange(-hour) + server, 0),
            ("and its clock is half an hour slow", client, strange(-hour) + server, -hour // 2),
            ("and its clock was never set", client, strange(-hour) + server, -400 * 24 * hour),
            ("the first capture begins an hour before", strange(-hour) + client, server, 0),
            ("the second capture ends hours later", client, server + strange(2 * hour), 0),
            ("the first capture ends hours later", client + strange(2 * hour), server, 0)):
        places = {side: lambda number, less=len(segments) - len(own): number + less
                  for side, segments, own in (("client", first, client), ("server", second, server))
                  if segments[0] is not own[0]}
        answer = desk.ask(desk.write("client", first), desk.write("server", second, offset=clock))
        check_told(tap, lab, answer, name, places)
        unknown = answer.counts()["unknown"]
        tap.ok(unknown == len(other), "%s: what one tap alone can show is counted" % name, unknown)


def put_together(segments, seed, most):
    """As segmentation offload shows them, now more and now less.  Also where each one went."""
    draw = random.Random(seed)
    out, place = [], []
    for segment in segments:
        last = out[-1] if out else None
        if last and last.payload and segment.payload and last.source == segment.source and \
                last.target == segment.target and last.end == segment.seq and \
                last.ts == segment.ts and last.ack == segment.ack and \
                segment.t - last.t < MS and not segment.flags & tapsim.FIN and \
                len(last.payload + segment.payload) < most and draw.random() < .7:
            out[-1] = dataclasses.replace(last, payload=last.payload + segment.payload)
        else:
            out.append(segment)
        place.append(len(out))
    return out, place


def taken_apart(segments):
    """A device sends large segments on in two.  Also where each one's last part went."""
    out, place = [], []
    for segment in segments:
        if len(segment.payload) > 700:
            out.append(dataclasses.replace(segment, payload=segment.payload[:700]))
            segment = dataclasses.replace(segment, payload=segment.payload[700:], t=segment.t + 1000,
                                          seq=segment.seq + 700)
        out.append(segment)
        place.append(len(out))
    return out, place


def check_offload(tap, desk):
    for weather in (Weather(loss=.03), Weather(loss=.02, hold=.01, double=.01)):
        lab = tapsim.Lab(3, weather)
        for number in range(100):
            lab.connect(START + lab.random.randrange(300 * MS), number, answer=60000)
        lab.run()
        forms = {name: put_together(lab.taps[name], seed, most) for name, seed, most in
                 (("client", 5, 7000), ("server", 6, 9000))}
        places = {name: lambda number, place=place: place[number - 1]
                  for name, (_, place) in forms.items()}
        client, server = forms["client"][0], forms["server"][0]
        name = "put together at both taps, each in its way" + (", some held" if weather.hold else "")
        for what, segments in (("", server), (", behind a NAT", tapsim.translated(server, shift=9))):
            answer = desk.ask(desk.write("client", client), desk.write("server", segments))
            check_told(tap, lab, answer, name + what, places)
            counts = answer.counts()
            tap.ok(counts["injected"] == counts["unknown"] == counts["changed"] == 0,
                   name + what + ": nothing else happened", counts)
    apart, place = taken_apart(lab.taps["client"])
    answer = desk.ask(desk.write("client", apart), desk.write("server", lab.taps["server"]))
    check_told(tap, lab, answer, "taken apart on the way",
               {"client": lambda number: place[number - 1]})


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(folder)
        for check in (check_files, check_snaplens, check_apart, check_offload):
            check(tap, desk)
    sys.exit(tap.end())


if __name__ == "__main__":
    main()
