"""kubectl restate: what people see of real objects, and what scripts can wait for."""
import shutil

import pytest

from .plugin import Plugin, node
from .service import Service
from .waiting import eventually

BROKEN = "docker.io/lab/no-such-image:1"


@pytest.fixture(scope="module")
def plugin(lab, tmp_path_factory):
    return Plugin(lab, tmp_path_factory.mktemp("plugin"))


def break_image(service):
    """A second service whose image does not exist; returns it when the operator says so."""
    broken = Service(service.lab, service.namespace, "broken")
    manifest = broken.manifest()
    manifest["spec"]["template"]["spec"]["containers"][0].update(image=BROKEN, imagePullPolicy="Never")
    service.lab.apply(manifest)
    broken.until_condition("False", "ReplicaSetPodNotReady")
    return broken


def test_status_shows_what_is_ready_what_drains_and_what_is_waited_for(plugin, service):
    service.apply("v1").until_ready()
    held = service.hold()
    service.apply("v2").until_ready()
    eventually("v1 drains", lambda: service.told("v1").get("invocations"), told=service.status)
    break_image(service)
    old, new = (service.version(greeting)["metadata"]["name"] for greeting in ("v1", "v2"))

    lines = plugin.says("status", "-n", service.namespace).splitlines()
    head, = [line for line in lines if line.startswith("NAME")]
    row = {line.split("─ ")[1].split()[0]: line.split("─ ")[1].split()[1:] for line in lines if "─ " in line}
    assert row[f"{service.namespace}/greeter"][:2] == ["Ready", "1/1"]
    assert row[f"{service.namespace}/broken"][:2] == ["Waiting", "0/1"]
    assert row[new][:2] == ["Current", "1/1"]
    assert row[old][:2] == ["Draining", "1/1"] and "1 invocation (" in " ".join(row[old])
    wait, = [line for line in lines if "ReplicaSetPodNotReady" in line]
    assert "not ready for" in wait and "kubectl describe pods" in wait
    column = head.index("STATE")
    assert {line[column:].split()[0] for line in lines if "─ " in line} <= {"Ready", "Waiting", "Current", "Draining"}

    plain = plugin.says("status", "-n", service.namespace, env={"LC_ALL": "C"})
    assert plain.isascii() and "`- " in plain
    named = plugin.says("status", "rsd/greeter", "-n", service.namespace)
    assert "greeter" in named and "broken" not in named
    held.release()


def test_status_for_programs_is_the_same_tree(plugin, service):
    service.apply("v1").until_ready()
    tree = plugin.tree("-n", service.namespace)
    found = node(tree, "greeter")
    assert (found["kind"], found["namespace"], found["state"]) == ("RestateDeployment", service.namespace, "Ready")
    assert found["pods"] == {"ready": 1, "wanted": 1} and found["since"] and found["waits"] == []
    version, = found["children"]
    assert (version["state"], version["deploymentId"]) == ("Current", service.until_ready())
    assert version["images"] == ["docker.io/lab/greeter:1"]
    assert node(plugin.tree("-A"), "greeter")
    code, _, err = plugin.run("status", "nobody", "-n", service.namespace)
    assert code == 1 and "there is no nobody" in err
    assert node(plugin.tree("-n", "default"), "greeter") is None


def test_watch_shows_changes_until_it_is_interrupted(plugin, service):
    watching = plugin.start("status", "-w", "-n", service.namespace)
    watching.until("NAME|There is no")
    service.apply("v1")
    watching.until(r"shop/greeter|greeter +Waiting|greeter +Ready")
    service.until_ready()
    watching.until(r"greeter +Ready")
    assert watching.interrupt() == (0, "")


def why_the_image(plugin, service):
    text = plugin.says("why", "broken", "-n", service.namespace)
    return text if BROKEN in text else None


def test_why_says_what_is_wrong_what_to_do_and_what_was_reported(lab, plugin, service):
    broken = break_image(service)
    text = eventually("it names the image", lambda: why_the_image(plugin, service), told=lambda: plugin.run("why", "broken"))
    assert f"RestateDeployment {service.namespace}/broken: Waiting" in text
    assert "ReplicaSetPodNotReady" in text and "What the pods say" in text
    assert "cause: " in text and "cure:  " in text and "What happens next\n" in text

    wrong = Service(lab, service.namespace, "wrong", register={"url": "ftp://nowhere.example/"})
    wrong.apply()
    wrong.until_condition("False", "InvalidRestateConfig")
    eventually("there is an event", lambda: wrong.events("InvalidRestateConfig"))
    text = plugin.says("why", "rsd/wrong", "-n", service.namespace)
    assert "Stalled" in text and "until somebody changes the object" in text
    assert "Last warnings\n" in text and text.count("InvalidRestateConfig") >= 2
    broken.delete()
    code, _, err = plugin.run("why", "nobody", "-n", service.namespace)
    assert code == 1 and "there is no nobody" in err


def test_wait_ends_well_when_it_is_ready_drained_and_deleted(plugin, service):
    to_come = plugin.start("wait", "rsd/greeter", "-n", service.namespace, "--timeout=2m")
    to_come.until("not there yet")
    service.apply("v1")
    assert to_come.end(timeout=120) == (0, "")
    assert to_come.lines[-1].endswith(": is ready")
    assert len(to_come.lines) == len({line.split(": ", 1)[1] for line in to_come.lines})

    held = service.hold()
    service.apply("v2").until_ready()
    eventually("v1 drains", lambda: service.told("v1").get("invocations"), told=service.status)
    code, out, err = plugin.run("wait", "greeter", "-n", service.namespace, "--for=drained", "--timeout=2s")
    assert code == 1 and "is not drained after 2s" in err and service.version("v1")["metadata"]["name"] in err, (out, err)
    draining = plugin.start("wait", "greeter", "-n", service.namespace, "--for=drained", "--timeout=2m")
    draining.until(r"\d (invoked|suspended|attempting)")
    held.release()
    assert draining.end(timeout=120) == (0, "")

    going = plugin.start("wait", "greeter", "-n", service.namespace, "--for=deleted")
    going.until("nobody has asked")
    service.delete()
    assert going.end() == (0, "")
    assert plugin.run("wait", "rsd/greeter", "-n", service.namespace, "--for=deleted")[0] == 0


def test_wait_says_why_when_time_is_over_and_gives_up_when_it_never_comes(lab, plugin, service):
    break_image(service)
    code, _, err = plugin.run("wait", "broken", "-n", service.namespace, "--timeout=1s")
    assert code == 1 and "is not ready after 1s: ReplicaSetPodNotReady: " in err
    Service(lab, service.namespace, "wrong", register={"url": "ftp://nowhere.example/"}).apply()
    code, _, err = plugin.run("wait", "rsd/wrong", "-n", service.namespace, "--timeout=1m")
    assert code == 2 and "will not be ready: InvalidRestateConfig" in err
    for bad in (["nobody"], ["broken", "--for=soon"], ["broken", "--timeout=never"], ["pods/x"], []):
        code, _, err = plugin.run("wait", *bad, "-n", service.namespace)
        assert code == 2 and err.startswith("error: ") and len(err.splitlines()) == 1, (bad, err)
    interrupted = plugin.start("wait", "broken", "-n", service.namespace)
    interrupted.until("ReplicaSetPodNotReady")
    assert interrupted.interrupt()[0] == 130


def test_who_may_read_one_namespace_only_sees_that(lab, plugin, service):
    service.apply("v1").until_ready()
    metadata = {"name": "developer", "namespace": service.namespace}
    lab.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
              {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata,
               "rules": [{"apiGroups": ["restate.dev"], "resources": ["restatedeployments"],
                          "verbs": ["get", "list", "watch"]}]},
              {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata,
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "developer"},
               "subjects": [{"kind": "ServiceAccount", **metadata}]})
    config = ["--kubeconfig", str(lab.service_account_kubeconfig(service.namespace, "developer"))]
    text = plugin.says("status", *config)  # the namespace is that of the context
    assert f"{service.namespace}/greeter" in text
    assert "note: RestateClusters cannot be seen" in text
    assert "It waits for nothing" in plugin.says("why", "greeter", *config)
    assert plugin.run("wait", "greeter", *config)[0] == 0
    code, _, err = plugin.run("status", "-A", *config)
    assert code == 1 and "forbidden" in err


def test_it_changes_nothing(lab, plugin, service):
    service.apply("v1").until_ready()
    for command in (["status"], ["why", "greeter"], ["wait", "greeter"]):
        plugin.says(*command, "-n", service.namespace)
    requests = lab.audit("kubectl-restate/")
    assert requests and {event["verb"] for event in requests} <= {"get", "list", "watch"}


def test_bash_completes_commands_flags_and_the_names_of_objects(plugin, service):
    service.apply("v1")

    def offers(*words):
        line = " ".join(f"'{word}'" for word in words)
        script = (f'source <({words[0]} completion bash); COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; '
                  '_restate_operator_complete; printf "%s\\n" "${COMPREPLY[@]}"')
        return plugin.shell(script).split()
    assert offers("kubectl-restate", "") == ["status", "why", "wait", "completion"]
    assert "run" in offers("restate-operator", "") and "why" in offers("restate-operator", "")
    assert offers("kubectl-restate", "wait", "--for", "=", "d") == ["drained", "deleted"]
    assert offers("kubectl-restate", "status", "-n", service.namespace, "gr") == ["greeter"]
    assert offers("kubectl-restate", "why", "-n", service.namespace, "rsd/g") == ["rsd/greeter"]
    assert service.namespace in offers("kubectl-restate", "why", "-n", service.namespace[:5])
    assert plugin.shell('source <(kubectl-restate completion bash); complete -p restate-operator').startswith("complete -F")
    # In the way that kubectl asks its plugins.
    assert plugin.shell("kubectl_complete-restate st").split() == ["status", ":4"]


def test_zsh_completes_the_same(plugin, service):
    assert shutil.which("zsh"), "there is no zsh: apt-get install -y zsh"
    service.apply("v1")
    script = plugin.directory / "_restate"
    script.write_text(plugin.shell("kubectl-restate completion zsh"))
    plugin.shell(f"zsh -n {script}")
    said = plugin.shell('compdef() { :; }; compadd() { shift; print -l -- "$@"; }; _files() { print files; }; '
                        f'source {script}; words=(kubectl-restate status -n {service.namespace} gr); CURRENT=5; '
                        '_restate_operator_complete', "zsh")
    assert said.split() == ["greeter"]
