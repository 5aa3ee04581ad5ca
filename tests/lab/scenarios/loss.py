"""Each of the closing segments lost between the two taps: after one, before the other."""
from frames import every, fin, from_client, from_server, pure_ack
from scenario import scenario

SOON = {"tcp_rto_min_us": 100000}  # above what an ACK may be put off
LOST = "lost before this tap, and not repeated yet"


def close_with_loss(lab, first_end, lost, times=1):
    """Closes in four segments, of which those are lost that lost(step) says for each."""
    client, server = lab.connect()
    lab.talk(client, server)
    ends = {"client": client, "server": server}
    second_end = "server" if first_end == "client" else "client"
    rules = {}

    def lose(step, fits):
        if step == lost:
            rules[step] = lab.relay.drop(fits, times)

    def by(end):
        return from_client if end == "client" else from_server

    lose("first FIN", every(by(first_end), fin))
    lose("first ACK", every(by(second_end), pure_ack))
    ends[first_end].close()
    lab.until(first_end, "FIN_WAIT_2")
    lab.until(second_end, "CLOSE_WAIT")
    lab.wait(0.1)
    lose("second FIN", every(by(second_end), fin))
    lose("last ACK", every(by(first_end), pure_ack))
    ends[second_end].close()
    lab.until(first_end, "TIME_WAIT")
    lab.until(second_end, "CLOSED")
    assert rules[lost].taken == times, "not all was lost that had to be"
    lab.wait(0.3)


@scenario(at_client="fin_retransmitted", sysctls=SOON,
          unseen=[("server", "client", "FIN_WAIT_1", "ESTABLISHED", LOST)])
def first_fin_lost(lab):
    """The client's FIN, the first, is lost."""
    close_with_loss(lab, "client", "first FIN")


@scenario(at_client="fin_retransmitted", at_server="close_ack_lost", sysctls=SOON,
          unseen=[("client", "server", "CLOSE_WAIT", "ESTABLISHED", LOST)])
def first_ack_lost(lab):
    """The server's ACK of the first FIN is lost."""
    close_with_loss(lab, "client", "first ACK")


@scenario(at_server="fin_retransmitted", sysctls=SOON,
          unseen=[("client", "server", "LAST_ACK", "CLOSE_WAIT", LOST)])
def second_fin_lost(lab):
    """The server's FIN, the second, is lost."""
    close_with_loss(lab, "client", "second FIN")


@scenario(at_client="final_ack_lost", at_server="final_ack_missing", sysctls=SOON)
def last_ack_lost_once(lab):
    """The last ACK is lost; the server's FIN comes again and is answered."""
    close_with_loss(lab, "client", "last ACK")


@scenario(at_client="final_ack_lost", at_server="final_ack_missing", sysctls=SOON, slow=3)
def last_ack_lost_three_times(lab):
    """The last ACK is lost three times; the fourth arrives."""
    close_with_loss(lab, "client", "last ACK", 3)


@scenario(at_server="fin_retransmitted", sysctls=SOON,
          unseen=[("client", "server", "FIN_WAIT_1", "ESTABLISHED", LOST)])
def first_fin_of_the_server_lost(lab):
    """The server closes first, and its FIN is lost."""
    close_with_loss(lab, "server", "first FIN")


@scenario(at_client="close_ack_lost", at_server="fin_retransmitted", sysctls=SOON,
          unseen=[("server", "client", "CLOSE_WAIT", "ESTABLISHED", LOST)])
def first_ack_of_the_client_lost(lab):
    """The server closes first, and the client's ACK of its FIN is lost."""
    close_with_loss(lab, "server", "first ACK")


@scenario(at_client="fin_retransmitted", sysctls=SOON,
          unseen=[("server", "client", "LAST_ACK", "CLOSE_WAIT", LOST)])
def second_fin_of_the_client_lost(lab):
    """The server closes first, and the client's FIN is lost."""
    close_with_loss(lab, "server", "second FIN")


@scenario(at_client="final_ack_missing", at_server="final_ack_lost", sysctls=SOON)
def last_ack_of_the_server_lost(lab):
    """The server closes first, and the last ACK, its own, is lost."""
    close_with_loss(lab, "server", "last ACK")


@scenario(at_client="final_ack_missing", at_server="final_ack_lost", sysctls=SOON, slow=3)
def last_ack_of_the_server_lost_three_times(lab):
    """The server closes first, and the last ACK, its own, is lost three times."""
    close_with_loss(lab, "server", "last ACK", 3)
