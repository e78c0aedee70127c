// Running another program to its end, without a shell.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace restate::kube {

struct Program {
  std::vector<std::string> argv;                 // argv[0] is looked up in PATH when it has no slash
  std::map<std::string, std::string> variables;  // added to our own environment
  absl::Duration limit = absl::Seconds(60);      // then it is killed, with its children
  std::size_t max_output = 1 << 20;              // bytes; more is an error
};

struct ProgramEnd {
  int exit_code = 0;   // 128 + signal when a signal ended it
  std::string output;  // its standard output
  std::string errors;  // the first 4 KiB of its standard error
};

// Standard input is empty. Error: it could not be started, ran too long or said too much.
absl::StatusOr<ProgramEnd> Run(const Program& program);

}  // namespace restate::kube
