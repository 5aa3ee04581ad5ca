"""tapsim: two hosts, a path between them that loses, holds, doubles and injects, a tap at each end,
and the path's own log of what it did.

Hosts are small: a handshake, a request, an answer in several segments, two FINs; every segment is
acknowledged at once, and what is not acknowledged is sent again after RTO.  All times are integers
of ns by one true clock; what a tap's clock shows of them is for the writer to say.
"""
import dataclasses
import heapq
import random
import struct

MS = 1_000_000
SECOND = 1000 * MS
START = 1_700_000_000 * SECOND
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
RTO = 200 * MS
GIVE_UP = 6
MSS = 1400


@dataclasses.dataclass(frozen=True)
class Segment:
    """As one tap sees it."""
    t: int
    source: tuple  # (address as int, port)
    target: tuple
    seq: int
    ack: int
    flags: int
    payload: bytes
    ip_id: int
    ts: tuple      # (TSval, TSecr), or None
    ttl: int = 64
    window: int = 502
    mss: int = 1460

    @property
    def end(self):
        return self.seq + len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN)


@dataclasses.dataclass
class Weather:
    """What the path does; chances are of one."""
    loss: float = 0.0
    hold: float = 0.0        # kept for a second or more, and then delivered
    double: float = 0.0
    inject: float = 0.0      # of a connection: a reset in the server's name, to the client
    delay: int = 10 * MS
    jitter: int = 2 * MS     # mean of what a queue adds, and keeps the order
    ts: bool = True


class Host:
    """One side of one connection."""

    def __init__(self, lab, name, own, peer, isn, data):
        self.lab, self.name, self.own, self.peer = lab, name, own, peer
        self.stream = data
        self.isn, self.una, self.sent = isn, isn, isn
        self.received, self.peer_fin, self.opened = None, None, False
        self.early = {}
        self.tries, self.gone, self.closing = 0, False, False
        self.last_tsval, self.timer = 0, 0

    def emit(self, t, flags, seq, payload=b""):
        """Sends one segment towards the peer."""
        if self.gone:
            return
        ts = (self.lab.stamp(self.name, t), self.last_tsval) if self.lab.weather.ts else None
        segment = Segment(t, self.own, self.peer, seq, (self.received or 0) if flags & ACK else 0,
                          flags, payload, self.lab.next_id(self.name), ts)
        self.sent = max(self.sent, segment.end)
        self.lab.leaves(self.name, segment)

    def pieces(self):
        """(flags, seq, payload) of everything that may be sent by now and is not acknowledged."""
        flags = SYN | (ACK if self.received is not None else 0)
        yield flags, self.isn, b""
        if not self.opened:
            return
        for at in range(0, len(self.stream), MSS):
            yield ACK | PSH, self.isn + 1 + at, self.stream[at:at + MSS]
        if self.closing:
            yield ACK | FIN, self.isn + 1 + len(self.stream), b""

    def send_new(self, t):
        before = self.sent
        for flags, seq, payload in self.pieces():
            if seq >= self.sent:
                self.emit(t, flags, seq, payload)
        if self.sent > before:
            self.arm(t)

    def arm(self, t):
        self.timer += 1
        self.lab.at(t + RTO * 2 ** self.tries, self.repeat, self.timer)

    def repeat(self, t, timer):
        """RTO: the first segment that is not acknowledged, once more."""
        if self.gone or self.timer != timer or self.una >= self.sent:
            return
        self.tries += 1
        if self.tries > GIVE_UP:
            self.gone = True
            return
        for flags, seq, payload in self.pieces():
            if seq == self.una:
                self.emit(t, flags, seq, payload)
                break
        self.arm(t)

    def take(self, t, segment):
        """One segment comes in."""
        if self.gone:
            return
        if segment.flags & RST:
            self.gone = True
            return
        if segment.flags & SYN and self.received is None:
            self.received = segment.end
            self.last_tsval = segment.ts[0] if segment.ts else 0
            if not segment.flags & ACK:
                self.emit(t, SYN | ACK, self.isn)
                self.arm(t)
                return
        if self.received is None:
            return  # an answer to a SYN that never came
        if segment.ts and segment.seq <= self.received:
            self.last_tsval = max(self.last_tsval, segment.ts[0])  # RFC 7323 4.3
        if segment.flags & ACK and segment.ack > self.una:
            self.una, self.tries, self.opened = segment.ack, 0, True
            self.arm(t)
        if segment.end > segment.seq:
            self.take_octets(t, segment)
        self.lab.talk(self, t)

    def take_octets(self, t, segment):
        self.early[segment.seq] = segment
        while self.received in self.early:
            piece = self.early.pop(self.received)
            self.received = piece.end
            if piece.flags & FIN:
                self.peer_fin = piece.end
        self.early = {seq: piece for seq, piece in self.early.items() if seq > self.received}
        self.emit(t, ACK, self.sent)


class Lab:
    """Many connections over one path.  taps: what each of the two saw; log: what the path did."""

    def __init__(self, seed, weather):
        self.random = random.Random(seed)
        self.weather = weather
        self.queue, self.order = [], 0
        self.taps = {"client": [], "server": []}
        self.log = {"lost": [], "held": [], "doubled": [], "injected": []}
        self.ids = {name: self.random.randrange(65535) for name in ("client", "server")}
        self.hosts = {}
        self.last_arrival = {"client": 0, "server": 0}

    def at(self, t, action, *words):
        self.order += 1
        heapq.heappush(self.queue, (t, self.order, action, words))

    def next_id(self, name):
        self.ids[name] = self.ids[name] % 65535 + 1
        return self.ids[name]

    @staticmethod
    def stamp(name, t):
        return (t - START) // MS + (5000 if name == "client" else 900000)

    def connect(self, t, number, answer=4000):
        """A connection of its own port begins at t."""
        client = (0x0a000001 + number // 20000, 20000 + number % 20000)
        server = (0x0a630001, 443)
        draw = self.random
        pair = {"client": Host(self, "client", client, server, draw.randrange(2**32 - 2**20),
                               b"GET /%d " % number + draw.randbytes(200)),
                "server": Host(self, "server", server, client, draw.randrange(2**32 - 2**20),
                               draw.randbytes(draw.randrange(1, answer)))}
        self.hosts[client] = pair
        self.at(t, lambda now: pair["client"].send_new(now))
        if draw.random() < self.weather.inject:
            self.at(t + draw.randrange(30 * MS, 80 * MS), self.inject, client)

    def pair_of(self, segment):
        return self.hosts[min(segment.source, segment.target)]

    def talk(self, host, t):
        """What an application does next."""
        if not host.opened:
            return
        if host.name == "client" and host.peer_fin:
            host.closing = True
        if host.name == "server" and host.received > host.lab.first_octets(host):
            host.closing = True
        if host.name == "client" or host.received > host.lab.first_octets(host):
            host.send_new(t)

    def first_octets(self, host):
        """The server waits for the whole request."""
        client = self.hosts[host.peer]["client"]
        return client.isn + len(client.stream)

    def leaves(self, name, segment):
        """From its host past the tap there, and onto the path."""
        other = "server" if name == "client" else "client"
        self.at(segment.t, self.pass_first_tap, name, other, segment)

    def pass_first_tap(self, t, name, other, segment):
        seen = self.see(name, segment)
        draw, weather = self.random, self.weather
        if draw.random() < weather.loss:
            self.log["lost"].append((name, seen))
            return
        delay = weather.delay + int(draw.expovariate(1) * weather.jitter)
        arrival = max(t + delay, self.last_arrival[other] + 1000)
        if draw.random() < weather.hold:
            arrival = t + draw.randrange(SECOND, 3 * SECOND)
            self.log["held"].append((name, seen))
        else:
            self.last_arrival[other] = arrival
        self.at(arrival, self.arrive, other, segment)
        if draw.random() < weather.double:
            self.log["doubled"].append((name, seen))
            self.at(arrival + 500_000, self.arrive, other, segment)

    def arrive(self, t, name, segment):
        self.see(name, dataclasses.replace(segment, t=t, ttl=segment.ttl - 3))
        self.pair_of(segment)[name].take(t + 20_000, segment)

    def see(self, name, segment):
        """Returns the packet's number at that tap."""
        self.taps[name].append(segment)
        return len(self.taps[name])

    def inject(self, t, client):
        """A device on the path resets the client in the server's name."""
        host = self.hosts[client]["client"]
        if host.gone or host.received is None:
            return
        reset = Segment(t, host.peer, host.own, host.received, 0, RST, b"", 0, None, ttl=201)
        self.log["injected"].append(("client", self.see("client", reset)))
        host.take(t + 20_000, reset)

    def run(self):
        while self.queue:
            t, _, action, words = heapq.heappop(self.queue)
            action(t, *words)


# ---- what a tap's capture makes of it


def checksum(octets):
    total = sum(struct.unpack(">%dH" % (len(octets) // 2), octets[:len(octets) & ~1]))
    total += octets[-1] << 8 if len(octets) % 2 else 0
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def packet(segment):
    """The IPv4 packet."""
    options = b""
    if segment.flags & SYN:
        options += struct.pack(">BBH", 2, 4, segment.mss) + b"\x01\x03\x03\x07"
    if segment.ts:
        options += b"\x01\x01" + struct.pack(">BBII", 8, 10, *segment.ts)
    tcp = struct.pack(">HHIIBBHHH", segment.source[1], segment.target[1], segment.seq % 2**32,
                      segment.ack % 2**32, (20 + len(options)) // 4 << 4, segment.flags,
                      segment.window, 0, 0) + options + segment.payload
    ends = struct.pack(">II", segment.source[0], segment.target[0])
    total = checksum(ends + struct.pack(">HH", 6, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack(">H", total) + tcp[18:]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), segment.ip_id, 0x4000, segment.ttl, 6,
                     0) + ends
    return ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:] + tcp


def write(path, segments, offset=0, drift=0.0, snaplen=65535):
    """A raw IPv4 pcap of ns; the tap's clock is ahead by offset ns and gains drift ns a ns."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 101))
        for segment in segments:
            shown = segment.t + offset + int((segment.t - START) * drift)
            octets = packet(segment)
            kept = octets[:snaplen]
            file.write(struct.pack("<IIII", shown // SECOND, shown % SECOND, len(kept),
                                   len(octets)) + kept)


# ---- what stands between the taps, or in a tap's host: rewriting what it shows


def translated(segments, address=0xc0000201, first_port=1024, shift=0, ports=None):
    """Behind a NAT: clients have its address and other ports; shift is added to the client's
    numbers, and taken back from what acknowledges them.  ports: its table, for further taps."""
    ports, out = {} if ports is None else ports, []
    for segment in segments:
        client = min(segment.source, segment.target)
        port = ports.setdefault(client, first_port + (len(ports) * 7919) % 60000)
        if segment.source == client:
            segment = dataclasses.replace(segment, source=(address, port), seq=segment.seq + shift)
        else:
            ack = segment.ack + shift if segment.flags & ACK else segment.ack
            segment = dataclasses.replace(segment, target=(address, port), ack=ack)
        out.append(segment)
    return out


def coalesced(segments, source_port=None):
    """As segmentation offload shows them: segments of one end that follow one another within 1 ms
    are one.  source_port: only those that this port sends.  Returns them, and where each went."""
    out, place = [], []
    for segment in segments:
        last = out[-1] if out else None
        joins = last and last.payload and segment.payload and last.source == segment.source and \
            last.target == segment.target and last.end == segment.seq and last.ts == segment.ts and \
            last.ack == segment.ack and segment.t - last.t < MS and \
            not (last.flags | segment.flags) & (SYN | FIN | RST) and \
            source_port in (None, segment.source[1])
        if joins:
            out[-1] = dataclasses.replace(last, payload=last.payload + segment.payload)
        else:
            out.append(segment)
        place.append(len(out))
    return out, place


def thinned(segments, share, seed):
    """A capture that misses some.  Returns it, and the numbers that the others had."""
    draw = random.Random(seed)
    kept = [number for number in range(1, len(segments) + 1) if draw.random() >= share]
    return [segments[number - 1] for number in kept], kept
