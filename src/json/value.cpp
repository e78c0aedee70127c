#include "restate/json/value.h"

#include <limits>

namespace restate::json {

Value::Value(std::uint64_t u) {
  if (u <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    v_ = static_cast<std::int64_t>(u);
  } else {
    v_ = u;
  }
}

bool Value::is_number() const { return get<std::int64_t>() || get<std::uint64_t>() || get<double>(); }

const Value* Value::Find(std::string_view key) const {
  const Object* members = object();
  if (!members) return nullptr;
  const auto it = members->find(key);
  return it == members->end() ? nullptr : &it->second;
}

const Value* Value::FindPath(std::initializer_list<std::string_view> keys) const {
  const Value* at = this;
  for (const auto key : keys) {
    at = at->Find(key);
    if (!at) return nullptr;
  }
  return at;
}

std::string_view Value::StringAt(std::initializer_list<std::string_view> keys, std::string_view fallback) const {
  const Value* at = FindPath(keys);
  const auto* text = at ? at->get<std::string>() : nullptr;
  return text ? std::string_view(*text) : fallback;
}

std::int64_t Value::IntAt(std::initializer_list<std::string_view> keys, std::int64_t fallback) const {
  const Value* at = FindPath(keys);
  const auto* number = at ? at->get<std::int64_t>() : nullptr;
  return number ? *number : fallback;
}

bool Value::BoolAt(std::initializer_list<std::string_view> keys, bool fallback) const {
  const Value* at = FindPath(keys);
  const auto* flag = at ? at->get<bool>() : nullptr;
  return flag ? *flag : fallback;
}

Value& Value::operator[](std::string_view key) {
  if (!is_object()) v_ = Object();
  Object& members = *object();
  const auto it = members.find(key);
  if (it != members.end()) return it->second;
  return members.emplace(std::string(key), Value()).first->second;
}

void Value::Erase(std::string_view key) {
  Object* members = object();
  if (!members) return;
  const auto it = members->find(key);
  if (it != members->end()) members->erase(it);
}

Value Obj(std::initializer_list<std::pair<std::string_view, Value>> members) {
  Object object;
  for (const auto& [key, value] : members) {
    if (!value.is_null()) object.emplace(std::string(key), value);
  }
  return Value(std::move(object));
}

Value Arr(std::initializer_list<Value> items) { return Value(Array(items)); }

Value FromMap(const std::map<std::string, std::string>& map) {
  Object object;
  for (const auto& [key, text] : map) object.emplace(key, text);
  return Value(std::move(object));
}

std::map<std::string, std::string> ToMap(const Value* value) {
  std::map<std::string, std::string> map;
  if (const Object* members = value ? value->object() : nullptr) {
    for (const auto& [key, member] : *members) {
      if (const auto* text = member.get<std::string>()) map.emplace(key, *text);
    }
  }
  return map;
}

}  // namespace restate::json
