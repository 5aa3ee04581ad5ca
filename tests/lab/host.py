"""host: one end of the wire: its sockets, its settings, and what its kernel says of a connection."""
import socket
import struct

from kernel import Kernel
from wires import write_sysctls

TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ, SEND_QUEUE = 19, 20, 21, 2
REPAIR_OFF_NO_PROBE = -1  # goes on without a word to the peer
PATIENCE = 15.0  # no call of a scenario takes longer


class Host:
    def __init__(self, wires, name):
        self.wires, self.name = wires, name
        self.address = wires.address[name]
        self.family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        with wires.within(name):
            self.kernel = Kernel()

    def sysctls(self, settings):
        with self.wires.within(self.name):
            write_sysctls({"net.ipv4." + key: value for key, value in settings.items()})

    def socket(self, port=0, isn=None):
        """A TCP socket bound to the port, that will begin with the sequence number isn."""
        with self.wires.within(self.name):
            made = socket.socket(self.family, socket.SOCK_STREAM)
        made.settimeout(PATIENCE)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if port:
            made.bind((self.address, port))
        if isn is not None:
            set_isn(made, isn)
        return made

    def listen(self, port, backlog=16):
        made = self.socket(port)
        made.listen(backlog)
        return made

    def udp(self, port=0):
        with self.wires.within(self.name):
            made = socket.socket(self.family, socket.SOCK_DGRAM)
        made.bind((self.address, port))
        return made


def set_isn(made, isn):
    """The kernel takes a sequence number that is there already for the initial one."""
    made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, SEND_QUEUE)
    made.setsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ, struct.pack("I", isn))
    made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 0)


def next_number(made):
    """The sequence number of the next octet to be written."""
    made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, SEND_QUEUE)
    number = made.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ)
    made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF_NO_PROBE)
    return number & 0xFFFFFFFF


def abort(sock):
    """Closes with linger 0: a reset, or nothing where nothing was begun."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def read(sock, octets):
    """So many octets, or less at the end of the stream."""
    got = b""
    while len(got) < octets:
        more = sock.recv(octets - len(got))
        if not more:
            break
        got += more
    return got


def forget(sock):
    """The socket is gone without a word, as when its host had been restarted."""
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    sock.close()
