#!/usr/bin/env python3
"""Link types and tunnels: frames that scapy wrote are read as they were meant, and as tshark reads
them."""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
BUILD = os.environ.get("TOP_BUILDDIR", ".")
DUMP = os.environ.get("DISSECT_DUMP", os.path.join(BUILD, "tests", "tools", "dissect-dump"))
COMPARE = os.path.join(TOP, "tests", "tools", "compare-dissect.py")

try:
    import logging
    logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
    from scapy.layers.dns import DNS, DNSQR
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import GRE, Dot1Q, Ether
    from scapy.layers.ppp import PPP
    from scapy.layers.vxlan import VXLAN
    from scapy.contrib.erspan import ERSPAN_II, ERSPAN_III
    from scapy.contrib.geneve import GENEVE
    from scapy.contrib.gtp import GTP_U_Header, GTPPDUSessionContainer
    from scapy.contrib.mpls import MPLS
    from scapy.packet import Raw
    MISSING = None
except ImportError as error:
    MISSING = "no scapy: %s" % error

MACS = bytes.fromhex("020000000001020000000002")
THIRD, FOURTH = b"\x02\0\0\0\0\x03", b"\x02\0\0\0\0\x04"


def inner4(number=1):
    """A TCP segment under IPv4; its number is in ports, sequence number and length."""
    return IP(src="10.1.0.1", dst="10.1.0.2", id=100 + number) / TCP(
        sport=4000 + number, dport=80, flags="PA", seq=1000 + number, ack=7,
        options=[("Timestamp", (number, 5))]) / ("x" * number)


def inner6(number=2):
    return IPv6(src="2001:db8::1", dst="2001:db8::2") / TCP(
        sport=4000 + number, dport=80, flags="PA", seq=1000 + number, ack=7) / ("x" * number)


def label(value, last):
    return struct.pack(">I", value << 12 | last << 8 | 64)


def ethernet(kind, payload):
    return MACS + struct.pack(">H", kind) + payload


def wireless(control, extra, payload):
    return bytes.fromhex(control) + b"\0\0" + MACS + THIRD + b"\x10\0" + extra + payload


def subframe(payload):
    body = MACS + struct.pack(">H", len(payload)) + payload
    return body + b"\0" * (-len(body) % 4)


def radiotap(flags, time=False, more=False):
    fields = (b"\x01" * 8 if time else b"") + bytes([flags])
    words = [(1 if time else 0) | 2 | (0x80000000 if more else 0)] + ([0] if more else [])
    if time and more:
        fields = b"\0" * 4 + fields
    return struct.pack("<BBH", 0, 0, 4 + 4 * len(words) + len(fields)) + b"".join(
        struct.pack("<I", word) for word in words) + fields


def value(kind, octets):
    return struct.pack("<HH", 4 + len(octets), kind) + octets + b"\0" * (-len(octets) % 4)


def links():
    """{name: (DLT, [(frame, [numbers of the segments in it])])}; None: whatever tshark says."""
    four, six, more = bytes(inner4()), bytes(inner6()), bytes(inner4(3))
    snap4, snap6 = bytes.fromhex("aaaa030000000800"), bytes.fromhex("aaaa0300000086dd")
    pppoe4 = struct.pack(">BBHHH", 0x11, 0, 1, 2 + len(four), 0x21) + four
    data = wireless("0801", b"", snap4 + four)
    aggregate = wireless("8802", b"\x80\0",
                         subframe(snap4 + four) + subframe(snap6 + six) + subframe(snap4 + more))
    cooked = b"\x02\0\0\0\0\x01\0\0"
    log = b"em0\0" + b"\0" * 53 + b"\0\0\0"
    return {
        "ETHERNET": (1, [
            (ethernet(0x800, four), [1]), (ethernet(0x86dd, six), [2]),
            (ethernet(0x88a8, struct.pack(">HHHH", 100, 0x8100, 200, 0x800) + four), [1]),
            (ethernet(0x9100, struct.pack(">HH", 100, 0x800) + four), [1]),
            (ethernet(0x9200, struct.pack(">HH", 100, 0x800) + four), [1]),
            (ethernet(8 + len(four), snap4 + four), [1]),
            (ethernet(8 + len(six), snap6 + six), [2]),
            (ethernet(8 + len(four), bytes.fromhex("aaaa030000f80800") + four), [1]),
            (ethernet(3 + len(four), bytes.fromhex("060603") + four), [1]),
            (ethernet(0x8847, label(16, 1) + four), [1]),
            (ethernet(0x8847, label(16, 0) + label(17, 0) + label(18, 1) + six), [2]),
            (ethernet(0x8847, label(0, 1) + four), [1]),
            (ethernet(0x8847, label(2, 1) + six), [2]),
            (ethernet(0x8847, label(16, 1) + b"\0\0\0\0" + ethernet(0x800, four)), [1]),
            (ethernet(0x8847, label(16, 1) + ethernet(0x800, four)), [1]),
            (ethernet(0x8848, label(16, 1) + four), [1]),
            (ethernet(0x8864, pppoe4), [1]),
            (ethernet(0x8864, struct.pack(">BBHHH", 0x11, 0, 1, 2 + len(six), 0x57) + six), [2]),
            (ethernet(0x8863, pppoe4), []),
            (ethernet(0x88e7, b"\0\0\0\x07" + ethernet(0x800, four)), [1]),
            (ethernet(0x8926, b"\0\x01\0\x02\x08\0" + four), [1]),
            (ethernet(0x8903, b"\x12\x20" + ethernet(0x800, four) + b"FCSX"), [1]),
            (ethernet(0x22f3, struct.pack(">HHH", 0x1f, 1, 2) + ethernet(0x86dd, six)), [2]),
            (ethernet(0xdada, b"\0\0\xc0\x08\0\x01\x08\0" + four), [1]),
            (ethernet(0x88e5, b"\0\0\0\0\0\x01\x08\0" + four + b"i" * 16), [1]),
            (ethernet(0x88e5, b"\x0c\0\0\0\0\x01" + b"k" * 60), []),
        ]),
        "PPP": (9, [(bytes.fromhex(head) + payload, [1] if payload is four else [2])
                    for head, payload in (("ff030021", four), ("0021", four), ("21", four),
                                          ("ff030057", six), ("57", six),
                                          ("ff030281000101ff", four))]),
        "PPP_HDLC": (50, [(bytes.fromhex("ff030021") + four, [1]),
                          (bytes.fromhex("0f000800") + four, [1]),
                          (bytes.fromhex("8f0086dd") + six, [2])]),
        "PPP_ETHER": (51, [(pppoe4, [1])]),
        "PPP_PPPD": (166, [(bytes.fromhex("00030021") + four, [1]),
                           (bytes.fromhex("01030057") + six, [2])]),
        "PPP_WITH_DIR": (204, [(bytes.fromhex("00ff030021") + four, [1]),
                               (bytes.fromhex("010021") + four, [1])]),
        "C_HDLC": (104, [(bytes.fromhex("0f000800") + four, [1]),
                         (bytes.fromhex("0f008847") + label(16, 1) + four, [1])]),
        "FRELAY": (107, [(bytes.fromhex("184103cc") + four, [1]),
                         (bytes.fromhex("1841038e") + six, [2]),
                         (bytes.fromhex("18410300800000000800") + four, [1]),
                         (bytes.fromhex("18410800") + four, [1])]),
        "MPLS": (219, [(label(16, 1) + four, [1])]),
        "IEEE802_11": (105, [
            (data, [1]), (wireless("0802", b"", snap6 + six), [2]),
            (wireless("0800", b"", snap4 + four), [1]),
            (wireless("0803", FOURTH, snap4 + four), [1]),
            (wireless("8801", b"\0\0", snap4 + four), [1]),
            (wireless("8881", b"\0\0\0\0\0\0", snap4 + four), [1]),
            (wireless("8803", FOURTH + b"\0\0", snap4 + four), [1]),
            (wireless("4801", b"", b""), []), (wireless("8000", b"", b""), []),
            (wireless("0841", b"", b"k" * 60), []),
        ]),
        "an aggregate of 802.11": (105, [(aggregate, [1, 2, 3]),
                                         (aggregate[:-60], [1, 2])]),
        "IEEE802_11_RADIOTAP": (127, [
            (radiotap(0) + data, [1]), (radiotap(0, time=True) + data, [1]),
            (radiotap(0, more=True) + data, [1]), (radiotap(0x10) + data + b"FCSX", [1]),
            (radiotap(0x20) + wireless("8801", b"\0\0\0\0", snap4 + four), [1]),
        ]),
        "a wrong sum under radiotap": (127, [(radiotap(0x40) + data, []),
                                             (radiotap(0x40, time=True) + data, []),
                                             (radiotap(0x40, time=True, more=True) + data, [])]),
        "PPI": (192, [(struct.pack("<BBHI", 0, 0, 8, 105) + data, [1]),
                      (struct.pack("<BBHI", 0, 0, 8, 1) + ethernet(0x800, four), [1]),
                      (struct.pack("<BBHIHHI", 0, 0, 16, 105, 4, 4, 0) + data, [1])]),
        "IEEE802_11_AVS": (163, [(struct.pack(">II", 0x80211001, 64) + b"\0" * 56 + data, [1])]),
        "IEEE802_11_PRISM": (119, [
            (struct.pack("<II", 0x44, 144) + b"wlan0" + b"\0" * 131 + data, [1]),
            (struct.pack(">II", 0x80211001, 64) + b"\0" * 56 + data, [1])]),
        "NFLOG": (239, [
            (b"\x02\0\0\x05" + value(1, b"\x08\0\3\0") + value(10, b"x\0") + value(9, four), [1]),
            (b"\x0a\0\0\x05" + value(1, b"\x86\xdd\3\0") + value(9, six), [2])]),
        "PFLOG": (117, [(bytes([61, 2, 0, 0]) + log + four, [1]),
                        (bytes([61, 24, 0, 0]) + log + six, [2])]),
        "PKTAP": (258, [
            (struct.pack("<III", 108, 1, 1) + b"\0" * 96 + ethernet(0x800, four), [1]),
            (struct.pack("<III", 108, 1, 12) + b"\0" * 96 + four, [1])]),
        "ENC": (109, [(struct.pack("<III", 2, 1, 0) + four, [1]),
                      (struct.pack("<III", 24, 1, 0) + six, [2])]),
        "IEEE802_5": (6, [
            (b"\x10\x40" + MACS + snap4 + four, [1]),
            (b"\x10\x40" + MACS[:6] + b"\x82\0\0\0\0\2\x06\0\1\1\2\2" + snap4 + four, [1])]),
        "FDDI": (10, [(b"\x50" + MACS + snap4 + four, [1])]),
        "IP_OVER_FC": (122, [(b"\0" * 16 + snap4 + four, [1])]),
        "ATM_RFC1483": (100, [(snap4 + four, [1])]),
        "SUNATM": (123, [(b"\x02\0\0\x21" + snap4 + four, [1])]),
        "SLIP": (8, [(b"\0" * 16 + four, [1])]),
        "NETANALYZER": (240, [(b"\0" * 4 + ethernet(0x800, four) + b"FCSX", [1])]),
        "DSA_TAG_BRCM_PREPEND": (282, [(b"\x20\0\0\x01" + ethernet(0x800, four), [1])]),
        "DSA_TAG_BRCM": (281, [(MACS + b"\x20\0\0\x01\x08\0" + four, [1])]),
        "DSA_TAG_DSA": (283, [(MACS + b"\xc0\x08\0\x01\x08\0" + four, [1])]),
        "DSA_TAG_EDSA": (284, [(MACS + b"\xda\xda\0\0\xc0\x08\0\x01\x08\0" + four, [1])]),
        "APPLE_IP_OVER_IEEE1394": (138, [(b"\0" * 16 + b"\x08\0" + four, [1])]),
        "IPOIB": (242, [(b"\0" * 40 + b"\x08\0\0\0" + four, [1])]),
        "LINUX_SLL": (113, [
            (struct.pack(">HHH8sH", 0, 1, 6, cooked, 0x800) + four, [1]),
            (struct.pack(">HHH8sH", 0, 1, 6, cooked, 4) + snap4 + four, [1]),
            (struct.pack(">HHH8sHHH", 0, 1, 6, cooked, 0x8100, 5, 0x86dd) + six, [2]),
            (struct.pack(">HHH8sH", 0, 824, 0, cooked, 0x800) + four, [])]),
        "LINUX_SLL2": (276, [(struct.pack(">HHIHBB8s", 0x800, 0, 1, 1, 0, 6, cooked) + four, [1])]),
    }


def tunnels():
    bridge = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    outer = bridge / IP(src="192.0.2.1", dst="192.0.2.2")
    outer6 = bridge / IPv6(src="2001:db8:1::1", dst="2001:db8:1::2")

    def protocol(number, head=b""):
        return bridge / IP(src="192.0.2.1", dst="192.0.2.2", proto=number) / Raw(head)

    def udp(port, below=outer):
        return below / UDP(sport=40000, dport=port)

    def found(packet):
        number = packet[TCP].sport - 4000 if TCP in packet else None
        return bytes(packet), [] if number is None else [number]

    seen = [
        outer / inner4(), outer / inner6(), outer6 / inner4(), outer6 / inner6(),
        outer / GRE() / inner4(), outer6 / GRE() / inner4(),
        outer / GRE(key_present=1, key=7, seqnum_present=1, sequence_number=9,
                    chksum_present=1) / inner6(),
        outer / GRE(proto=0x6558) / bridge / inner4(),
        outer / GRE(proto=0x8847) / MPLS(label=5, s=1) / inner4(),
        outer / GRE(proto=0x880b, version=1, key_present=1, seqnum_present=1) / PPP() / inner4(),
        outer / GRE(proto=0x88be) / bridge / inner4(),
        outer / GRE(proto=0x88be, seqnum_present=1) / ERSPAN_II(ver=1) / bridge / inner4(),
        outer / GRE(proto=0x22eb, seqnum_present=1) / ERSPAN_III() / bridge / inner4(),
        udp(4789) / VXLAN(vni=42, flags=8) / bridge / inner4(),
        udp(8472) / VXLAN(vni=42, flags=8) / bridge / inner6(),
        udp(4789, outer6) / VXLAN(vni=42, flags=8) / bridge / Dot1Q(vlan=7) / inner4(),
        udp(4790) / VXLAN(vni=42, flags=0xc, NextProtocol=1) / inner4(),
        udp(4790) / VXLAN(vni=42, flags=0xc, NextProtocol=3) / bridge / inner4(),
        udp(6081) / GENEVE(vni=9) / bridge / inner4(),
        udp(6081) / GENEVE(vni=9, proto=0x0800) / inner4(),
        udp(6081) / GENEVE(vni=9, optionlen=2, proto=0x86dd) /
        Raw(bytes.fromhex("0102800100000001")) / inner6(),
        udp(2152) / GTP_U_Header(teid=5, gtp_type=255) / inner4(),
        udp(2152) / GTP_U_Header(teid=5, S=1, seq=3, gtp_type=255) / inner6(),
        udp(2152) / GTP_U_Header(teid=5, E=1, next_ex=0x85, gtp_type=255) /
        GTPPDUSessionContainer(type=1, QFI=1) / inner4(),
        udp(31000) / GTP_U_Header(teid=5, gtp_type=255) / inner4(),
        udp(3544) / inner6(),
        udp(3544) / Raw(b"\0\0\x12\x34\1\2\3\4") / inner6(),
        udp(3544) / Raw(b"\0\1\0\0nnnnnnnn\0\0\0\x12\x34\1\2\3\4") / inner6(),
        udp(1701) / Raw(b"\0\2\0\1\0\2\xff\3\0\x21") / inner4(),
        udp(1701) / Raw(b"\x48\2\0\x50\0\1\0\2\0\0\0\0\xff\3\0\x57") / inner6(),
        udp(1701) / Raw(b"\0\3\0\0\0\0\0\7") / bridge / inner4(),
        protocol(115, b"\0\0\0\7") / bridge / inner4(),
        protocol(115, b"\0\0\0\7cook\x40\0\0\1") / bridge / inner4(),
        protocol(97, b"\x30\0") / bridge / inner4(),
        protocol(137) / MPLS(label=5, s=1) / inner4(),
        udp(6635) / MPLS(label=5, s=1) / inner4(),
        udp(4341) / Raw(b"\xc0\0\0\1\0\0\0\1") / inner4(),
        udp(4789) / VXLAN(vni=1, flags=8) / bridge / IP(src="10.9.0.1", dst="10.9.0.2") / GRE() /
        inner4(),
    ]
    left = [
        udp(9999) / inner4(), udp(4789) / Raw(b"\x08\0\0\0\0\0\1\0" + b"q" * 60),
        udp(53) / DNS(qd=DNSQR(qname="a.b")), udp(51820) / Raw(b"\4\0\0\0" + b"k" * 60),
        udp(4500) / Raw(b"\0\0\0\1" + b"k" * 60), protocol(50, b"k" * 40),
        protocol(115, b"\0\0\0\0") / bridge / inner4(),
        udp(2152) / Raw(b"\x30\xff\0\x05" + b"\x45" * 40),
    ]
    deep = outer
    for _ in range(12):
        deep = deep / GRE() / IP(src="192.0.2.1", dst="192.0.2.2")
    left.append(deep / GRE() / inner4())
    return {"tunnels": (1, [found(packet) for packet in seen]),
            "no tunnels": (1, [(bytes(packet), []) for packet in left])}


def write(path, link_type, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, link_type))
        for number, (frame, _) in enumerate(frames):
            file.write(struct.pack("<IIII", 1700000000, number, len(frame), len(frame)) + frame)


def read(path):
    """{frame: [numbers of the segments found in it]}, by what each says of itself."""
    found = {}
    output = subprocess.run([DUMP, path], stdout=subprocess.PIPE, check=True, text=True).stdout
    for line in output.splitlines():
        frame = int(re.match(r"\d+", line).group())
        found.setdefault(frame, [])
        fields = dict(re.findall(r"(\w+)=(\S*)", line))
        if " segment " not in line:
            continue
        number = int(fields["sport"]) - 4000
        whole = (fields["dport"] == "80" and int(fields["seq"]) == 1000 + number and
                 fields["ack"] == "7" and int(fields["len"]) == number and
                 fields["verdict"] == "good" and fields["source"] in ("10.1.0.1", "2001:db8::1"))
        found[frame].append(number if whole else line)
    return found


def main():
    tap = Tap()
    if MISSING:
        tap.skip("link types and tunnels", MISSING)
        return tap.end()
    with tempfile.TemporaryDirectory() as folder:
        for name, (link_type, frames) in {**links(), **tunnels()}.items():
            path = os.path.join(folder, re.sub(r"\W", "-", name) + ".pcap")
            write(path, link_type, frames)
            wanted = {number + 1: numbers for number, (_, numbers) in enumerate(frames)}
            found = read(path)
            tap.ok(found == wanted, name, *("frame %d: %s, not %s" % (
                frame, found.get(frame), wanted[frame])
                for frame in wanted if found.get(frame) != wanted[frame]))
            if not shutil.which("tshark"):
                tap.skip(name + ", beside tshark", "no tshark")
                continue
            if "aggregate" in name:
                tap.skip(name + ", beside tshark", "its fields are those of the last packet")
                continue
            run = subprocess.run([sys.executable, COMPARE, "--dump", DUMP, "-v", path],
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 check=False)
            unknown = "doesn't support" in run.stdout
            if unknown:
                tap.skip(name + ", beside tshark", "tshark does not know the link type")
            else:
                tap.ok(" 0 fields differ" in run.stdout, name + ", beside tshark", run.stdout)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
