#include "fake/api_answer.h"

#include "restate/json/text.h"

namespace restate::fake {

using json::Obj;
using json::Value;

namespace {

std::string Dotted(std::string_view name, std::string_view group) {
  return group.empty() ? std::string(name) : std::string(name) + "." + std::string(group);
}

Value DetailsOf(const Subject& subject, std::string_view kind) {
  Value details = Obj({{"kind", kind}});
  if (!subject.name.empty()) details["name"] = subject.name;
  if (!subject.group.empty()) details["group"] = subject.group;
  return details;
}

Value CausesOf(const std::vector<Cause>& causes) {
  json::Array list;
  for (const Cause& cause : causes) {
    list.push_back(Obj({{"reason", cause.reason}, {"message", cause.message}, {"field", cause.field}}));
  }
  return list;
}

std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

}  // namespace

Answer AnswerOf(const Value& body, int code) { return {code, json::Dump(body) + "\n", "application/json", {}}; }

Value StatusObject(const Refusal& refusal) {
  Value status = Obj({{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", json::Object()}, {"status", "Failure"},
                      {"message", refusal.message}, {"details", refusal.details}, {"code", refusal.code}});
  if (!refusal.reason.empty()) status["reason"] = refusal.reason;
  return status;
}

Answer AnswerOf(const Refusal& refusal) { return AnswerOf(StatusObject(refusal), refusal.code); }

Refusal NotFound(const Subject& subject) {
  return {404, "NotFound", Dotted(subject.plural, subject.group) + " " + Quoted(subject.name) + " not found",
          DetailsOf(subject, subject.plural)};
}

Refusal UnknownResource() {
  return {404, "NotFound", "the server could not find the requested resource", json::Object()};
}

Refusal AlreadyExists(const Subject& subject) {
  return {409, "AlreadyExists", Dotted(subject.plural, subject.group) + " " + Quoted(subject.name) + " already exists",
          DetailsOf(subject, subject.plural)};
}

Refusal Conflict(const Subject& subject, std::string_view why) {
  return {409, "Conflict",
          "Operation cannot be fulfilled on " + Dotted(subject.plural, subject.group) + " " + Quoted(subject.name) +
              ": " + std::string(why),
          DetailsOf(subject, subject.plural)};
}

Refusal Modified(const Subject& subject) {
  return Conflict(subject,
                  "the object has been modified; please apply your changes to the latest version and try again");
}

Refusal BadRequest(std::string_view message) { return {400, "BadRequest", std::string(message), {}}; }

Refusal Invalid(const Subject& subject, const std::vector<Cause>& causes) {
  std::string list;
  for (const Cause& cause : causes) {
    if (!list.empty()) list += ", ";
    list += cause.field + ": " + cause.message;
  }
  if (causes.size() > 1) list = "[" + list + "]";
  Value details = DetailsOf(subject, subject.kind);
  details["causes"] = CausesOf(causes);
  return {422, "Invalid", Dotted(subject.kind, subject.group) + " " + Quoted(subject.name) + " is invalid: " + list,
          details};
}

Refusal Expired(std::string_view message) { return {410, "Expired", std::string(message), {}}; }

Refusal ServerError(std::string_view message) { return {500, "", std::string(message), {}}; }

Refusal Terminating(const Subject& subject, std::string_view ns) {
  Value details = DetailsOf(subject, subject.plural);
  details["causes"] = CausesOf({{"NamespaceTerminating", "namespace " + std::string(ns) + " is being terminated",
                                 "metadata.namespace"}});
  return {403, "Forbidden",
          Dotted(subject.plural, subject.group) + " " + Quoted(subject.name) +
              " is forbidden: unable to create new content in namespace " + std::string(ns) +
              " because it is being terminated",
          details};
}

}  // namespace restate::fake
