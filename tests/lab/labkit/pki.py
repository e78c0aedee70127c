"""Keys and certificates of one lab, and the kubeconfig files that carry them."""
import json
import secrets
import subprocess

from . import netns

SERVER = f"https://{netns.NODE_ADDRESS}:6443"
CLUSTER_API = "10.96.0.1"  # the first address of the Service range: the Service `kubernetes`
CLOUD_HOSTS = ["201kabc.env.us.restate.cloud", "tunnel.us.restate.cloud"]  # of cloud.py's stand-in
IDENTITIES = {  # file name -> subject; the groups decide what each may do
    "admin": "/O=system:masters/CN=admin",
    "lab": "/O=system:masters/CN=lab",
    "kcm": "/CN=system:kube-controller-manager",
    "scheduler": "/CN=system:kube-scheduler",
    "proxy": "/CN=system:kube-proxy",
    "kubelet": "/O=system:nodes/CN=system:node:lab",
    "apiserver": "/CN=apiserver",
    "cloud": "/CN=cloud",
}
NAMES = {
    "kubelet": f"DNS:lab,IP:127.0.0.1,IP:{netns.NODE_ADDRESS}",
    "apiserver": "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,"
                 f"DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:{netns.NODE_ADDRESS},IP:{CLUSTER_API}",
    "cloud": ",".join("DNS:" + name for name in CLOUD_HOSTS),
}
# Who asks often shows a token: the API server verifies a certificate anew for each request, which takes longer than to
# answer a GET.
WITH_TOKEN = ("lab", "kcm", "scheduler")
TOKENS = "tokens.csv"
NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def create(directory):
    """Makes everything once; the marker at the end tells a complete set from one whose maker was killed."""
    complete = directory / "complete"
    if complete.exists():
        return False
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    _openssl(directory, "req", "-x509", *NEW_KEY, "-days", "3650", "-subj", "/CN=lab-ca", "-keyout", "ca.key", "-out",
             "ca.crt")
    _openssl(directory, "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "sa.key")
    _openssl(directory, "ec", "-in", "sa.key", "-pubout", "-out", "sa.pub")
    for name, subject in IDENTITIES.items():
        if name in WITH_TOKEN:
            user = {"token": _token(directory, subject)}
        else:
            _certificate(directory, name, subject)
            user = {"client-certificate": str(directory / f"{name}.crt"), "client-key": str(directory / f"{name}.key")}
        write_kubeconfig(directory / f"{name}.kubeconfig", directory / "ca.crt", user)
    complete.touch()
    return True


def token_of(directory, name):
    """What shows to the API server that somebody is one of WITH_TOKEN."""
    return json.loads((directory / f"{name}.kubeconfig").read_text())["users"][0]["user"]["token"]


def _token(directory, subject):
    """A new one, told to the API server with the name and the group of the subject."""
    token = secrets.token_hex(16)
    names = dict(part.split("=") for part in subject.strip("/").split("/"))
    with (directory / TOKENS).open("a") as lines:
        print(token, names["CN"], names["CN"], *filter(None, [names.get("O")]), sep=",", file=lines)
    return token


def _certificate(directory, name, subject):
    extensions = directory / f"{name}.ext"
    extensions.write_text(f"subjectAltName={NAMES.get(name, 'DNS:' + name)}\n"
                          "extendedKeyUsage=serverAuth,clientAuth\n")
    _openssl(directory, "req", "-new", *NEW_KEY, "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.csr")
    _openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
             "-days", "3650", "-out", f"{name}.crt", "-extfile", extensions.name)


def write_kubeconfig(path, authority, user, namespace="default"):
    """JSON is YAML, and needs no library to write."""
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": {"server": SERVER, "certificate-authority": str(authority)}}],
        "users": [{"name": "user", "user": user}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "user", "namespace": namespace}}],
    }
    path.write_text(json.dumps(config, indent=1) + "\n")
    path.chmod(0o600)
    return path


def _openssl(directory, *arguments):
    done = subprocess.run(["openssl", *arguments], cwd=directory, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.strip()}")
