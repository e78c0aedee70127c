// Reading and writing the structs of field.h as JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "restate/base/error.h"
#include "restate/json/value.h"
#include "restate/schema/field.h"

namespace restate::schema {

// Where in a document a value stands. A chain on the stack: its text is made only for an error.
class Path {
 public:
  explicit Path(std::string_view root) : name_(root) {}
  Path(const Path& parent, std::string_view name) : parent_(&parent), name_(name) {}
  Path(const Path& parent, std::size_t index) : parent_(&parent), index_(index) {}
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

  std::string ToString() const;  // spec.template.spec, items[2].name, labels["a.b/c"]

 private:
  const Path* parent_ = nullptr;
  std::string_view name_;
  std::optional<std::size_t> index_;
};

// kInvalidSpec "<path>: <what>".
absl::Status Invalid(const Path& path, std::string_view what);
// Checks Table::OneOf(). `members` is the object that holds them.
absl::Status CheckOneOf(const json::Object& members, const Alternatives& names, const Path& path);

absl::Status Read(const json::Value& value, bool& out, const Path& path, const Attributes& attributes);
absl::Status Read(const json::Value& value, std::int32_t& out, const Path& path, const Attributes& attributes);
absl::Status Read(const json::Value& value, std::int64_t& out, const Path& path, const Attributes& attributes);
absl::Status Read(const json::Value& value, std::string& out, const Path& path, const Attributes& attributes);
absl::Status Read(const json::Value& value, absl::Time& out, const Path& path, const Attributes& attributes);
absl::Status Read(const json::Value& value, json::Value& out, const Path& path, const Attributes& attributes);
absl::Status ReadEnum(const json::Value& value, const std::string_view* names, std::size_t count, std::size_t& out,
                      const Path& path);

template <Named E>
absl::Status Read(const json::Value& value, E& out, const Path& path, const Attributes& attributes);
template <class T>
absl::Status Read(const json::Value& value, std::optional<T>& out, const Path& path, const Attributes& attributes);
template <class T>
absl::Status Read(const json::Value& value, std::vector<T>& out, const Path& path, const Attributes& attributes);
template <class T>
absl::Status Read(const json::Value& value, std::map<std::string, T>& out, const Path& path,
                  const Attributes& attributes);
template <Described C>
absl::Status Read(const json::Value& value, C& out, const Path& path, const Attributes& attributes);

// The struct in `value`; `path` is where that stands, for messages ("" for a whole object, "spec" for its spec).
// Members that have no line are ignored, and null is the same as missing. Types, enums, Min, Max and OneOf are checked;
// patterns, lengths and CEL rules are left to the API server. Errors are kInvalidSpec:
// "spec.restate.register.service.port: expected an integer".
template <class T>
absl::StatusOr<T> Decode(const json::Value& value, std::string_view path) {
  T out{};
  if (absl::Status status = Read(value, out, Path(path), {}); !status.ok()) return status;
  return out;
}

// The JSON of a value. Absent optionals leave no member behind.
inline json::Value Encode(bool value) { return value; }
inline json::Value Encode(std::int32_t value) { return std::int64_t{value}; }
inline json::Value Encode(std::int64_t value) { return value; }
inline json::Value Encode(const std::string& value) { return value; }
inline json::Value Encode(const json::Value& value) { return value; }
json::Value Encode(absl::Time value);  // RFC 3339 in UTC, whole seconds, as Kubernetes writes it
template <Named E>
json::Value Encode(E value) {
  return NameOf(value);
}
template <class T>
json::Value Encode(const std::optional<T>& value);
template <class T>
json::Value Encode(const std::vector<T>& items);
template <class T>
json::Value Encode(const std::map<std::string, T>& members);
template <Described C>
json::Value Encode(const C& object);

template <Named E>
absl::Status Read(const json::Value& value, E& out, const Path& path, const Attributes&) {
  constexpr auto entries = Names(Of<E>{});
  std::array<std::string_view, entries.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = entries[i].name;
  std::size_t index = 0;
  RETURN_IF_ERROR(ReadEnum(value, names.data(), names.size(), index, path));
  out = entries[index].value;
  return absl::OkStatus();
}

template <class T>
absl::Status Read(const json::Value& value, std::optional<T>& out, const Path& path, const Attributes& attributes) {
  return Read(value, out.emplace(), path, attributes);
}

template <class T>
absl::Status Read(const json::Value& value, std::vector<T>& out, const Path& path, const Attributes& attributes) {
  const json::Array* items = value.array();
  if (!items) return Invalid(path, "expected a list");
  out.resize(items->size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    RETURN_IF_ERROR(Read((*items)[i], out[i], Path(path, i), attributes));
  }
  return absl::OkStatus();
}

template <class T>
absl::Status Read(const json::Value& value, std::map<std::string, T>& out, const Path& path,
                  const Attributes& attributes) {
  const json::Object* members = value.object();
  if (!members) return Invalid(path, "expected a map");
  for (const auto& [key, member] : *members) RETURN_IF_ERROR(Read(member, out[key], Path(path, key), attributes));
  return absl::OkStatus();
}

template <class C, class M>
absl::Status ReadMember(const json::Object& members, const Line<C, M>& line, C& out, const Path& parent) {
  const Path path(parent, line.attributes.name);
  const auto found = members.find(line.attributes.name);
  if (found != members.end() && !found->second.is_null()) {
    return Read(found->second, out.*line.member, path, line.attributes);
  }
  if (kIsOptional<M> || line.attributes.has_default) return absl::OkStatus();
  return Invalid(path, "is required");
}

template <Described C>
absl::Status Read(const json::Value& value, C& out, const Path& path, const Attributes&) {
  const json::Object* members = value.object();
  if (!members) return Invalid(path, "expected an object");
  absl::Status status;
  const auto read = [&](const auto& line) {
    status = ReadMember(*members, line, out, path);
    return status.ok();
  };
  std::apply([&](const auto&... line) { return (read(line) && ...); }, kTable<C>.lines);
  RETURN_IF_ERROR(status);
  return CheckOneOf(*members, kTable<C>.one_of, path);
}

template <class T>
json::Value Encode(const std::optional<T>& value) {
  return value ? Encode(*value) : json::Value();
}

template <class T>
json::Value Encode(const std::vector<T>& items) {
  json::Array array;
  array.reserve(items.size());
  for (const T& item : items) array.push_back(Encode(item));
  return array;
}

template <class T>
json::Value Encode(const std::map<std::string, T>& members) {
  json::Object object;
  for (const auto& [key, value] : members) object.emplace(key, Encode(value));
  return object;
}

template <Described C>
json::Value Encode(const C& object) {
  json::Object members;
  const auto write = [&](const auto& line) {
    json::Value value = Encode(object.*line.member);
    if (!value.is_null()) members.emplace(line.attributes.name, std::move(value));
  };
  std::apply([&](const auto&... line) { (write(line), ...); }, kTable<C>.lines);
  return members;
}

}  // namespace restate::schema
