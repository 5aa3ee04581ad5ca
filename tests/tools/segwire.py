"""segwire: a case's packets as bytes, in every dress that a variation asks for.

A variation changes what must not matter: addresses' family and order, link type, file format, ISNs.
"""
import ipaddress
import struct
from dataclasses import dataclass

import segtunnel
from segcase import SYN

EPOCH = 1_700_000_000  # script time 0: 2023-11-14T22:13:20Z
MACS = {"A": bytes.fromhex("020000000001"), "B": bytes.fromhex("020000000002")}
ETHERTYPE = {4: 0x0800, 6: 0x86DD}
LINKS = {"ethernet": 1, "vlan": 1, "qinq": 1, "sll": 113, "sll2": 276, "raw": 101, "null": 0,
         "null-big": 0, "loop": 108, "snap": 1, "mpls": 1, "pseudowire": 1, "pppoe": 1, "pbb": 1,
         "ppp": 9, "hdlc": 104, "wifi": 105, "radiotap": 127, "nflog": 239, "pktap": 258,
         "gre": 1, "gre-key": 1, "erspan": 1, "erspan3": 1, "ipip": 1, "6in": 1, "vxlan": 1,
         "geneve": 1, "gtp": 1, "teredo": 1, "l2tp3": 1, "vxlan-in-gre": 1}


@dataclass(frozen=True)
class Variation:
    name: str = ""
    link: str = "ethernet"
    ip: int = 4               # 6: IPv4 addresses of the case become IPv6
    form: str = "pcap"        # or pcapng
    nano: bool = False
    big: bool = False         # byte order of the file
    wrap: bool = False        # the first ISNs end just below 2^32, the distances stay
    swap: bool = False        # A and B exchange addresses, not ports
    arguments: tuple = ()     # more words for the command line
    fragment: int = 0         # IP packets longer than that are sent in fragments
    snaplen: int = 0          # octets of a frame that are captured
    doubled: bool = False     # every frame is captured twice
    always: bool = True       # False: each case is run in some of these, all cases in all of them

    @property
    def events_only(self):
        """Whether only events and their evidence must be the same."""
        return bool(self.snaplen or self.doubled)


VARIATIONS = (
    Variation("ipv6", ip=6),
    Variation("vlan", link="vlan"),
    Variation("qinq", link="qinq"),
    Variation("sll", link="sll"),
    Variation("sll2", link="sll2"),
    Variation("raw", link="raw"),
    Variation("null", link="null"),
    Variation("null-big", link="null-big", big=True),
    Variation("loop", link="loop"),
    Variation("pcapng", form="pcapng"),
    Variation("nano", nano=True),
    Variation("wrap", wrap=True),
    Variation("swap", swap=True),
    Variation("ipv6-wrap-swap-pcapng", ip=6, wrap=True, swap=True, form="pcapng", nano=True,
              big=True, link="raw"),
    Variation("fragments-600", fragment=600),
    Variation("fragments-tiny", fragment=44),
    Variation("fragments-ipv6", fragment=600, ip=6),
    Variation("snaplen-68", snaplen=68),
    Variation("snaplen-96", snaplen=96),
    Variation("snaplen-128", snaplen=128),
    Variation("doubled", doubled=True),
    *(Variation(link, link=link, always=False) for link in (
        "snap", "mpls", "pseudowire", "pppoe", "pbb", "ppp", "hdlc", "wifi", "radiotap", "nflog",
        "pktap", "gre", "gre-key", "erspan", "erspan3", "ipip", "vxlan", "geneve", "gtp", "l2tp3",
        "vxlan-in-gre")),
    Variation("6in4", link="6in", ip=6, always=False),
    Variation("teredo", link="teredo", ip=6, always=False),
    Variation("fragmented-tunnel", link="vxlan", fragment=200, always=False),
    Variation("threads-2", arguments=("--threads", "2")),
    Variation("threads-4", arguments=("--threads", "4")),
)


def addresses(case, flow, variation):
    """end -> (address, port) as this variation writes them."""
    ends = dict(case.ends[flow])
    if variation.swap:
        (a, a_port), (b, b_port) = ends["A"], ends["B"]
        ends = {"A": (b, a_port), "B": (a, b_port)}
    return {end: (widen(address, variation.ip), port) for end, (address, port) in ends.items()}


def widen(address, version):
    given = ipaddress.ip_address(address)
    if version == 6 and given.version == 4:
        return ipaddress.IPv6Address(int(ipaddress.IPv6Address("fd00::")) + int(given))
    return given


class Wire:
    """Turns the packets of one case, in one variation, into frames."""

    def __init__(self, case, variation):
        self.case = case
        self.variation = variation
        self.ends = {flow: addresses(case, flow, variation) for flow in case.flows}
        self.shift = {flow: self.shift_of(flow) for flow in case.flows}

    def shift_of(self, flow):
        if not self.variation.wrap:
            return {"A": 0, "B": 0}
        isn = self.case.flows[flow][0].isn
        return {"A": 2**32 - 2 - isn["A"], "B": 2**32 - 1 - isn["B"]}

    def absolute(self, number, flow, end):
        if number.incarnation is None:
            return number.value % 2**32
        isn = self.case.flows[flow][number.incarnation - 1].isn[end]
        return (isn + self.shift[flow][end] + number.value) % 2**32

    def frames(self):
        """Yields (ns since the epoch, octets, length on the wire)."""
        for _, time, octets, length in self.numbered_frames():
            yield time, octets, length

    def numbered_frames(self):
        """The same with the number of the case's packet that each frame completes; 0: none."""
        for number, packet in enumerate(self.case.packets, 1):
            ip = self.clock_packet() if packet.kind == "clock" else self.tcp_packet(packet)
            pieces = [bytes(ip)]
            if self.variation.link in segtunnel.TUNNELS:
                pieces = [segtunnel.wrap(self.variation.link, ip, number)]
            if self.variation.fragment:
                pieces = [piece for whole in pieces
                          for piece in segtunnel.fragments(whole, self.variation.fragment, number)]
            for index, piece in enumerate(pieces):
                last = number if index + 1 == len(pieces) else 0
                yield from self.captured(packet, last, piece)

    def captured(self, packet, number, ip):
        link = "ethernet" if self.variation.link in segtunnel.TUNNELS else self.variation.link
        header = segtunnel.link_header(link, ip, packet.sender) or link_header(
            link, ip[0] >> 4, packet.sender)
        frame = header + ip
        if self.variation.link == "ethernet" and packet.sender == "B":
            frame = frame.ljust(60, b"\0")  # a received frame is padded; IP's length rules
        kept = len(header) + self.case.snaplen if self.case.snaplen else len(frame)
        kept = min(kept, self.variation.snaplen or kept)
        yield number, EPOCH * 10**9 + packet.time, frame[:kept], len(frame)
        if self.variation.doubled:
            yield 0, EPOCH * 10**9 + packet.time, frame[:kept], len(frame)

    def clock_packet(self):
        source, target = (widen(f"192.0.2.{n}", self.variation.ip) for n in (1, 2))
        datagram = struct.pack("!HHHH", 9, 9, 8, 0)
        total = checksum(pseudo_header(source, target, 17, 8) + datagram) or 0xFFFF
        return ip_packet(source, target, 17, datagram[:6] + struct.pack("!H", total), 0, 64)

    def tcp_packet(self, packet):
        peer = "B" if packet.sender == "A" else "A"
        ends = self.ends[packet.flow]
        (source, source_port), (target, target_port) = ends[packet.sender], ends[peer]
        options = self.options(packet, peer)
        payload = self.payload(packet)
        header = struct.pack(
            "!HHIIHHHH", source_port, target_port,
            self.absolute(packet.seq, packet.flow, packet.sender),
            self.absolute(packet.ack, packet.flow, peer) if packet.ack else 0,
            (5 + len(options) // 4) << 12 | packet.flags, packet.window, 0, packet.urgent)
        tcp = header + options + payload
        pseudo = pseudo_header(source, target, 6, len(tcp))
        total = {"good": lambda: checksum(pseudo + tcp),
                 "bad": lambda: checksum(pseudo + tcp) ^ 0x5555,
                 "partial": lambda: checksum(pseudo) ^ 0xFFFF}[packet.checksum]()
        tcp = tcp[:16] + struct.pack("!H", total) + tcp[18:]
        return ip_packet(source, target, 6, tcp, packet.ip_id, packet.ttl)

    def payload(self, packet):
        """Octets that depend on end, incarnation and place in the stream: a repeat is identical."""
        if packet.data is not None:
            return packet.data
        first = packet.seq.value + bool(packet.flags & SYN)
        salt = 31 * (packet.seq.incarnation or 0) + (7 if packet.sender == "A" else 0)
        return bytes(33 + (offset * 17 + (offset >> 6) + salt) % 90
                     for offset in range(first, first + packet.length))

    def options(self, packet, peer):
        given, out = packet.options, b""
        if "mss" in given:
            out += struct.pack("!BBH", 2, 4, given["mss"])
        if "sackok" in given:
            out += b"\x04\x02"
        if "ts" in given:
            out += (b"" if "sackok" in given else b"\x01\x01")
            out += struct.pack("!BBII", 8, 10, *given["ts"])
        if "ws" in given:
            out += b"\x01" + struct.pack("!BBB", 3, 3, given["ws"])
        if "sack" in given:
            out += b"\x01\x01" + struct.pack("!BB", 5, 2 + 8 * len(given["sack"]))
            for block in given["sack"]:
                edges = (self.absolute(edge, packet.flow, peer) for edge in block)
                out += struct.pack("!II", *edges)
        return out + b"\x01" * (-len(out) % 4)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def pseudo_header(source, target, protocol, length):
    if source.version == 6:
        return source.packed + target.packed + struct.pack("!II", length, protocol)
    return source.packed + target.packed + struct.pack("!HH", protocol, length)


def ip_packet(source, target, protocol, body, ip_id, ttl):
    if source.version == 6:
        head = struct.pack("!IHBB", 6 << 28, len(body), protocol, ttl)
        return head + source.packed + target.packed + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), ip_id, 0x4000, ttl, protocol, 0)
    head += source.packed + target.packed
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def link_header(link, version, sender):
    ether = struct.pack("!H", ETHERTYPE[version])
    peer = "B" if sender == "A" else "A"
    family = 2 if version == 4 else 30
    if link == "ethernet":
        return MACS[peer] + MACS[sender] + ether
    if link == "vlan":
        return MACS[peer] + MACS[sender] + struct.pack("!HH", 0x8100, 100) + ether
    if link == "qinq":
        return MACS[peer] + MACS[sender] + struct.pack("!HHHH", 0x88A8, 200, 0x8100, 100) + ether
    if link == "sll":
        return struct.pack("!HHH", 4 if sender == "A" else 0, 1, 6) + MACS[sender] + b"\0\0" + ether
    if link == "sll2":
        kind = 4 if sender == "A" else 0
        return ether + struct.pack("!HIHBB", 0, 2, 1, kind, 6) + MACS[sender] + b"\0\0"
    if link == "null":
        return struct.pack("<I", family)
    if link in ("null-big", "loop"):
        return struct.pack("!I", family)
    return b""


def pcap_file(wire):
    order = ">" if wire.variation.big else "<"
    unit = 1 if wire.variation.nano else 1000
    magic = 0xA1B23C4D if wire.variation.nano else 0xA1B2C3D4
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, LINKS[wire.variation.link])]
    for time, octets, length in wire.frames():
        out.append(struct.pack(order + "IIII", time // 10**9, time % 10**9 // unit, len(octets),
                               length) + octets)
    return b"".join(out)


def pcapng_file(wire):
    order = ">" if wire.variation.big else "<"
    unit = 1 if wire.variation.nano else 1000
    resolution = b""
    if wire.variation.nano:
        resolution = struct.pack(order + "HHB3xHH", 9, 1, 9, 0, 0)
    interface = struct.pack(order + "HHI", LINKS[wire.variation.link], 0, 262144) + resolution
    out = [pcapng_block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)),
           pcapng_block(order, 1, interface)]
    for time, octets, length in wire.frames():
        stamp = time // unit
        head = struct.pack(order + "IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(octets), length)
        out.append(pcapng_block(order, 6, head + octets + b"\0" * (-len(octets) % 4)))
    return b"".join(out)


def pcapng_block(order, kind, body):
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def packet_numbers(case, variation):
    """Number of a frame -> number of the case's packet that it completes."""
    frames = enumerate(Wire(case, variation).numbered_frames(), 1)
    return {frame: number for frame, (number, *_) in frames if number}


def capture(case, variation=Variation()):
    """The capture file of a case, as bytes."""
    wire = Wire(case, variation)
    return pcapng_file(wire) if variation.form == "pcapng" else pcap_file(wire)
