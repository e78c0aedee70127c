// RestateDeployment: one version after another of a service written with a Restate SDK. Each version keeps running
// until no invocation is pinned to it.
//
// The members are what the user wrote; a value the user left out is absent here too. The defaults that the operator
// then takes are the constants below: they are not in the schema, so that an upgrade may change them for objects that
// leave them open.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "restate/crd/delete_policy.h"
#include "restate/crd/restate_deployment_status.h"
#include "restate/json/value.h"
#include "restate/schema/field.h"

namespace restate::crd {

inline constexpr std::int32_t kDefaultAdminPort = 9070;  // where restate-server listens by default
inline constexpr std::int64_t kDefaultDrainDelaySeconds = 300;
inline constexpr std::int64_t kDefaultDrainTimeoutSeconds = 3600;

enum class DeploymentMode : std::uint8_t { kReplicaSet, kKnative };

constexpr auto Names(schema::Of<DeploymentMode>) {
  return std::to_array<schema::EnumName<DeploymentMode>>({
      {DeploymentMode::kReplicaSet, "replicaset"},
      {DeploymentMode::kKnative, "knative"},
  });
}

enum class TunnelMode : std::uint8_t { kExternal, kInProcess };

constexpr auto Names(schema::Of<TunnelMode>) {
  return std::to_array<schema::EnumName<TunnelMode>>({
      {TunnelMode::kExternal, "external"},
      {TunnelMode::kInProcess, "in-process"},
  });
}

// Scaling of the Knative Revision that serves a version.
struct KnativeSpec {
  std::optional<std::string> tag;
  std::optional<std::int32_t> min_scale;
  std::optional<std::int32_t> max_scale;
  std::optional<std::int32_t> target;

  friend bool operator==(const KnativeSpec&, const KnativeSpec&) = default;
};

constexpr auto Describe(schema::Of<KnativeSpec>) {
  using S = KnativeSpec;
  return schema::Struct(
      "Settings for deploymentMode knative; ignored in the other mode.",
      schema::Field(
          "tag", &S::tag,
          "Name of the version, for in-place updates: a changed template under the same tag becomes a new Revision of "
          "the same Restate deployment. Without a tag every template gets a deployment of its own.")
          .Pattern("^[a-z]([-a-z0-9]*[a-z0-9])?$"),
      schema::Field("minScale", &S::min_scale, "Fewest pods Knative keeps. 0 when left out: scale to zero when idle.")
          .Min(0),
      schema::Field("maxScale", &S::max_scale, "Most pods Knative starts. Knative's own limit when left out.").Min(0),
      schema::Field("target", &S::target,
                    "Concurrent requests per pod that Knative aims at. Knative's default when left out.")
          .Min(0));
}

struct PodTemplateMetadata {
  std::optional<std::map<std::string, std::string>> labels;
  std::optional<std::map<std::string, std::string>> annotations;

  friend bool operator==(const PodTemplateMetadata&, const PodTemplateMetadata&) = default;
};

constexpr auto Describe(schema::Of<PodTemplateMetadata>) {
  using S = PodTemplateMetadata;
  return schema::Struct(
      "Labels and annotations of the pods.",
      schema::Field("labels", &S::labels, "Labels of the pods. They must include those of spec.selector."),
      schema::Field("annotations", &S::annotations, "Annotations of the pods."));
}

struct PodTemplate {
  std::optional<PodTemplateMetadata> metadata;
  json::Value spec;  // a PodSpec, passed on untouched: its text is part of the version's name

  friend bool operator==(const PodTemplate&, const PodTemplate&) = default;
};

constexpr auto Describe(schema::Of<PodTemplate>) {
  using S = PodTemplate;
  return schema::Struct(
      "The pods that run the service. Any change makes a new version; pods of older versions stay until their work is "
      "done.",
      schema::Field("metadata", &S::metadata),
      schema::Field("spec", &S::spec,
                    "A PodSpec as in a Deployment, passed on as it is. The SDK endpoint is the container port named "
                    "restate, else "
                    "the first port that is declared, else 9080.")
          .PreserveUnknown());
}

// A Service in the Kubernetes cluster that serves the admin API.
struct ServiceReference {
  std::string name;
  std::string ns;
  std::optional<std::string> path;
  std::optional<std::int32_t> port;

  friend bool operator==(const ServiceReference&, const ServiceReference&) = default;
};

constexpr auto Describe(schema::Of<ServiceReference>) {
  using S = ServiceReference;
  return schema::Struct(
      "Register through a Service in this Kubernetes cluster that serves the admin API.",
      schema::Field("name", &S::name, "Name of the Service."),
      schema::Field("namespace", &S::ns, "Namespace of the Service."),
      schema::Field("path", &S::path, "Path in front of the admin API's own paths; none when left out."),
      schema::Field("port", &S::port, "Port of the admin API; 9070 when left out.").Min(1).Max(65535));
}

// Which Restate the versions are registered with: exactly one member is set.
struct RegisterTarget {
  std::optional<std::string> cluster;
  std::optional<std::string> cloud;
  std::optional<ServiceReference> service;
  std::optional<std::string> url;

  friend bool operator==(const RegisterTarget&, const RegisterTarget&) = default;
};

constexpr auto Describe(schema::Of<RegisterTarget>) {
  using S = RegisterTarget;
  return schema::Struct(
             "The Restate that versions are registered with. Set exactly one of cluster, cloud, service and url.",
             schema::Field("cluster", &S::cluster,
                           "Name of a RestateCluster. The operator waits until it is Ready, and its network policies "
                           "let it reach "
                           "the pods."),
             schema::Field("cloud", &S::cloud,
                           "Name of a RestateCloudEnvironment; its tunnel connects Restate Cloud with the pods."),
             schema::Field("service", &S::service),
             schema::Field("url", &S::url, "Base URL of the admin API, such as http://restate.example:9070/."))
      .OneOf("cluster", "cloud", "service", "url");
}

struct DrainPolicy {
  std::optional<std::int64_t> timeout_seconds;
  std::optional<OnTimeout> on_timeout;

  friend bool operator==(const DrainPolicy&, const DrainPolicy&) = default;
};

constexpr auto Describe(schema::Of<DrainPolicy>) {
  using S = DrainPolicy;
  return schema::Struct(
      "How long a deletion under deletePolicy drain waits for invocations, and what happens then.",
      schema::Field("timeoutSeconds", &S::timeout_seconds,
                    "Seconds from the delete request until onTimeout takes effect; 3600 when left out.")
          .Min(0),
      schema::Field("onTimeout", &S::on_timeout,
                    "hold (the default): go on waiting and report Overdue. force: remove the versions with their "
                    "unfinished work."));
}

// How the service is made known to Restate, and how it leaves.
struct RestateSpec {
  RegisterTarget target;  // "register" is a C++ keyword
  std::optional<std::string> service_path;
  std::optional<bool> use_http11;
  std::optional<TunnelMode> tunnel_mode;
  std::optional<std::int64_t> drain_delay_seconds;
  std::optional<DeletePolicy> delete_policy;
  std::optional<DrainPolicy> drain;

  friend bool operator==(const RestateSpec&, const RestateSpec&) = default;
};

constexpr auto Describe(schema::Of<RestateSpec>) {
  using S = RestateSpec;
  return schema::Struct(
      "How versions are registered with Restate, and how old ones are removed.", schema::Field("register", &S::target),
      schema::Field("servicePath", &S::service_path,
                    "Path under which the pods serve the SDK endpoint; / when left out."),
      schema::Field("useHttp11", &S::use_http11,
                    "true: Restate talks HTTP/1.1 to the pods, for servers that know no HTTP/2. Restate's default when "
                    "left out."),
      schema::Field(
          "tunnelMode", &S::tunnel_mode,
          "How Restate Cloud reaches the pods, with register.cloud. external (the default): through the environment's "
          "tunnel pods. in-process: through a tunnel that the SDK opens inside each pod; not in knative mode."),
      schema::Field(
          "drainDelaySeconds", &S::drain_delay_seconds,
          "Seconds between the end of a version's last invocation and its removal; 300 when left out. Covers requests "
          "still on their way.")
          .Min(0),
      schema::Field(
          "deletePolicy", &S::delete_policy,
          "What deleting this object does with unfinished invocations. drain (the default): wait for them, see drain. "
          "force: remove all versions at once; their invocations fail or hang."),
      schema::Field("drain", &S::drain));
}

struct RestateDeploymentSpec {
  std::optional<DeploymentMode> deployment_mode;
  std::optional<KnativeSpec> knative;
  std::int32_t replicas = 1;
  std::int32_t revision_history_limit = 10;
  std::optional<std::int32_t> min_ready_seconds;
  std::optional<json::Value> selector;  // a LabelSelector
  PodTemplate pod_template;             // "template" is a C++ keyword
  RestateSpec restate;
  std::optional<json::Value> autoscaling;  // a HorizontalPodAutoscalerSpec without its scaleTargetRef

  friend bool operator==(const RestateDeploymentSpec&, const RestateDeploymentSpec&) = default;
};

constexpr auto Describe(schema::Of<RestateDeploymentSpec>) {
  using S = RestateDeploymentSpec;
  return schema::Struct(
             "What is wanted of the service.",
             schema::Field("deploymentMode", &S::deployment_mode,
                           "replicaset (the default): the operator runs the pods itself. knative: Knative Serving "
                           "scales them with "
                           "the load, down to none. Fixed at creation.")
                 .Immutable("deploymentMode is immutable after creation"),
             schema::Field("knative", &S::knative),
             schema::Field(
                 "replicas", &S::replicas,
                 "Pods of the latest version, and of older ones that still have work. Not used in knative mode.")
                 .Min(0)
                 .Default(),
             schema::Field("revisionHistoryLimit", &S::revision_history_limit,
                           "How many versions without work are kept, scaled to zero, before they are removed for good.")
                 .Min(0)
                 .Default(),
             schema::Field("minReadySeconds", &S::min_ready_seconds,
                           "Seconds a new pod must be ready before it counts as available; 0 when left out.")
                 .Min(0),
             schema::Field("selector", &S::selector,
                           "Selects the pods of this object, all versions; template.metadata.labels must match. The "
                           "operator adds a "
                           "label that tells the versions apart.")
                 .Schema("LabelSelector")
                 .NotNullable(),
             schema::Field("template", &S::pod_template), schema::Field("restate", &S::restate),
             schema::Field("autoscaling", &S::autoscaling,
                           "A HorizontalPodAutoscaler spec without scaleTargetRef; each older version that still has "
                           "work gets an "
                           "autoscaler of its own made from it. To scale the latest version, let an autoscaler point "
                           "at this object.")
                 .AnyObject()
                 .NotNullable())
      .Rule("!has(self.autoscaling) || !has(self.deploymentMode) || self.deploymentMode != 'knative'",
            "spec.autoscaling is only supported in replicaset mode (not knative)");
}

// The whole object, less apiVersion, kind and metadata.
struct RestateDeployment {
  RestateDeploymentSpec spec;
  std::optional<RestateDeploymentStatus> status;

  friend bool operator==(const RestateDeployment&, const RestateDeployment&) = default;
};

constexpr auto Describe(schema::Of<RestateDeployment>) {
  using S = RestateDeployment;
  return schema::Struct(
      "Runs a service written with a Restate SDK and registers each version of it with Restate. An old version keeps "
      "running "
      "until no invocation needs it.",
      schema::Field("spec", &S::spec), schema::Field("status", &S::status));
}

}  // namespace restate::crd
