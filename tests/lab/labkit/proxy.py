"""A proxy in the lab between one client and one server. It keeps every write it carried, and may be told to end the
client right after one: the server has done it, and the client never hears of it.

Each connection of the client has one of its own to the server, which is opened anew when the server has closed it.
"""
import contextlib
import http.client
import socket
import socketserver
import ssl
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from . import client, netns

WRITES = ("POST", "PUT", "PATCH", "DELETE")
HOP_BY_HOP = ("connection", "content-length", "keep-alive", "transfer-encoding")
PIECE = 65536


@dataclass
class Write:
    """One write that the server has answered; times are seconds since 1970."""
    server: str
    sent: float
    answered: float
    method: str
    path: str
    body: bytes
    status: int
    answer: bytes

    @property
    def acknowledged(self):
        return self.status // 100 == 2


class Gate:
    """What the proxies of one client share. One at a time: so that there is no doubt which writes were done."""

    def __init__(self, one_at_a_time=True):
        self.turn = threading.Lock() if one_at_a_time else contextlib.nullcontext()
        self.writes = []
        self.life = 0  # a connection belongs to the life in which it began; those of earlier ones carry nothing more
        self.after_write = lambda write: None  # called before the answer is passed on; may end the life

    def end_life(self):
        """To be called by after_write: from here on nothing of the client's present life passes."""
        self.life += 1

    def done(self, write):
        self.writes.append(write)
        self.after_write(write)


class Cut(Exception):
    """The client gets no answer."""


class Proxy:
    """Serves on the node's address until it is stopped. With keys (a certificate and a key file) it speaks TLS."""

    def __init__(self, lab, server, connect, counts, gate, keys=None, port=0, carrier=None):
        """`connect()` opens an http.client connection to the server; `counts(method, path)` tells what is a write."""
        self.server, self.connect, self.counts, self.gate = server, connect, counts, gate
        self.upstream = set()
        tls = None
        if keys:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(*keys)
        with netns.inside(lab.name):
            bound = type("Bound", (carrier or Carrier,), {"proxy": self, "tls": tls})
            self.listener = _Listener((netns.NODE_ADDRESS, port), bound)
        self.address, self.port = self.listener.server_address
        threading.Thread(target=self.listener.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.listener.shutdown()
        self.listener.server_close()
        self.cut()

    def cut(self):
        """Ends what is open to the server, such as watches of a client that is gone."""
        for connection in list(self.upstream):
            with contextlib.suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client that was killed, or a server that is away: both are what tests are about."""


class Carrier(BaseHTTPRequestHandler):
    """One connection of the client."""
    protocol_version = "HTTP/1.1"
    proxy = tls = None

    def setup(self):
        if self.tls:
            self.request = self.tls.wrap_socket(self.request, server_side=True)
        self.life = self.proxy.gate.life
        self.upstream = None
        super().setup()

    def handle(self):
        with contextlib.suppress(OSError, http.client.HTTPException, Cut):
            super().handle()

    def carry(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.proxy.counts(self.command, self.path):
            self.carry_write(body)
        else:
            self.carry_read(body)

    def do_GET(self):
        self.carry()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def carry_write(self, body):
        gate = self.proxy.gate
        with gate.turn:
            self.check_life()
            sent = time.time()
            del self.headers["Accept-Encoding"]  # the records are for reading
            with self.ask(body) as response:
                answer = response.read()
            gate.done(Write(self.proxy.server, sent, time.time(), self.command, self.path, body, response.status,
                            answer))
            self.check_life()
        self.pass_whole(response, answer)

    def carry_read(self, body):
        self.check_life()
        with self.ask(body) as response:
            if response.chunked:
                self.pass_on(response)
            else:
                self.pass_whole(response, response.read())

    def check_life(self):
        if self.life != self.proxy.gate.life:
            raise Cut

    def finish(self):
        self.hang_up()
        super().finish()

    def hang_up(self):
        if self.upstream:
            self.proxy.upstream.discard(self.upstream)
            self.upstream.close()
            self.upstream = None

    def reach_server(self):
        if not self.upstream or not client.left_open(self.upstream):
            self.hang_up()
            self.upstream = self.proxy.connect()
            self.proxy.upstream.add(self.upstream)
        return self.upstream

    def ask(self, body):
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        connection = self.reach_server()
        connection.request(self.command, self.path, body or None, headers)
        return connection.getresponse()

    def pass_head(self, response, *more):
        self.send_response_only(response.status, response.reason)
        for name, value in [*response.getheaders(), *more]:
            if name.lower() not in HOP_BY_HOP or (name, value) in more:
                self.send_header(name, value)
        self.end_headers()

    def pass_whole(self, response, answer):
        self.pass_head(response, *([] if response.status == 204 else [("Content-Length", str(len(answer)))]))
        self.wfile.write(answer)

    def pass_on(self, response):
        """A watch: each piece as it comes."""
        self.pass_head(response, ("Transfer-Encoding", "chunked"))
        while piece := response.read1(PIECE):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *arguments):
        """The records are in the gate."""


def api_server(lab, gate):
    """In front of the API server, with its certificate. Whoever comes through brings its own credentials: a token."""
    tls = ssl.create_default_context(cafile=str(lab.pki / "ca.crt"))

    def connect():
        connection = http.client.HTTPConnection(netns.NODE_ADDRESS, 6443)
        connection.sock = tls.wrap_socket(client.dial(lab.name, netns.NODE_ADDRESS, 6443, 10),
                                          server_hostname=netns.NODE_ADDRESS)
        connection.sock.settimeout(None)  # a watch is silent for as long as nothing changes
        return connection

    keys = (lab.pki / "apiserver.crt", lab.pki / "apiserver.key")
    return Proxy(lab, "kubernetes", connect, counts_at_api_server, gate, keys)


def counts_at_api_server(method, path):
    """Events are no state: nothing is decided by them, and they are written whenever there is time for it."""
    return method in WRITES and "/events" not in path
