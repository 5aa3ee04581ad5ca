"""Many connections: a flood of SYNs, and a client that runs out of ports."""
import errno
import socket

from frames import SYN
from host import abort, read
from lab import PORT, SERVICE
from relay import ETH_P_ALL
from scenario import scenario
from textbook import frame_of
from wires import MACS

FORGED = 300
RANGE = 30
WATCHED = 8


@scenario(events="syn_flood", settings="--set=flood_syns=200", slow=2,
          unseen=[("both", "server", "CLOSED", "SYN_RCVD", "a cookie keeps no state")])
def syn_flood_with_cookies(lab):
    """Forged SYNs fill the queue; cookies let the one honest client in all the same."""
    listener = lab.listen(backlog=8)
    with lab.wires.within("client"):
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        wire.bind(("eth0", ETH_P_ALL))
    for number in range(FORGED):
        source = "203.0.113.%d" % (1 + number % 250)
        wire.send(frame_of((source, lab.server.address), (1024 + number, SERVICE),
                           (number << 20, 0), SYN, number,
                           macs=(MACS["client"], MACS["server"])))
        if number % 10 == 9:
            lab.wait(0.01)
    client = lab.begin_connect()
    lab.until("client", "ESTABLISHED")
    server = lab.keep(listener.accept()[0])
    server.settimeout(5)
    lab.talk(client, server)
    lab.close_in_order(client, server)
    lab.wait(0.1)


def connect_once(lab, watched):
    """A connection that the client closes first."""
    client = lab.client.socket()
    client.connect((lab.server.address, SERVICE))
    if watched:
        lab.watch(client.getsockname()[1])
    server, _ = lab.listen().accept()
    client.close()
    assert server.recv(1) == b""
    server.close()


def use_up_ports(lab):
    """Until the kernel has none; under load one may have been free again."""
    for _ in range(5):
        try:
            connect_once(lab, False)
        except OSError as error:
            assert error.errno == errno.EADDRNOTAVAIL, error
            return
    raise AssertionError("there was a port left")


@scenario(events="port_exhaustion_suspected tw_accumulation tw_reuse_client incarnation_collision",
          slow=3,
          client_sysctls={"ip_local_port_range": "%d %d" % (PORT, PORT + RANGE - 1)})
def port_range_exhausted(lab):
    """A client with few ports closes first until none is left; then it takes some out of TIME_WAIT."""
    lab.listen()
    for number in range(RANGE):
        connect_once(lab, number < WATCHED)
    use_up_ports(lab)
    lab.wait(1.0)  # the kernel draws the ports: any must have waited as long as the event asks
    lab.client.sysctls({"tcp_tw_reuse": 1, "tcp_tw_reuse_delay": 1})
    for _ in range(5):
        connect_once(lab, False)
    lab.wait(0.2)


def close_by(kind, client, server):
    """The first half of a close, of one kind in four; the end that has to follow, or None."""
    if kind == 0:
        client.close()
        return server
    if kind == 1:
        server.close()
        return client
    if kind == 2:
        client.close()
        server.close()
    else:
        abort(client)
    return None


@scenario(events="close_simultaneous close_abortive_app", slow=4)
def many_at_once(lab):
    """Twelve connections side by side, closed in every order: none is taken for another."""
    pairs = [lab.connect(PORT + number) for number in range(12)]
    for _ in range(5):
        for client, server in pairs:
            client.sendall(b"question")
            server.sendall(b"answer to " + read(server, 8))
            assert read(client, 18) == b"answer to question"
    lab.wait(0.1)
    later = [close_by(number % 4, *pair) for number, pair in enumerate(pairs)]
    lab.wait(0.2)
    for sock in filter(None, later):
        sock.close()
    for number in range(12):
        client, server = lab.connections[number]
        lab.until("client", "TIME_WAIT", "CLOSED", pair=(client, server))
        lab.until("server", "TIME_WAIT", "CLOSED", pair=(client, server))
    lab.wait(0.2)
