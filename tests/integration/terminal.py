"""A program in a pseudo terminal: type, read, press Ctrl-C."""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time


class Terminal:
    def __init__(self, command, env):
        master, slave = pty.openpty()
        self.fd = master
        self.shown = ""
        self.resize(240)  # what is typed stays on its line
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env,
                                        start_new_session=True, preexec_fn=lambda: _take_terminal(0))
        os.close(slave)

    def type(self, text):
        os.write(self.fd, text.encode())

    def resize(self, columns, rows=24):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def ctrl_c(self):
        self.type("\x03")

    def read_until(self, text, timeout=30):
        """Everything shown since the last call, up to and with `text`."""
        deadline = time.monotonic() + timeout
        while text not in self.shown:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} was not shown within {timeout} s: {self.shown[-2000:]!r}"
            if select.select([self.fd], [], [], left)[0]:
                try:
                    self.shown += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:  # The program has left.
                    assert text in self.shown, f"ended without {text!r}: {self.shown[-2000:]!r}"
        seen, _, self.shown = self.shown.partition(text)
        return seen + text

    def wait(self, timeout=20):
        return self.process.wait(timeout)

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.fd)


class Chat(Terminal):
    """notso chat, as somebody at its prompt."""

    def say(self, typed, shown, timeout=30):
        """Types a line, and gives what it leads to, up to and with `shown`."""
        self.read_until("> ", timeout)
        self.type(typed + "\r")
        self.read_until(typed + "\r\n", timeout)
        return self.read_until(shown, timeout)

    def wait_end(self, typed):
        """Types a line and waits for the next prompt, which stays to be read."""
        self.say(typed, "> ", 120)
        self.shown = "> " + self.shown

    def cut(self, typed, after):
        """Stops an answer behind the words `after`. One that was faster is asked for again."""
        for _ in range(5):
            self.say(typed, after)
            self.ctrl_c()
            if "(stopped) /continue goes on from here." in self.read_until("> "):
                self.shown = "> " + self.shown
                return
            self.read_until("Ctrl-D leaves")
            typed = "/regenerate"
        raise AssertionError("every answer was faster than Ctrl-C")

    def exported(self, path):
        """The conversation as JSON."""
        self.say(f"/export {path}", f"Saved as {path}")
        return json.loads(path.read_text())[-1]

    def leave(self):
        self.read_until("> ")
        self.type("\x04")
        assert self.wait() == 0


def _take_terminal(fd):
    """Makes the terminal this process's own, so that Ctrl-C reaches it."""
    fcntl.ioctl(fd, termios.TIOCSCTTY, 0)
