// Errors that the API server answers with.
#include <algorithm>

#include "restate/base/error.h"
#include "restate/json/text.h"
#include "restate/kube/client.h"
#include "utf8.h"

namespace restate::kube {
namespace {

constexpr char kApiErrorPayload[] = "restate.dev/api-error";
constexpr std::size_t kMessageLimit = 8 * 1024;  // a 422 may quote the whole object; conditions take 32 KiB
constexpr std::size_t kForeignBodyLimit = 200;   // of an answer that is no Status: a proxy's page

const json::Array& CausesOf(const json::Value& status_object) {
  static const json::Array none;
  const json::Value* causes = status_object.FindPath({"details", "causes"});
  return causes != nullptr && causes->is_array() ? *causes->array() : none;
}

// A refused JSON patch comes back as 422 without causes: its `test` failed, or its path is gone. An apply to another
// incarnation of the object is told that its uid cannot change. Both mean that our view is stale (client-rules F2, A8).
bool IsStaleView(const json::Value& status_object) {
  const json::Array& causes = CausesOf(status_object);
  if (!causes.empty()) {
    return std::all_of(causes.begin(), causes.end(),
                       [](const json::Value& cause) { return cause.StringAt({"field"}) == "metadata.uid"; });
  }
  const std::string_view message = status_object.StringAt({"message"});
  return message.find("error in our request") != std::string_view::npos ||
         message.find("test failed") != std::string_view::npos || message.find("testing ") != std::string_view::npos;
}

// What an apply wants has a wrong type somewhere, or a list names a key twice. The server answers 500, but no outage
// ends.
bool IsUnreadable(const json::Value& status_object) {
  return status_object.StringAt({"message"}).find("failed to create typed patch object") != std::string_view::npos;
}

Reason ReasonFor(int code, const json::Value& status_object) {
  switch (code) {
    case 401:
    case 403: return Reason::kApiForbidden;
    case 404: return Reason::kApiNotFound;
    case 409:
    case 410: return Reason::kApiConflict;
    case 408:
    case 429: return Reason::kApiUnavailable;
    case 422: return IsStaleView(status_object) ? Reason::kApiConflict : Reason::kApiRejected;
    case 500: return IsUnreadable(status_object) ? Reason::kApiRejected : Reason::kApiUnavailable;
    default: return code >= 500 ? Reason::kApiUnavailable : Reason::kApiRejected;
  }
}

ApiError ReadStatusObject(int code, const json::Value& status_object) {
  ApiError error{code, std::string(status_object.StringAt({"reason"})),
                 std::string(status_object.StringAt({"message"}))};
  for (const json::Value& cause : CausesOf(status_object)) {
    if (cause.StringAt({"reason"}) == "NamespaceTerminating") error.reason = "NamespaceTerminating";
  }
  return error;
}

absl::Status Make(Reason reason, ApiError error, std::optional<absl::Duration> retry_after, std::string_view what) {
  error.message = CutUtf8(error.message, kMessageLimit);
  std::string text(what);
  text += ": ";
  text += error.message.empty() ? "HTTP status " + std::to_string(error.code) : error.message;
  absl::Status status = MakeError(reason, text);
  const json::Value payload = json::Obj({{"code", error.code}, {"reason", error.reason}, {"message", error.message}});
  status.SetPayload(kApiErrorPayload, absl::Cord(json::Dump(payload)));
  return retry_after ? WithRetryAfter(std::move(status), *retry_after) : status;
}

std::optional<absl::Duration> RetryAfterIn(const json::Value& status_object) {
  const std::int64_t seconds = status_object.IntAt({"details", "retryAfterSeconds"});
  if (seconds <= 0) return std::nullopt;
  return std::min(absl::Seconds(seconds), absl::Hours(1));
}

bool IsRedirect(int code) { return code >= 300 && code < 400; }

}  // namespace

std::optional<ApiError> ApiErrorOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kApiErrorPayload);
  if (!payload) return std::nullopt;
  const auto value = json::Parse(std::string(*payload));
  if (!value.ok()) return std::nullopt;
  return ApiError{static_cast<int>(value->IntAt({"code"})), std::string(value->StringAt({"reason"})),
                  std::string(value->StringAt({"message"}))};
}

bool IsNotFoundCheck::operator()(const absl::Status& status) const { return ReasonOf(status) == Reason::kApiNotFound; }

bool IsAlreadyExistsCheck::operator()(const absl::Status& status) const {
  const auto error = ApiErrorOf(status);
  return error && error->code == 409 && error->reason == "AlreadyExists";
}

bool IsConflict(const absl::Status& status) {
  const auto error = ApiErrorOf(status);
  return error && ReasonOf(status) == Reason::kApiConflict && error->code != 410 && !IsAlreadyExists(status);
}

absl::Status ErrorOf(const HttpResponse& response, std::string_view what) {
  const auto body = json::Parse(response.body);
  if (body.ok() && body->StringAt({"kind"}) == "Status") {
    auto retry_after = response.retry_after ? response.retry_after : RetryAfterIn(*body);
    return Make(ReasonFor(response.status, *body), ReadStatusObject(response.status, *body), retry_after, what);
  }
  ApiError error{response.status, "", "HTTP status " + std::to_string(response.status)};
  if (IsRedirect(response.status))
    error.message += ": a redirect, which is not followed; is this the API server's address?";
  // Not the API server's own words; only text, since this goes into logs and conditions.
  std::string said = response.body.substr(0, kForeignBodyLimit);
  std::replace_if(
      said.begin(), said.end(), [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, ' ');
  if (!said.empty() && response.content_type.starts_with("text/plain")) error.message += ": " + said;
  return Make(ReasonFor(response.status, json::Value()), std::move(error), response.retry_after, what);
}

absl::Status ErrorOfStatusObject(const json::Value& status_object, std::string_view what) {
  const int code = static_cast<int>(status_object.IntAt({"code"}, 500));
  return Make(ReasonFor(code, status_object), ReadStatusObject(code, status_object), RetryAfterIn(status_object), what);
}

}  // namespace restate::kube
