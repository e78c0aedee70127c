#include "tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>

#include "restate/base/error.h"

namespace restate::kube {
namespace {

std::map<std::string, std::string>& Hidden() {
  static std::map<std::string, std::string> variables;
  return variables;
}

std::string SystemCaFile() {
  const auto it = Hidden().find("SSL_CERT_FILE");
  return it != Hidden().end() && !it->second.empty() ? it->second : "/etc/ssl/certs/ca-certificates.crt";  // Debian's
}

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
std::unique_ptr<BIO, FreeBio> BioOf(const std::string& text) {
  return std::unique_ptr<BIO, FreeBio>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Without it OpenSSL asks for the passphrase of an encrypted key on the terminal.
int NoPassphrase(char*, int, int, void*) { return 0; }

int VerifyAndLog(X509_STORE_CTX* context, void* log) {
  const int ok = X509_verify_cert(context);
  if (ok != 1) static_cast<VerifyLog*>(log)->Set(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
  return ok;
}

absl::Status BadSetting(std::string_view message) { return MakeError(Reason::kInvalidSpec, message); }

}  // namespace

void VerifyLog::Set(std::string why) {
  const std::lock_guard lock(mutex_);
  why_ = std::move(why);
}

std::string VerifyLog::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(why_, {});
}

void HideDefaultTrust() {
  for (const char* name : {"SSL_CERT_FILE", "SSL_CERT_DIR"}) {
    if (const char* value = std::getenv(name)) Hidden()[name] = value;
    setenv(name, "/dev/null", 1);
  }
}

const std::map<std::string, std::string>& HiddenVariables() { return Hidden(); }

std::vector<TlsMaterial::Certificate> TlsMaterial::ParseCertificates(const std::string& pem) {
  std::vector<Certificate> certificates;
  const auto bio = BioOf(pem);
  while (X509* certificate = PEM_read_bio_X509_AUX(bio.get(), nullptr, NoPassphrase, nullptr)) {
    certificates.emplace_back(certificate);
  }
  ERR_clear_error();  // "no start line" at the end of the text
  return certificates;
}

absl::Status TlsMaterial::LoadTrust(const std::string& ca_pem) {
  store_.reset(X509_STORE_new());
  if (ca_pem.empty()) {
    // A missing bundle is no error here: certificates are then refused one by one, with OpenSSL's reason.
    X509_STORE_load_file(store_.get(), SystemCaFile().c_str());
    ERR_clear_error();
    return absl::OkStatus();
  }
  const auto certificates = ParseCertificates(ca_pem);
  if (certificates.empty()) return BadSetting("tls.ca_pem holds no certificate in PEM form");
  for (const auto& certificate : certificates) X509_STORE_add_cert(store_.get(), certificate.get());
  // A CA that is not self-signed (an intermediate) may be the anchor, as in Go.
  X509_STORE_set_flags(store_.get(), X509_V_FLAG_PARTIAL_CHAIN);
  return absl::OkStatus();
}

absl::Status TlsMaterial::LoadClientCertificate(const TlsSettings& settings) {
  if (settings.client_cert_pem.empty() != settings.client_key_pem.empty()) {
    return BadSetting("tls.client_cert_pem and tls.client_key_pem go together: one of them is empty");
  }
  if (settings.client_cert_pem.empty()) return absl::OkStatus();
  client_chain_ = ParseCertificates(settings.client_cert_pem);
  if (client_chain_.empty()) return BadSetting("tls.client_cert_pem holds no certificate in PEM form");
  client_key_.reset(PEM_read_bio_PrivateKey(BioOf(settings.client_key_pem).get(), nullptr, NoPassphrase, nullptr));
  ERR_clear_error();
  if (client_key_ == nullptr) return BadSetting("tls.client_key_pem is no unencrypted private key in PEM form");
  if (X509_check_private_key(client_chain_.front().get(), client_key_.get()) != 1) {
    ERR_clear_error();
    return BadSetting("tls.client_key_pem does not belong to tls.client_cert_pem");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<TlsMaterial>> TlsMaterial::Load(const TlsSettings& settings, const std::string& host) {
  auto material = std::make_shared<TlsMaterial>();
  RETURN_IF_ERROR(material->LoadTrust(settings.ca_pem));
  RETURN_IF_ERROR(material->LoadClientCertificate(settings));
  material->verify_ = !settings.insecure_skip_verify;
  material->name_ = settings.server_name.empty() ? host : settings.server_name;
  if (ASN1_OCTET_STRING* ip = a2i_IPADDRESS(material->name_.c_str())) {
    material->name_is_ip_ = true;
    ASN1_OCTET_STRING_free(ip);
  }
  ERR_clear_error();
  return material;
}

void TlsMaterial::ApplyTo(SSL_CTX* context) const {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set1_cert_store(context, store_.get());
  if (verify_) {
    // cpprestsdk checks the name too, but takes the subject's CN for one; Kubernetes clients do not.
    X509_VERIFY_PARAM* parameters = SSL_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (name_is_ip_) {
      X509_VERIFY_PARAM_set1_ip_asc(parameters, name_.c_str());
    } else {
      X509_VERIFY_PARAM_set1_host(parameters, name_.c_str(), name_.size());
    }
    SSL_CTX_set_cert_verify_callback(context, VerifyAndLog, verify_log_.get());
  }
  if (client_key_ == nullptr) return;
  SSL_CTX_use_certificate(context, client_chain_.front().get());
  SSL_CTX_use_PrivateKey(context, client_key_.get());
  for (std::size_t i = 1; i < client_chain_.size(); ++i) SSL_CTX_add1_chain_cert(context, client_chain_[i].get());
}

}  // namespace restate::kube
