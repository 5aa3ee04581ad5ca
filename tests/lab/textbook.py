"""textbook: a stack of our own in a few lines, that answers as RFC 793 has it where Linux does not:
a SYN in LAST_ACK draws a reset, and no challenge ACK.

It lives on the server's wire under an address that the server's kernel does not have, takes one
connection, and says in which state it is (Lab.scripted).  It repeats its FIN, and nothing else.
"""
import contextlib
import random
import socket
import struct
import threading
import time

from frames import ACK, FIN, PSH, RST, SYN, parse
from relay import ETH_P_ALL, PACKET_OUTGOING
from wires import MACS

WINDOW = 65535
REPEAT = 0.25  # seconds until the FIN is sent again


def checksum(octets):
    total = sum(struct.unpack("!%dH" % ((len(octets) + 1) // 2),
                              octets + b"\0" * (len(octets) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def frame_of(ends, ports, numbers, flags, number=0, payload=b"",
             macs=(MACS["server"], MACS["client"])):
    """An Ethernet frame; ends, ports, numbers and macs are (own, other)."""
    source, destination = (socket.inet_aton(end) for end in ends)
    tcp = struct.pack("!HHIIBBHHH", *ports, *numbers, 5 << 4, flags, WINDOW, 0, 0) + payload
    pseudo = source + destination + struct.pack("!HH", 6, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), number, 0x4000, 64, 6, 0) + \
        source + destination
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    link = bytes.fromhex((macs[1] + macs[0]).replace(":", "")) + b"\x08\x00"
    return link + header + tcp


class Textbook(threading.Thread):
    """A passive open on (address, port); close() closes."""

    def __init__(self, lab, port):
        super().__init__(daemon=True)
        self.address, self.port = lab.wires.address["scripted"], port
        with lab.wires.within("server"):
            self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.wire.bind(("eth0", ETH_P_ALL))
        self.wire.settimeout(0.02)
        lab.scripted[(self.address, port)] = lambda: self.state
        self.state, self.peer = "CLOSED", None
        self.una = self.nxt = self.rcv_nxt = 0
        self.number = random.getrandbits(15)
        self.repeat_at = None
        self.lock = threading.RLock()
        self.running = True
        self.start()

    def send(self, flags, numbers=None, payload=b""):
        self.number += 1
        self.wire.send(frame_of((self.address, self.peer[0]), (self.port, self.peer[1]),
                                numbers or (self.nxt, self.rcv_nxt if flags & ACK else 0), flags,
                                number=self.number & 0xffff, payload=payload))

    def say(self, payload):
        """Sends data, once."""
        with self.lock:
            self.send(PSH | ACK, payload=payload)
            self.nxt = (self.nxt + len(payload)) % (1 << 32)

    def close(self):
        with self.lock:
            self.state = {"ESTABLISHED": "FIN_WAIT_1", "CLOSE_WAIT": "LAST_ACK"}[self.state]
            self.send(FIN | ACK)
            self.nxt = (self.nxt + 1) % (1 << 32)
            self.repeat_at = time.monotonic() + REPEAT

    def stop(self):
        self.running = False
        self.join()
        self.wire.close()

    def run(self):
        while self.running:
            with contextlib.suppress(TimeoutError):
                frame, origin = self.wire.recvfrom(65536)
                segment = parse(frame, "client") if origin[2] != PACKET_OUTGOING else None
                if segment and (segment.dst, segment.dport) == (self.address, self.port):
                    with self.lock:
                        self.take(segment)
            with self.lock:
                self.repeat()

    def repeat(self):
        """The FIN again, while nothing acknowledges it."""
        if self.state not in ("FIN_WAIT_1", "LAST_ACK") or time.monotonic() < self.repeat_at:
            return
        self.send(FIN | ACK, ((self.nxt - 1) % (1 << 32), self.rcv_nxt))
        self.repeat_at = time.monotonic() + 2 * REPEAT

    def take(self, segment):
        """SEGMENT ARRIVES of RFC 793, as far as it is needed."""
        if self.state == "CLOSED":
            self.open(segment)
        elif segment.flags & RST:
            self.state = "CLOSED" if segment.seq == self.rcv_nxt else self.state
        elif segment.flags & SYN:
            # "If the SYN is in the window it is an error, send a reset": the old connection dies,
            # and with ACK = SYN + 1 the new one, too.
            self.send(RST | ACK, (0, (segment.seq + 1) % (1 << 32)))
            self.state = "CLOSED"
        else:
            self.take_ack(segment)
            self.take_octets(segment)

    def open(self, segment):
        if segment.flags & (SYN | ACK | RST) != SYN:
            return
        self.peer = segment.src, segment.sport
        self.rcv_nxt = (segment.seq + 1) % (1 << 32)
        self.nxt = random.getrandbits(32)
        self.state = "SYN_RCVD"
        self.send(SYN | ACK)
        self.nxt = (self.nxt + 1) % (1 << 32)

    def take_ack(self, segment):
        if not segment.flags & ACK or segment.ack != self.nxt:
            return
        after = {"SYN_RCVD": "ESTABLISHED", "FIN_WAIT_1": "FIN_WAIT_2", "LAST_ACK": "CLOSED"}
        self.state = after.get(self.state, self.state)

    def take_octets(self, segment):
        taken = segment.length + bool(segment.flags & FIN)
        if not taken or self.state == "CLOSED":
            return
        if segment.seq == self.rcv_nxt:
            self.rcv_nxt = (self.rcv_nxt + taken) % (1 << 32)
            if segment.flags & FIN:
                after = {"ESTABLISHED": "CLOSE_WAIT", "FIN_WAIT_2": "TIME_WAIT"}
                self.state = after.get(self.state, self.state)
        self.send(ACK)
