// What the commands share: the way to the API server, and how an object is named on the command line.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "restate/cli/user_command.h"
#include "restate/crd/kinds.h"
#include "restate/kube/client.h"

namespace restate::cli {

struct Connection {
  std::unique_ptr<kube::HttpClient> http;
  kube::Client client;
  std::string ns;  // that of the command, else of the context; empty: all
};

absl::StatusOr<Connection> Connect(const UserCommand& command, const kube::Environment& environment);

// "[KIND/]NAME"; the kind as kubectl takes it: RestateDeployment, restatedeployments, rsd. nullptr: any.
struct ObjectName {
  const crd::Kind* kind = nullptr;
  std::string name;
};
absl::StatusOr<ObjectName> ParseObjectName(std::string_view text);

struct Found {
  const crd::Kind* kind;
  json::Value object;
};
// The one object of that name; nullopt: there is none. Error: there are several, or nobody may look.
absl::StatusOr<std::optional<Found>> Find(Connection& connection, const ObjectName& name, std::stop_token stop);

// "RestateDeployment shop/greeter".
std::string Title(const crd::Kind& kind, const kube::Key& key);

int Complain(const absl::Status& status, int code);  // on standard error; returns `code`

// The commands; the stop is asked by Ctrl-C.
int RunStatus(const UserCommand& command, const kube::Environment& environment, std::stop_token stop);
int RunWhy(const UserCommand& command, const kube::Environment& environment, std::stop_token stop);
int RunWait(const UserCommand& command, const kube::Environment& environment, std::stop_token stop);
int RunComplete(const UserCommand& command, const kube::Environment& environment, std::stop_token stop);

}  // namespace restate::cli
