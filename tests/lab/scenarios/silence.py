"""States that last too long, and ends that nobody tells: timers, and programs that wait."""
import socket

from frames import either, every, from_client, from_server, rst
from host import abort
from scenario import scenario

ANY = either(from_client, from_server)
FOREVER = 1 << 30


@scenario(events="close_wait_leak", settings="--set=close_wait_leak=1s --set=close_wait_slow=500ms")
def close_wait_left_open(lab):
    """The client closes, and the server's program never does: CLOSE_WAIT."""
    client, server = lab.connect()
    lab.talk(client, server)
    client.shutdown(socket.SHUT_WR)
    lab.until("server", "CLOSE_WAIT")
    lab.wait(1.6)


@scenario(events="fin_wait_2_timeout", settings="--set=fin_timeout=1s",
          sysctls={"tcp_fin_timeout": 1},
          unseen=[("both", "client", "CLOSED", "FIN_WAIT_2", "FIN_WAIT_2 expired in silence")])
def fin_wait_2_expires_before_data(lab):
    """An orphaned FIN_WAIT_2 expires; data that comes later is reset."""
    client, server = lab.connect()
    lab.talk(client, server)
    client.close()
    lab.until("client", "FIN_WAIT_2")
    lab.until("client", "CLOSED")
    server.sendall(b"too late")
    lab.until("server", "CLOSED")
    lab.wait(0.2)


@scenario(events="rst_to_retransmitted_fin", settings="--set=fin_timeout=1s",
          sysctls={"tcp_fin_timeout": 1},
          unseen=[("both", "client", "CLOSED", "FIN_WAIT_2", "FIN_WAIT_2 expired in silence")])
def fin_wait_2_expires_before_fin(lab):
    """An orphaned FIN_WAIT_2 expires; the server's FIN is reset."""
    client, server = lab.connect()
    lab.talk(client, server)
    client.close()
    lab.until("client", "FIN_WAIT_2")
    lab.until("client", "CLOSED")
    server.close()
    lab.until("server", "CLOSED")
    lab.wait(0.2)


@scenario(at_server="keepalive_timeout", slow=5,
          unseen=[("client", "server", "CLOSED", "ESTABLISHED", "the path is cut"),
                  ("server", "client", "ESTABLISHED", "CLOSED", "the path is cut")])
def keep_alive_dies(lab):
    """The path is cut; the server's keep-alives have no answer, and it resets."""
    client, server = lab.connect()
    lab.talk(client, server)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
        server.setsockopt(socket.IPPROTO_TCP, option, 1)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    lab.wait(0.9)
    lab.relay.drop(ANY, FOREVER)
    lab.until("server", "CLOSED")
    lab.until_passed(every(from_server, rst))
    lab.wait(0.05)


@scenario(at_client="fin_wait_1_stuck", delay=0.001,
          client_sysctls={"tcp_orphan_retries": 3, "tcp_rto_min_us": 10000},
          unseen=[("client", "server", "ESTABLISHED", "CLOSE_WAIT", "no FIN ever arrived"),
                  ("both", "client", "CLOSED", "FIN_WAIT_1", "an orphan dies in silence"),
                  ("server", "client", "FIN_WAIT_1", "ESTABLISHED", "the path is cut"),
                  ("server", "client", "CLOSED", "ESTABLISHED", "the path is cut")])
def orphan_dies_in_fin_wait_1(lab):
    """The path is cut; the client's FIN is repeated until its kernel gives up, without a word."""
    client, server = lab.connect()
    lab.talk(client, server)
    lab.relay.drop(ANY, FOREVER)
    client.close()
    lab.until("client", "CLOSED")


@scenario()
def window_closes_and_opens(lab):
    """The server does not read: window 0, probes, and then it reads after all."""
    client, server = lab.connect()
    fill(lab, client)
    lab.wait(0.8)
    while lab.state("server") == "ESTABLISHED" and drain(server):
        pass
    client.close()
    lab.until("server", "CLOSE_WAIT")
    drain(server)
    server.close()
    lab.until("client", "TIME_WAIT")
    lab.until("server", "CLOSED")
    lab.wait(0.2)


@scenario(events="zero_window_stall_close", settings="--set=zero_window_stall=500ms", slow=3)
def window_stays_closed(lab):
    """The server does not read, and the client gives up with a reset."""
    client, server = lab.connect()
    fill(lab, client)
    lab.wait(1.2)
    abort(client)
    lab.until("client", "CLOSED")
    lab.until("server", "CLOSED")
    lab.wait(0.2)


def fill(lab, sock):
    """Writes until the window is 0."""
    sock.setblocking(False)
    for _ in range(60):
        try:
            sock.send(b"z" * 65536)
        except BlockingIOError:
            if any(s.window == 0 and from_server(s) for s in list(lab.relay.passed)):
                break
            lab.wait(0.05)
    sock.setblocking(True)
    sock.settimeout(15)


def drain(sock):
    sock.settimeout(0.3)
    try:
        return len(sock.recv(1 << 20))
    except TimeoutError:
        return 0
