"""lab: what a scenario has in its hands: two hosts, the relay between them, and the clock.

The truth is kept in `rows`: for each connection that is watched, both kernels' states between two
moments of the captures' clock.
"""
import collections
import time

from host import Host
from relay import Relay
from taps import Taps, wait_until
from wires import ENDS, Wires

PORT, SERVICE, TICK = 40000, 7000, 9

Row = collections.namedtuple("Row", "connection first last client server")


class Lab:
    def __init__(self, scenario, folder, live=True, net=0):
        self.scenario = scenario
        self.wires = Wires(scenario.family, scenario.vxlan, net)
        self.client, self.server = Host(self.wires, "client"), Host(self.wires, "server")
        for host in (self.client, self.server):
            host.sysctls({**scenario.sysctls, **getattr(scenario, host.name + "_sysctls")})
        self.connections = []  # ((client's address, port), (server's address, port))
        self.scripted = {}     # (address, port): a function that says the state of a script
        self.rows = []
        self.watchers = {end: Host(self.wires, end).kernel for end in ENDS}
        self.relay = Relay(scenario.delay, self.sample)
        self.tick = self.client.udp(), self.server.udp(TICK)
        self.listeners = {}
        self.kept = []
        self.relay.start()
        if scenario.prepare:
            scenario.prepare(self)
        self.taps = Taps(folder, scenario.settings, live)
        self.began = time.time_ns()

    # ---- truth

    def watch(self, port=PORT, service=SERVICE, server=None):
        pair = (self.client.address, port), (server or self.server.address, service)
        if pair not in self.connections:
            self.connections.append(pair)
        return pair

    def state_of(self, kernels, end, pair):
        own, other = pair if end == "client" else pair[::-1]
        return self.scripted[own]() if own in self.scripted else kernels[end].state(own, other)

    def sample(self):
        for number, pair in enumerate(self.connections):
            first = time.time_ns()
            states = [self.state_of(self.watchers, end, pair) for end in ENDS]
            self.rows.append(Row(number, first, time.time_ns(), *states))

    def state(self, end, pair=None):
        kernels = {"client": self.client.kernel, "server": self.server.kernel}
        return self.state_of(kernels, end, pair or self.connections[0])

    # ---- the clock

    def wait(self, seconds=0.1):
        time.sleep(seconds)

    def until(self, end, *states, pair=None, seconds=15.0):
        """Waits for the kernel (or the script) of that end to be in one of the states."""
        wait_until(lambda: self.state(end, pair) in states, seconds,
                   "%s never became %s" % (end, " or ".join(states)))

    def until_passed(self, fits, times=1, seconds=15.0):
        """Waits until so many segments that fit have come to the relay."""
        wait_until(lambda: sum(map(bool, map(fits, list(self.relay.passed)))) >= times, seconds,
                   "%d segments never came" % times)

    def until_taken(self, rule, times=1, seconds=15.0):
        wait_until(lambda: rule.taken >= times, seconds, "%d segments never came" % times)

    # ---- connections

    def keep(self, sock):
        """Stays open until the end of the scenario, if it is not closed before."""
        self.kept.append(sock)
        return sock

    def listen(self, service=SERVICE, backlog=16):
        if service not in self.listeners:
            self.listeners[service] = self.server.listen(service, backlog)
        return self.listeners[service]

    def connect(self, port=PORT, service=SERVICE, isn=None):
        """A connection; both ends of it."""
        listener = self.listen(service)
        self.watch(port, service)
        client = self.keep(self.client.socket(port, isn))
        client.connect((self.server.address, service))
        server, _ = listener.accept()
        server.settimeout(client.gettimeout())
        self.until("server", "ESTABLISHED", pair=self.watch(port, service))
        return client, self.keep(server)

    def begin_connect(self, port=PORT, service=SERVICE, isn=None, server=None):
        """A socket whose connect() has been called, and goes on."""
        self.watch(port, service, server)
        client = self.keep(self.client.socket(port, isn))
        client.setblocking(False)
        client.connect_ex((server or self.server.address, service))
        client.setblocking(True)
        client.settimeout(15.0)
        return client

    def talk(self, client, server, there=b"request", back=b"answer"):
        client.sendall(there)
        assert server.recv(65536) == there
        server.sendall(back)
        assert client.recv(65536) == back
        self.wait(0.06)  # acknowledgments that are put off

    def close_in_order(self, client, server, first="client"):
        """One end closes, the other sees it and closes, too; the first is left in TIME_WAIT."""
        ends = [("client", client), ("server", server)]
        (first_end, first_socket), (last_end, last_socket) = \
            ends if first == "client" else reversed(ends)
        first_socket.close()
        self.until(last_end, "CLOSE_WAIT")
        last_socket.close()
        self.until(first_end, "TIME_WAIT")
        self.until(last_end, "CLOSED")

    # ---- the end

    def finish(self):
        """Nothing is under way any more; a datagram moves the captures' clock to now."""
        wait_until(self.relay.idle, 10, "the relay never came to rest")
        self.wait(0.05)
        rows = list(self.rows)
        self.tick[0].sendto(b"tick", self.tick[1].getsockname()[:2])
        self.wait(0.05 + self.scenario.delay)
        return rows

    def stop(self):
        """The captures end before the sockets do: what follows is no part of the scenario."""
        wrong = self.taps.stop()
        self.relay.stop()
        for sock in self.kept + list(self.listeners.values()):
            sock.close()
        return wrong
