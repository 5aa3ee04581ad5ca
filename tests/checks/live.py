#!/usr/bin/env python3
"""Live capture: what is decided is written within a second, and nothing is lost at the end."""
import datetime
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

from livelab import LASTACK, Live, enter, listen, talk, until
from tap import Tap


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def check_burst(tap):
    """200 packets on an idle interface, then nothing: they are written within a second."""
    live = Live("-i", "lo", "--segments", "all")
    listener = listen()
    time.sleep(0.5)
    began = time.monotonic()
    talk(listener, 25)
    seen = until(lambda: len(live.records("segment")) >= 200, 5)
    took = time.monotonic() - began
    tap.ok(bool(seen) and took < 1, "a burst of 200 packets on an idle interface is written "
               "within a second", "%d after %.2f s" % (len(live.records("segment")), took))
    status = live.end()
    summary = live.records("summary")
    tap.ok(status == 0 and len(summary) == 1 and
               summary[0]["lastack"]["capture"]["packets"] == 200,
               "SIGINT ends it with the summary, which counts them", live.said)
    drops = summary[0]["lastack"]["capture"]["drops"] if summary else None
    tap.ok(bool(drops) and drops["kernel"] == 0, "the kernel dropped none", str(drops))
    shutil.rmtree(live.folder)


def check_deadline(tap):
    """2MSL pass by the clock while nothing comes."""
    live = Live("-i", "lo", "--msl", "1", "--transitions")
    talk(listen())

    def over():
        return [r for r in live.records("transition")
                if r["lastack"]["fact"] == "TWO_MSL"]
    found = until(over, 6)
    late = time.time() - when(found[0]["@timestamp"]) if found else None
    tap.ok(bool(found) and late < 1, "a deadline that passes on an idle interface is written "
               "within a second", str(late))
    tap.ok(bool(until(lambda: live.records("flow"), 6)),
               "and so is the connection that ends with it")
    status = live.end(signal.SIGTERM)
    tap.ok(status == 0 and len(live.records("summary")) == 1,
               "SIGTERM ends it with the summary, too", live.said)
    shutil.rmtree(live.folder)


def check_signalled_twice(tap):
    """As timeout(1) does it: to the program, and a moment later to its group."""
    for pause in (0, 0.002, 0.02):
        live = Live("-i", "lo", "--metrics-listen", "127.0.0.1:0")
        talk(listen(), 3)
        os.kill(live.process.pid, signal.SIGTERM)
        time.sleep(pause)
        try:
            os.kill(live.process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        status = live.end(signal.SIGURG) # which ends nothing
        tap.ok(status == 0 and len(live.records("flow")) == 3 and live.records("summary"),
               "SIGTERM twice within %g ms ends it with the report" % (pause * 1000), status,
               live.said)
        shutil.rmtree(live.folder)


def check_slow(tap):
    """A packet now and then, too often for a pause, too seldom for a batch."""
    live = Live("-i", "lo", "--segments", "all")
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    began = time.monotonic()
    talk(listen())
    seen = None
    while seen is None and time.monotonic() - began < 3:
        sender.sendto(b"x", ("127.0.0.1", 9))
        time.sleep(0.02)
        if len(live.records("segment")) >= 8:
            seen = time.monotonic() - began
    tap.ok(seen is not None and seen < 1,
               "on an interface that is never idle records leave within a second", str(seen))
    live.end()
    shutil.rmtree(live.folder)


class Hosts:
    """Two hosts, each a network namespace of its own, that live as long as this."""

    def __init__(self):
        self.hosts = [subprocess.Popen(["unshare", "-n", "sleep", "300"]) for _ in range(2)]
        for host in self.hosts:
            until(lambda: os.readlink("/proc/%d/ns/net" % host.pid) !=
                  os.readlink("/proc/self/ns/net"))

    def ip(self, *words, host=None):
        enter_it = ["nsenter", "-t", str(host.pid), "-n"] if host else []
        subprocess.run([*enter_it, "ip", *words], check=True)

    def run(self, host, script, *words):
        return subprocess.Popen(["nsenter", "-t", str(self.hosts[host].pid), "-n", sys.executable,
                                 "-c", script, *words], stdout=subprocess.PIPE, text=True)

    def counted(self):
        """How many segments both kernels sent again, and how many resets they sent (RFC 4022): on
        a busy machine they do.  An ACK that the FIN behind it overtakes, on its way through
        another processor's queue, meets TIME_WAIT, which answers; that answer is reset."""
        sums = [0, 0]
        for host in self.hosts:
            with open("/proc/%d/net/snmp" % host.pid) as counters:
                names, values = [line.split() for line in counters if line.startswith("Tcp:")]
            for i, name in enumerate(("RetransSegs", "OutRsts")):
                sums[i] += int(values[names.index(name)])
        return sums

    def close(self):
        for host in self.hosts:
            host.terminate()
            host.wait()


class Router(Hosts):
    """left -- here -- right: hosts in namespaces of their own, this one forwards."""

    def __init__(self):
        super().__init__()
        for host, name, net in zip(self.hosts, ("left", "right"), ("1", "2")):
            self.ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns",
                    str(host.pid))
            self.ip("addr", "add", "10.9.%s.1/24" % net, "dev", name)
            self.ip("link", "set", name, "up")
            for words in (["addr", "add", "10.9.%s.2/24" % net, "dev", "eth0"],
                          ["link", "set", "eth0", "up"], ["link", "set", "lo", "up"],
                          ["route", "add", "default", "via", "10.9.%s.1" % net]):
                self.ip(*words, host=host)
        with open("/proc/sys/net/ipv4/ip_forward", "w") as switch:
            switch.write("1")

    def talk(self):
        server = self.run(1, "import socket\ns=socket.create_server(('10.9.2.2',7))\n"
                             "print(1,flush=True)\nfor i in range(10):\n a,_=s.accept()\n"
                             " a.recv(1)\n a.close()\n")
        server.stdout.readline()
        self.run(0, "import socket\nfor i in range(10):\n"
                    " c=socket.create_connection(('10.9.2.2',7))\n c.send(b'x')\n"
                    " c.recv(1)\n c.close()\n").wait(timeout=20)
        server.wait(timeout=20)


def check_several(tap):
    try:
        router = Router()
    except (OSError, subprocess.CalledProcessError) as error:
        tap.skip("several interfaces", "no router of namespaces here: %s" % error)
        return
    several = (["-i", "left", "-i", "right"], ["-i", "any"])
    for interfaces, threads in [(each, count) for each in several for count in (1, 3)]:
        what = " ".join(interfaces) + (" --threads %d" % threads if threads > 1 else "")
        live = Live(*interfaces, "-f", "tcp", "--threads", str(threads),
                    sockets=len(interfaces) // 2 * threads)
        before = router.counted()
        router.talk()
        time.sleep(0.3)
        sent_again, resets = [now - then for now, then in zip(router.counted(), before)]
        live.end()
        summary = live.records("summary")[0]["lastack"]
        capture = summary["capture"]
        tap.ok(capture["copies"] * 2 == capture["packets"] > 0,
                   "%s: every packet passes twice and counts once" % what,
                   "%d packets, %d copies" % (capture["packets"], capture["copies"]))
        kinds = summary["summary"]["flows"]["by_close"]
        tap.ok(kinds["orderly"] == 10 and summary["summary"]["flows"]["total"] == 10,
                   "%s: ten connections, all closed in order" % what, str(kinds))
        tap.ok(len(summary["inputs"]) == len(interfaces) // 2 and
                   all(i["packets"] > 0 for i in summary["inputs"]),
                   "%s: the summary has each with its packets" % what, str(summary["inputs"]))
        tap.ok(sent_again or resets or
                   not any(e["event"]["severity"] > 1 for e in live.records("event")),
                   "%s: nothing is found wrong with them" % what,
                   " ".join(e["event"]["action"] for e in live.records("event")))
        shutil.rmtree(live.folder)
    router.close()


def check_types(tap):
    """-y and -j: what the interface has is taken, what it has not is refused by its names."""
    for words, names in ((("-y", "RAW"), "EN10MB"), (("-y", "NO_SUCH"), "EN10MB"),
                         (("-j", "no_such"), "host")):
        result = subprocess.run([LASTACK, "-i", "lo", *words], capture_output=True, text=True,
                                check=False, timeout=60)
        tap.ok(result.returncode == 2 and "it has " + names in result.stderr,
               "%s %s is refused" % words, result.returncode, result.stderr)
    live = Live("-i", "lo", "-y", "EN10MB", "-j", "host")
    listener = listen()
    talk(listener, 3)
    status = live.end()
    tap.ok(status == 0 and len(live.records("flow")) == 3, "-y EN10MB -j host captures", status,
           live.said)
    shutil.rmtree(live.folder)


class Bridge(Hosts):
    """Two hosts at the ports of a bridge here: p0 and p1, br0."""

    def __init__(self):
        subprocess.run(["ip", "link", "add", "br0", "type", "bridge"], check=True,
                       capture_output=True)
        super().__init__()
        for number, host in enumerate(self.hosts):
            port = "p%d" % number
            self.ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns",
                    str(host.pid))
            self.ip("link", "set", port, "master", "br0")
            self.ip("link", "set", port, "up")
            self.ip("addr", "add", "10.7.0.%d/24" % (number + 1), "dev", "eth0", host=host)
            self.ip("addr", "add", "fd07::%d/64" % (number + 1), "dev", "eth0", "nodad", host=host)
            self.ip("link", "set", "eth0", "up", host=host)
        self.ip("link", "set", "br0", "up")

    def talk(self, address):
        """Five connections, one after the other: each closed by the server first."""
        server = self.run(1, "import socket,sys\n"
                             "s=socket.create_server((sys.argv[1],7),family=int(sys.argv[2]))\n"
                             "print(1,flush=True)\nfor i in range(5):\n a,_=s.accept()\n"
                             " a.recv(1)\n a.close()\n", address,
                          str(int(socket.AF_INET6 if ":" in address else socket.AF_INET)))
        server.stdout.readline()
        self.run(0, "import socket,sys\nfor i in range(5):\n"
                    " c=socket.create_connection((sys.argv[1],7))\n c.send(b'x')\n"
                    " c.recv(1)\n c.close()\n", address).wait(timeout=20)
        server.wait(timeout=20)


def check_bridge(tap):
    """The same packets at several interfaces, not even their TTL differs, and IPv6 has no ID."""
    try:
        bridge = Bridge()
    except (OSError, subprocess.CalledProcessError) as error:
        tap.skip("a bridge", "none can be made here: %s" % error)
        return
    ways = (["-i", "any"], 2), (["-i", "p0", "-i", "p1"], 2)
    until(lambda: all("state forwarding" in subprocess.run(
        ["ip", "-d", "link", "show", port], capture_output=True, text=True, check=False).stdout
                      for port in ("p0", "p1")), 40)
    for address in ("10.7.0.2", "fd07::2"):
        for interfaces, times in ways:
            what = "%s to %s: " % (" ".join(interfaces), address)
            live = Live(*interfaces, "-f", "tcp", sockets=len(interfaces) // 2)
            before = bridge.counted()
            bridge.talk(address)
            time.sleep(0.3)
            sent_again, resets = [now - then for now, then in zip(bridge.counted(), before)]
            live.end()
            capture = live.records("summary")[0]["lastack"]["capture"]
            own = capture["packets"] - capture["copies"]
            again = [side["retransmissions"]["packets"] for flow in live.records("flow")
                     for side in (flow["lastack"]["client"], flow["lastack"]["server"])]
            tap.ok(own >= 35 and capture["packets"] == own * times,
                   what + "each packet counts once", capture["packets"], capture["copies"])
            tap.ok(len(again) == 10 and sum(again) == sent_again and
                   (sent_again or resets or
                    not any(e["event"]["severity"] > 1 for e in live.records("event"))),
                   what + "only what the kernels sent again is a retransmission", sent_again, again,
                   " ".join(e["event"]["action"] for e in live.records("event")))
            shutil.rmtree(live.folder)
    bridge.close()


def main():
    enter()
    tap = Tap()
    check_burst(tap)
    check_deadline(tap)
    check_signalled_twice(tap)
    check_slow(tap)
    check_several(tap)
    check_types(tap)
    check_bridge(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
