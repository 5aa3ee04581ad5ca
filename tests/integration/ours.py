"""A program at the other side that a check started: its words in a file, ended by its process id."""
import os
import subprocess


class Ours:
    """command, started in the background; what it says goes to NAME.log of the folder."""

    def __init__(self, folder, name, command):
        self.log = open(os.path.join(folder, name + ".log"), "w+")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)

    def end(self):
        """Ends it, with force when it has not ended 20 s later; returns what it said."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.seek(0)
        said = self.log.read()
        self.log.close()
        return said
