// Manifests: the objects in the files that a command is given.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "restate/json/value.h"

namespace restate::cli {

// One object, and where it stands: "greeter.yaml, document 2", "all.yaml, document 1, items[3]".
struct ManifestObject {
  json::Value body;
  std::string where;
};

// What could be read, and what is wrong with the rest: sentences that begin with file and document.
struct Manifests {
  std::vector<ManifestObject> objects;
  std::vector<std::string> errors;
};

// Adds the objects of one text: YAML or JSON, any number of documents, lists of objects taken apart. One document that
// cannot be read keeps nobody from reading the others.
void ReadManifests(std::string_view text, std::string_view file, Manifests& manifests);

// The objects of all files in their order; "-" is the standard input.
Manifests ReadManifestFiles(const std::vector<std::string>& files);

}  // namespace restate::cli
