#include "restate/cli/manifests.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "restate/base/error.h"
#include "restate/json/yaml.h"

namespace restate::cli {
namespace {

bool IsMark(std::string_view line) {
  return line.starts_with("---") && (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
}

// The documents of a text, each after as many empty lines as there are before it: so that errors name the line of the
// file. No text of YAML has a line that begins like this mark, so nothing is taken apart that belongs together.
std::vector<std::string> Documents(std::string_view text) {
  std::vector<std::string> documents(1);
  std::size_t line_number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (IsMark(line)) documents.emplace_back(line_number, '\n');
    documents.back().append(line).append("\n");
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
  }
  return documents;
}

void Add(json::Value body, std::string where, Manifests& manifests) {
  if (!body.is_object() || body.StringAt({"kind"}).empty() || body.StringAt({"apiVersion"}).empty()) {
    manifests.errors.push_back(where + ": is no object of Kubernetes: it has no apiVersion or no kind");
    return;
  }
  const json::Value* items = body.Find("items");
  if (!body.StringAt({"kind"}).ends_with("List") || !items || !items->array()) {
    manifests.objects.push_back({std::move(body), std::move(where)});
    return;
  }
  for (std::size_t i = 0; i < items->array()->size(); ++i) {
    Add((*items->array())[i], absl::StrCat(where, ", items[", i, "]"), manifests);
  }
}

std::optional<std::string> TextOf(const std::string& file, Manifests& manifests) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    manifests.errors.push_back(file + ": is a directory; name the files in it, each with -f");
    return std::nullopt;
  }
  std::ifstream stream;
  if (file != "-") stream.open(file, std::ios::binary);
  std::ostringstream text;
  if (file == "-" || stream.is_open()) text << (file == "-" ? std::cin : stream).rdbuf();
  if (text.bad() || (file != "-" && !stream.is_open())) {
    manifests.errors.push_back(absl::StrCat(file, ": cannot be read: ", std::strerror(errno)));
    return std::nullopt;
  }
  return text.str();
}

}  // namespace

void ReadManifests(std::string_view text, std::string_view file, Manifests& manifests) {
  int number = 0;
  for (const std::string& document : Documents(text)) {
    const auto values = json::ParseYaml(document);
    if (values.ok() && values->empty()) continue;  // such as comments before the first mark
    const std::string where = absl::StrCat(std::string(file), ", document ", ++number);
    if (!values.ok()) {
      manifests.errors.push_back(absl::StrCat(where, ": ", std::string(MessageOf(values.status()))));
      continue;
    }
    for (const json::Value& value : *values) Add(value, where, manifests);
  }
}

Manifests ReadManifestFiles(const std::vector<std::string>& files) {
  Manifests manifests;
  for (const std::string& file : files) {
    if (const auto text = TextOf(file, manifests)) {
      ReadManifests(*text, file == "-" ? "standard input" : file, manifests);
    }
  }
  return manifests;
}

}  // namespace restate::cli
