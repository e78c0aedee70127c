#include "exec_plugin.h"

#include <spdlog/spdlog.h>

#include <cctype>
#include <cstring>

#include "restate/base/error.h"
#include "restate/json/text.h"

namespace restate::kube {
namespace {

constexpr std::string_view kGroup = "client.authentication.k8s.io/";
constexpr absl::Duration kLeeway = absl::Seconds(10);  // a credential this close to its end is not used any more
constexpr auto kPauseAfterFailure = std::chrono::seconds(10);

absl::Status Bad(std::string_view what) { return MakeError(Reason::kInvalidSpec, "exec: " + std::string(what)); }

bool IsVersion(std::string_view api_version) {
  return api_version == "client.authentication.k8s.io/v1" || api_version == "client.authentication.k8s.io/v1beta1";
}

// What the program learns of the cluster (ExecCredential.spec.cluster).
json::Value ClusterInfo(const json::Value& cluster) {
  json::Value info;
  for (const char* name :
       {"server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url"}) {
    if (const json::Value* value = cluster.Find(name)) info[name] = *value;
  }
  return info;
}

std::string CommandPath(const std::string& command, const std::string& directory) {
  const bool relative = command.find('/') != std::string::npos && command.front() != '/';
  return relative ? directory + "/" + command : command;
}

}  // namespace

std::string MaskSecrets(std::string_view text) {
  constexpr std::size_t kLongWord = 16;
  std::string out;
  const auto in_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::strchr("+/=_.-", c) != nullptr;
  };
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && text[end] != '\0' && in_word(text[end])) ++end;
    const std::string_view word = text.substr(at, end - at);
    if (word.size() >= kLongWord && word.find_first_of("0123456789") != std::string_view::npos) {
      out += "***";
    } else {
      out += word;
    }
    if (end < text.size()) out += text[end] == '\n' ? ' ' : text[end];
    at = end + 1;
  }
  return out;
}

absl::StatusOr<std::shared_ptr<ExecPlugin>> ExecPlugin::From(const json::Value& exec, const json::Value& cluster,
                                                             const std::string& directory, Clock& clock) {
  const std::string api_version(exec.StringAt({"apiVersion"})), command(exec.StringAt({"command"}));
  if (!IsVersion(api_version)) {
    return Bad("apiVersion \"" + api_version + "\" is not " + std::string(kGroup) + "v1 or v1beta1");
  }
  if (command.empty()) return Bad("command is missing");
  const std::string_view mode = exec.StringAt({"interactiveMode"}, "IfAvailable");
  if (mode == "Always") return Bad("interactiveMode Always needs a terminal, which an operator has not");
  if (mode != "IfAvailable" && mode != "Never") return Bad("interactiveMode must be Never, IfAvailable or Always");

  Program program{.argv = {CommandPath(command, directory)}, .variables = {}};
  const json::Value* args = exec.Find("args");
  if (args != nullptr && args->is_array()) {
    for (const json::Value& arg : *args->array()) {
      if (!arg.is_string()) return Bad("args must be strings");
      program.argv.push_back(*arg.get<std::string>());
    }
  }
  const json::Value* variables = exec.Find("env");
  if (variables != nullptr && variables->is_array()) {
    for (const json::Value& variable : *variables->array()) {
      program.variables[std::string(variable.StringAt({"name"}))] = variable.StringAt({"value"});
    }
  }
  json::Value spec = json::Obj({{"interactive", false}});
  if (exec.BoolAt({"provideClusterInfo"})) spec["cluster"] = ClusterInfo(cluster);
  program.variables["KUBERNETES_EXEC_INFO"] =
      json::Dump(json::Obj({{"apiVersion", api_version}, {"kind", "ExecCredential"}, {"spec", spec}}));
  return std::shared_ptr<ExecPlugin>(
      new ExecPlugin(std::move(program), api_version, std::string(exec.StringAt({"installHint"})), clock));
}

ExecCredential ExecPlugin::Get() {
  const std::lock_guard lock(mutex_);
  if (valid_ && clock_.WallTime() + kLeeway < credential_.expires) return credential_;
  if (failed_at_ && clock_.Now() - *failed_at_ < kPauseAfterFailure) return credential_;
  auto fresh = RunProgram();
  if (!fresh.ok()) {
    failed_at_ = clock_.Now();
    spdlog::error("no new credential: {}", std::string(MessageOf(fresh.status())));
    return credential_;
  }
  failed_at_.reset();
  credential_ = *std::move(fresh);
  valid_ = true;
  return credential_;
}

void ExecPlugin::Refuse(const std::string& token) {
  const std::lock_guard lock(mutex_);
  if (token == credential_.token) valid_ = false;
}

absl::StatusOr<ExecCredential> ExecPlugin::RunProgram() const {
  auto end = Run(program_);
  if (!end.ok()) return install_hint_.empty() ? end.status() : Annotate(end.status(), install_hint_);
  if (!end->errors.empty()) spdlog::warn("{}: {}", program_.argv.front(), MaskSecrets(end->errors));
  if (end->exit_code != 0) {
    return MakeError(Reason::kApiForbidden,
                     program_.argv.front() + " failed with exit code " + std::to_string(end->exit_code));
  }
  auto credential = Parse(end->output);
  return credential.ok() ? credential : Annotate(credential.status(), program_.argv.front());
}

absl::StatusOr<ExecCredential> ExecPlugin::Parse(const std::string& output) const {
  const auto refuse = [](std::string_view why) { return MakeError(Reason::kApiForbidden, why); };
  const auto value = json::Parse(output);
  if (!value.ok()) return refuse("its output is no JSON");  // the parser's words could quote a secret
  if (value->StringAt({"kind"}) != "ExecCredential") return refuse("its output is no ExecCredential");
  if (value->StringAt({"apiVersion"}) != api_version_) return refuse("its output is not of version " + api_version_);
  ExecCredential credential{.token = std::string(value->StringAt({"status", "token"})),
                            .client_cert_pem = std::string(value->StringAt({"status", "clientCertificateData"})),
                            .client_key_pem = std::string(value->StringAt({"status", "clientKeyData"}))};
  if (credential.client_cert_pem.empty() != credential.client_key_pem.empty()) {
    return refuse("its output has only one of clientCertificateData and clientKeyData");
  }
  if (credential.token.empty() && credential.client_cert_pem.empty()) {
    return refuse("its output has neither a token nor a client certificate");
  }
  const std::string expires(value->StringAt({"status", "expirationTimestamp"}));
  if (!expires.empty() && !absl::ParseTime(absl::RFC3339_full, expires, &credential.expires, nullptr)) {
    return refuse("its expirationTimestamp is no time");
  }
  return credential;
}

}  // namespace restate::kube
