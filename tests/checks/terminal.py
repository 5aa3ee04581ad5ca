"""terminal: a shell in a terminal of tmux's, for checks of what draws on one."""
import os
import re
import shutil
import subprocess
import tempfile
import time

PROMPT = "ready>"


def is_there():
    return shutil.which("tmux") is not None


class Terminal:
    """A shell in a terminal of its own; close() ends it."""

    def __init__(self, columns, rows, locale="C.UTF-8"):
        self.folder = tempfile.mkdtemp(prefix="lastack-terminal-")
        self.columns, self.rows = columns, rows
        environment = {key: value for key, value in os.environ.items() if key != "TMUX"}
        environment.update(LC_ALL=locale, PS1=PROMPT + " ", SHELL="/bin/sh")
        if os.environ.get("LASTACK_SANITIZED"): # looking for leaks takes rights that are given up
            environment["ASAN_OPTIONS"] = "detect_leaks=0"
        self.environment = environment
        with open(os.path.join(self.folder, "conf"), "w") as file:
            file.write("set -g default-terminal screen-256color\nset -g status off\n"
                       "set -g escape-time 0\n")
        self.tmux("-f", os.path.join(self.folder, "conf"), "new-session", "-d", "-x", str(columns),
                  "-y", str(rows), "/bin/sh -i")
        self.wait_for(PROMPT)

    def tmux(self, *words):
        result = subprocess.run(["tmux", "-S", os.path.join(self.folder, "socket"), *words],
                                capture_output=True, text=True, env=self.environment, check=True,
                                timeout=20)
        return result.stdout

    def lines(self):
        """What is on the screen, a string a row."""
        return self.tmux("capture-pane", "-p").split("\n")[:self.rows]

    def has(self, pattern):
        return re.search(pattern, "\n".join(self.lines()), re.MULTILINE)

    def wait_for(self, pattern, seconds=5.0):
        """Whether the screen comes to hold the pattern."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.has(pattern):
                return True
            time.sleep(0.05)
        return False

    def press(self, *keys):
        """Keys by tmux's names, such as Enter or C-c."""
        self.tmux("send-keys", *keys)

    def type(self, command):
        self.tmux("send-keys", "-l", command)
        self.press("Enter")

    def run(self, command, seconds=5.0):
        """Runs a command of the shell to its end; what is on the screen then."""
        self.type("clear")
        time.sleep(0.1)
        self.type(command + "; echo do''ne $?")
        self.wait_for(r"^done \d+", seconds)
        return "\n".join(self.lines())

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def state(self):
        """What a program may leave behind: the screen's modes and the line's."""
        flags = "#{alternate_on} #{cursor_flag} #{keypad_cursor_flag} #{keypad_flag} " \
                "#{insert_flag} #{mouse_any_flag} #{pane_title}"
        settings = os.path.join(self.folder, "settings")
        self.run("stty -a > %s" % settings)
        with open(settings) as file:
            return self.tmux("display-message", "-p", flags).strip(), file.read()

    def close(self):
        subprocess.run(["tmux", "-S", os.path.join(self.folder, "socket"), "kill-server"],
                       capture_output=True, env=self.environment, check=False)
        shutil.rmtree(self.folder)
