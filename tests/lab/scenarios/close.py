"""How a connection ends when nothing is lost: every order in which two sides can close."""
import socket

from frames import fin, from_client, from_server
from scenario import scenario


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
def half_close(lab):
    """The client shuts its sending side; the server goes on sending for a while."""
    client, server = lab.connect()
    lab.talk(client, server)
    client.shutdown(socket.SHUT_WR)
    lab.until("client", "FIN_WAIT_2")
    for _ in range(5):
        server.sendall(b"more" * 100)
        lab.wait(0.1)
    server.close()
    lab.until("client", "TIME_WAIT")
    lab.until("server", "CLOSED")
    lab.wait(0.2)


@scenario(at_client="final_ack_lost", at_server="final_ack_missing")
def last_ack_lost_once(lab):
    """The last ACK is lost between the taps; the server's FIN comes again and is answered."""
    client, server = lab.connect()
    lab.talk(client, server)
    client.close()
    lab.until("server", "CLOSE_WAIT")
    lost = lab.relay.drop(lambda s: from_client(s) and lab.state("client") == "TIME_WAIT")
    server.close()
    lab.until_taken(lost)
    lab.until_passed(lambda s: fin(s) and from_server(s), 2)
    lab.until("server", "CLOSED")
    lab.wait(0.3)
