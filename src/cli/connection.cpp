#include "connection.h"

#include <strings.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "restate/base/error.h"
#include "restate/cli/text.h"
#include "restate/plan/names.h"

namespace restate::cli {
namespace {

bool Same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// Without ".v1beta1.restate.dev" and the like, which kubectl takes as well.
const crd::Kind* KindOf(std::string_view text) {
  if (text.ends_with(crd::kGroup)) text = text.substr(0, text.find('.'));
  for (const crd::Kind* kind : crd::kKinds) {
    for (const std::string_view name : {kind->kind, kind->plural, kind->singular, kind->short_name}) {
      if (Same(text, name)) return kind;
    }
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<Connection> Connect(const UserCommand& command, const kube::Environment& environment) {
  const kube::Environment chosen = [&](const char* name) -> const char* {
    const bool instead = !command.kubeconfig.empty() && std::string_view(name) == "KUBECONFIG";
    return instead ? command.kubeconfig.c_str() : environment(name);
  };
  auto access = kube::FindAccess(chosen, "/var/run/secrets/kubernetes.io/serviceaccount", command.context);
  if (!access.ok()) return access.status();
  access->http.user_agent = absl::StrCat("kubectl-restate/", RESTATE_OPERATOR_VERSION);
  auto http = kube::NewHttpClient(std::move(access->http));
  if (!http.ok()) return http.status();
  kube::HttpClient& plain = **http;
  return Connection{*std::move(http), kube::Client(plain),
                    command.all_namespaces ? "" : command.ns.value_or(access->default_namespace)};
}

absl::StatusOr<ObjectName> ParseObjectName(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return ObjectName{nullptr, std::string(text)};
  ObjectName name{KindOf(text.substr(0, slash)), std::string(text.substr(slash + 1))};
  if (name.kind && !name.name.empty()) return name;
  return MakeError(Reason::kInvalidSpec,
                   absl::StrCat("\"", std::string(text),
                                "\" names no object; say KIND/NAME with the kind RestateDeployment (rsd), "
                                "RestateCluster (rsc) or RestateCloudEnvironment (rce), and the namespace with -n"));
}

absl::StatusOr<std::optional<Found>> Find(Connection& connection, const ObjectName& name, std::stop_token stop) {
  std::optional<Found> found;
  absl::Status unseen;
  for (const crd::Kind* kind : crd::kKinds) {
    if (name.kind && name.kind != kind) continue;
    const kube::Key key{kind->namespaced ? connection.ns : "", name.name};
    auto object = connection.client.Get(plan::ResourceOf(*kind), key, stop);
    if (object.ok() && found) {
      return MakeError(Reason::kInvalidSpec,
                       absl::StrCat("there is a ", std::string(found->kind->kind), " and a ", std::string(kind->kind),
                                    " of the name ", name.name, "; say KIND/NAME"));
    }
    if (object.ok()) {
      found = Found{kind, *std::move(object)};
    } else if (!kube::IsNotFound(object.status())) {
      // Who may not read clusters can still ask for a service.
      if (name.kind || ReasonOf(object.status()) != Reason::kApiForbidden) return object.status();
      unseen = object.status();
    }
  }
  if (!found && !unseen.ok()) return unseen;
  return found;
}

std::string Title(const crd::Kind& kind, const kube::Key& key) {
  return absl::StrCat(std::string(kind.kind), " ", key.ToString());
}

int Complain(const absl::Status& status, int code) {
  if (ReasonOf(status) == Reason::kStopped) return kInterrupted;
  std::fprintf(stderr, "error: %s\n", Clean({.unicode = true}, MessageOf(status)).c_str());
  return code;
}

int RunUserCommand(const UserCommand& command, const kube::Environment& environment, std::stop_token stop) {
  switch (command.verb) {
    case UserCommand::Verb::kHelp: std::fputs(command.help.c_str(), stdout); return kDone;
    case UserCommand::Verb::kStatus: return RunStatus(command, environment, stop);
    case UserCommand::Verb::kWhy: return RunWhy(command, environment, stop);
    case UserCommand::Verb::kWait: return RunWait(command, environment, stop);
    case UserCommand::Verb::kCompletion:
      std::fputs(std::string(CompletionScript(command.shell).value_or("")).c_str(), stdout);
      return kDone;
    case UserCommand::Verb::kComplete: return RunComplete(command, environment, stop);
  }
  return kFailed;
}

}  // namespace restate::cli
