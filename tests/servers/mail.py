"""A mail server that takes what it is sent, and one that takes connections and says nothing."""

import socketserver
from contextlib import contextmanager

import loopback


class Taking(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self):
        self.say("220 mail.example.com")
        for line in self.rfile:
            verb = line[:4].upper().strip()
            if verb == b"DATA":
                self.say("354 go on")
                lines = []
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(part.decode())
                self.server.letters.append("".join(lines))
            self.say("221 bye" if verb == b"QUIT" else "250 ok")
            if verb == b"QUIT":
                return


class Silent(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.over.wait(60)


@contextmanager
def serving(handler):
    """The server; `letters` is what it took."""
    with loopback.serving(handler, socketserver.ThreadingTCPServer, letters=[]) as server:
        yield server
