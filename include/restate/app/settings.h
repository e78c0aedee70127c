// Settings: what the command line and the environment say, checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "restate/kube/credentials.h"
#include "restate/runtime/lease.h"

namespace restate::app {

struct Settings {
  enum class Command : std::uint8_t {
    kRun,       // the operator itself; the default
    kGenerate,  // write `what` into `directory`
    kRender,    // print what would be applied for `files`
    kDiff,      // print what would change in the cluster if `files` were applied
    kVersion,   // print the version
    kHelp,      // print `help`
  };
  Command command = Command::kRun;
  std::string what;  // "crds", "docs" or "pkl"
  std::string directory;
  std::string help;

  // For kRender and kDiff.
  std::vector<std::string> files;               // "-" is the standard input
  std::optional<std::string> object_namespace;  // of objects that name none
  bool json_output = false;                     // else YAML

  // The rest is filled for kRun, kRender and kDiff only.
  std::string operator_namespace;
  std::optional<std::string> operator_label_name, operator_label_value;  // label of the operator's pods
  std::optional<std::string> operator_pod_name, operator_pod_uid;        // what events about the operator itself regard
  std::optional<std::string> aws_pod_identity_association_cluster;
  bool gcp_workload_identity = false;
  bool manage_network_policies = true;         // false: the kind is neither read nor written
  bool manage_secret_provider_classes = true;  // the same
  std::string tunnel_client_default_image = "ghcr.io/restatedev/restate-cloud-tunnel-client:0.6.0";
  std::string canary_image = "alpine:3.21";
  std::string cluster_dns = "cluster.local";
  std::vector<std::string> watch_namespaces;  // empty: all
  enum class LeaderElect : std::uint8_t {
    kAuto,  // in a pod, where its rights allow it
    kOn,
    kOff,
  };
  LeaderElect leader_elect = LeaderElect::kAuto;
  std::string lease_name = "restate-operator";  // in the operator's namespace
  runtime::LeaseTimes lease_times;
  int workers = 8;  // of each controller, 1 to 64
  std::uint16_t http_port = 8080;
  std::string log_level = "info";  // off, error, warn, info, debug or trace, as spdlog names them
  bool log_json = false;
};

// `arguments` without the program's name. A flag wins over its variable; an empty variable is as good as none. Error:
// one sentence that names the flag, the variable and what is wanted.
absl::StatusOr<Settings> ParseSettings(const std::vector<std::string>& arguments, const kube::Environment& environment);

// One setting as docs/settings.md shows it. The texts live as long as the program.
struct Setting {
  std::string_view flag, variable;
  std::string_view fallback;  // what holds without it, in words; empty: nothing
  std::string_view help;
};

// In the order of --help.
std::vector<Setting> AllSettings();

// The level that RUST_LOG directives ("warn,restate=debug,hyper=info") give this program, whose target is
// `restate_operator`: that of the longest target it begins with, else the global one. nullopt: they say nothing about
// it.
std::optional<std::string> LevelOfRustLog(std::string_view directives);

}  // namespace restate::app
