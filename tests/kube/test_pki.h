// Certificates made on the spot.
#pragma once

#include <string>

namespace restate::testing {

struct CertificateAndKey {
  std::string cert_pem;
  std::string key_pem;  // PKCS#8
};

CertificateAndKey MakeCa(const std::string& name);
// `alternative_names` as OpenSSL's configuration spells them: "DNS:a.example,IP:127.0.0.1"; empty: a certificate with a
// CN only. `client`: for client authentication.
CertificateAndKey MakeLeaf(const CertificateAndKey& ca, const std::string& name, const std::string& alternative_names,
                           bool client = false);

}  // namespace restate::testing
