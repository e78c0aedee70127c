"""How Argo CD and Flux judge an object, by the health checks of examples/gitops: real Lua, and Flux's own code."""
import json
import subprocess

from . import binaries, cache, examples, go, tools

ARGO = "gitops/argocd/argocd-cm.yaml"
ENTRY = "resource.customizations.health.restate.dev_"
FLUX = binaries.LAB / "flux"


def argo_scripts():
    """kind -> the Lua that judges it."""
    settings, = examples.files()[ARGO]
    return {name.removeprefix(ENTRY): text for name, text in settings["data"].items() if name.startswith(ENTRY)}


def argo_health(item):
    """(status, message), as Argo CD would show them."""
    tools.require("lua5.4")
    program = (f"obj = {_lua(item)}\nlocal function health()\n{argo_scripts()[item['kind']]}\nend\n"
               "local found = health()\nprint(found.status)\nprint(found.message or '')\n")
    done = subprocess.run([tools.find("lua5.4"), "-"], input=program, text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    status, message, *_ = done.stdout.splitlines()
    return status, message


def _lua(value):
    """A JSON value as a Lua literal."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return '"' + "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else f"\\u{{{ord(c):x}}}"
                             for c in value) + '"'
    if isinstance(value, list):
        return "{" + ", ".join(map(_lua, value)) + "}"
    return "{" + ", ".join(f"[{_lua(name)}] = {_lua(member)}" for name, member in value.items()) + "}"


def flux_program(say=print):
    key = cache.digest(*(FLUX / name for name in ("go.mod", "go.sum", "main.go")))
    return cache.entry("flux", key, lambda directory: go.build(FLUX, directory / "flux", say), say) / "flux"


def flux_objects():
    """What the examples have of Flux's kinds."""
    return [item for path, items in examples.files().items() if path.startswith("gitops/flux/") for item in items]


def flux_expressions():
    """kind -> its health check."""
    return {check["kind"]: check for item in flux_objects() for check in item["spec"].get("healthCheckExprs", [])}


def flux_status(item):
    """Current, InProgress, Failed, or Unknown and why."""
    expressions = {name: text for name, text in flux_expressions()[item["kind"]].items()
                   if name not in ("apiVersion", "kind")}
    return flux("status", {"expressions": expressions, "objects": [item]}).stdout.strip()


def flux(command, question):
    done = subprocess.run([flux_program(), command], input=json.dumps(question), text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done
