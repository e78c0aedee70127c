"""Plain HTTP into the lab: to the API server with the lab's token, and to anything else by address."""
import http.client
import json
import select
import socket
import ssl
import threading

from . import netns, pki

# Content types of a PATCH.
APPLY = "application/apply-patch+yaml"  # JSON is YAML
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class ApiServer:
    """Requests to the API server without starting a kubectl for each, which costs a tenth of a second.

    Each thread keeps its connection: most requests are looks whether something is there yet, and the greeting of TLS
    costs both sides more than the look.
    """

    def __init__(self, lab_name, pki_directory, user_agent="lab"):
        self.lab_name = lab_name
        self.user_agent = user_agent
        self.tls = ssl.create_default_context(cafile=str(pki_directory / "ca.crt"))
        self.token = pki.token_of(pki_directory, "lab")
        self.kept = threading.local()
        self.plurals = {}  # (apiVersion, kind): its path component, and whether it has namespaces

    def open(self, method, path, body=None, timeout=10, content_type="application/json"):
        """Sends one request on a connection of its own and returns (connection, response); the caller closes it."""
        connection = self._connect(timeout)
        try:
            return connection, self._send(connection, method, path, body, content_type)
        except BaseException:
            connection.close()
            raise

    def request(self, method, path, body=None, timeout=30, content_type="application/json"):
        """Returns (status, decoded body); text that is no JSON comes back as text."""
        connection = self._kept() or self._connect(timeout)
        self.kept.connection = None
        try:
            connection.sock.settimeout(timeout)
            response = self._send(connection, method, path, body, content_type)
            text = response.read().decode()
        except BaseException:
            connection.close()
            raise
        self.kept.connection = connection
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, text

    def apply(self, item, manager="lab"):
        """Server-side apply of an object, by force; raises RuntimeError with what the server says against it."""
        path = f"{self.path_of(item)}?fieldManager={manager}&force=true"
        status, answer = self.request("PATCH", path, item, content_type=APPLY)
        if status not in (200, 201):
            raise RuntimeError(f"PATCH {path}: {status}: {answer}")
        return answer

    def path_of(self, item):
        version, kind, metadata = item["apiVersion"], item["kind"], item["metadata"]
        if (version, kind) not in self.plurals:
            self._discover(version)
        if (version, kind) not in self.plurals:
            raise RuntimeError(f"the API server has no {kind} of {version}")
        plural, namespaced = self.plurals[version, kind]
        within = f"namespaces/{metadata.get('namespace', 'default')}/" if namespaced else ""
        return f"{group_path(version)}/{within}{plural}/{metadata['name']}"

    def _discover(self, version):
        status, found = self.request("GET", group_path(version))
        for resource in found["resources"] if status == 200 else ():
            if "/" not in resource["name"]:
                self.plurals[version, resource["kind"]] = resource["name"], resource["namespaced"]

    def _connect(self, timeout):
        """With lab_name None the caller is inside the lab's network already."""
        plain = dial(self.lab_name, netns.NODE_ADDRESS, 6443, timeout)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = http.client.HTTPConnection(netns.NODE_ADDRESS, 6443)
            connection.auto_open = False  # without TLS, and not from inside
            connection.sock = self.tls.wrap_socket(plain, server_hostname=netns.NODE_ADDRESS)
            return connection
        except BaseException:
            plain.close()
            raise

    def _kept(self):
        """This thread's connection; None when there is none that the server has left open."""
        connection = getattr(self.kept, "connection", None)
        if connection is None or left_open(connection):
            return connection
        connection.close()
        return None

    def _send(self, connection, method, path, body, content_type):
        headers = {"User-Agent": self.user_agent, "Content-Type": content_type,
                   "Authorization": f"Bearer {self.token}"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        return connection.getresponse()

    def ready(self):
        try:
            return self.request("GET", "/readyz", timeout=2)[0] == 200
        except (OSError, http.client.HTTPException):
            return False


def left_open(connection):
    """Whether the server takes one more request on it."""
    if connection.sock is None:  # it wanted the last answer to be the last
        return False
    news = select.poll()
    news.register(connection.sock, select.POLLIN)
    return not news.poll(0)  # nobody speaks unasked but to say goodbye


def group_path(version):
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


def dial(lab_name, host, port, timeout):
    if lab_name is None:
        return socket.create_connection((host, port), timeout)
    with netns.inside(lab_name):
        return socket.create_connection((host, port), timeout)


def http_request(lab_name, method, host, port, path, body=None, headers=None, timeout=10):
    """A plain HTTP request to an address inside the lab; returns (status, text)."""
    connection = http.client.HTTPConnection(host, port)
    connection.sock = dial(lab_name, host, port, timeout)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    finally:
        connection.close()
