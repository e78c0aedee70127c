"""The operator's page in a real browser."""
import re
import shutil
import subprocess
from html import unescape

import pytest

from labkit.client import MERGE

from .kubectl_restate_test import break_image
from .waiting import eventually

HOSTILE = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>&amp;"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def chromium(lab, tmp_path_factory):
    """Runs it in the lab and returns (DOM after some seconds of the page's time, its messages)."""
    program = shutil.which("chromium")
    assert program, "there is no chromium: apt-get install -y chromium"
    home = tmp_path_factory.mktemp("chromium")

    def run(url, *flags, seconds=5):
        done = lab.exec([program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                         f"--user-data-dir={home}", "--enable-logging=stderr", f"--virtual-time-budget={seconds * 1000}",
                         *(flags or ["--dump-dom"]), url],
                        env={"HOME": str(home)}, text=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    return run


def text_of(dom):
    """What a reader sees: the body without tags, style and script."""
    body = re.sub(r"<(style|script|noscript)\b.*?</\1>", "", dom.split("<body>")[1], flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def url(the_operator):
    return f"http://127.0.0.1:{the_operator.port}/"


def test_it_shows_what_is_ready_and_what_is_waited_for(lab, the_operator, service, chromium):
    service.apply("v1").until_ready()
    break_image(service)
    dom, console = chromium(url(the_operator))
    text = text_of(dom)
    assert console == []
    assert f"{service.namespace}/greeter Ready 1/1 pods for" in text
    assert f"{service.namespace}/broken Waiting 0/1 pods for" in text
    assert re.search(r"Not ready for \d+m?\d*s *: ReplicaSetPodNotReady *: ReplicaSet broken-\w+ has 0 ready", text), text
    assert "leads" in text and "may be old" not in text


def test_programs_get_json_and_browsers_a_page_that_runs_nothing_else(lab, the_operator):
    page = the_operator.get("/")
    assert page[0] == 200 and "controllers" in page[1]
    status, tree = the_operator.get("/tree")
    assert status == 200 and {"roots", "notes", "version", "leads", "now"} == set(tree)
    status, text, headers = fetch(lab, the_operator, BROWSER)
    assert status == 200 and text.startswith("<!doctype html>") and len(text) < 25_000
    assert headers["content-type"] == "text/html; charset=utf-8" and headers["vary"] == "Accept"
    assert headers["content-security-policy"].startswith("default-src 'none';")
    assert "unsafe" not in headers["content-security-policy"]


def fetch(lab, the_operator, headers):
    """(status, text, headers) of `/`."""
    arguments = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    done = lab.exec(["curl", "-sS", "-i", *arguments, url(the_operator)], text=True, capture_output=True, check=True)
    head, text = done.stdout.split("\r\n\r\n" if "\r\n\r\n" in done.stdout else "\n\n", 1)
    lines = head.splitlines()
    found = {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in lines[1:]}
    return int(lines[0].split()[1]), text, found


def test_hostile_texts_stay_texts(lab, the_operator, service, chromium):
    service.apply("v1").until_ready()
    service.suspend()  # so that the operator leaves the status alone
    conditions = service.status()["conditions"]
    for condition in conditions:
        if condition["type"] == "Ready":
            condition.update(status="False", reason="Hostile", message=HOSTILE)
    status, answer = lab.api.request("PATCH", f"{service.path}/status", {"status": {"conditions": conditions}},
                                     content_type=MERGE)
    assert status == 200, answer
    eventually("the operator has seen it", lambda: "Hostile" in str(the_operator.get("/tree")[1]))
    dom, console = chromium(url(the_operator))
    assert HOSTILE in text_of(dom)
    assert "<img" not in dom and dom.count("<script") == 1
    assert "<title>Restate operator</title>" in dom
    assert console == []


def test_no_value_of_a_secret_is_shown(lab, the_operator, service):
    value = "c2VjcmV0LXZhbHVl-not-to-be-seen"
    manifest = service.manifest("v1")
    lab.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": service.namespace},
               "stringData": {"token": value}})
    manifest["spec"]["template"]["spec"]["containers"][0]["env"].append(
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "token"}}})
    lab.apply(manifest)
    service.until_ready()
    for path in ("/", "/tree"):
        assert value not in str(the_operator.get(path)[1])
