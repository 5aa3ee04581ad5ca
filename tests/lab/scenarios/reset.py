"""Connections that end with a reset, and why."""
from frames import data, every, from_client, from_server, rst
from host import abort, forget
from scenario import scenario


def both_closed(lab):
    lab.until("client", "CLOSED")
    lab.until("server", "CLOSED")
    lab.wait(0.2)


@scenario(events="close_abortive_app")
def client_aborts_with_linger_0(lab):
    """The client's program closes with linger 0."""
    client, server = lab.connect()
    lab.talk(client, server)
    abort(client)
    both_closed(lab)


@scenario(events="close_abortive_app")
def server_aborts_with_linger_0(lab):
    """The server's program closes with linger 0."""
    client, server = lab.connect()
    lab.talk(client, server)
    abort(server)
    both_closed(lab)


@scenario(events="close_abortive_app")
def server_closes_with_unread_data(lab):
    """The server closes without having read what the client sent."""
    client, server = lab.connect()
    client.sendall(b"never read")
    lab.until_passed(every(from_client, data))
    lab.wait(0.1)
    server.close()
    both_closed(lab)


@scenario(events="close_abortive_app", may="fin_retransmitted")  # the ACK is put off
def server_aborts_in_close_wait(lab):
    """The client has closed; the server, which has not read all, resets instead of closing."""
    client, server = lab.connect()
    lab.talk(client, server)
    client.sendall(b"never read")
    client.close()
    lab.until("server", "CLOSE_WAIT")
    lab.wait(0.1)
    server.close()
    both_closed(lab)


@scenario(events="close_reset_after_fin")
def client_aborts_after_its_fin(lab):
    """The client shuts its sending side, and resets while it waits for the server."""
    client, server = lab.connect()
    lab.talk(client, server)
    client.shutdown(1)
    lab.until("client", "FIN_WAIT_2")
    lab.wait(0.1)
    abort(client)
    both_closed(lab)


@scenario(events="data_after_close_reset")
def data_after_close(lab):
    """The server still sends when the client has closed for good."""
    client, server = lab.connect()
    lab.talk(client, server)
    client.close()
    lab.until("server", "CLOSE_WAIT")
    lab.wait(0.1)
    server.sendall(b"nobody reads this")
    both_closed(lab)


@scenario(events="keepalive_race")
def request_meets_close(lab):
    """The server closes an idle connection just when the client sends its next request."""
    client, server = lab.connect()
    lab.talk(client, server)
    server.close()
    client.sendall(b"one more request")
    both_closed(lab)


@scenario(events="no_state_reset", unseen=[
    ("both", "server", "CLOSED", "ESTABLISHED", "the server's host forgot the connection")])
def server_forgot(lab):
    """The server's host knows nothing of the connection any more: it resets the next segment."""
    client, server = lab.connect()
    lab.talk(client, server)
    forget(server)
    lab.wait(0.03)
    client.sendall(b"are you there?")
    both_closed(lab)


@scenario(events="syn_refused")
def refused(lab):
    """Nothing listens on the port."""
    lab.begin_connect()
    lab.until_passed(every(from_server, rst))
    both_closed(lab)


@scenario(at_client="close_abortive_app", at_server="no_state_reset",
          unseen=[("client", "server", "ESTABLISHED", "CLOSED", "the reset was lost"),
                  ("server", "client", "CLOSED", "ESTABLISHED", "the reset was lost")])
def reset_lost(lab):
    """The client's reset is lost; the server learns of it from the answer to its next segment."""
    client, server = lab.connect()
    lab.talk(client, server)
    lab.relay.drop(every(from_client, rst))
    abort(client)
    lab.until("client", "CLOSED")
    lab.wait(0.1)
    server.sendall(b"are you there?")
    both_closed(lab)


@scenario(events="rst_challenged", at_client="close_abortive_app", delay=0.03)
def reset_ahead_of_lost_data(lab):
    """The client's last data is lost, so its reset is not exact: it has to be asked for once more."""
    client, server = lab.connect()
    lab.talk(client, server)
    lost = lab.relay.drop(every(from_client, data))
    client.sendall(b"lost")
    lab.until_taken(lost)
    abort(client)
    both_closed(lab)
