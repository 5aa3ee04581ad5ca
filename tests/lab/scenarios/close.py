"""How a connection ends when nothing is lost: every order in which two sides can close."""
import socket

from frames import data, every, fin, from_client
from scenario import scenario

TCP_CORK = 3


@scenario()
def client_closes_first(lab):
    """The client closes, the server later: TIME_WAIT at the client."""
    client, server = lab.connect()
    lab.talk(client, server)
    client.close()
    lab.until("server", "CLOSE_WAIT")
    lab.wait(0.3)
    server.close()
    lab.until("client", "TIME_WAIT")
    lab.until("server", "CLOSED")
    lab.wait(0.3)


@scenario()
def server_closes_first(lab):
    """The server closes, the client later: TIME_WAIT at the server."""
    client, server = lab.connect()
    lab.talk(client, server)
    server.close()
    lab.until("client", "CLOSE_WAIT")
    lab.wait(0.3)
    client.close()
    lab.until("server", "TIME_WAIT")
    lab.until("client", "CLOSED")
    lab.wait(0.3)


@scenario()
def client_closes_first_and_the_server_at_once(lab):
    """The server's FIN acknowledges the client's: three segments, FIN_WAIT_2 is passed at once."""
    client, server = lab.connect()
    lab.talk(client, server)
    client.close()
    assert server.recv(1) == b""
    server.close()
    lab.until("client", "TIME_WAIT")
    lab.until("server", "CLOSED")
    lab.wait(0.3)


@scenario()
def server_closes_first_and_the_client_at_once(lab):
    """The client's FIN acknowledges the server's: three segments."""
    client, server = lab.connect()
    lab.talk(client, server)
    server.close()
    assert client.recv(1) == b""
    client.close()
    lab.until("server", "TIME_WAIT")
    lab.until("client", "CLOSED")
    lab.wait(0.3)


@scenario(events="close_simultaneous")
def both_close_at_once(lab):
    """Both sides close before either FIN arrives: CLOSING and TIME_WAIT at both."""
    client, server = lab.connect()
    lab.talk(client, server)
    client.close()
    server.close()
    lab.until("client", "TIME_WAIT")
    lab.until("server", "TIME_WAIT")
    lab.wait(0.3)


@scenario(events="close_half")
def client_shuts_one_direction(lab):
    """The client shuts its sending side; the server goes on sending for a while."""
    half_close(lab, *lab.connect(), "client", "server")


@scenario(events="close_half")
def server_shuts_one_direction(lab):
    """The server shuts its sending side; the client goes on sending for a while."""
    client, server = lab.connect()
    lab.talk(client, server)
    half_close(lab, server, client, "server", "client")


def half_close(lab, first, second, first_end, second_end):
    first.shutdown(socket.SHUT_WR)
    lab.until(first_end, "FIN_WAIT_2")
    for _ in range(5):
        second.sendall(b"more" * 100)
        lab.wait(0.1)
    second.close()
    lab.until(first_end, "TIME_WAIT")
    lab.until(second_end, "CLOSED")
    lab.wait(0.2)


@scenario()
def fin_with_the_last_data(lab):
    """The client's FIN carries its last octets."""
    client, server = lab.connect()
    client.setsockopt(socket.IPPROTO_TCP, TCP_CORK, 1)
    client.sendall(b"the last words")
    client.close()
    lab.until_passed(every(from_client, data, fin))
    lab.until("server", "CLOSE_WAIT")
    lab.wait(0.2)
    assert server.recv(100) == b"the last words"
    server.close()
    lab.until("client", "TIME_WAIT")
    lab.until("server", "CLOSED")
    lab.wait(0.2)


@scenario()
def fin_overtakes_data(lab):
    """The last data comes after the FIN: the FIN counts only then."""
    client, server = lab.connect()
    lab.talk(client, server)
    late = lab.relay.hold(every(from_client, data))
    client.sendall(b"late")  # its repetition goes past the rule, if it comes
    client.close()
    lab.until_passed(every(from_client, fin))
    lab.wait(0.06)
    lab.relay.release(late)
    lab.until("server", "CLOSE_WAIT")
    assert server.recv(100) == b"late"
    server.close()
    lab.until("client", "TIME_WAIT")
    lab.until("server", "CLOSED")
    lab.wait(0.2)


@scenario(slow=63,
          unseen=[("both", "client", "TIME_WAIT", "CLOSED", "the kernel's timers are late")])
def time_wait_passes(lab):
    """TIME_WAIT of the running kernel, to its end: 60 s, and what its timers add."""
    client, server = lab.connect()
    client.close()
    assert server.recv(1) == b""
    server.close()
    lab.until("client", "TIME_WAIT")
    lab.until("client", "CLOSED", seconds=66)
