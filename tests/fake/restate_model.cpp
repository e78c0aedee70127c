#include "fake/restate_model.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "restate/base/digest.h"
#include "restate/json/text.h"
#include "restate/json/value.h"

namespace restate::fake {
namespace {

// "greeter.shop" of "http://greeter-5d4f8c.shop.svc.cluster.local:9080/".
std::string ServiceNamedAfter(std::string_view uri) {
  const auto scheme = uri.find("://");
  if (scheme != std::string_view::npos) uri.remove_prefix(scheme + 3);
  const auto host = uri.substr(0, uri.find_first_of(":/"));
  const auto dot = host.find('.');
  const auto label = host.substr(0, dot);
  std::string name(label.substr(0, label.rfind('-')));
  if (dot == std::string_view::npos) return name;
  const auto rest = host.substr(dot + 1);
  return name.append(".").append(rest.substr(0, rest.find('.')));
}

std::string Quoted(const std::string& text) { return json::Dump(json::Value(text)); }

void AddRow(std::string& rows, std::string_view kind, const std::string& id, const std::string& detail, std::int64_t n,
            std::optional<absl::Time> oldest = std::nullopt) {
  rows.append(rows.empty() ? "{\"kind\":\"" : ",{\"kind\":\"").append(kind);
  rows.append("\",\"id\":").append(Quoted(id)).append(",\"detail\":").append(Quoted(detail));
  rows.append(",\"n\":").append(std::to_string(n));
  if (oldest) {
    rows.append(",\"oldest\":\"")
        .append(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", *oldest, absl::UTCTimeZone()))
        .append("\"");
  }
  rows += '}';
}

}  // namespace

// Only the root's slash means nothing to Restate: http://h:1/base and http://h:1/base/ are two deployments.
std::string RestateModel::Normalized(std::string_view uri) {
  std::string text(uri);
  const auto scheme = text.find("://");
  const auto slash = text.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  if (slash == std::string::npos) text += '/';
  return text;
}

void RestateModel::Advertise(std::string_view uri, std::vector<std::string> services) {
  advertised_[Normalized(uri)] = std::move(services);
}

void RestateModel::Unreachable(std::string_view uri) { advertised_[Normalized(uri)] = std::nullopt; }

std::optional<std::vector<std::string>> RestateModel::Discover(const std::string& uri) const {
  const auto found = advertised_.find(uri);
  if (found != advertised_.end()) return found->second;
  return std::vector{ServiceNamedAfter(uri)};
}

std::string RestateModel::IdOf(std::string_view uri) const {
  const auto id = "dp_" + Sha256Hex(Normalized(uri)).substr(0, 23);
  return deployments_.contains(id) ? id : "";
}

std::optional<RestateModel::Registered> RestateModel::Register(std::string_view text, bool force) {
  const auto uri = Normalized(text);
  const auto id = "dp_" + Sha256Hex(uri).substr(0, 23);
  const bool known = deployments_.contains(id);
  if (known && !force) return Registered{.code = 200, .id = id};
  const auto services = Discover(uri);
  if (!services) return std::nullopt;
  auto& deployment = deployments_[id];
  for (const auto& [service, revision] : deployment.revisions) revisions_[service].erase(revision);
  deployment = {.id = id, .uri = uri, .revisions = {}};
  for (const auto& service : *services) {
    const int revision = ++highest_[service];
    deployment.revisions[service] = revision;
    revisions_[service][revision] = id;
  }
  return Registered{.code = known ? 200 : 201, .id = id};
}

bool RestateModel::Forget(std::string_view text) {
  const auto found = deployments_.find(std::string(text));
  if (found == deployments_.end()) return false;
  for (const auto& [service, revision] : found->second.revisions) {
    auto& revisions = revisions_[service];
    revisions.erase(revision);
    if (!revisions.empty()) continue;
    revisions_.erase(service);
    highest_.erase(service);  // revisions start at 1 again
  }
  deployments_.erase(found);
  return true;
}

std::map<std::string, std::string> RestateModel::Latest() const {
  std::map<std::string, std::string> latest;
  for (const auto& [service, revisions] : revisions_) {
    if (!revisions.empty()) latest[service] = revisions.rbegin()->second;
  }
  return latest;
}

int RestateModel::InUse(std::string_view id) const {
  return static_cast<int>(std::count_if(invocations_.begin(), invocations_.end(), [&](const auto& item) {
    const auto& invocation = item.second;
    return invocation.status != "completed" && (invocation.pin == id || invocation.attempt == id);
  }));
}

std::string RestateModel::UsageRows(bool count_unpinned) const {
  std::string rows;
  for (const auto& [id, deployment] : deployments_) AddRow(rows, "deployment", id, deployment.uri, 0);
  for (const auto& [service, id] : Latest()) AddRow(rows, "latest", id, service, 0);
  AddUses(rows, count_unpinned);
  return "{\"rows\":[" + rows + "]}";
}

std::string RestateModel::ActiveRows() const {
  std::set<std::string> active;
  for (const auto& [service, id] : Latest()) active.insert(id);
  std::string rows;
  for (const auto& [id, deployment] : deployments_) {
    const bool used = active.contains(id) || InUse(id) > 0;
    rows +=
        absl::StrCat(rows.empty() ? "" : ",", R"({"deployment_id":")", id, R"(","active":)", used ? "true}" : "false}");
  }
  return "{\"rows\":[" + rows + "]}";
}

void RestateModel::AddUses(std::string& rows, bool count_unpinned) const {
  struct Pinned {
    std::int64_t n = 0;
    absl::Time oldest = absl::InfiniteFuture();
  };
  std::map<std::pair<std::string, std::string>, Pinned> pinned;  // by id and status
  std::map<std::string, std::int64_t> attempts, unpinned;
  for (const auto& [name, invocation] : invocations_) {
    if (invocation.status == "completed") continue;
    if (!invocation.attempt.empty()) ++attempts[invocation.attempt];
    if (invocation.pin.empty()) {
      ++unpinned[invocation.service];
      continue;
    }
    auto& group = pinned[{invocation.pin, invocation.status}];
    ++group.n;
    group.oldest = std::min(group.oldest, invocation.created);
  }
  for (const auto& [group, use] : pinned) AddRow(rows, "pinned", group.first, group.second, use.n, use.oldest);
  for (const auto& [id, n] : attempts) AddRow(rows, "attempt", id, "", n);
  if (!count_unpinned) return;
  for (const auto& [service, n] : unpinned) AddRow(rows, "unpinned", service, "", n);
}

}  // namespace restate::fake
