// Credentials from a program that kubeconfig names (client.authentication.k8s.io).
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "program.h"
#include "restate/base/clock.h"
#include "restate/base/guarded.h"
#include "restate/json/value.h"

namespace restate::kube {

struct ExecCredential {
  std::string token;
  std::string client_cert_pem, client_key_pem;
  absl::Time expires = absl::InfiniteFuture();
};

// Runs its program when a credential is asked for and none is valid; callers meanwhile wait for that one run. Thread
// safe.
class ExecPlugin {
 public:
  // `exec`: the member of that name of a kubeconfig user; `cluster`: the kubeconfig cluster, told to the program if it
  // wants. Relative commands with a slash are relative to `directory`. Error: the member that is wrong.
  static absl::StatusOr<std::shared_ptr<ExecPlugin>> From(const json::Value& exec, const json::Value& cluster,
                                                          const std::string& directory, Clock& clock = Clock::Real());

  // The credential in force; empty when there never was one. A failed run is logged, and not repeated for 10 s.
  ExecCredential Get();
  // The next Get runs the program, unless it has a newer credential than this token's.
  void Refuse(const std::string& token);

 private:
  ExecPlugin(Program program, std::string api_version, std::string install_hint, Clock& clock)
      : program_(std::move(program)),
        api_version_(std::move(api_version)),
        install_hint_(std::move(install_hint)),
        clock_(clock) {}
  absl::StatusOr<ExecCredential> RunProgram() const;
  absl::StatusOr<ExecCredential> Parse(const std::string& output) const;

  const Program program_;
  const std::string api_version_, install_hint_;
  Clock& clock_;
  std::mutex mutex_;  // held while the program runs: that is the wait of the other callers
  ExecCredential credential_ GUARDED_BY(mutex_);
  bool valid_ GUARDED_BY(mutex_) = false;
  std::optional<Clock::TimePoint> failed_at_ GUARDED_BY(mutex_);
};

// `text` with everything that may be a secret (long words with digits) replaced by "***".
std::string MaskSecrets(std::string_view text);

}  // namespace restate::kube
