#include "restate/admin/look.h"

#include <array>
#include <utility>

#include "restate/base/error.h"
#include "restate/json/text.h"
#include "restate/json/value.h"

namespace restate::admin {
namespace {

using json::Value;

absl::Status Unexpected(std::string_view what) {
  return MakeError(Reason::kAdminCallFailed, "the answer to the usage query is not what was asked for: " + std::string(what));
}

// One row of the answer. Columns that are NULL are left out by the server.
struct Row {
  std::string kind;
  std::string id;
  std::string detail;
  std::int64_t n = 0;
  std::optional<absl::Time> oldest;
};

absl::StatusOr<absl::Time> TimeOf(const std::string& text) {
  absl::Time time;
  std::string why;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &why)) return Unexpected("column `oldest` is no time");
  return time;
}

absl::StatusOr<Row> RowOf(const Value& value) {
  const auto* columns = value.object();
  if (!columns) return Unexpected("a row is no object");
  Row row;
  std::size_t known = 0;
  for (const auto& [name, target] : {std::pair{"kind", &row.kind}, {"id", &row.id}, {"detail", &row.detail}}) {
    const auto* column = value.Find(name);
    const auto* text = column ? column->get<std::string>() : nullptr;
    if (!text) return Unexpected("a row lacks the text column `" + std::string(name) + "`");
    *target = *text;
    ++known;
  }
  const auto* n = value.Find("n");
  const auto* count = n ? n->get<std::int64_t>() : nullptr;
  if (!count || *count < 0) return Unexpected("a row lacks the count column `n`");
  row.n = *count;
  ++known;
  if (const auto* oldest = value.Find("oldest")) {
    const auto* text = oldest->get<std::string>();
    if (!text) return Unexpected("column `oldest` is no text");
    const auto time = TimeOf(*text);
    if (!time.ok()) return time.status();
    row.oldest = *time;
    ++known;
  }
  if (columns->size() != known) return Unexpected("a row has a column too many");
  if (row.id.empty()) return Unexpected("a row has an empty `id`");
  return row;
}

// Collects rows into a Look. Each kind of row has one reader; what the SQL groups by cannot occur twice.
class LookReader {
 public:
  explicit LookReader(Look& look) : look_(look) {}

  absl::Status Read(const Row& row) {
    if (row.kind == "deployment") return ReadDeployment(row);
    if (row.kind == "latest") return ReadLatest(row);
    if (row.kind == "pinned") return ReadPinned(row);
    if (row.kind == "attempt") return ReadAttempt(row);
    if (row.kind == "unpinned" && look_.counts_unpinned) return ReadUnpinned(row);
    return Unexpected("a row is of an unknown kind");
  }

  // Rows come in any order: work without a pin is attributed when every service is known. Work of a service that nobody
  // serves any more is held up by no deployment.
  void AttributeUnpinned() {
    for (const auto& [service, n] : unpinned_) {
      const auto latest = look_.latest.find(service);
      if (latest != look_.latest.end()) look_.deployments[latest->second].unpinned += n;
    }
  }

 private:
  absl::Status ReadDeployment(const Row& row) {
    auto& use = look_.deployments[row.id];
    if (row.detail.empty()) return Unexpected("a deployment has no endpoint");
    if (!use.uri.empty()) return Unexpected("a deployment occurs twice");
    use.uri = row.detail;
    return absl::OkStatus();
  }
  absl::Status ReadLatest(const Row& row) {
    if (!look_.latest.emplace(row.detail, row.id).second) return Unexpected("a service occurs twice");
    look_.deployments[row.id].latest = true;
    return absl::OkStatus();
  }
  absl::Status ReadPinned(const Row& row) {
    auto& use = look_.deployments[row.id];
    if (!row.oldest) return Unexpected("pinned invocations have no `oldest`");
    if (!use.pinned.emplace(row.detail, row.n).second) return Unexpected("a status of pinned invocations occurs twice");
    if (!use.oldest || *row.oldest < *use.oldest) use.oldest = row.oldest;
    return absl::OkStatus();
  }
  absl::Status ReadAttempt(const Row& row) {
    if (!attempts_.emplace(row.id, row.n).second) return Unexpected("the attempts of a deployment occur twice");
    look_.deployments[row.id].attempts = row.n;
    return absl::OkStatus();
  }
  absl::Status ReadUnpinned(const Row& row) {
    if (!unpinned_.emplace(row.id, row.n).second) return Unexpected("the unpinned work of a service occurs twice");
    return absl::OkStatus();
  }

  Look& look_;
  std::map<std::string, std::int64_t> attempts_;  // by deployment id
  std::map<std::string, std::int64_t> unpinned_;  // by service name
};

}  // namespace

std::int64_t DeploymentUse::PinnedTotal() const {
  std::int64_t total = 0;
  for (const auto& [status, n] : pinned) total += n;
  return total;
}

// Each SELECT yields the columns kind, id, detail, n, oldest. A new attempt has no deployment for an instant (5 of 30,000
// rows under load, server 1.7.12): it is about to go to the latest one, so nothing that may be removed is missed.
std::string UsageSql(bool count_unpinned) {
  std::string sql =
      "SELECT 'deployment' AS kind, id AS id, endpoint AS detail, 0 AS n, NULL AS oldest FROM sys_deployment"
      " UNION ALL SELECT 'latest', deployment_id, name, 0, NULL FROM sys_service WHERE deployment_id IS NOT NULL"
      " UNION ALL SELECT 'pinned', pinned_deployment_id, status, count(*), min(created_at) FROM sys_invocation_status"
      " WHERE pinned_deployment_id IS NOT NULL AND status != 'completed' GROUP BY pinned_deployment_id, status"
      " UNION ALL SELECT 'attempt', last_attempt_deployment_id, '', count(*), NULL FROM sys_invocation_state"
      " WHERE in_flight AND last_attempt_deployment_id IS NOT NULL GROUP BY last_attempt_deployment_id";
  if (count_unpinned) {
    sql +=
        " UNION ALL SELECT 'unpinned', target_service_name, '', count(*), NULL FROM sys_invocation_status"
        " WHERE pinned_deployment_id IS NULL AND status != 'completed' GROUP BY target_service_name";
  }
  return sql;
}

absl::StatusOr<Look> ParseLook(std::string_view json, bool counts_unpinned, Clock::TimePoint started) {
  const auto answer = json::Parse(json);
  if (!answer.ok()) return Unexpected("no JSON, or cut short");
  const auto* members = answer->object();
  const auto* rows = answer->Find("rows");
  if (!rows || !rows->array() || members->size() != 1) return Unexpected("not exactly one member `rows`");
  Look look{.started = started, .counts_unpinned = counts_unpinned, .deployments = {}, .latest = {}};
  LookReader reader(look);
  for (const auto& value : *rows->array()) {
    const auto row = RowOf(value);
    if (!row.ok()) return row.status();
    RETURN_IF_ERROR(reader.Read(*row));
  }
  reader.AttributeUnpinned();
  return look;
}

}  // namespace restate::admin
