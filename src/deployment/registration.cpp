#include "restate/deployment/registration.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace restate::deployment {
namespace {

// What a URL parser of the WHATWG kind escapes in a path, so that the text that is registered is the text that is
// stored.
std::string EscapePath(std::string_view path) {
  constexpr std::string_view kEscaped = " \"#<>?`{}";
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || kEscaped.find(c) != std::string_view::npos) {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

// URL parsers treat "\" like "/" and "%2e" like ".".
bool Climbs(const std::string& path) {
  const std::string plain = absl::StrReplaceAll(absl::AsciiStrToLower(path), {{"\\", "/"}, {"%2e", "."}});
  for (const auto segment : absl::StrSplit(plain, '/')) {
    if (segment == "." || segment == "..") return true;
  }
  return false;
}

bool AnotherVersionIsLatest(const Observed& seen, const Version& current) {
  return std::any_of(seen.versions.begin(), seen.versions.end(), [&](const Version& version) {
    if (version.deployment_id.empty() || version.deployment_id == current.deployment_id) return false;
    const auto* use = seen.UseOf(version.deployment_id);
    return use && use->latest;
  });
}

}  // namespace

Verdict VerdictOn(const Observed& seen, const Version& current) {
  if (current.deployment_id.empty()) return Verdict::kRegister;
  if (!seen.usage.look) return Verdict::kUnknown;
  const auto* use = seen.UseOf(current.deployment_id);
  // An id that only invocations still name is no longer registered (its uri is known only from the registry).
  if (!use || use->uri.empty()) return Verdict::kRegister;
  if (use->latest) return Verdict::kAlreadyLatest;
  return AnotherVersionIsLatest(seen, current) ? Verdict::kSuperseded : Verdict::kConflict;
}

absl::StatusOr<std::string> ServiceUri(const Observed& seen, const Version& version) {
  const std::string path = seen.spec.restate.service_path.value_or("");
  if (Climbs(path)) {
    return MakeError(Reason::kInvalidSpec,
                     absl::StrCat("spec.restate.servicePath: \"", path,
                                  "\" has a . or .. segment; write the path as the pods serve it"));
  }
  const std::string joined = absl::StrReplaceAll(path, {{"\\", "/"}});
  return absl::StrCat("http://", version.name(), ".", version.object->key().ns, ".svc.", seen.config.cluster_dns,
                      ":9080/", EscapePath(joined.rfind('/', 0) == 0 ? joined.substr(1) : joined));
}

absl::StatusOr<plan::Register> RegisterStep(const Observed& seen, const Version& current) {
  auto uri = ServiceUri(seen, current);
  if (!uri.ok()) return uri.status();
  plan::Register step{*seen.endpoint,
                      {.uri = *std::move(uri), .force = false, .use_http_11 = seen.spec.restate.use_http11},
                      std::string(kDeploymentIdAnnotation),
                      std::string(kRecordId),
                      {kube::kReplicaSets},
                      {current.object}};
  if (current.service) {
    step.record_resources.push_back(kube::kServices);
    step.record_on.push_back(current.service);
  }
  return step;
}

plan::Wait NotRoutedTo(const Observed& seen, const Version& current, Verdict verdict) {
  const std::string registered = absl::StrCat("version ", current.name(), " is registered as ", current.deployment_id);
  if (verdict == Verdict::kConflict) {
    return {Reason::kForeignDeployment,
            absl::StrCat(
                registered,
                ", but its services are served by a deployment that is not of this object, or it has none (see GET ",
                seen.endpoint->ToString(),
                "/services); nothing is taken over by force. Remove the other one, or change "
                "spec.template to register a new version")};
  }
  return {
      Reason::kNotLatest,
      absl::StrCat(registered,
                   ", but new work still goes to a newer version of this object; routing it back is not "
                   "supported by this version of the operator. Change spec.template (an annotation is enough) to get "
                   "a new version")};
}

}  // namespace restate::deployment
