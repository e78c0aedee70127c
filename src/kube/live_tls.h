// TLS settings that follow their files and their plugin.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "exec_plugin.h"
#include "files.h"
#include "restate/base/guarded.h"
#include "restate/kube/http.h"

namespace restate::kube {

// Where TLS settings come from; a file that is set wins over the fixed setting.
struct TlsSources {
  TlsSettings fixed;
  std::shared_ptr<PolledFile> ca_file, client_cert_file, client_key_file;
  std::shared_ptr<ExecPlugin> plugin;

  bool IsFixed() const {
    return ca_file == nullptr && client_cert_file == nullptr && client_key_file == nullptr && plugin == nullptr;
  }
};

// Thread safe.
class LiveTls {
 public:
  explicit LiveTls(TlsSources sources) : sources_(std::move(sources)) {}
  // The same pointer until a source has changed.
  std::shared_ptr<const TlsSettings> Current();

 private:
  const TlsSources sources_;
  std::mutex mutex_;
  std::shared_ptr<const TlsSettings> current_ GUARDED_BY(mutex_);
};

}  // namespace restate::kube
