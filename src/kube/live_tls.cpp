#include "live_tls.h"

namespace restate::kube {
namespace {

bool Same(const TlsSettings& a, const TlsSettings& b) {
  return a.ca_pem == b.ca_pem && a.client_cert_pem == b.client_cert_pem && a.client_key_pem == b.client_key_pem;
}

}  // namespace

std::shared_ptr<const TlsSettings> LiveTls::Current() {
  TlsSettings now = sources_.fixed;
  if (sources_.ca_file) now.ca_pem = sources_.ca_file->Get();
  if (sources_.client_cert_file) now.client_cert_pem = sources_.client_cert_file->Get();
  if (sources_.client_key_file) now.client_key_pem = sources_.client_key_file->Get();
  if (sources_.plugin) {
    ExecCredential credential = sources_.plugin->Get();
    if (!credential.client_cert_pem.empty()) {
      now.client_cert_pem = std::move(credential.client_cert_pem);
      now.client_key_pem = std::move(credential.client_key_pem);
    }
  }
  const std::lock_guard lock(mutex_);
  if (current_ == nullptr || !Same(*current_, now)) current_ = std::make_shared<const TlsSettings>(std::move(now));
  return current_;
}

}  // namespace restate::kube
