// Certificates that Restate trusts besides the public ones: an init container puts them all into one file.
#include "absl/strings/str_cat.h"
#include "pod.h"
#include "restate/base/digest.h"

namespace restate::cluster {
namespace {

using json::Arr;
using json::Obj;

constexpr std::string_view kCombinedVolume = "combined-ca-certs";
constexpr std::string_view kCombinedDirectory = "/combined-certs";
constexpr std::string_view kCombinedFile = "/combined-certs/ca-certificates.crt";
constexpr int kAllRead = 0444;

json::Value Mount(std::string_view volume, std::string_view path, bool read_only) {
  return Obj({{"name", volume}, {"mountPath", path}, {"readOnly", read_only ? json::Value(true) : json::Value()}});
}

json::Value SecretVolume(std::string_view name, const crd::SecretKey& cert) {
  const json::Value item = Obj({{"key", cert.key}, {"path", "ca.pem"}, {"mode", kAllRead}});
  return Obj({{"name", name}, {"secret", Obj({{"secretName", cert.secret_name}, {"items", Arr({item})}})}});
}

}  // namespace

PodPart TrustedCertsPart(const Observed& seen) {
  const auto certs = seen.security().trusted_ca_certs.value_or(std::vector<crd::SecretKey>());
  PodPart part;
  if (certs.empty()) return part;
  std::string command = "cat /etc/ssl/certs/ca-certificates.crt", names;
  json::Array mounts;
  for (std::size_t i = 0; i < certs.size(); ++i) {
    const std::string volume = absl::StrCat("trusted-ca-", i), directory = "/" + volume;
    part.volumes.push_back(SecretVolume(volume, certs[i]));
    mounts.push_back(Mount(volume, directory, true));
    absl::StrAppend(&command, " ", directory, "/ca.pem");
    absl::StrAppend(&names, certs[i].secret_name, ":", certs[i].key, ",");
  }
  part.volumes.push_back(Obj({{"name", kCombinedVolume}, {"emptyDir", json::Object()}}));
  mounts.push_back(Mount(kCombinedVolume, kCombinedDirectory, false));
  absl::StrAppend(&command, " > ", std::string(kCombinedFile));
  part.init_containers = {Obj({{"name", kCombineCerts},
                               {"image", seen.config.canary_image},
                               {"command", Arr({"sh", "-c", command})},
                               {"securityContext", NoPrivileges()},
                               {"volumeMounts", std::move(mounts)}})};
  part.mounts = {Mount(kCombinedVolume, kCombinedDirectory, true)};
  part.env = {Obj({{"name", "SSL_CERT_FILE"}, {"value", kCombinedFile}})};
  part.annotations["restate.dev/trusted-ca-certs"] = Sha256Hex(names);
  return part;
}

}  // namespace restate::cluster
