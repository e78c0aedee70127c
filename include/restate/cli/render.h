// render: what the operator would apply for objects in files, without any cluster.
#pragma once

#include <string>
#include <vector>

#include "restate/cli/manifests.h"
#include "restate/cli/stage.h"

namespace restate::cli {

enum class Format { kYaml, kJson };

struct RenderSettings {
  std::string default_namespace = "default";  // of objects that name none
  Format format = Format::kYaml;
  plan::Config config;
  std::vector<ListedKind> kinds;
};

// `text` is for the standard output, `errors` are sentences that name file, document and field. What has an error has
// nothing in the text; but an object that names something which is not in the files is told as far as it goes.
struct Rendered {
  std::string text;
  std::vector<std::string> errors;
};

// Objects that are none of ours are taken for being in the cluster. All optional APIs are taken for installed. The same
// manifests give the same text, at any time and on any machine. In YAML, comments say what is waited for in between; in
// JSON, a List, there is no room for them.
Rendered Render(const Manifests& manifests, const RenderSettings& settings);

// Prints it. The exit code: 0, or 1 where there were errors.
int RunRender(const std::vector<std::string>& files, const RenderSettings& settings);

}  // namespace restate::cli
