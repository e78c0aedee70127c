// diff: what would change in a live cluster if the objects in files were applied.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "restate/cli/manifests.h"
#include "restate/cli/stage.h"
#include "restate/kube/client.h"

namespace restate::cli {

struct DiffSettings {
  std::string default_namespace = "default";  // of objects that name none
  plan::Config config;
  std::vector<ListedKind> kinds;
};

// `text` has unified diffs, of the objects in the files first and then of those that the operator would make, change or
// delete for them; comments say what is waited for. Empty: nothing would change.
struct Difference {
  std::string text;
  std::vector<std::string> errors;
};

// Reads what the operator would watch, once, and lets the server say what would become of each write. `client` has to
// be behind NewDryRunHttp.
Difference Diff(const Manifests& manifests, const DiffSettings& settings, kube::Client& client, std::stop_token stop);

// Prints it; `http` says where the cluster is. The exit code, as that of `diff`: 0 no difference, 1 some, 2 an error.
int RunDiff(const std::vector<std::string>& files, const DiffSettings& settings, kube::HttpSettings http);

}  // namespace restate::cli
