// The command line of those who look: status, why, wait, completion. The program has them under the name
// kubectl-restate, which kubectl calls for `kubectl restate`, and as commands of restate-operator.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "restate/cli/user_command.h"

namespace restate::app {

struct UserVerb {
  const char* name;
  const char* help;
};
inline constexpr std::array kUserVerbs{
    UserVerb{"status", "Show what runs of Restate, and what it waits for"},
    UserVerb{"why", "Say why an object is not as wished, what to do about it, and what happens next"},
    UserVerb{"wait", "Wait until an object is ready, drained or deleted"},
    UserVerb{"completion", "Print the completion script for a shell"},
};

// Whether this is a command of theirs. `program` is argv[0]; under kubectl-restate everything is one.
bool IsUserCommand(std::string_view program, const std::vector<std::string>& arguments);

// `arguments` without the program's name. Error: one sentence that names the flag and what is wanted.
absl::StatusOr<cli::UserCommand> ParseUserCommand(std::string_view program, const std::vector<std::string>& arguments);

}  // namespace restate::app
