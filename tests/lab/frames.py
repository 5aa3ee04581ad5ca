"""frames: what the relay knows of a frame that passes it, and the words that rules are written in."""
import collections
import socket
import struct

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
VXLAN_PORT = 4789

Segment = collections.namedtuple("Segment", "sender src dst sport dport seq ack flags window length "
                                            "frame")


def tcp_of(packet, protocol, offset):
    """(offset of the TCP header) inside an IP payload, through VXLAN, or None."""
    if protocol == 6:
        return offset
    if protocol == 17 and struct.unpack_from("!H", packet, offset + 2)[0] == VXLAN_PORT:
        return offset + 16
    return None


def parse(frame, sender):
    """The TCP segment in an Ethernet frame, or None."""
    start = 0
    while True:
        kind, = struct.unpack_from("!H", frame, start + 12)
        at = start + 14
        if kind == 0x0800:
            header = (frame[at] & 15) * 4
            total, = struct.unpack_from("!H", frame, at + 2)
            protocol, end = frame[at + 9], at + total
            ends = frame[at + 12:at + 16], frame[at + 16:at + 20]
        elif kind == 0x86dd:
            header, (total,), protocol = 40, struct.unpack_from("!H", frame, at + 4), frame[at + 6]
            end = at + 40 + total
            ends = frame[at + 8:at + 24], frame[at + 24:at + 40]
        else:
            return None
        inside = tcp_of(frame, protocol, at + header)
        if inside is None:
            return None
        if protocol == 6:
            return segment_at(frame, sender, ends, inside, end)
        start = inside


def segment_at(frame, sender, ends, at, end):
    sport, dport, seq, ack, offset, flags, window = struct.unpack_from("!HHIIBBH", frame, at)
    family = socket.AF_INET if len(ends[0]) == 4 else socket.AF_INET6
    return Segment(sender, *(socket.inet_ntop(family, e) for e in ends), sport, dport, seq, ack,
                   flags, window, end - at - (offset >> 4) * 4, frame)


def from_client(segment):
    return segment.sender == "client"


def from_server(segment):
    return segment.sender == "server"


def fin(segment):
    return bool(segment.flags & FIN)


def syn(segment):
    return segment.flags & (SYN | ACK) == SYN


def synack(segment):
    return segment.flags & (SYN | ACK) == SYN | ACK


def rst(segment):
    return bool(segment.flags & RST)


def data(segment):
    return segment.length > 0


def pure_ack(segment):
    return segment.flags & (ACK | FIN | SYN | RST) == ACK and segment.length == 0


def every(*claims):
    return lambda segment: all(claim(segment) for claim in claims)


def either(*claims):
    return lambda segment: any(claim(segment) for claim in claims)
