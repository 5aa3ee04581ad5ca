"""How a connection begins, or does not."""
from frames import every, from_client, from_server, pure_ack, syn, synack
from lab import PORT, SERVICE
from scenario import scenario

FOREVER = 1 << 30
LOST = "lost before this tap, and not repeated yet"


@scenario(events="simultaneous_open", may="close_simultaneous")
def both_open_at_once(lab):
    """Both connect to each other: two SYNs cross, SYN_RCVD at both."""
    lab.watch()
    client, server = lab.client.socket(PORT), lab.server.socket(SERVICE)
    for sock in client, server:
        lab.keep(sock).setblocking(False)
    client.connect_ex((lab.server.address, SERVICE))
    server.connect_ex((lab.client.address, PORT))
    lab.until("client", "ESTABLISHED")
    lab.until("server", "ESTABLISHED")
    lab.wait(0.2)
    lab.close_in_order(client, server)
    lab.wait(0.2)


@scenario(at_client="syn_no_answer", slow=5,
          client_sysctls={"tcp_syn_retries": 1, "tcp_syn_linear_timeouts": 2},
          unseen=[("client", "client", "CLOSED", "SYN_SENT", "connect() gives up in silence"),
                  ("server", "client", "SYN_SENT", "CLOSED", LOST)])
def unanswered(lab):
    """The SYN has no answer, nor have its repetitions."""
    lab.relay.drop(from_client, FOREVER)
    lab.begin_connect()
    lab.until("client", "CLOSED")
    lab.wait(0.1)


@scenario(unseen=[("server", "client", "SYN_SENT", "CLOSED", LOST)])
def first_syn_lost(lab):
    """The first SYN is lost, the second gets through."""
    lab.relay.drop(every(from_client, syn))
    client, server = lab.connect()
    lab.close_in_order(client, server)
    lab.wait(0.2)


@scenario(unseen=[("client", "server", "SYN_RCVD", "CLOSED", LOST)])
def synack_lost(lab):
    """The SYN-ACK is lost and comes again."""
    lab.relay.drop(every(from_server, synack))
    client, server = lab.connect()
    lab.close_in_order(client, server)
    lab.wait(0.2)


@scenario(at_client="handshake_ack_lost")
def last_ack_of_the_handshake_lost(lab):
    """The client's ACK is lost: ESTABLISHED here, SYN_RCVD there, until the SYN-ACK comes again."""
    lab.relay.drop(every(from_client, pure_ack))
    client, server = lab.connect()
    lab.wait(0.1)
    lab.close_in_order(client, server)
    lab.wait(0.2)


@scenario(unseen=[
    ("client", "server", "SYN_RCVD", "ESTABLISHED", "the ACK was lost beyond, and nothing shows it")])
def data_completes_the_handshake(lab):
    """The client's ACK is lost, and its first data says the same."""
    lab.relay.drop(every(from_client, pure_ack))
    listener = lab.listen()
    client = lab.begin_connect()
    lab.until("client", "ESTABLISHED")
    lab.wait(0.1)
    client.sendall(b"request")
    lab.until("server", "ESTABLISHED")
    server = lab.keep(listener.accept()[0])
    assert server.recv(100) == b"request"
    lab.wait(0.1)
    lab.close_in_order(client, server)
    lab.wait(0.2)


@scenario(events="accept_queue_overflow", slow=4)
def accept_queue_full(lab):
    """The server's program accepts nothing: of two connections the second has no answer."""
    lab.listen(backlog=0)
    lab.begin_connect(PORT)
    lab.until("server", "ESTABLISHED")
    lab.begin_connect(PORT + 1)
    lab.wait(3.3)


@scenario(events="accept_queue_overflow", slow=3, unseen=[
    ("both", "server", "SYN_RCVD", "ESTABLISHED", "the queue is full, and nothing shows it yet")])
def accept_queue_fills_up(lab):
    """Two SYNs are answered, but the queue takes one more: the other stays in SYN_RCVD."""
    lab.listen(backlog=2)
    for port in PORT, PORT + 1:
        lab.begin_connect(port)
        lab.until("server", "ESTABLISHED", pair=lab.watch(port))
    late = [lab.begin_connect(port) for port in (PORT + 2, PORT + 3)]
    for port, client in zip((PORT + 2, PORT + 3), late):
        lab.until("client", "ESTABLISHED", pair=lab.watch(port))
        client.sendall(b"request")
    lab.until_passed(every(from_server, synack), 5)
    lab.wait(0.1)


@scenario(events="data_before_handshake_reset",
          unseen=[("both", "client", "CLOSED", "SYN_SENT", "connect() is given up in silence")])
def client_gives_up_at_once(lab):
    """The client's program is gone when the SYN-ACK arrives."""
    lab.listen()
    client = lab.begin_connect()
    client.close()
    lab.wait(0.3)
