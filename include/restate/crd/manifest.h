// The CustomResourceDefinitions of our kinds, made from the field tables. crds/ holds them as committed files.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "restate/crd/kinds.h"
#include "restate/json/value.h"

namespace restate::crd {

struct Manifest {
  std::string name;       // of the object: "restatedeployments.restate.dev"
  std::string file_name;  // in crds/: "restatedeployments.yaml"
  json::Value body;       // the CustomResourceDefinition
};

// One per kind, in alphabetical order.
std::vector<Manifest> AllManifests();

// The text of the file: a note where it comes from, then the body as YAML.
std::string ManifestYaml(const Manifest& manifest);

// Writes all files into `directory`, which is made if it is missing. Errors (kInternalError) name the file.
absl::Status WriteManifests(const std::filesystem::path& directory);

}  // namespace restate::crd
