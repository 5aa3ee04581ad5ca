"""scenario: the table of scenarios, each a function that plays it and what must be found of it."""
import collections

SCENARIOS = {}

# At a tap ("both": at either), the kernel's state of a side and the report's may differ, because of
# what never reached the wire there.
Unseen = collections.namedtuple("Unseen", "tap side kernel report reason")


class Unlucky(Exception):
    """What a scenario needs of a clock that it cannot set did not come about; it is played again."""


class Scenario:
    def __init__(self, play, **options):
        self.play = play
        self.name = play.__name__
        self.shows = play.__doc__.strip().splitlines()[0]
        self.events = words(options, "events")             # at both taps
        self.at = {"client": words(options, "at_client"),  # and at one
                   "server": words(options, "at_server")}
        self.may = words(options, "may")                   # by how things fall out in time
        self.unseen = [Unseen(*row) for row in options.pop("unseen", ())]
        self.settings = options.pop("settings", "").split()  # of lastack, as a user would set them
        self.sysctls = options.pop("sysctls", {})
        self.client_sysctls = options.pop("client_sysctls", {})
        self.server_sysctls = options.pop("server_sysctls", {})
        self.delay = options.pop("delay", 0.01)            # of the relay, one way
        self.family = options.pop("family", "ipv4")
        self.vxlan = options.pop("vxlan", False)
        self.states = options.pop("states", True)
        self.prepare = options.pop("prepare", None)        # done before anybody captures
        self.slow = options.pop("slow", 0)                 # the longest begin first
        if options:
            raise TypeError("%s: no such option: %s" % (self.name, ", ".join(options)))

    def wanted(self, side):
        return self.events | self.at[side]


def words(options, name):
    return set(options.pop(name, "").split())


def scenario(**options):
    """Registers a function as a scenario; its name is the claim, its first line says it."""
    def register(play):
        made = Scenario(play, **options)
        if made.name in SCENARIOS:
            raise ValueError("two scenarios are called " + made.name)
        SCENARIOS[made.name] = made
        return play
    return register
