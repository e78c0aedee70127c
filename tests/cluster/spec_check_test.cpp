// Mistakes and features that come later: refused with a condition that names the field, and nothing is touched.
#include "restate/cluster/spec_check.h"

#include <doctest/doctest.h>

#include <functional>

#include "absl/strings/match.h"
#include "cluster/scene.h"

namespace restate::cluster {
namespace {

using json::Arr;
using json::Obj;

struct Row {
  std::string what;  // found in the message
  std::function<void(Scene&)> change;
  Reason reason = Reason::kInvalidRestateConfig;
};

void CheckRefused(const Row& row) {
  CAPTURE(row.what);
  for (const bool running : {false, true}) {
    Scene scene;
    scene.cr()["metadata"].Erase("finalizers");
    if (running) scene.Run();
    row.change(scene);
    const auto plan = scene.Plan();
    CHECK(plan.steps.empty());
    CHECK(ReasonOf(plan.failure) == row.reason);
    CHECK_MESSAGE(absl::StrContains(std::string(MessageOf(plan.failure)), row.what),
                  std::string(MessageOf(plan.failure)));
    const auto report = scene.Report();
    CHECK(ReadyOf(report) == "False " + std::string(RowOf(row.reason).name));
    CHECK(ConditionOf(report, "Stalled") == "True " + std::string(RowOf(row.reason).name));
    REQUIRE(report.event);
    CHECK(report.event->reason == RowOf(row.reason).name);
    CHECK(report.status->urgent);
  }
}

json::Value Mount(std::string_view name, std::string_view path) { return Obj({{"name", name}, {"mountPath", path}}); }
json::Value Volume(std::string_view name) { return Obj({{"name", name}, {"emptyDir", json::Object()}}); }
json::Value Variable(std::string_view name) { return Obj({{"name", name}, {"value", "x"}}); }

const json::Value kSecretKey = Obj({{"version", "v1"}, {"secret", Obj({{"secretName", "s"}, {"key", "k"}})}});

TEST_CASE("mistakes around the pods name their field") {
  const auto set = [](std::string field, json::Value value) {
    return [=](Scene& scene) { scene.compute()[field] = value; };
  };
  const auto mount = [](json::Value value) {
    return [=](Scene& scene) {
      scene.compute()["extraVolumes"] = Arr({Volume("x")});
      scene.compute()["extraVolumeMounts"] = Arr({value});
    };
  };
  const Row rows[] = {
      {"spec.compute.image: must not be empty", set("image", "")},
      {"spec.compute.image: must not begin or end with white space", set("image", "restate:1\n")},
      {"spec.compute.image: must not begin or end with white space", set("image", " ")},
      {"spec.compute.replicas", set("replicas", -1)},
      {"spec.compute.env[1]: A is set by an entry before it", set("env", Arr({Variable("A"), Variable("A")}))},
      {"spec.compute.env[0]: POD_NAME is set by the operator", set("env", Arr({Variable("POD_NAME")}))},
      {"extraVolumes[0]: the name storage is taken by a volume of the operator",
       set("extraVolumes", Arr({Volume("storage")}))},
      {"extraVolumes[0]: the name tmp", set("extraVolumes", Arr({Volume("tmp")}))},
      {"extraVolumes[1]: the name a is taken by a volume before it",
       set("extraVolumes", Arr({Volume("a"), Volume("a")}))},
      {"extraVolumes[0]: must have a name", set("extraVolumes", Arr({Obj({})}))},
      {"extraVolumeMounts[0].mountPath: /config is taken", mount(Mount("x", "/config/"))},
      {"extraVolumeMounts[0].mountPath: /restate-data is taken", mount(Mount("x", "//restate-data/./"))},
      {"extraVolumeMounts[0].mountPath: must be an absolute path", mount(Mount("x", "/tmp/../config"))},
      {"extraVolumeMounts[0].mountPath: must be an absolute path", mount(Mount("x", "relative"))},
      {"extraVolumeMounts[0].subPath", mount(Obj({{"name", "x"}, {"mountPath", "/x"}, {"subPath", "a/../../b"}}))},
      {"extraVolumeMounts[0].name: there is no volume 'y'", mount(Mount("y", "/y"))},
      {"sidecars[0]: the name restate is taken", set("sidecars", Arr({Obj({{"name", "restate"}})}))},
      {"sidecars[1]: the name a", set("sidecars", Arr({Obj({{"name", "a"}}), Obj({{"name", "a"}})}))},
  };
  for (const Row& row : rows) CheckRefused(row);
}

TEST_CASE("names of what the security settings add are taken too") {
  const auto signing = [](Scene& scene) { scene.security()["requestSigningPrivateKey"] = kSecretKey; };
  const auto certs = [](Scene& scene) {
    scene.security()["trustedCaCerts"] = Arr({Obj({{"secretName", "s"}, {"key", "k"}})});
  };
  const Row rows[] = {
      {"RESTATE_WORKER__INVOKER__REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE",
       [&](Scene& s) {
         signing(s);
         s.compute()["env"] = Arr({Variable("RESTATE_WORKER__INVOKER__REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE")});
       }},
      {"SSL_CERT_FILE", [&](Scene& s) { certs(s), s.compute()["env"] = Arr({Variable("SSL_CERT_FILE")}); }},
      {"trusted-ca-0", [&](Scene& s) { certs(s), s.compute()["extraVolumes"] = Arr({Volume("trusted-ca-0")}); }},
      {"combine-ca-certs",
       [&](Scene& s) {
         certs(s), s.compute()["sidecars"] = Arr({Obj({{"name", "combine-ca-certs"}})});
       }},
  };
  for (const Row& row : rows) CheckRefused(row);
  Scene without;
  without.compute()["env"] = Arr({Variable("SSL_CERT_FILE"), Variable("RESTATE_CONFIG")});
  without.compute()["extraVolumes"] = Arr({Volume("trusted-ca-0")});
  CHECK(CheckSpec(without.See()).ok());
}

TEST_CASE("mistakes around keys and certificates name their field") {
  const auto key = [](json::Value value) {
    return [=](Scene& scene) { scene.security()["requestSigningPrivateKey"] = value; };
  };
  const json::Value provider = Obj({{"path", "a"}});
  const Row rows[] = {
      {"requestSigningPrivateKey.version", key(Obj({{"version", "v2"}}))},
      {"has both secret and secretProvider",
       [&](Scene& s) {
         key(kSecretKey)(s);
         s.security()["requestSigningPrivateKey"]["secretProvider"] = provider;
       }},
      {"secret.key: must", key(Obj({{"version", "v1"}, {"secret", Obj({{"secretName", "s"}, {"key", ""}})}}))},
      {"secretProvider.path", key(Obj({{"version", "v1"}, {"secretProvider", Obj({{"path", "../x"}})}}))},
      {"secretProvider.path", key(Obj({{"version", "v1"}, {"secretProvider", Obj({{"path", "/x"}})}}))},
      {"trustedCaCerts[0].secretName",
       [](Scene& s) {
         s.security()["trustedCaCerts"] = Arr({Obj({{"secretName", ""}, {"key", "k"}})});
       }},
  };
  for (const Row& row : rows) CheckRefused(row);
}

TEST_CASE("entries that the API server cannot tell apart name their place") {
  const auto set = [](std::string field, json::Value value) {
    return [=](Scene& scene) { scene.compute()[field] = value; };
  };
  const auto sidecar = [&](std::string_view field, json::Value item) {
    return set("sidecars", Arr({Obj({{"name", "s"}, {field, Arr({item, item})}})}));
  };
  const json::Value spread = Obj({{"topologyKey", "zone"}, {"whenUnsatisfiable", "DoNotSchedule"}, {"maxSkew", 1}});
  const Row rows[] = {
      {"spec.compute.imagePullSecrets[2]: an entry before it is of the same name, \"a\"",
       set("imagePullSecrets", Arr({Obj({{"name", "a"}}), Obj({{"name", "b"}}), Obj({{"name", "a"}})}))},
      {"spec.compute.topologySpreadConstraints[1]", set("topologySpreadConstraints", Arr({spread, spread}))},
      {"spec.compute.resources.claims[1]",
       set("resources", Obj({{"claims", Arr({Obj({{"name", "g"}}), Obj({{"name", "g"}})})}}))},
      {"spec.compute.sidecars[0].env[1]", sidecar("env", Variable("A"))},
      {"spec.compute.sidecars[0].volumeMounts[1]", sidecar("volumeMounts", Mount("v", "/v"))},
      {"spec.compute.sidecars[0].volumeDevices[1]", sidecar("volumeDevices", Obj({{"devicePath", "/d"}}))},
      {"spec.compute.sidecars[0].ports[1]", sidecar("ports", Obj({{"containerPort", 80}}))},
      {"spec.compute.sidecars[0].ports[1]",
       set("sidecars", Arr({Obj({{"name", "s"},
                                 {"ports", Arr({Obj({{"containerPort", 80}}),
                                                Obj({{"containerPort", 80}, {"protocol", "TCP"}})})}})}))},
  };
  for (const Row& row : rows) CheckRefused(row);
  Scene fine;
  fine.compute()["topologySpreadConstraints"] =
      Arr({spread, Obj({{"topologyKey", "zone"}, {"whenUnsatisfiable", "ScheduleAnyway"}})});
  fine.compute()["sidecars"] =
      Arr({Obj({{"name", "s"},
                {"ports", Arr({Obj({{"containerPort", 53}}), Obj({{"containerPort", 53}, {"protocol", "UDP"}})})}}),
           Obj({{"name", "t"}, {"ports", Arr({Obj({{"containerPort", 53}})})}})});
  CHECK(CheckSpec(fine.See()).ok());
}

TEST_CASE("what becomes too large for the API server names what makes it so") {
  const auto text = [](std::size_t size) { return std::string(size, 'x'); };
  const auto map = [&](std::size_t size) { return Obj({{"a", text(size)}}); };
  constexpr std::size_t kMost = 256 * 1024;
  const Row rows[] = {
      {"spec.compute.annotations: with it, the annotations of the pods have 262145 bytes",
       [&](Scene& s) { s.compute()["annotations"] = map(kMost); }},
      {"spec.compute.annotations",
       [&](Scene& s) {
         s.compute()["annotations"] = map(kMost / 2);
         s.cr()["metadata"]["annotations"] = Obj({{"b", text(kMost / 2 - 1)}});
       }},
      {"metadata.annotations",
       [&](Scene& s) {
         s.compute()["annotations"] = Obj({{"b", text(2)}});
         s.cr()["metadata"]["annotations"] = map(kMost - 1);
       }},
      {"spec.security.serviceAnnotations", [&](Scene& s) { s.security()["serviceAnnotations"] = map(kMost); }},
      {"spec.security.serviceAccountAnnotations",
       [&](Scene& s) { s.security()["serviceAccountAnnotations"] = map(kMost); }},
      {"spec.security.awsPodIdentityAssociationRoleArn",
       [&](Scene& s) {
         s.config.aws_pod_identity_association_cluster = "eks";
         s.security()["awsPodIdentityAssociationRoleArn"] = text(kMost);
       }},
      {"metadata.annotations: with it, the annotations of the pods",
       [&](Scene& s) {
         s.config.gcp_workload_identity = true;
         s.cr()["metadata"]["annotations"] =
             Obj({{"a", text(kMost - 100)}, {"iam.gke.io/gcp-service-account", "a@p.iam.gserviceaccount.com"}});
       }},
      {"spec.config: has 1048577 bytes", [&](Scene& s) { s.spec()["config"] = text(1048577); }},
  };
  for (const Row& row : rows) CheckRefused(row);
  Scene fine;
  fine.compute()["annotations"] = map(kMost - 1);
  fine.security()["serviceAnnotations"] = map(kMost - 1);
  fine.spec()["config"] = text(1048576);
  CHECK(CheckSpec(fine.See()).ok());
}

TEST_CASE("no name of a Secret or of a key in it that there cannot be") {
  const auto cert = [](std::string_view name, std::string_view key) {
    return [=](Scene& s) { s.security()["trustedCaCerts"] = Arr({Obj({{"secretName", name}, {"key", key}})}); };
  };
  const Row rows[] = {
      {"trustedCaCerts[0].key", cert("s", "../x")},
      {"trustedCaCerts[0].key", cert("s", "..")},
      {"trustedCaCerts[0].key", cert("s", "a/b")},
      {"trustedCaCerts[0].key", cert("s", "")},
      {"trustedCaCerts[0].secretName", cert("S", "k")},
      {"trustedCaCerts[0].secretName", cert("a b", "k")},
      {"requestSigningPrivateKey.secret.key",
       [](Scene& s) {
         s.security()["requestSigningPrivateKey"] = kSecretKey;
         s.security()["requestSigningPrivateKey"]["secret"]["key"] = "../x";
       }},
  };
  for (const Row& row : rows) CheckRefused(row);
  Scene fine;
  cert("my.secret-1", ".Tls_key-1.pem")(fine);
  CHECK(CheckSpec(fine.See()).ok());
}

TEST_CASE("clouds that are not there need no identity") {
  Scene scene;
  scene.security()["awsPodIdentityAssociationRoleArn"] = "arn";
  scene.security()["awsPodSecurityGroups"] = Arr({"sg"});
  CHECK(CheckSpec(scene.See()).ok());
}

absl::Status CheckNamed(std::string_view name) {
  json::Value cr = Scene().cr();
  cr["metadata"]["name"] = name;
  runtime::Cache cache;
  cache.Put(kRestateClusters, Make(cr));
  return CheckSpec(*Gather({"", std::string(name)}, cache, {}, absl::UnixEpoch()));
}

TEST_CASE("a name that makes no namespace of the cluster's own is refused") {
  for (const std::string_view name : {"a.b", "kube-system", "kube-public", "kube-node-lease", "A"}) {
    CAPTURE(name);
    CHECK(absl::StrContains(std::string(MessageOf(CheckNamed(name))), "metadata.name"));
  }
  for (const std::string& name : {std::string("default"), std::string(63, 'a'), std::string("1a")}) {
    CHECK(CheckNamed(name).ok());
  }
}

TEST_CASE("no name of a class that there cannot be") {
  const auto storage = [](std::string field, std::string_view name) {
    return [=](Scene& s) { s.spec()["storage"][field] = name; };
  };
  const Row rows[] = {
      {"spec.storage.storageClassName: must be the name of a StorageClass", storage("storageClassName", "Not Valid")},
      {"spec.storage.volumeAttributesClassName", storage("volumeAttributesClassName", "a/b")},
  };
  for (const Row& row : rows) CheckRefused(row);
  for (const std::string_view name : {"", "my.class-1"}) {  // an empty one asks for a volume without a class
    Scene fine;
    storage("storageClassName", name)(fine);
    CHECK(CheckSpec(fine.See()).ok());
  }
}

TEST_CASE("where there is no volume yet, less of it may be asked for") {
  Scene scene;
  scene.Run();
  scene.Claim(0)["status"]["phase"] = "Pending";
  scene.spec()["storage"]["storageRequestBytes"] = 1;
  CHECK(CheckSpec(scene.See()).ok());
  scene.Claim(0)["status"]["phase"] = "Bound";
  CHECK(absl::StrContains(std::string(MessageOf(CheckSpec(scene.See()))), "storageRequestBytes"));
}

TEST_CASE("volumes do not shrink, and data keeps its cluster") {
  Scene scene;
  scene.Run();
  scene.spec()["storage"]["storageRequestBytes"] = 1073741823;
  CHECK(absl::StrContains(std::string(MessageOf(CheckSpec(scene.See()))), "storageRequestBytes"));
  scene.spec()["storage"]["storageRequestBytes"] = 1073741824;
  scene.spec()["clusterName"] = "other";
  CHECK(absl::StrContains(std::string(MessageOf(CheckSpec(scene.See()))), "set it to east"));
  scene.Claim(0)["status"]["phase"] = "Pending";  // no data yet
  CHECK(CheckSpec(scene.See()).ok());
}

}  // namespace
}  // namespace restate::cluster
