"""taps: what is captured on each side of the relay: by tcpdump into a file, and by lastack live."""
import os
import signal
import subprocess
import time

DEVICES = {"client": "c0", "server": "s0"}
BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.path.abspath(os.environ.get("LASTACK", os.path.join(BUILD, "lastack")))


def packet_sockets():
    with open("/proc/thread-self/net/packet", encoding="ascii") as table:
        return len(table.readlines()) - 1


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.01)


class Taps:
    """Four programs that capture: begun in the relay's namespace, ended with stop()."""

    def __init__(self, folder, settings=(), live=True, snaplen=0, buffer=4096):
        self.folder, self.settings = folder, list(settings)
        self.programs = []
        before = packet_sockets()
        for side, device in DEVICES.items():
            self.start("tcpdump", side, ["tcpdump", "-i", device, "-w", self.path(side, "pcap"),
                                         "-U", "--immediate-mode", "-B", str(buffer), "-Z", "root",
                                         "-s", str(snaplen), "--nano", "-n"])
            if live:
                self.start("lastack", side, [LASTACK, "-i", device, "-B", "4096", "--nano", "-U",
                                             "--ndjson=" + self.path(side, "ndjson"),
                                             *self.settings])
        wait_until(lambda: packet_sockets() >= before + len(self.programs), 20, "captures begin")
        wait_until(self.have_threads, 20, "lastack captures")
        time.sleep(0.2)

    def path(self, side, ending):
        return os.path.join(self.folder, "%s.%s" % (side, ending))

    def start(self, name, side, command):
        errors = open(self.path(side, name + ".err"), "wb")
        with errors:
            self.programs.append((name, side, subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)))

    def have_threads(self):
        """lastack gives its rights up first, then a thread captures."""
        return all(len(os.listdir("/proc/%d/task" % program.pid)) > 1
                   for name, _, program in self.programs if name == "lastack")

    def stop(self):
        """Ends them; what went wrong with them, line by line."""
        time.sleep(0.3)  # tcpdump leaves what it has not read
        for _, _, program in self.programs:
            if program.poll() is None:
                program.send_signal(signal.SIGINT)
        wrong = []
        for name, side, program in self.programs:
            try:
                status = program.wait(20)
            except subprocess.TimeoutExpired:
                program.kill()
                status = program.wait()
            if status != 0:
                with open(self.path(side, name + ".err"), encoding="utf-8") as said:
                    wrong.append("%s at the %s ended with %d: %s" % (name, side, status,
                                                                      said.read()))
        return wrong


def offline(folder, side, settings=()):
    """What lastack says of the saved capture; the records go to a file, too."""
    records = os.path.join(folder, side + ".offline.ndjson")
    subprocess.run([LASTACK, "--nano", "--ndjson=" + records, *settings,
                    os.path.join(folder, side + ".pcap")], check=True, capture_output=True)
    return records
