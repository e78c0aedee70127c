"""Plain HTTP into the lab: to the API server with the lab's certificate, and to anything else by address."""
import http.client
import json
import socket
import ssl

from . import netns


class ApiServer:
    """Requests to the API server without starting a kubectl for each, which costs a tenth of a second."""

    def __init__(self, lab_name, pki_directory, user_agent="lab"):
        self.lab_name = lab_name
        self.user_agent = user_agent
        self.tls = ssl.create_default_context(cafile=str(pki_directory / "ca.crt"))
        self.tls.load_cert_chain(pki_directory / "lab.crt", pki_directory / "lab.key")

    def open(self, method, path, body=None, timeout=10, content_type="application/json"):
        """Sends one request and returns (connection, response); the caller closes the connection.

        With lab_name None the caller is inside the lab's network already.
        """
        plain = dial(self.lab_name, netns.NODE_ADDRESS, 6443, timeout)
        try:
            connection = http.client.HTTPConnection(netns.NODE_ADDRESS, 6443)
            connection.sock = self.tls.wrap_socket(plain, server_hostname=netns.NODE_ADDRESS)
            headers = {"User-Agent": self.user_agent, "Content-Type": content_type}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            return connection, connection.getresponse()
        except BaseException:
            plain.close()
            raise

    def request(self, method, path, body=None, timeout=10, content_type="application/json"):
        """Returns (status, decoded body); text that is no JSON comes back as text."""
        connection, response = self.open(method, path, body, timeout, content_type)
        try:
            text = response.read().decode()
        finally:
            connection.close()
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, text

    def ready(self):
        try:
            return self.request("GET", "/readyz", timeout=2)[0] == 200
        except (OSError, http.client.HTTPException):
            return False


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
