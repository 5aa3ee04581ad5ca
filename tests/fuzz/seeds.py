#!/usr/bin/env python3
"""seeds: small inputs from which fuzzing begins, a folder for each target.

usage: seeds.py FOLDER

They are made, not kept: captures of the case scripts in every format, a frame of every link type
and tunnel (with scapy), scripts of whole connections for the structured target.
"""
import glob
import gzip
import lzma
import os
import re
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(TOP, "tests", "tools"), os.path.join(TOP, "tests", "checks")]
import encapsulations
import segread
import segwire

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CASES = ("open", "close", "reuse", "reset", "stray", "silence")


def link_types():
    """The values of link.def in the order of its rows."""
    with open(os.path.join(TOP, "dissect", "link.def"), encoding="ascii") as file:
        return [int(value) for value in re.findall(r"^(?:LINK|FIXED|BEFORE)\( *(\d+),", file.read(),
                                                   re.M)]


LINKS = link_types()


def case_frames(name, **how):
    case = segread.read_case(name, name)
    return list(segwire.Wire(case, segwire.Variation(**how)).frames())


def cases():
    for topic in CASES:
        for path in sorted(glob.glob(os.path.join(TOP, "tests", "cases", topic, "*.seg")))[::8]:
            yield os.path.basename(path)[:-4], path


# What each target is given: pairs of a name and the input.

def dissect_seeds():
    if encapsulations.MISSING:
        return
    for name, (link, frames) in {**encapsulations.links(), **encapsulations.tunnels()}.items():
        for number, (frame, _) in enumerate(frames):
            yield "%s-%d" % (name, number), bytes([LINKS.index(link), 0]) + bytes(frame)


def frame_record(link, gap, frame):
    index = LINKS.index(link)
    return struct.pack(">HB", len(frame) | (index & 31) << 11, gap | (index >> 5) << 6) + frame


def frames_seeds():
    for name, path in cases():
        for fragment in (0, 44):
            frames = [frame for _, frame, _ in case_frames(path, fragment=fragment)]
            yield "%s-%d" % (name, fragment), b"\1" + b"".join(
                frame_record(1, 1, frame) for frame in frames[:60])
    if encapsulations.MISSING:
        return
    for name, (link, frames) in {**encapsulations.links(), **encapsulations.tunnels()}.items():
        yield name, b"\2" + b"".join(frame_record(link, 1, bytes(f)) for f, _ in frames)


def step(side, flags, payload=0, seq=0, ack=0, time=2, extra=0, flow=0):
    """A packet of conversation.h."""
    return bytes([flow | side << 2 | payload << 3, flags, seq, ack, time, extra])


def opened(flow=0, seq=0):
    return (step(0, SYN, seq=seq, extra=2, flow=flow) + step(1, SYN | ACK, seq=seq, extra=2, flow=flow)
            + step(0, ACK, extra=1, flow=flow))


def exchange(flow=0):
    return (step(0, PSH | ACK, 4, extra=1, flow=flow) + step(1, ACK, extra=1, flow=flow)
            + step(1, PSH | ACK, 6, flow=flow) + step(0, ACK, flow=flow))


def closed(flow=0):
    return (step(0, FIN | ACK, flow=flow) + step(1, ACK, flow=flow)
            + step(1, FIN | ACK, flow=flow) + step(0, ACK, flow=flow))


def conversation_stories():
    return {
        "whole": opened() + exchange() + closed(),
        "reset": opened() + exchange() + step(1, RST | ACK),
        "refused": step(0, SYN, extra=2) + step(1, RST | ACK),
        "unanswered": step(0, SYN, time=6) + step(0, SYN, seq=2, time=6) * 4,
        "reused": (opened() + closed()) + (opened(seq=13) + exchange() + closed()) * 3,
        "syn-in-every-state": b"".join(
            opened() [:6 * n] + step(0, SYN, seq=13) + step(1, ACK, seq=11, ack=9) for n in range(4)),
        "last-ack": opened() + step(1, FIN | ACK) + step(0, FIN | ACK) + step(0, SYN, seq=13, time=6)
        + step(1, ACK, seq=11) + step(0, RST, seq=5),
        "simultaneous": opened() + step(0, FIN | ACK) + step(1, FIN | ACK, ack=1) + step(0, ACK)
        + step(1, ACK),
        "repeats": opened() + step(0, PSH | ACK, 6) + step(0, PSH | ACK, 6, seq=2, time=5) * 5
        + step(1, ACK, extra=4),
        "overlaps": opened() + (step(0, ACK, 5) + step(0, ACK, 5, seq=7)) * 4,
        "holes": opened() + step(0, ACK, 6, seq=4) + step(1, ACK, extra=3) * 4 + step(0, ACK, 6, seq=2),
        "lying": opened() + step(1, ACK, ack=6) + step(1, ACK, ack=5) + step(1, ACK, ack=7) + closed(),
        "window": opened() + step(1, ACK, extra=0x40) + step(0, ACK, 3, seq=1, time=6) * 4,
        "keep-alive": opened() + (step(0, ACK, seq=1, time=9) + step(1, ACK)) * 4,
        "time": opened() + step(0, ACK, 4, time=14) + step(1, ACK, time=13) + closed(),
        "unreachable": step(0, SYN, extra=2) + step(0, SYN, seq=2, time=0x66),
        "four": b"".join(opened(f) + exchange(f) + closed(f) for f in range(4)),
        "storm": opened() + (step(0, RST, seq=4) + step(1, ACK, seq=1) + step(0, SYN, seq=13)) * 30,
    }


def conversations_seeds():
    for name, story in conversation_stories().items():
        for first in (0, 1, 2):
            yield "%s-%d" % (name, first), bytes([first << 2 | 0x40 * first, 0, first & 1]) + story
    for threads in (1, 2, 3): # beside the caller's
        yield "several-engines-%d" % threads, bytes([0x10 | threads, 0, 0]) + \
            conversation_stories()["four"] * 5


def crowd_seeds():
    lone, open_, say, close, reset, again, reuse = range(7)
    lives = {
        "grow": [(lone, 0, 255, 1), (lone, 255, 255, 1), (open_, 0, 100, 1)],
        "whole": [(open_, 0, 60, 1), (say, 0, 60, 1), (close, 0, 60, 2), (again, 0, 60, 3),
                  (again, 0, 1, 6)],
        "few-stay": [(open_, 0, 160, 1), (reset, 0, 78, 1), (reset, 82, 78, 1), (say, 79, 3, 6),
                     (say, 79, 3, 6)],
        "gone": [(open_, 0, 60, 1), (say, 0, 60, 1), (say, 2, 60, 0), (again, 0, 60, 3),
                 (again, 0, 1, 6)],
        "reused": [(open_, 0, 30, 0), (close, 0, 30, 0), (reuse, 0, 30, 3), (say, 0, 30, 3)],
        "time": [(open_, 0, 40, 0), (say, 0, 40, 7), (close, 0, 40, 7), (open_, 0, 40, 6)],
    }
    for first in (1, 0x0e, 0x33):
        for name, deeds in lives.items():
            yield "%s-%d" % (name, first), bytes([first]) + b"".join(map(bytes, deeds))


def usual_seeds():
    """A life of every close after every opening, and of each bend at each of its packets."""
    for close in range(16):
        for opening in range(8):
            head = bytes([(close & 3) | (opening & 1) << 5 | 0x40, opening << 6 & 0xff | close])
            lives = [bytes([close << 4 | tuple_, opening | (close + tuple_) % 8 << 3,
                            0x10 * (tuple_ + 1) | (opening + tuple_) % 8, close, 1 + tuple_,
                            (close + tuple_) & 0x1f]) for tuple_ in (0, 1, 0, 5, 1)]
            yield "close-%d-opening-%d" % (close, opening), head + b"".join(lives)
    for bend in range(20):
        for which in range(0, 12, 2):
            life = bytes([(bend * 3 + which) % 16 << 4, 0, 0x20 | which % 8, which, 3, 0x20 | bend])
            yield "bend-%d-%d" % (bend, which), b"\1\0" + life + bytes([which, bend, which + bend]) + \
                life[:5] + b"\x10"
    yield "a-scale-of-fifteen", bytes([0, 0, 0, 0, 0x20, 0x1b, 3, 0x40, 0, 14, 0x41, 1, 14, 0x41])
    picked_up = bytes.fromhex("3a003a3a3a3a")
    yield "the-ip-identification-tells", b"\0\0" + picked_up[:5] + b"\0" + picked_up + bytes(3) + \
        picked_up + b"\0\x3a\0"
    for which in range(2, 12):
        yield "small-window-%d" % which, b"\0\0" + bytes([0, 0, 0x20, 0x18, 3, 0x20, which, 9, 0])


def states_seeds():
    for name, story in conversation_stories().items():
        for first, cut in ((0, 128), (3, 60), (2, 250)):
            yield "%s-%d" % (name, cut), bytes([first, cut, 0, 0]) + story
        place = struct.pack(">H", 300 + 37 * len(story))
        yield "%s-changed" % name, bytes([0, 128, 1]) + place + b"\6\5" + b"\0" + story


def pieces_seeds():
    for number, (name, story) in enumerate(conversation_stories().items()):
        for cut in (60, 128, 250):
            yield "%s-%d" % (name, cut), bytes([cut, 0, 0]) + story
        for how in range(1, 8):
            place = struct.pack(">H", 77 * number + how)
            yield "%s-changed-%d" % (name, how), bytes([128, 1, how]) + place + bytes([6, number, 0]) + story


def taps_seeds():
    for number, (name, story) in enumerate(conversation_stories().items()):
        yield "%s-untouched" % name, bytes([number & 15, 0, 0]) + story
        for fate in range(1, 8):
            fates = [number & 15, 8] + [0] * 8
            fates[2 + (number + fate) % 8] = 0x20 | fate
            yield "%s-%d" % (name, fate), bytes(fates) + b"\0" + story


def capture_of(form, **how):
    path = os.path.join(TOP, "tests", "cases", "close", "client-first.seg")
    frames = case_frames(path)
    order = ">" if how.get("big") else "<"
    if form == "pcap":
        out = [struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
        for time, frame, _ in frames:
            out.append(struct.pack(order + "IIII", time // 10**9, time % 10**9 // 1000, len(frame),
                                   len(frame)) + frame)
        return b"".join(out)

    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        size = struct.pack(order + "I", len(body) + 12)
        return struct.pack(order + "I", kind) + size + body + size
    out = [block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)),
           block(1, struct.pack(order + "HHI", 1, 0, 0) + struct.pack(order + "HH4s", 2, 4, b"eth0")
                 + struct.pack(order + "HHBxxx", 9, 1, 9) + struct.pack(order + "I", 0))]
    for time, frame, _ in frames:
        out.append(block(6, struct.pack(order + "IIIII", 0, time >> 32, time & 0xffffffff,
                                        len(frame), len(frame)) + frame))
    out.append(block(3, struct.pack(order + "I", 60) + frames[0][1]))
    out.append(block(5, struct.pack(order + "III", 0, 0, 0) +
                     struct.pack(order + "HHQ", 5, 8, 3) + struct.pack(order + "I", 0)))
    return b"".join(out)


def capture_snoop():
    path = os.path.join(TOP, "tests", "cases", "close", "client-first.seg")
    out = [b"snoop\0\0\0" + struct.pack(">II", 2, 4)]
    for time, frame, _ in case_frames(path):
        body = frame + b"\0" * (-len(frame) % 4)
        out.append(struct.pack(">IIIIII", len(frame), len(frame), len(body) + 24, 0, time // 10**9,
                               time % 10**9 // 1000) + body)
    return b"".join(out)


def capture_erf():
    path = os.path.join(TOP, "tests", "cases", "close", "client-first.seg")
    out = []
    for time, frame, _ in case_frames(path):
        body = b"\0\0" + frame
        stamp = (time // 10**9) << 32 | (time % 10**9 << 32) // 10**9
        out.append(struct.pack("<Q", stamp) + struct.pack(">BBHHH", 2, 4, len(body) + 16, 0,
                                                          len(frame)) + body)
    return b"".join(out)


def capture_seeds():
    plain = capture_of("pcap")
    yield "pcap", plain
    yield "pcap-big", capture_of("pcap", big=True)
    yield "pcapng", capture_of("pcapng")
    yield "pcapng-big", capture_of("pcapng", big=True)
    yield "pcapng-two-sections", capture_of("pcapng") + capture_of("pcapng", big=True)
    yield "a-large-packet", gzip.compress(plain[:24] + struct.pack("<IIII", 1, 1, 300000, 300000) +
                                          bytes(300000), mtime=0)
    yield "snoop", capture_snoop()
    yield "erf", capture_erf()
    for name, data in unpack_files(plain):
        yield name, data


def unpack_files(plain):
    yield "gzip", gzip.compress(plain, mtime=0)
    yield "xz", lzma.compress(plain)
    for name, head in (("zstd", b"\x28\xb5\x2f\xfd"), ("lz4", b"\x04\x22\x4d\x18")):
        yield name, head + raw_frames(name, plain)


def raw_frames(name, plain):
    """The rest of a frame whose blocks are not compressed."""
    plain = plain[:800]
    if name == "zstd":
        return b"\x60" + struct.pack("<H", len(plain) - 256) + \
            (len(plain) << 3 | 1).to_bytes(3, "little") + plain
    return b"\x60\x40\x82" + struct.pack("<I", 1 << 31 | len(plain)) + plain + b"\0\0\0\0"


def unpack_seeds():
    files = dict(unpack_files(capture_of("pcap")))
    for kind, name in enumerate(("gzip", "zstd", "lz4", "xz")):
        for pieces in (0, 1, 2):
            first = next(b for b in range(pieces << 4, 256) if b % 5 == kind and b >> 4 & 3 == pieces)
            yield "%s-%d" % (name, pieces), bytes([first]) + files[name]
            yield "%s-%d-twice" % (name, pieces), bytes([first]) + files[name] * 2


def settings_seeds():
    yield "some", b'{"msl": "30s", "threads": 2, "max_memory": "256M", "churn_rate": 5}'
    yield "refused", b'{"msl": "30x"}'
    yield "unknown", b'{"msll": "30s"}'
    yield "deep", b'{"msl":' * 20
    yield "numbers", b'{"census_pairs": 1048576, "batch": 32, "tombstones": 18446744073709551616}'


def filter_seeds():
    for number, words in enumerate((
            "tcp port 443", "host 10.0.0.1 and not icmp", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
            "vlan 5 and ip6", "ether host 02:00:00:00:00:01", "net 10.0.0.0/8 or greater 100",
            "ip[6:2] & 0x1fff = 0", "portrange 1-1024", "less 60 and (src or dst port 80)")):
        yield "words-%d" % number, bytes([number % 8]) + words.encode()


def tcp_options_seeds():
    for number, octets in enumerate((
            "020405b40402080a0000000100000000 01030307", "0101080a0000000100000002",
            "0101050a0000000100000002", "01010512" + "00000001" * 4, "fe0ef989" + "00" * 10,
            "2208aabbccddeeff", "0802", "ff", "1e08000000000000")):
        data = bytes.fromhex(octets)
        yield "options-%d" % number, bytes([len(data)]) + data


def fragments_seeds():
    whole = [bytes([which | 64, 0, at, 12, 0, 6]) for which, at in ((0, 0), (0, 12), (32, 24))]
    largest = [bytes([64]) + struct.pack(">H", 255 * n) + b"\xff\0\x05" for n in range(32)]
    yield "largest", b"\x1f\xff" + b"".join(largest) + b"\x60" + struct.pack(">H", 255 * 32) + b"\x1d\0\x05"
    yield "in-order", b"\x1f\x80" + b"".join(whole)
    yield "backwards", b"\x1f\x80" + b"".join(whole[::-1])
    yield "twice", b"\x1f\x80" + b"".join(whole * 2)
    yield "overlapping", b"\x1f\x80" + whole[0] + bytes([64, 0, 6, 12, 0, 6]) + whole[2]


def order_seeds():
    yield "agenda", b"\0" + bytes(range(1, 120)) + b"\xff" + bytes(range(120, 0, -1))
    yield "park", b"\1\1" + bytes(i * 7 & 255 if i % 5 else 0 for i in range(4000))


SEEDS = {"capture": capture_seeds, "conversations": conversations_seeds,
         "crowd": crowd_seeds, "dissect": dissect_seeds,
         "filter": filter_seeds, "fragments": fragments_seeds, "frames": frames_seeds,
         "order": order_seeds, "pieces": pieces_seeds,
         "settings": settings_seeds, "states": states_seeds, "taps": taps_seeds,
         "tcp-options": tcp_options_seeds, "unpack": unpack_seeds, "usual": usual_seeds}


def write_all(folder):
    for target, make in SEEDS.items():
        os.makedirs(os.path.join(folder, target), exist_ok=True)
        for name, data in make():
            with open(os.path.join(folder, target, re.sub(r"[^\w.-]", "-", name)), "wb") as file:
                file.write(data)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write_all(sys.argv[1])


if __name__ == "__main__":
    main()
