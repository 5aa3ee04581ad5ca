"""tapchain: as tapsim, with further taps along the path: what is lost, held or injected happens
between two neighbours of the chain, and the log says between which.

A Chain has the taps "client", those in between by the names given, and "server".  log["lost"] has
(tap it left, packet there, tap it did not come to).
"""
import dataclasses

from tapsim import RST, SECOND, Lab, Segment


class Chain(Lab):
    def __init__(self, seed, weather, between):
        super().__init__(seed, weather)
        self.names = ["client", *between, "server"]
        self.taps = {name: [] for name in self.names}
        self.last = {}

    def way(self, name):
        """The taps that segments of that host pass."""
        return self.names if name == "client" else self.names[::-1]

    def leaves(self, name, segment):
        self.at(segment.t, self.step, self.way(name), 0, segment)

    def step(self, t, way, place, segment):
        """The segment comes to a tap, and goes on to the next."""
        segment = dataclasses.replace(segment, t=t, ttl=segment.ttl - (place > 0))
        seen = self.see(way[place], segment)
        if place + 1 == len(way):
            self.pair_of(segment)[way[place]].take(t + 20_000, segment)
            return
        draw, weather = self.random, self.weather
        if draw.random() < weather.loss:
            self.log["lost"].append((way[place], seen, way[place + 1]))
            return
        delay = weather.delay + int(draw.expovariate(1) * weather.jitter)
        arrival = max(t + delay, self.last.get((way[0], place), 0) + 1000)
        if draw.random() < weather.hold:
            arrival = t + draw.randrange(SECOND, 3 * SECOND)
            self.log["held"].append((way[place], seen, way[place + 1]))
        else:
            self.last[(way[0], place)] = arrival
        self.at(arrival, self.step, way, place + 1, segment)

    def inject(self, t, client):
        """A device between the client's tap and the next resets the client."""
        host = self.hosts[client]["client"]
        if host.gone or host.received is None:
            return
        reset = Segment(t, host.peer, host.own, host.received, 0, RST, b"", 0, None, ttl=201)
        seen = self.see("client", reset)
        self.log["injected"].append((self.names[1], seen, "client"))
        host.take(t + 20_000, reset)
