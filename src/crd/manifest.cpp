#include "restate/crd/manifest.h"

#include "restate/crd/generated_file.h"
#include "restate/crd/restate_cloud_environment.h"
#include "restate/crd/restate_cluster.h"
#include "restate/crd/restate_deployment.h"
#include "restate/json/yaml.h"
#include "restate/schema/openapi.h"

namespace restate::crd {
namespace {

using json::Arr;
using json::Obj;
using json::Value;

constexpr int kWideOutput = 1;  // a column of this priority is shown by `kubectl get -o wide` only

Value Column(std::string_view name, std::string_view type, std::string_view path) {
  return Obj({{"name", name}, {"type", type}, {"jsonPath", path}});
}

Value WideColumn(std::string_view name, std::string_view type, std::string_view path) {
  Value column = Column(name, type, path);
  column["priority"] = kWideOutput;
  return column;
}

Value AgeColumn() { return Column("Age", "date", ".metadata.creationTimestamp"); }

Value DeploymentColumns() {
  return Arr({
      Column("Desired", "integer", ".status.desiredReplicas"),
      Column("Up-To-Date", "integer", ".status.replicas"),
      Column("Ready", "integer", ".status.readyReplicas"),
      Column("Available", "integer", ".status.availableReplicas"),
      AgeColumn(),
      WideColumn("Deployment ID", "string", ".status.deploymentId"),
      WideColumn("Containers", "string", ".spec.template.spec.containers[*].name"),
      WideColumn("Images", "string", ".spec.template.spec.containers[*].image"),
      WideColumn("Selector", "string", ".status.labelSelector"),
      WideColumn("Deletion", "string", ".status.deletion.phase"),
      WideColumn("Pending Invocations", "integer", ".status.deletion.totalPendingInvocations"),
  });
}

Value ClusterColumns() {
  return Arr({
      Column("Ready", "string", R"(.status.conditions[?(@.type=="Ready")].status)"),
      WideColumn("Status", "string", R"(.status.conditions[?(@.type=="Ready")].message)"),
      AgeColumn(),
  });
}

Value CloudEnvironmentColumns() {
  return Arr({
      Column("Ready", "string", R"(.status.conditions[?(@.type=="Ready")].status)"),
      Column("Region", "string", ".spec.region"),
      Column("Environment", "string", ".spec.environmentId"),
      AgeColumn(),
  });
}

Value DeploymentSubresources() {
  return Obj({{"status", Value(json::Object())},
              {"scale", Obj({{"specReplicasPath", ".spec.replicas"},
                             {"statusReplicasPath", ".status.replicas"},
                             {"labelSelectorPath", ".status.labelSelector"}})}});
}

Value StatusSubresource() { return Obj({{"status", Value(json::Object())}}); }

// Limits the object's name: other objects, with shorter names, are named after it.
void LimitName(Value& schema, int max_length, std::string_view doc) {
  constexpr std::string_view kDnsSubdomain = R"(^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$)";
  schema["properties"]["metadata"] = Obj({{"type", "object"},
                                          {"properties", Obj({{"name", Obj({{"type", "string"},
                                                                            {"description", doc},
                                                                            {"minLength", 1},
                                                                            {"maxLength", max_length},
                                                                            {"pattern", kDnsSubdomain}})}})}});
  schema["required"].array()->push_back("metadata");
}

Value ClusterSchema() {
  Value schema = schema::SchemaOf<RestateCluster>();
  // RFC 1123: the length of a label, because a namespace gets this name.
  LimitName(schema, 63, "Also the name of the namespace the cluster runs in, so at most 63 characters.");
  return schema;
}

Value CloudEnvironmentSchema() {
  Value schema = schema::SchemaOf<RestateCloudEnvironment>();
  // 63, the length of a Service's name, less that of "tunnel-".
  LimitName(schema, 56, "The tunnel's objects are named tunnel-NAME, so at most 56 characters.");
  return schema;
}

Manifest MakeManifest(const Kind& kind, Value schema, Value columns, Value subresources) {
  const std::string plural(kind.plural);
  Manifest manifest{.name = plural + "." + std::string(kGroup), .file_name = plural + ".yaml", .body = {}};
  const Value version = Obj({{"name", kind.version},
                             {"served", true},
                             {"storage", true},
                             {"schema", Obj({{"openAPIV3Schema", std::move(schema)}})},
                             {"subresources", std::move(subresources)},
                             {"additionalPrinterColumns", std::move(columns)}});
  manifest.body = Obj({{"apiVersion", "apiextensions.k8s.io/v1"},
                       {"kind", "CustomResourceDefinition"},
                       {"metadata", Obj({{"name", manifest.name}})},
                       {"spec", Obj({{"group", kGroup},
                                     {"names", Obj({{"kind", kind.kind},
                                                    {"plural", kind.plural},
                                                    {"singular", kind.singular},
                                                    {"shortNames", Arr({kind.short_name})}})},
                                     {"scope", kind.namespaced ? "Namespaced" : "Cluster"},
                                     {"versions", Arr({version})}})}});
  return manifest;
}

}  // namespace

std::vector<Manifest> AllManifests() {
  return {
      MakeManifest(kRestateCloudEnvironment, CloudEnvironmentSchema(), CloudEnvironmentColumns(), StatusSubresource()),
      MakeManifest(kRestateCluster, ClusterSchema(), ClusterColumns(), StatusSubresource()),
      MakeManifest(kRestateDeployment, schema::SchemaOf<RestateDeployment>(), DeploymentColumns(),
                   DeploymentSubresources()),
  };
}

std::string ManifestYaml(const Manifest& manifest) {
  return "# Generated by `just generate` from include/restate/crd/*.h. Do not edit.\n" + json::ToYaml(manifest.body);
}

absl::Status WriteManifests(const std::filesystem::path& directory) {
  std::vector<GeneratedFile> files;
  for (const Manifest& manifest : AllManifests()) files.push_back({manifest.file_name, ManifestYaml(manifest)});
  return WriteFiles(directory, files);
}

}  // namespace restate::crd
