"""tapproxy: a proxy that ends each client's connection and begins another to the server, and carries
the same octets in segments of the same size, with a tap on each of its sides.

Everything that could tell the two connections apart may be the same: options, windows, sizes.
What the proxy cannot help are its own sequence numbers, timestamps, IP identifications, and when it
answers.  Distances are one-way delays from the client, in ns.
"""
import dataclasses
import random

from tapsim import ACK, FIN, MS, MSS, PSH, START, SYN, Segment


@dataclasses.dataclass
class Place:
    """Where what stands."""
    near: int    # tap between client and proxy
    proxy: int
    far: int     # tap between proxy and server
    server: int


class Leg:
    """One of the two connections, between two hosts; its segments as its tap sees them."""

    def __init__(self, relay, client, server, ends, tap):
        self.relay, self.client, self.server, self.tap = relay, client, server, tap
        self.ends = ends  # where client and server of this leg stand
        draw = relay.random
        self.seq = {True: draw.randrange(2**32), False: draw.randrange(2**32)}
        self.clock = {True: draw.randrange(2**31), False: draw.randrange(2**31)}
        self.ids = {True: draw.randrange(1, 60000), False: draw.randrange(1, 60000)}
        self.acks = {True: 0, False: 0}
        self.heard = {True: 0, False: 0}
        self.shown = []

    def send(self, t, from_client, flags, payload=b""):
        """Sends at t; returns when it arrives."""
        start = self.ends[0 if from_client else 1]
        way = abs(self.ends[0] - self.ends[1])
        stamp = (self.clock[from_client] + t // MS) % 2**32
        ts = (stamp, self.heard[from_client]) if self.relay.ts else None
        if flags & (SYN | FIN) or payload or self.relay.ids:
            self.ids[from_client] += 1
        source, target = (self.client, self.server) if from_client else (self.server, self.client)
        self.shown.append(Segment(
            t + abs(self.tap - start) + self.relay.random.randrange(1 + way // 20), source, target,
            self.seq[from_client], self.acks[from_client] if flags & ACK else 0, flags, payload,
            self.ids[from_client] if self.relay.ids else 0, ts))
        self.seq[from_client] += len(payload) + bool(flags & (SYN | FIN))
        self.acks[not from_client] = self.seq[from_client]
        self.heard[not from_client] = stamp
        return t + way + way // 20

    def shake(self, t):
        """A handshake; when the client has sent its ACK."""
        t = self.send(self.send(t, True, SYN), False, SYN | ACK)
        self.send(t, True, ACK)
        return t

    def say(self, t, from_client, octets):
        """Octets in segments; when the last has come, and the first was acknowledged."""
        for at in range(0, len(octets), MSS):
            came = self.send(t, from_client, ACK | PSH, octets[at:at + MSS])
        self.send(came, not from_client, ACK)
        return came

    def close(self, t):
        t = self.send(self.send(t, True, ACK | FIN), False, ACK | FIN)
        self.send(t, True, ACK)


class Relay:
    """Connections through a proxy; taps[0] is on the clients' side."""

    def __init__(self, seed, place, ts=True, ids=True, waits=False):
        self.random, self.place = random.Random(seed), place
        self.ts, self.ids = ts, ids
        self.waits = waits  # the proxy answers a client when the server has answered
        self.taps = [], []

    def connect(self, t, number, request, answer):
        place = self.place
        client, proxy = (0x0a000001, 20000 + number), (0x0a600001, 30000 + number)
        near = Leg(self, client, (0x0a630001, 443), (0, place.proxy), place.near)
        far = Leg(self, proxy, (0x0a630001, 443), (place.proxy, place.server), place.far)
        if self.waits:
            asked = near.send(t, True, SYN)
            ready = far.shake(asked)
            t = near.send(ready, False, SYN | ACK)
            near.send(t, True, ACK)
            asked = near.say(t, True, request)
        else:
            asked = near.say(near.shake(t), True, request)
            ready = far.shake(asked)
        told = far.say(far.say(max(asked, ready), True, request), False, answer)
        near.close(near.say(told, False, answer))
        far.close(told)
        for shown, leg in zip(self.taps, (near, far)):
            shown.extend(leg.shown)

    def run(self, connections):
        for number in range(connections):
            request = b"GET /%d " % number + self.random.randbytes(60)
            self.connect(START + self.random.randrange(connections * 3 * MS), number, request,
                         self.random.randbytes(self.random.randrange(100, 6000)))
        for shown in self.taps:
            shown.sort(key=lambda segment: segment.t)
        return self
