// Files that the program writes from its own declarations, and that are committed: CRDs, Pkl modules, pages of docs/.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace restate::crd {

struct GeneratedFile {
  std::string name;  // in its directory
  std::string text;
};

// Writes the files into `directory`, which is made if it is missing. Errors (kInternalError) name the file.
absl::Status WriteFiles(const std::filesystem::path& directory, const std::vector<GeneratedFile>& files);

}  // namespace restate::crd
