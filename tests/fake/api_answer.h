// Answers of the fake API server, and the refusals in the words of a real one.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "restate/json/value.h"
#include "restate/kube/resource.h"

namespace restate::fake {

struct Answer {
  int code = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
};

// A refusal. Thrown where it is found and turned into an Answer at one place (FakeApi): it never leaves this library.
struct Refusal {
  int code = 500;
  std::string reason, message;
  json::Value details;
};

struct Cause {
  std::string reason, message, field;
};

Answer AnswerOf(const json::Value& body, int code = 200);
json::Value StatusObject(const Refusal& refusal);
Answer AnswerOf(const Refusal& refusal);

// What a refusal names: "replicasets.apps", and the kind in causes of a validation.
struct Subject {
  std::string group, kind, plural, name;
};

Refusal NotFound(const Subject& subject);
Refusal UnknownResource();
Refusal AlreadyExists(const Subject& subject);
Refusal Conflict(const Subject& subject, std::string_view why);
Refusal Modified(const Subject& subject);  // the resourceVersion did not match
Refusal BadRequest(std::string_view message);
Refusal Invalid(const Subject& subject, const std::vector<Cause>& causes);
Refusal Expired(std::string_view message);
Refusal ServerError(std::string_view message);
Refusal Terminating(const Subject& subject, std::string_view ns);

}  // namespace restate::fake
