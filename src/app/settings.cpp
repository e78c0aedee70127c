#include "restate/app/settings.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>

#include "absl/strings/str_cat.h"
#include "preview_settings.h"
#include "restate/app/user_settings.h"
#include "restate/base/dns_label.h"
#include "restate/base/error.h"

namespace restate::app {
namespace {

constexpr std::string_view kTarget = "restate_operator";
constexpr std::array<std::string_view, 6> kLevels{"off", "error", "warn", "info", "debug", "trace"};

using Complaint = std::string;  // "must be ..."; empty: the value was taken

// One setting: a flag, its variable, and what takes its text over.
struct Flag {
  const char* name;
  const char* variable;
  const char* help;
  const char* fallback;  // what holds without it, in words; empty: nothing
  Complaint (*take)(std::string_view text, Settings& settings);
  bool is_switch = false;  // needs no value on the command line
};

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

std::string_view Trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The comma-separated parts without the spaces around them and without empty ones.
std::vector<std::string_view> Parts(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    if (const auto part = Trim(text.substr(0, comma)); !part.empty()) parts.push_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

bool IsLevel(std::string_view text) { return std::find(kLevels.begin(), kLevels.end(), text) != kLevels.end(); }

template <auto Member>
Complaint TakeText(std::string_view text, Settings& settings) {
  if (text.empty()) return "must not be empty";
  settings.*Member = std::string(text);
  return {};
}

std::optional<int> NumberIn(std::string_view text, int low, int high) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < low || number > high) return std::nullopt;
  return number;
}

template <auto Member, int kLow, int kHigh>
Complaint TakeNumber(std::string_view text, Settings& settings) {
  const auto number = NumberIn(text, kLow, kHigh);
  if (!number) return absl::StrCat("must be a whole number from ", kLow, " to ", kHigh);
  settings.*Member = static_cast<std::remove_reference_t<decltype(settings.*Member)>>(*number);
  return {};
}

template <auto Member>
Complaint TakeBool(std::string_view text, Settings& settings) {
  const std::string value = Lower(text);
  if (value != "true" && value != "false" && value != "1" && value != "0") return "must be true or false";
  settings.*Member = value == "true" || value == "1";
  return {};
}

Complaint TakeClusterDns(std::string_view text, Settings& settings) {
  const auto good = [](unsigned char c) { return c < 0x80 && (std::isalnum(c) || c == '.' || c == '-'); };
  if (text.empty() || !std::all_of(text.begin(), text.end(), good)) {
    return "must be a domain name of letters, digits, \".\" and \"-\", as in cluster.local";
  }
  settings.cluster_dns = text;
  return {};
}

Complaint TakeOperatorNamespace(std::string_view text, Settings& settings) {
  if (!IsDnsLabel(text)) return "must be the name of a namespace";
  settings.operator_namespace = text;
  return {};
}

Complaint TakeWatchNamespaces(std::string_view text, Settings& settings) {
  settings.watch_namespaces.clear();
  for (const auto name : Parts(text)) {
    if (!IsDnsLabel(name)) return "must be names of namespaces with commas between them";
    auto& names = settings.watch_namespaces;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  }
  return {};
}

Complaint TakeLeaderElect(std::string_view text, Settings& settings) {
  using Choice = Settings::LeaderElect;
  const std::string choice = Lower(text);
  if (choice != "auto" && choice != "true" && choice != "false") return "must be auto, true or false";
  settings.leader_elect = choice == "auto" ? Choice::kAuto : choice == "true" ? Choice::kOn : Choice::kOff;
  return {};
}

Complaint TakeLeaseName(std::string_view text, Settings& settings) {
  if (!IsDnsLabel(text)) return "must be a name of lower-case letters, digits and \"-\"";
  settings.lease_name = text;
  return {};
}

template <auto Member>
Complaint TakeLeaseTime(std::string_view text, Settings& settings) {
  const auto number = NumberIn(text, 1, 3600);
  if (!number) return "must be a whole number of seconds from 1 to 3600";
  settings.lease_times.*Member = std::chrono::seconds(*number);
  return {};
}

Complaint TakeLogLevel(std::string_view text, Settings& settings) {
  const std::string level = Lower(text);
  if (!IsLevel(level)) return "must be off, error, warn, info, debug or trace";
  settings.log_level = level;
  return {};
}

Complaint TakeLogFormat(std::string_view text, Settings& settings) {
  if (text != "text" && text != "json") return "must be text or json";
  settings.log_json = text == "json";
  return {};
}

constexpr const char* kNamespaceFlag = "--operator-namespace";
constexpr const char* kNamespaceVariable = "OPERATOR_NAMESPACE";

const std::array kFlags{
    Flag{kNamespaceFlag, kNamespaceVariable, "Namespace that the operator runs in; required", "",
         TakeOperatorNamespace},
    Flag{"--watch-namespaces", "OPERATOR_WATCH_NAMESPACES", "Namespaces to look after, comma-separated", "all",
         TakeWatchNamespaces},
    Flag{"--cluster-dns", "CLUSTER_DNS", "DNS domain of the cluster", "cluster.local", TakeClusterDns},
    Flag{"--workers", "OPERATOR_WORKERS", "Objects each controller works on at once, 1 to 64", "8",
         TakeNumber<&Settings::workers, 1, 64>},
    Flag{"--http-port", "OPERATOR_HTTP_PORT", "Port of /health, /ready and /metrics", "8080",
         TakeNumber<&Settings::http_port, 1, 65535>},
    Flag{"--leader-elect", "OPERATOR_LEADER_ELECT",
         "Lead by a Lease, so that several operators take turns: true, false or auto (in a pod that has the right)",
         "auto", TakeLeaderElect, true},
    Flag{"--lease-name", "OPERATOR_LEASE_NAME",
         "Lease in the operator's namespace, another one for another set of operators", "restate-operator",
         TakeLeaseName},
    Flag{"--lease-duration", "OPERATOR_LEASE_DURATION",
         "Seconds after a leader's last sign of life until another may lead", "15",
         TakeLeaseTime<&runtime::LeaseTimes::duration>},
    Flag{"--lease-renew-deadline", "OPERATOR_LEASE_RENEW_DEADLINE",
         "Seconds after which a leader that could not renew stops", "10",
         TakeLeaseTime<&runtime::LeaseTimes::renew_deadline>},
    Flag{"--lease-retry-period", "OPERATOR_LEASE_RETRY_PERIOD", "Seconds between tries", "2",
         TakeLeaseTime<&runtime::LeaseTimes::retry>},
    Flag{"--log-level", "OPERATOR_LOG_LEVEL", "off, error, warn, info, debug or trace", "what RUST_LOG says, else info",
         TakeLogLevel},
    Flag{"--log-format", "OPERATOR_LOG_FORMAT", "text or json", "text", TakeLogFormat},
    Flag{"--operator-pod-name", "OPERATOR_POD_NAME", "Pod of the operator, for events", "",
         TakeText<&Settings::operator_pod_name>},
    Flag{"--operator-pod-uid", "OPERATOR_POD_UID", "Its uid", "", TakeText<&Settings::operator_pod_uid>},
    Flag{"--operator-label-name", "OPERATOR_LABEL_NAME", "Name of a label that the operator's pods carry", "",
         TakeText<&Settings::operator_label_name>},
    Flag{"--operator-label-value", "OPERATOR_LABEL_VALUE", "Value of that label", "",
         TakeText<&Settings::operator_label_value>},
    Flag{"--canary-image", "CANARY_IMAGE", "Image of canary jobs", "alpine:3.21", TakeText<&Settings::canary_image>},
    Flag{"--tunnel-client-default-image", "OPERATOR_TUNNEL_CLIENT_DEFAULT_IMAGE",
         "Image of the cloud tunnel client where an object names none",
         "ghcr.io/restatedev/restate-cloud-tunnel-client:0.6.0", TakeText<&Settings::tunnel_client_default_image>},
    Flag{"--aws-pod-identity-association-cluster", "AWS_POD_IDENTITY_ASSOCIATION_CLUSTER",
         "EKS cluster to make pod identity associations for; none are made without it", "",
         TakeText<&Settings::aws_pod_identity_association_cluster>},
    Flag{"--gcp-workload-identity", "GCP_WORKLOAD_IDENTITY", "Make workload identity bindings", "false",
         TakeBool<&Settings::gcp_workload_identity>, true},
    Flag{"--manage-network-policies", "MANAGE_NETWORK_POLICIES", "Isolate RestateClusters by network policies", "true",
         TakeBool<&Settings::manage_network_policies>, true},
    Flag{"--manage-secret-provider-classes", "MANAGE_SECRET_PROVIDER_CLASSES",
         "Make SecretProviderClasses for request signing", "true", TakeBool<&Settings::manage_secret_provider_classes>,
         true},
};

// What --help and docs/settings.md say beside the name.
std::string WithDefault(const Flag& flag) {
  return *flag.fallback ? absl::StrCat(flag.help, "; default ", flag.fallback) : std::string(flag.help);
}

absl::Status UsageError(std::string_view message) { return MakeError(Reason::kInvalidSpec, message); }

absl::Status Take(const Flag& flag, std::string_view text, Settings& settings) {
  const Complaint complaint = flag.take(text, settings);
  if (complaint.empty()) return absl::OkStatus();
  return UsageError(absl::StrCat(flag.name, " (or the variable ", flag.variable, ") ", complaint, ", not \"",
                                 absl::string_view(text.data(), text.size()), "\""));
}

// The value of a variable; "" when it is not set.
std::string_view VariableIn(const kube::Environment& environment, const char* name) {
  const char* value = environment(name);
  return value ? std::string_view(value) : std::string_view();
}

// Flags given on the command line by name, and then the variables.
absl::Status TakeAll(const std::map<std::string, std::string>& given, const kube::Environment& environment,
                     Settings& settings) {
  if (const auto level = LevelOfRustLog(VariableIn(environment, "RUST_LOG"))) settings.log_level = *level;
  for (const Flag& flag : kFlags) {
    const auto text = given.find(flag.name);
    if (text != given.end()) {
      RETURN_IF_ERROR(Take(flag, text->second, settings));
    } else if (const auto value = VariableIn(environment, flag.variable); !value.empty()) {
      RETURN_IF_ERROR(Take(flag, value, settings));
    }
  }
  if (settings.operator_namespace.empty()) {
    return UsageError(absl::StrCat("say in which namespace the operator runs: ", kNamespaceFlag,
                                   " NAME (or the variable ", kNamespaceVariable, ")"));
  }
  if (const absl::Status times = runtime::CheckLeaseTimes(settings.lease_times); !times.ok()) {
    return Annotate(times, "--lease-duration, --lease-renew-deadline and --lease-retry-period do not fit");
  }
  return absl::OkStatus();
}

// Those of an operator, but for its namespace, which is the charts' where it is not said.
constexpr std::string_view kPreviewNamespace = "restate-operator";

}  // namespace

absl::StatusOr<Settings> ParseSettings(const std::vector<std::string>& arguments,
                                       const kube::Environment& environment) {
  Settings settings;
  CLI::App app("Runs Restate on Kubernetes: zero-downtime versions of Restate services.", "restate-operator");
  app.footer("\nA flag's variable, in brackets, does the same; the flag wins.");
  app.get_formatter()->column_width(48);
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.add_subcommand("run", "Run the operator; the default");
  auto* generate = app.add_subcommand("generate", "Write files made from the program's own declarations");
  generate->add_option("what", settings.what, "crds (YAML), docs (Markdown) or pkl (modules)")
      ->required()
      ->check(CLI::IsMember({"crds", "docs", "pkl"}));
  generate->add_option("directory", settings.directory, "Where to")->required();
  auto* render = app.add_subcommand("render", "Print what would be applied for objects in files; asks no cluster");
  auto* diff = app.add_subcommand("diff", "Print what would change in the cluster; exits with 1 where something would");
  AddPreviewOptions(*render, *diff, settings);
  auto* version = app.add_subcommand("version", "Print the version");
  app.set_version_flag("--version", RESTATE_OPERATOR_VERSION, "The same");
  for (const UserVerb& verb : kUserVerbs) app.add_subcommand(verb.name, verb.help);
  std::map<std::string, std::string> texts;
  for (const Flag& flag : kFlags) {
    const std::string help = absl::StrCat(WithDefault(flag), " [", flag.variable, "]");
    std::string& text = texts[flag.name];
    auto* option = flag.is_switch ? app.add_flag(flag.name, text, help) : app.add_option(flag.name, text, help);
    if (!flag.is_switch) option->type_name("VALUE");
    option->take_last();
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes them from the back
  } catch (const CLI::CallForHelp&) {
    settings.command = Settings::Command::kHelp;
    settings.help = app.help();
    return settings;
  } catch (const CLI::CallForVersion&) {
    settings.command = Settings::Command::kVersion;
    return settings;
  } catch (const CLI::ParseError& error) {
    return UsageError(absl::StrCat(error.what(), "; see restate-operator --help"));
  }
  for (const UserVerb& verb : kUserVerbs) {
    if (app.got_subcommand(verb.name)) return UsageError(absl::StrCat(verb.name, " must come first, before all flags"));
  }
  if (generate->parsed()) settings.command = Settings::Command::kGenerate;
  if (version->parsed()) settings.command = Settings::Command::kVersion;
  if (render->parsed()) settings.command = Settings::Command::kRender;
  if (diff->parsed()) settings.command = Settings::Command::kDiff;
  const bool previews = render->parsed() || diff->parsed();
  if (previews) settings.operator_namespace = kPreviewNamespace;
  if (settings.command != Settings::Command::kRun && !previews) return settings;
  std::erase_if(texts, [&](const auto& entry) { return app.count(entry.first) == 0; });
  RETURN_IF_ERROR(TakeAll(texts, environment, settings));
  return settings;
}

std::vector<Setting> AllSettings() {
  std::vector<Setting> settings;
  for (const Flag& flag : kFlags) settings.push_back({flag.name, flag.variable, flag.fallback, flag.help});
  return settings;
}

std::optional<std::string> LevelOfRustLog(std::string_view directives) {
  std::optional<std::string> level;
  std::size_t longest = 0;
  for (const auto directive : Parts(directives)) {
    const auto equals = directive.find('=');
    const std::string word = Lower(directive);
    std::string_view target;
    std::string named = "trace";  // a target alone
    if (equals != std::string_view::npos) {
      target = Trim(directive.substr(0, equals));
      named = Lower(Trim(directive.substr(equals + 1)));
    } else if (IsLevel(word)) {
      named = word;
    } else {
      target = directive;
    }
    const bool ours = kTarget.substr(0, target.size()) == target;
    if (!ours || !IsLevel(named) || target.size() < longest) continue;
    longest = target.size();
    level = named;
  }
  return level;
}

}  // namespace restate::app
