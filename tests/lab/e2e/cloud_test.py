"""Services registered with Restate Cloud: a stand-in under the real host names, with TLS, before the real server."""
import pytest

from labkit import cloud as stand_in

from .service import DEPLOYMENT_ID
from .waiting import eventually

TOKEN = "canary-token-of-the-cloud"


@pytest.fixture(scope="module")
def cloud(lab, running, admin_log):
    started = stand_in.Cloud(lab, admin_log, TOKEN)
    lab.apply(started.secret(TOKEN), started.environment())
    yield started
    started.stop()
    lab.kubectl("delete", "restatecloudenvironment", "cloud", "--ignore-not-found")


@pytest.fixture
def in_cloud(lab, cloud, service):
    """A service that registers there."""
    service.options.update(register={"cloud": "cloud"})
    yield service
    cloud.misbehave = None
    if cloud.keys != "cloud":
        cloud.open()
    cloud.token = TOKEN
    lab.apply(cloud.secret(TOKEN), cloud.environment())
    if service.object():
        service.delete()
        service.until_gone()


def everything_told(lab, running, service):
    """Whatever the operator says anywhere."""
    events = lab.kubectl("get", "events", "-A", "-o", "json")
    pages = [str(running.get(path)) for path in ("/", "/metrics")]
    return "\n".join([str(service.object()), events, *pages, running.log.read_text()])


def test_a_service_is_registered_called_and_drained_through_the_cloud(lab, running, cloud, in_cloud):
    in_cloud.apply("v1")
    first = in_cloud.until_ready()
    uid = lab.api.request("GET", "/apis/restate.dev/v1beta1/restatecloudenvironments/cloud")[1]["metadata"]["uid"]
    name = in_cloud.version("v1")["metadata"]["name"]
    found = next(each for each in in_cloud.admin("/deployments")["deployments"] if each["id"] == first)
    assert found["uri"] == (f"{stand_in.TUNNEL}/201kabc/{uid}/http/{name}.{in_cloud.namespace}.svc.cluster.local/"
                            "9080/")
    assert in_cloud.greet() == "v1"

    held = in_cloud.hold()
    in_cloud.apply("v2")
    in_cloud.until_ready()
    assert in_cloud.greet() == "v2"
    assert in_cloud.pods("v1") == 1 and in_cloud.told("v1")["phase"] == "Draining"
    assert held.release() == "v1"
    in_cloud.until_scaled_to_zero("v1")

    in_cloud.delete()
    in_cloud.until_gone()
    ids = [each["id"] for each in in_cloud.admin("/deployments")["deployments"]]
    assert first not in ids
    assert set(cloud.tokens) == {f"Bearer {TOKEN}"}
    assert TOKEN not in everything_told(lab, running, in_cloud)


@pytest.mark.parametrize("misbehaviour, status, reason, text", [
    ("refuse", "False", "AdminCallRejected", "answered 401"),
    ("redirect", "False", "AdminCallRejected", "redirects are not followed"),
    ("endless", "False", "AdminCallFailed", "201kabc.env.us.restate.cloud"),
    ("hang", "False", "AdminCallFailed", "201kabc.env.us.restate.cloud"),
])
def test_the_token_stays_unseen(lab, running, cloud, in_cloud, misbehaviour, status, reason, text):
    cloud.released.clear()
    cloud.misbehave = getattr(stand_in, misbehaviour)
    in_cloud.apply("v1")
    assert text in in_cloud.until_condition(status, reason, timeout=90)
    assert TOKEN not in everything_told(lab, running, in_cloud)
    assert cloud.strays() == []
    assert f"Bearer {TOKEN}" in cloud.tokens
    cloud.misbehave = None
    cloud.released.set()
    in_cloud.until_ready(timeout=90)


def test_a_server_with_another_name_gets_no_token(lab, running, cloud, in_cloud):
    cloud.open("kubelet")
    del cloud.tokens[:]
    in_cloud.apply("v1")
    # Connections through the old door end first, which is another failure of the same kind.
    eventually("it says that the certificate was refused",
               lambda: in_cloud.condition()[:2] == ("False", "AdminCallFailed")
               and "certificate was refused" in in_cloud.condition()[2], told=in_cloud.status)
    assert cloud.tokens == []
    cloud.open()
    in_cloud.until_ready(timeout=90)


def test_a_token_that_is_rotated_is_used_at_once(lab, cloud, in_cloud):
    in_cloud.apply("v1")
    in_cloud.until_ready()
    cloud.token = "canary-token-2"
    del cloud.tokens[:]
    in_cloud.apply("v2")
    in_cloud.until_condition("False", "AdminCallRejected")
    lab.apply(cloud.secret("canary-token-2"))
    in_cloud.until_ready(timeout=10)
    assert cloud.tokens[-1] == "Bearer canary-token-2"


def test_a_missing_environment_or_token_is_waited_for(lab, cloud, in_cloud):
    lab.kubectl("delete", "secret", "cloud-token", "-n", "restate-operator")
    in_cloud.apply("v1")
    assert "restate-operator/cloud-token" in in_cloud.until_condition("False", "SecretNotFound")
    lab.apply(cloud.secret(TOKEN))
    in_cloud.until_ready(timeout=30)
    in_cloud.apply("v1", register={"cloud": "other"})
    assert "RestateCloudEnvironment other" in in_cloud.until_condition("False", "RestateCloudEnvironmentNotFound")
    other = cloud.environment("other")
    lab.apply(other)
    in_cloud.until_ready(timeout=30)
    in_cloud.apply("v1")
    in_cloud.until_ready(timeout=30)
    lab.kubectl("delete", "restatecloudenvironment", "other")
    assert eventually("it is registered under the first name again", lambda: in_cloud.annotation("v1", DEPLOYMENT_ID))
