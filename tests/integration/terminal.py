"""A program in a pseudo terminal: type, read, press Ctrl-C."""
import fcntl
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

    def say(self, typed, shown, timeout=30):
        """At the prompt of notso chat: types a line, and gives what it leads to, up to and with `shown`."""
        self.read_until("> ", timeout)
        self.type(typed + "\r")
        self.read_until(typed + "\r\n", timeout)
        return self.read_until(shown, timeout)

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


def _take_terminal(fd):
    """Makes the terminal this process's own, so that Ctrl-C reaches it."""
    fcntl.ioctl(fd, termios.TIOCSCTTY, 0)
