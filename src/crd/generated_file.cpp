#include "restate/crd/generated_file.h"

#include <fstream>
#include <system_error>

#include "restate/base/error.h"

namespace restate::crd {

absl::Status WriteFiles(const std::filesystem::path& directory, const std::vector<GeneratedFile>& files) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return MakeError(Reason::kInternalError,
                     "cannot make the directory " + directory.string() + ": " + error.message());
  }
  for (const GeneratedFile& generated : files) {
    const std::filesystem::path path = directory / generated.name;
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << generated.text;
    file.close();
    if (!file) return MakeError(Reason::kInternalError, "cannot write " + path.string());
  }
  return absl::OkStatus();
}

}  // namespace restate::crd
