"""The same connections over other wires, and at the edge of the sequence space."""
import threading

from frames import data, every, from_client
from host import abort, read
from lab import PORT, SERVICE
from scenario import scenario


def exchange_and_close(lab, client, server, octets=20000):
    client.sendall(b"c" * octets)
    received = 0
    while received < octets:
        received += len(server.recv(65536))
    server.sendall(b"s" * octets)
    while received < 2 * octets:
        received += len(client.recv(65536))
    lab.wait(0.06)
    client.close()
    lab.until("server", "CLOSE_WAIT")
    lab.wait(0.1)
    server.close()
    lab.until("client", "TIME_WAIT")
    lab.until("server", "CLOSED")
    lab.wait(0.2)


@scenario(family="ipv6")
def over_ipv6(lab):
    """A connection over IPv6."""
    exchange_and_close(lab, *lab.connect())


@scenario(family="ipv6", at_client="final_ack_lost", at_server="final_ack_missing")
def last_ack_lost_over_ipv6(lab):
    """The last ACK is lost, over IPv6."""
    lose_last_ack(lab)


@scenario(vxlan=True)
def through_vxlan(lab):
    """A connection inside a VXLAN."""
    exchange_and_close(lab, *lab.connect())


@scenario(vxlan=True, at_client="final_ack_lost", at_server="final_ack_missing")
def last_ack_lost_in_vxlan(lab):
    """The last ACK is lost, inside a VXLAN."""
    lose_last_ack(lab)


def lose_last_ack(lab):
    client, server = lab.connect()
    lab.talk(client, server)
    client.close()
    lab.until("server", "CLOSE_WAIT")
    lab.wait(0.1)
    lost = lab.relay.drop(from_client)
    server.close()
    lab.until_taken(lost)
    lab.until("client", "TIME_WAIT")
    lab.until("server", "CLOSED")
    lab.wait(0.2)


@scenario()
def client_wraps_the_sequence_space(lab):
    """The client's numbers pass 2^32 in the middle of its data."""
    exchange_and_close(lab, *lab.connect(isn=0xffffffff - 9000))


@scenario()
def wrap_at_the_syn(lab):
    """The client's SYN has the last number of the space: its first octet has number 0."""
    exchange_and_close(lab, *lab.connect(isn=0xffffffff))


@scenario()
def wrap_at_the_fin(lab):
    """The client's FIN has the last number of the space."""
    exchange_and_close(lab, *lab.connect(isn=0xffffffff - 20001))


@scenario(server_sysctls={"tcp_syncookies": 2, "tcp_timestamps": 0},
          client_sysctls={"tcp_timestamps": 0}, events="close_abortive_app", may="incarnation_collision",
          unseen=[("both", "server", "CLOSED", "SYN_RCVD", "a cookie keeps no state")])
def server_wraps_the_sequence_space(lab):
    """The server's numbers pass 2^32: with cookies they follow the client's."""
    first = 0x40000000
    client, _ = lab.connect(isn=first)
    began = next(s for s in lab.relay.passed if s.sender == "server").seq
    abort(client)
    lab.until("server", "CLOSED")
    lab.wait(0.1)
    isn = (first + 0xffffffff - 9000 - began) % (1 << 32)
    lab.watch(PORT, SERVICE)
    exchange_and_close(lab, *lab.connect(isn=isn))


@scenario(slow=4)
def transfer_with_losses(lab):
    """Many octets over a path that loses some of them: nothing is wrong with the connection."""
    client, server = lab.connect()
    received = threading.Thread(target=lambda: read(server, 300000))
    received.start()
    for number in range(30):
        if number % 6 == 5:
            lab.relay.drop(every(from_client, data))
        client.sendall(b"t" * 10000)
        lab.wait(0.05)
    received.join()
    lab.wait(0.1)
    lab.close_in_order(client, server)
    lab.wait(0.1)


@scenario(slow=4)
def long_conversation(lab):
    """Question and answer for a while, and an ordinary end."""
    client, server = lab.connect()
    for _ in range(60):
        client.sendall(b"question")
        server.sendall(b"answer to " + read(server, 8))
        assert read(client, 18) == b"answer to question"
        lab.wait(0.03)
    lab.close_in_order(client, server, first="server")
    lab.wait(0.1)
