// kubeconfig: one file or several that are merged.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "restate/json/value.h"
#include "restate/kube/credentials.h"

namespace restate::kube {

class Kubeconfig {
 public:
  // Adds a file's text; what is already there wins (clientcmd's rule). Error: the text is no kubeconfig.
  absl::Status Add(std::string_view yaml, const std::string& directory);
  // The access that the current context asks for. `origin` is left to the caller.
  absl::StatusOr<Access> CurrentAccess() const;
  void SetCurrentContext(std::string name) { current_context_ = std::move(name); }
  const std::string& current_context() const { return current_context_; }

 private:
  struct Entry {
    json::Value value;
    std::string directory;  // relative paths begin here
  };
  using Entries = std::map<std::string, Entry, std::less<>>;
  static absl::StatusOr<const Entry*> Find(const Entries& entries, std::string_view kind, std::string_view name);
  static absl::Status AddEntries(const json::Value& document, const char* list, const char* member,
                                 const std::string& directory, Entries* entries);

  std::string current_context_;
  Entries contexts_, clusters_, users_;
};

}  // namespace restate::kube
