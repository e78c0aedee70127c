// TLS material of one HTTP client: parsed once, applied to each connection's SSL_CTX.
#pragma once

#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "restate/base/guarded.h"
#include "restate/kube/http.h"

namespace restate::kube {

// Why the last certificate was refused: OpenSSL's callers only see that the handshake failed. Thread safe.
class VerifyLog {
 public:
  void Set(std::string why);
  std::string Take();  // and empties it

 private:
  std::mutex mutex_;
  std::string why_ GUARDED_BY(mutex_);
};

// Immutable after Load; shared by the I/O thread's connections.
class TlsMaterial {
 public:
  // `host`: of the base URL. Error: a setting that cannot be parsed, named.
  static absl::StatusOr<std::shared_ptr<TlsMaterial>> Load(const TlsSettings& settings, const std::string& host);

  // Sets trust, client certificate and the name to verify. The material must outlive the context.
  void ApplyTo(SSL_CTX* context) const;
  bool name_is_ip() const { return name_is_ip_; }
  VerifyLog& verify_log() const { return *verify_log_; }

 private:
  struct Free {
    void operator()(X509_STORE* store) const { X509_STORE_free(store); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  using Certificate = std::unique_ptr<X509, Free>;
  static std::vector<Certificate> ParseCertificates(const std::string& pem);
  absl::Status LoadTrust(const std::string& ca_pem);
  absl::Status LoadClientCertificate(const TlsSettings& settings);

  std::unique_ptr<X509_STORE, Free> store_;
  std::vector<Certificate> client_chain_;  // leaf first
  std::unique_ptr<EVP_PKEY, Free> client_key_;
  std::string name_;
  bool name_is_ip_ = false;
  bool verify_ = true;
  std::unique_ptr<VerifyLog> verify_log_ = std::make_unique<VerifyLog>();
};

// Remembers SSL_CERT_FILE as the system's CA file and hides it from OpenSSL: cpprestsdk has OpenSSL parse the whole
// default bundle for every connection (20 ms each), and trusts it beside the CA asked for. Call before any thread
// exists.
void HideDefaultTrust();

// SSL_CERT_FILE and SSL_CERT_DIR as they were before, for the programs that we start; those that were not set are
// missing.
const std::map<std::string, std::string>& HiddenVariables();

}  // namespace restate::kube
