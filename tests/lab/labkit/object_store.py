"""An object store as S3 is one, as far as snapshots of Restate need it: objects with conditional writes, ranges, lists,
uploads in parts. Runs as a program inside the lab, keeps everything in memory, and lets in whoever names the access key.
"""
import hashlib
import http.client
import subprocess
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.sax.saxutils import escape

PORT = 9750
ACCESS_KEY = "key-of-the-lab"


class Store:
    """The program, seen from a test."""

    def __init__(self, lab, address):
        self.lab, self.address = lab, address
        with (lab.directory / "log/object-store.log").open("wb") as out:
            self.process = lab.popen([sys.executable, "-B", Path(__file__), address, PORT], stdout=out, stderr=out,
                                     stdin=subprocess.DEVNULL)
        lab.wait_for(self.answers, timeout=20)

    def answers(self):
        try:
            return self.lab.http("GET", self.address, PORT, "/", timeout=2)[0] == 403  # no key was named
        except (OSError, http.client.HTTPException):
            return False

    def keys(self, bucket):
        """The names of all objects in a bucket."""
        headers = {"Authorization": f"Credential={ACCESS_KEY}/"}
        return self.lab.http("GET", self.address, PORT, f"/{bucket}?keys", None, headers, 10)[1].split()

    def stop(self):
        self.process.kill()
        self.process.wait()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    objects, parts, lock = {}, {}, threading.Lock()

    def log_message(self, *unused):
        pass

    def answer(self, code, body=b"", **headers):
        self.send_response_only(code)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_request(self):
        place, _, query = self.path.partition("?")
        self.key = urllib.parse.unquote(place).lstrip("/")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if f"Credential={ACCESS_KEY}/" not in self.headers.get("Authorization", ""):
            return self.answer(403)
        with self.lock:
            getattr(self, self.command.lower())()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request

    def get(self):
        if "keys" in self.query:
            names = [name.partition("/")[2] for name in sorted(self.objects) if name.startswith(f"{self.key}/")]
            return self.answer(200, "\n".join(names).encode())
        if "list-type" in self.query:
            return self.list()
        found = self.objects.get(self.key)
        if found is None:
            return self.answer(404)
        tag, kind = tag_of(found), {"ETag": tag_of(found), "Last_Modified": "Sat, 01 Jan 2000 00:00:00 GMT"}
        if self.headers.get("If-None-Match") == tag:
            return self.answer(304, **kind)
        first, _, last = self.headers.get("Range", "").removeprefix("bytes=").partition("-")
        if not first:
            return self.answer(200, found, **kind)
        piece = found[int(first):int(last or len(found)) + 1]
        return self.answer(206, piece, Content_Range=f"bytes {first}-{int(first) + len(piece) - 1}/{len(found)}", **kind)

    head = get

    def put(self):
        if "partNumber" in self.query:
            self.parts[self.query["uploadId"]][int(self.query["partNumber"])] = self.body
            return self.answer(200, ETag=tag_of(self.body))
        found, wanted = self.objects.get(self.key), self.headers.get("If-Match")
        if found is not None and self.headers.get("If-None-Match") == "*":
            return self.answer(412)
        if wanted and (found is None or tag_of(found) != wanted):
            return self.answer(412)
        self.objects[self.key] = self.body
        return self.answer(200, ETag=tag_of(self.body))

    def post(self):
        if "uploads" in self.query:
            upload = str(len(self.parts))
            self.parts[upload] = {}
            return self.answer(200, f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId>"
                               "</InitiateMultipartUploadResult>".encode())
        if "delete" in self.query:
            return self.answer(200, b"<DeleteResult></DeleteResult>")
        parts = self.parts.pop(self.query["uploadId"])
        self.objects[self.key] = b"".join(parts[number] for number in sorted(parts))
        return self.answer(200, f"<CompleteMultipartUploadResult><ETag>{escape(tag_of(self.objects[self.key]))}</ETag>"
                           "</CompleteMultipartUploadResult>".encode())

    def delete(self):
        self.objects.pop(self.key, None)
        self.answer(204)

    def list(self):
        prefix, delimiter = self.query.get("prefix", ""), self.query.get("delimiter")
        contents, folders = [], set()
        for name, content in sorted(self.objects.items()):
            bucket, _, name = name.partition("/")
            if bucket != self.key.rstrip("/") or not name.startswith(prefix):
                continue
            rest = name[len(prefix):]
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.partition(delimiter)[0] + delimiter)
                continue
            contents.append(f"<Contents><Key>{escape(name)}</Key><LastModified>2000-01-01T00:00:00.000Z</LastModified>"
                            f"<ETag>{escape(tag_of(content))}</ETag><Size>{len(content)}</Size></Contents>")
        common = "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in sorted(folders))
        self.answer(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{''.join(contents)}{common}"
                    "</ListBucketResult>".encode())


def tag_of(content):
    return f'"{hashlib.md5(content).hexdigest()}"'


if __name__ == "__main__":
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
