"""storm: a relay with random weather (it loses, holds, doubles, reorders and resets), and many
connections between two hosts that live through it.
"""
import asyncio
import contextlib
import os
import random
import resource
import socket
import struct
import sys
import time

from frames import ACK, RST, parse
from relay import Passage, Relay
from textbook import frame_of
from wires import MACS, write_sysctls

SERVICE = 7000
PATIENCE = 25.0  # seconds for one connection
# So few ports that they are used again and again, as soon as timestamps allow it.
SYSCTLS = {"net.ipv4.ip_local_port_range": "20000 23999", "net.ipv4.tcp_tw_reuse": 1,
           "net.core.somaxconn": 8192, "net.ipv4.tcp_max_syn_backlog": 8192, "net.ipv4.tcp_syncookies": 0,
           "net.ipv4.tcp_fin_timeout": 5}
CLIENT_CLOSES, SERVER_CLOSES, CLIENT_ABORTS, SERVER_ABORTS = range(4)
KINDS = [CLIENT_CLOSES] * 10 + [SERVER_CLOSES] * 8 + [CLIENT_ABORTS, SERVER_ABORTS]


class Weather:
    """Chances are of one, for each segment; times in seconds."""
    lose, hold, double, reset = 0.02, 0.004, 0.004, 0.001
    delay, jitter, held = 0.01, 0.002, (0.4, 3.0)


class Storm(Relay):
    """Decides by lot what becomes of a segment."""

    def __init__(self, seed, weather=Weather):
        super().__init__(weather.delay, lambda: None)
        self.weather, self.draw = weather, random.Random(seed)
        self.number = 0

    def take(self, sender, frame, stamp):
        segment = parse(frame, sender)
        passage = Passage(sender, frame, segment, stamp)
        weather, lot = self.weather, self.draw.random()
        due = passage.came + weather.delay + self.draw.expovariate(1 / weather.jitter)
        with self.lock:
            self.passages.append(passage)
            if segment is not None and lot < weather.lose:
                return
            lot -= weather.lose
            if 0 <= lot < weather.hold:
                due += self.draw.uniform(*weather.held)
            self.push(passage, due)
            if 0 <= lot - weather.hold < weather.double:
                self.push(passage, due + 0.0005)
            if segment is not None and self.draw.random() < weather.reset:
                self.add_reset(segment)

    def add_reset(self, segment):
        """What a middlebox does: a reset to the sender, in its peer's name, where it is expected."""
        if segment.flags & (ACK | RST) != ACK:
            return
        other = "server" if segment.sender == "client" else "client"
        self.number = self.number % 65535 + 1
        frame = frame_of((segment.dst, segment.src), (segment.dport, segment.sport),
                         (segment.ack, 0), RST, self.number, macs=(MACS[other],
                                                                  MACS[segment.sender]))
        passage = Passage(other, frame, parse(frame, other), None)
        self.passages.append(passage)
        self.push(passage, time.time())


# ---- the hosts: programs of their own, each in its namespace


async def finish(writer, kind, aborts):
    with contextlib.suppress(OSError, asyncio.TimeoutError):
        if kind == aborts:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                       struct.pack("ii", 1, 0))
        writer.close()
        await asyncio.wait_for(writer.wait_closed(), 1)


async def serve_one(reader, writer):
    kind = CLIENT_CLOSES
    try:
        size, answer, kind = (int(word) for word in
                              (await asyncio.wait_for(reader.readline(), PATIENCE)).split())
        await asyncio.wait_for(reader.readexactly(size), PATIENCE)
        writer.write(b"a" * answer)
        if kind in (CLIENT_CLOSES, CLIENT_ABORTS):
            await asyncio.wait_for(reader.read(1), PATIENCE)
    except (OSError, ValueError, asyncio.TimeoutError, asyncio.IncompleteReadError):
        pass
    await finish(writer, kind, SERVER_ABORTS)


async def ask_one(address, begins, size, answer, kind):
    await asyncio.sleep(begins)
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(address, SERVICE),
                                                PATIENCE)
    except (OSError, asyncio.TimeoutError):
        return
    try:
        writer.write(b"%d %d %d\n" % (size, answer, kind) + b"q" * size)
        await asyncio.wait_for(reader.readexactly(answer), PATIENCE)
        if kind in (SERVER_CLOSES, SERVER_ABORTS):
            await asyncio.wait_for(reader.read(1), PATIENCE)
    except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
        pass
    await finish(writer, kind, CLIENT_ABORTS)


async def serve(address, ready):
    server = await asyncio.start_server(serve_one, address, SERVICE, backlog=8192)
    os.write(ready, b"x")
    await server.serve_forever()


async def ask(address, count, rate, seed):
    draw = random.Random(seed)
    await asyncio.gather(*(ask_one(address, number / rate, draw.randrange(1, 3000),
                                   draw.randrange(1, 9000), draw.choice(KINDS))
                           for number in range(count)))


def in_host(wires, end, program, *words):
    """A process that runs a coroutine function there; its number."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        wires.enter(end)
        write_sysctls(SYSCTLS)
        resource.setrlimit(resource.RLIMIT_NOFILE, [resource.getrlimit(resource.RLIMIT_NOFILE)[1]] * 2)
        asyncio.run(program(*words))
        status = 0
    except BaseException as error:  # nothing of it may go on in the caller's place
        print("# %s: %r" % (end, error), file=sys.stderr)
    os._exit(status)
