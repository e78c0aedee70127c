#include "answer.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "quote.h"
#include "restate/base/error.h"
#include "restate/json/text.h"
#include "restate/json/value.h"

namespace restate::admin {
namespace {

constexpr std::size_t kMaxId = 128;

std::string MediaTypeOf(const kube::HttpResponse& response) {
  std::string type = response.content_type.substr(0, response.content_type.find(';'));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::tolower(c); });
  return type;
}

// The content type of a server that may be anybody's: itself text that somebody chose.
std::string NamedType(const kube::HttpResponse& response) {
  const auto type = MediaTypeOf(response);
  const bool plain = !type.empty() && type.size() <= 64 && std::all_of(type.begin(), type.end(), [](unsigned char c) {
    return std::isalnum(c) || std::string_view("/.+-_").find(static_cast<char>(c)) != std::string_view::npos;
  });
  return plain ? type : "no content type";
}

struct RestateError {
  std::string message, code;
};

// {"message": text, "restate_code": text or null}, of /query {"message": text}. Anything with another member is no Restate.
std::optional<RestateError> RestateErrorOf(const kube::HttpResponse& response) {
  if (!IsJson(response)) return std::nullopt;
  const auto body = json::Parse(response.body);
  if (!body.ok()) return std::nullopt;
  const auto* message = body->Find("message");
  if (!message || !message->is_string()) return std::nullopt;
  const auto* code = body->Find("restate_code");
  if (code && !code->is_string() && !code->is_null()) return std::nullopt;
  if (body->object()->size() != (code ? 2u : 1u)) return std::nullopt;
  return RestateError{std::string(body->StringAt({"message"})), std::string(body->StringAt({"restate_code"}))};
}

}  // namespace

bool IsJson(const kube::HttpResponse& response) { return MediaTypeOf(response) == "application/json"; }

absl::Status CheckCode(const kube::HttpResponse& response, std::string_view call) {
  if (response.status >= 200 && response.status < 300) return absl::OkStatus();
  std::string message = std::string(call) + " answered " + std::to_string(response.status);
  if (const auto error = RestateErrorOf(response)) {
    if (!error->code.empty()) message += " " + Quotable(error->code).substr(0, 16);
    message += ": " + Quotable(error->message);
  } else {
    message += " (" + NamedType(response) + ", " + std::to_string(response.body.size()) + " bytes)";
    if (response.status >= 300 && response.status < 400) message += ": redirects are not followed, name the admin API itself";
  }
  auto status = MakeError(Reason::kAdminCallRejected, message);
  return response.retry_after ? WithRetryAfter(std::move(status), *response.retry_after) : status;
}

bool IsRestateNotFound(const kube::HttpResponse& response) {
  return response.status == 404 && RestateErrorOf(response).has_value();
}

bool IsDeploymentId(std::string_view text) {
  return !text.empty() && text.size() <= kMaxId && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c < 0x80 && std::isalnum(c)) || c == '_' || c == '-';
  });
}

absl::StatusOr<Registration> ParseRegistration(std::string_view body) {
  const auto failed = [](std::string_view what) {
    return MakeError(Reason::kAdminCallFailed, "the answer to the registration " + std::string(what));
  };
  const auto answer = json::Parse(body);
  if (!answer.ok()) return failed("is no JSON, or cut short");
  Registration registration{.id = std::string(answer->StringAt({"id"})), .services = {}};
  if (!IsDeploymentId(registration.id)) return failed("carries no deployment id");
  const auto* services = answer->Find("services");
  if (!services) return registration;
  if (!services->array()) return failed("has a `services` that is no list");
  for (const auto& service : *services->array()) {
    const auto name = service.StringAt({"name"});
    if (name.empty()) return failed("has a service without a name");
    registration.services.emplace_back(name);
  }
  return registration;
}

}  // namespace restate::admin
