"""tap: results in the Test Anything Protocol, one line a check, the plan last."""
import signal
import sys

# A shell without job control has what it runs in the background ignore SIGINT, and so would the
# programs that checks begin and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Tap:
    """Counts checks; end() prints the plan and gives the exit status."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, passed, name, *details):
        """One check; details are shown when it failed."""
        self.count += 1
        print("%s %d - %s" % ("ok" if passed else "not ok", self.count, name))
        if not passed:
            self.failed += 1
            for detail in details:
                for line in str(detail).splitlines():
                    print("# " + line)
        sys.stdout.flush()
        return passed

    def skip(self, name, reason):
        """A check that cannot be made here, and why."""
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, name, reason))

    def end(self):
        print("1..%d" % self.count)
        return 1 if self.failed else 0
