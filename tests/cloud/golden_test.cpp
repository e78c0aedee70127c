// The objects we make for the recorded RestateCloudEnvironments are those the reference operator made, but for the
// restrictions that it added after its version 3.1 and for our note of the token.
#include <doctest/doctest.h>

#include <map>

#include "cloud/scene.h"
#include "recorded/recorded.h"
#include "restate/cloud/objects.h"
#include "restate/json/text.h"
#include "restate/kube/applier.h"

namespace restate::cloud {
namespace {

using json::Arr;
using json::Obj;

constexpr std::string_view kDigest = "0123456789abcdef";

// The recorded state as the first pass after a swap of operators sees it.
Observed See(const Recording& recording, bool with_objects) {
  const std::string uid = OwnerUid(*recording.Find("Deployment"));
  json::Value cr = Live(recording.cr, uid, "");
  cr["spec"] = recording.spec;
  cr["metadata"]["finalizers"] = Arr({"cloudenvironments.restate.dev"});
  runtime::Cache cache;
  cache.Put(kRestateCloudEnvironments, Make(cr));
  if (with_objects) {
    cache.Put(kube::kDeployments, Make(Live(*recording.Find("Deployment"), "uid-1", uid)));
    cache.Put(kube::kServices, Make(Live(*recording.Find("Service"), "uid-2", uid)));
  }
  plan::Config config;
  config.operator_namespace = "restate-operator";
  auto seen = Gather(kube::KeyOf(cr), cache, config, absl::UnixEpoch());
  REQUIRE(seen);
  REQUIRE_MESSAGE(seen->decoded.ok(), std::string(restate::MessageOf(seen->decoded)));
  seen->token_digest = std::string(kDigest);
  return *std::move(seen);
}

// What the reference leaves to the server: that a target port is the port.
std::string Comparable(json::Value object) {
  object = Bare(std::move(object));
  if (object.StringAt({"kind"}) == "Service") {
    object["spec"].Erase("type");
    for (json::Value& port : *object["spec"]["ports"].array()) {
      for (const std::string_view key : {"protocol", "targetPort"}) port.Erase(key);
    }
  }
  return json::DumpPretty(object);
}

json::Value WithRestrictions(json::Value deployment) {
  json::Value& pod = deployment["spec"]["template"]["spec"];
  pod["securityContext"]["runAsNonRoot"] = true;
  (*pod["containers"].array())[0]["securityContext"]["capabilities"] = Obj({{"drop", Arr({"ALL"})}});
  return deployment;
}

std::string DigestOf(const json::Value& object) {
  return std::string(object.StringAt({"metadata", "annotations", kTokenDigestAnnotation}));
}

TEST_CASE("recorded RestateCloudEnvironments have the objects that we make") {
  const auto recordings = RecordingsOf("RestateCloudEnvironment");
  CHECK(recordings.size() == 2);
  for (const Recording& recording : recordings) {
    CAPTURE(recording.file);
    const Observed seen = See(recording, false);
    json::Value ours = DeploymentFor(seen);
    CHECK(DigestOf(ours) == kDigest);
    ours["metadata"]["annotations"].Erase(kTokenDigestAnnotation);
    json::Value theirs = WithRestrictions(*recording.Find("Deployment"));
    if (!recording.spec.FindPath({"tunnel", "replicas"})) theirs["spec"].Erase("replicas");  // the server's default
    CHECK(Comparable(ours) == Comparable(theirs));
    CHECK(Comparable(ServiceFor(seen)) == Comparable(*recording.Find("Service")));
    CHECK(recording.objects.size() == 2);
  }
}

TEST_CASE("S9: what the reference made is taken over with one write and without a roll") {
  for (const Recording& recording : RecordingsOf("RestateCloudEnvironment")) {
    CAPTURE(recording.file);
    const std::string owner = OwnerUid(*recording.Find("Deployment"));
    const Observed seen = See(recording, true);
    CHECK(kube::IsNoOpApply(ServiceFor(seen), Live(*recording.Find("Service"), "uid", owner), kManager));
    json::Value ours = DeploymentFor(seen);
    CHECK(DigestOf(ours) == kDigest);
    CHECK(DigestOf(*ours.FindPath({"spec", "template"})).empty());
    // But for the digest, nothing changes.
    ours["metadata"]["annotations"].Erase(kTokenDigestAnnotation);
    CHECK(kube::IsNoOpApply(ours, Live(*recording.Find("Deployment"), "uid", owner), kManager));
    CHECK(KeepsEarlierPods(seen));
    // Somebody wants a roll: it brings everything.
    Observed rolled = seen;
    if (!rolled.spec.tunnel) rolled.spec.tunnel.emplace();
    rolled.spec.tunnel->image = "tunnel:other";
    CHECK(DeploymentFor(rolled).BoolAt({"spec", "template", "spec", "securityContext", "runAsNonRoot"}));
    CHECK_FALSE(KeepsEarlierPods(rolled));
  }
}

TEST_CASE("a roll for another token brings what waited for one, and the status says what waits") {
  for (const Recording& recording : RecordingsOf("RestateCloudEnvironment")) {
    CAPTURE(recording.file);
    Observed seen = See(recording, true);
    seen.live["metadata"]["annotations"][kTokenDigestAnnotation] = kDigest;
    const auto report = [&] { return Kind::MakeReport(seen, Kind::MakePlan(seen), {}); };
    CHECK(ConditionOf(report(), "Warning") == "True EarlierPods");
    seen.token_digest = std::string("another");
    const json::Value deployment = DeploymentFor(seen);
    const json::Value& pods = *deployment.FindPath({"spec", "template"});
    CHECK(DigestOf(pods) == "another");
    CHECK(pods.BoolAt({"spec", "securityContext", "runAsNonRoot"}));
    CHECK(ConditionOf(report(), "Warning") == "none");
  }
}

TEST_CASE("what the reference copied into pods, and we would not, stays until they roll") {
  const Recording recording = RecordingsOf("RestateCloudEnvironment").front();
  json::Value live = *recording.Find("Deployment");
  const std::string key = "argocd.argoproj.io/tracking-id";
  live["spec"]["template"]["metadata"]["annotations"][key] = "mine";
  for (json::Value& entry : *live["metadata"]["managedFields"].array()) {
    if (entry.StringAt({"manager"}) == kManager) {
      entry["fieldsV1"]["f:spec"]["f:template"]["f:metadata"]["f:annotations"]["f:" + key] = json::Object();
    }
  }
  Observed seen = See(recording, true);
  seen.body["metadata"]["annotations"][key] = "mine";
  seen.live = Live(live, "uid-1", seen.object->uid());
  const json::Value kept = DeploymentFor(seen);
  CHECK(kept.StringAt({"spec", "template", "metadata", "annotations", key}) == "mine");
  CHECK(kept.StringAt({"metadata", "annotations", key}).empty());
  seen.spec.signing_public_key = "publickeyv1_2";
  CHECK(DeploymentFor(seen).StringAt({"spec", "template", "metadata", "annotations", key}).empty());
}

}  // namespace
}  // namespace restate::cloud
