#include "restate/deployment/registration.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "restate/deployment/knative.h"
#include "restate/deployment/objects.h"

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

// A registration shows in the looks that follow. One that does not is not repeated at once: it would be the same again.
constexpr Clock::Duration kRepeat = std::chrono::seconds(30);

bool JustRegistered(const Observed& seen, const Version& current) {
  return seen.usage.registered && seen.usage.registered_id == current.deployment_id &&
         seen.usage.answered - *seen.usage.registered < kRepeat;
}

bool HasVersionOf(const Observed& seen, std::string_view deployment_id) {
  return std::any_of(seen.versions.begin(), seen.versions.end(),
                     [&](const Version& version) { return version.deployment_id == deployment_id; });
}

}  // namespace

std::string IdOfUri(const Observed& seen, const Version& current) {
  const auto uri = ServiceUri(seen, current);
  if (!uri.ok() || !seen.usage.look) return {};
  for (const auto& [id, use] : seen.usage.look->deployments) {
    if (use.uri == *uri) return id;
  }
  return {};
}

// Ours are those recorded on our versions, and those whose uri only our versions have: an earlier object of this name
// may have left them.
std::string LatestOfOurs(const Observed& seen, const Version& current) {
  if (!seen.usage.look) return {};
  for (const auto& [id, use] : seen.usage.look->deployments) {
    if (use.latest && id != current.deployment_id && (HasVersionOf(seen, id) || seen.IsOurs(id, use.uri))) return id;
  }
  return {};
}

Verdict VerdictOn(const Observed& seen, const Version& current) {
  if (current.deployment_id.empty()) return IdOfUri(seen, current).empty() ? Verdict::kRegister : Verdict::kRecord;
  if (!seen.usage.look) return Verdict::kUnknown;
  const auto* use = seen.UseOf(current.deployment_id);
  // An id whose uri is another's was written down by somebody else. One that only invocations still name is no longer
  // registered: its uri is known only from the registry.
  const bool known = use && seen.IsUriOf(current, use->uri);
  if (known && use->latest) return Verdict::kAlreadyLatest;
  if (JustRegistered(seen, current)) return Verdict::kConfirm;
  if (!known) return Verdict::kRegister;
  return LatestOfOurs(seen, current).empty() ? Verdict::kConflict : Verdict::kPromote;
}

absl::Status CheckServicePath(const Observed& seen) {
  const std::string path = seen.spec.restate.service_path.value_or("");
  if (!Climbs(path)) return absl::OkStatus();
  return MakeError(Reason::kInvalidSpec, absl::StrCat("spec.restate.servicePath: \"", path,
                                                      "\" has a . or .. segment; write the path as the pods serve it"));
}

absl::StatusOr<std::string> ServiceUri(const Observed& seen, const Version& version) {
  RETURN_IF_ERROR(CheckServicePath(seen));
  const std::string path = seen.spec.restate.service_path.value_or("");
  const std::string joined = absl::StrReplaceAll(path, {{"\\", "/"}});
  const std::string escaped = EscapePath(joined.rfind('/', 0) == 0 ? joined.substr(1) : joined);
  const admin::CloudEnvironment* environment = seen.environment();
  if (environment && TunnelsInProcess(seen.spec)) {
    return admin::TunnelUri(*environment, version.tunnel(), absl::StrCat("http://in-process:9080/", escaped));
  }
  const std::string origin = version.is_knative()
                                 ? UrlOfRoute(version)
                                 : absl::StrCat("http://", version.name(), ".", version.object->key().ns, ".svc.",
                                                seen.config.cluster_dns, ":9080");
  if (origin.empty()) return MakeError(Reason::kRouteNotReady, "the Route has no URL yet");
  const std::string uri = absl::StrCat(origin, "/", escaped);
  return environment ? admin::TunnelUri(*environment, (*seen.cloud)->uid, uri) : uri;
}

absl::StatusOr<plan::Register> RegisterStep(const Observed& seen, const Version& current, Verdict verdict) {
  auto uri = ServiceUri(seen, current);
  if (!uri.ok()) return uri.status();
  plan::Register step{
      *seen.endpoint,
      {.uri = *std::move(uri), .force = verdict == Verdict::kPromote, .use_http_11 = seen.spec.restate.use_http11},
      std::string(kDeploymentIdAnnotation),
      std::string(current.is_knative() ? kRecordOnConfiguration : kRecordId),
      {current.resource},
      {current.object}};
  if (current.is_knative()) {
    step.annotations = json::Obj({{kRegisteredAtAnnotation, TimeText(seen.now)}});
  } else if (current.front) {
    step.record_resources.push_back(kube::kServices);
    step.record_on.push_back(current.front);
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
  return {Reason::kNotLatest,
          absl::StrCat(registered, ", but Restate does not send new work there yet (see GET ",
                       seen.endpoint->ToString(), "/services); it is registered again within a minute")};
}

}  // namespace restate::deployment
