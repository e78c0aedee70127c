// The commands that people call to see what goes on: status, why, wait, completion. They only read.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "restate/cli/completion.h"
#include "restate/cli/wait.h"
#include "restate/kube/credentials.h"

namespace restate::cli {

struct UserCommand {
  enum class Verb : std::uint8_t {
    kHelp,        // print `help`, which may be the version
    kStatus,      // the tree
    kWhy,         // one object in words
    kWait,        // until `goal`
    kCompletion,  // the script for `shell`
    kComplete,    // what may follow `words`: what those scripts ask
  };
  Verb verb = Verb::kHelp;
  std::string help;

  std::string object;             // [KIND/]NAME; empty: all
  std::optional<std::string> ns;  // else the context's
  bool all_namespaces = false;
  std::string kubeconfig, context;  // empty: as kubectl finds them

  bool watch = false, json = false;
  Goal goal = Goal::kReady;
  absl::Duration timeout = absl::Minutes(5);

  std::string shell;  // bash or zsh
  Grammar grammar;    // of the program under the name it was called by
  std::vector<std::string> words;
};

// Exit codes of the shell.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;         // `wait`: time-out
inline constexpr int kNever = 2;          // `wait`: it never comes; bad usage
inline constexpr int kInterrupted = 130;  // 128 + SIGINT

// Runs it and returns its exit code; errors go to standard error in one sentence. A stop ends it at once.
int RunUserCommand(const UserCommand& command, const kube::Environment& environment, std::stop_token stop);

}  // namespace restate::cli
