"""wires: three network namespaces in a row, joined by two veth pairs.

    client                     relay                      server
    eth0 10.77.0.1  <---->  c0       s0  <---->  eth0 10.77.0.2

Nothing forwards between c0 and s0 but the relay (relay.py), and both ends believe that they share
one wire.  The namespaces have no names and are gone with the process that made them.  Offloads are
off, so that a frame on the wire is a frame of the sender; neighbours are entered by hand, so that
nothing but the scenario is on the wire.
"""
import contextlib
import ctypes
import fcntl
import ipaddress
import os
import socket
import struct
import subprocess

CLONE_NEWNET = 0x40000000
SIOCETHTOOL = 0x8946
ETHTOOL_OFF = (0x15, 0x17, 0x1f, 0x24, 0x2c)  # set rx checksums, tx checksums, TSO, GSO, GRO
MACS = {"client": "02:00:00:00:00:01", "server": "02:00:00:00:00:02"}
HOUSE = 77    # of a scenario that is played alone
SCRIPTED = 3  # host number of the address that a stack of our own answers for
ENDS = ("client", "server")

libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def new_namespace():
    """Enters a new network namespace; a file descriptor of it."""
    check(libc.unshare(CLONE_NEWNET))
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class Lacking(Exception):
    """What the running kernel does not have."""


def batch(*lines):
    """Commands of ip(8), in the namespace that the thread is in."""
    done = subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True,
                          check=False, capture_output=True)
    if done.returncode != 0:
        raise Lacking("%s: %s" % (lines[0], done.stderr.strip()))


def write_sysctls(settings):
    for name, value in settings.items():
        try:
            with open("/proc/sys/" + name.replace(".", "/"), "w", encoding="ascii") as file:
                file.write(str(value))
        except FileNotFoundError:
            raise Lacking(name) from None


def switch_offloads_off(device):
    with socket.socket() as control:
        for command in ETHTOOL_OFF:
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            request = struct.pack("16sP", device.encode(), ctypes.addressof(value))
            with contextlib.suppress(OSError):  # not every device has every one
                fcntl.ioctl(control, SIOCETHTOOL, request)


# What every host of the lab has: no pacing, nothing remembered of earlier connections.
SYSCTLS = {
    "net.ipv4.tcp_congestion_control": "reno",
    "net.ipv4.tcp_no_metrics_save": 1,
    "net.ipv6.conf.all.accept_dad": 0,
    "net.ipv6.conf.default.accept_dad": 0,
    "net.ipv6.conf.default.accept_ra": 0,
    "net.ipv6.conf.default.router_solicitations": 0,
}


class Wires:
    """Three namespaces; the process lives in the relay's and visits the others.  net sets captures of
    several scenarios apart, so that they can be read together."""

    def __init__(self, family="ipv4", vxlan=False, net=0):
        self.net = net
        self.address = addresses(family, vxlan, net)
        self.spaces = {name: new_namespace() for name in ("relay",) + ENDS}
        self.enter("relay")
        for end, device in zip(ENDS, ("c0", "s0")):
            write_sysctls({"net.ipv6.conf.default.disable_ipv6": 1})
            space = "/proc/%d/fd/%d" % (os.getpid(), self.spaces[end])
            batch("link add %s type veth peer name eth0 address %s" % (device, MACS[end]),
                  "link set eth0 netns %s" % space, "link set %s up" % device)
            switch_offloads_off(device)
            with self.within(end):
                self.set_host_up(end, family, vxlan)

    def enter(self, name):
        check(libc.setns(self.spaces[name], CLONE_NEWNET))

    @contextlib.contextmanager
    def within(self, name):
        """What is made inside, sockets and programs, belongs to that namespace."""
        self.enter(name)
        try:
            yield
        finally:
            self.enter("relay")

    def set_host_up(self, end, family, vxlan):
        peer = ENDS[1 - ENDS.index(end)]
        write_sysctls(SYSCTLS)
        if family == "ipv4":
            write_sysctls({"net.ipv6.conf.all.disable_ipv6": 1})
        outer = addresses(family, False, self.net)
        device, plain = "eth0", {e: outer[e] for e in ENDS}
        batch("link set lo up", "link set eth0 up",
              *host_lines(device, family, plain[end], plain[peer], MACS[peer]))
        switch_offloads_off(device)
        if vxlan:
            batch("link add vx0 address %s type vxlan id 42 dstport 4789 local %s remote %s dev eth0"
                  % (MACS[end], plain[end], plain[peer]), "link set vx0 up",
                  *host_lines("vx0", family, self.address[end], self.address[peer], MACS[peer]))
            switch_offloads_off("vx0")
        if end == "server" and not vxlan and family == "ipv4":
            batch("route add default via %s dev eth0" % plain["client"])  # answers to forged SYNs
        if end == "client" and not vxlan and family == "ipv4":
            batch("neighbor replace %s lladdr %s dev eth0 nud permanent"
                  % (self.address["scripted"], MACS["server"]))


def addresses(family, vxlan, net):
    """The hosts of a network, a number below 128 with the house that it stands in times 256."""
    house, number = net >> 8 or HOUSE, net & 127
    form = "fd%d:%x:%x::%d" if family == "ipv6" else "10.%d.%d.%d"
    if family == "ipv6":
        places = (78 if vxlan else 77, house, number)
    else:
        places = (house, number + 128 * vxlan)
    return {name: str(ipaddress.ip_address(form % (*places, host)))  # as everybody spells it
            for name, host in (("client", 1), ("server", 2), ("scripted", SCRIPTED))}


def host_lines(device, family, own, other, mac):
    length, flag = (64, " nodad") if family == "ipv6" else (24, "")
    return ("address add %s/%d dev %s%s" % (own, length, device, flag),
            "neighbor replace %s lladdr %s dev %s nud permanent" % (other, mac, device))


if __name__ == "__main__":  # may they be made here?
    Wires()
