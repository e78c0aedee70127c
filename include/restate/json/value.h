// Value: the one JSON value. Its literals read like the YAML they become:
//   Obj({{"kind", "Service"}, {"metadata", Obj({{"name", name}, {"annotations", maybe}})}})
// An absent std::optional and nullptr vanish from an Obj literal, so builders need no `if`.
//
// Objects keep their keys sorted by code point: two equal values have equal text. Not thread safe; share it as const.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace restate::json {

class Value;
using Array = std::vector<Value>;
using Object = std::map<std::string, Value, std::less<>>;

class Value {
 public:
  Value() = default;  // null
  Value(std::nullptr_t) {}
  Value(bool b) : v_(b) {}
  Value(int i) : v_(std::int64_t{i}) {}
  Value(std::int64_t i) : v_(i) {}
  Value(std::uint64_t u);  // held as int64 where it fits
  Value(double d) : v_(d) {}
  Value(const char* s) : v_(std::string(s)) {}
  Value(std::string s) : v_(std::move(s)) {}
  Value(std::string_view s) : v_(std::string(s)) {}
  Value(Array a) : v_(std::move(a)) {}
  Value(Object o) : v_(std::move(o)) {}
  template <class T>
  Value(const std::optional<T>& o) {
    if (o) *this = Value(*o);
  }

  bool is_null() const { return std::holds_alternative<std::monostate>(v_); }
  bool is_object() const { return std::holds_alternative<Object>(v_); }
  bool is_array() const { return std::holds_alternative<Array>(v_); }
  bool is_string() const { return std::holds_alternative<std::string>(v_); }
  bool is_number() const;

  // The content when it is of that type, else nullptr.
  template <class T>
  const T* get() const { return std::get_if<T>(&v_); }
  template <class T>
  T* get() { return std::get_if<T>(&v_); }
  const Object* object() const { return get<Object>(); }
  Object* object() { return get<Object>(); }
  const Array* array() const { return get<Array>(); }
  Array* array() { return get<Array>(); }

  // The member, or nullptr when this is no object or has no such key.
  const Value* Find(std::string_view key) const;
  // Follows keys through objects; nullptr when one is missing.
  const Value* FindPath(std::initializer_list<std::string_view> keys) const;
  // The string or integer at a path, or the fallback when it is missing or of another type.
  std::string_view StringAt(std::initializer_list<std::string_view> keys, std::string_view fallback = "") const;
  std::int64_t IntAt(std::initializer_list<std::string_view> keys, std::int64_t fallback = 0) const;
  bool BoolAt(std::initializer_list<std::string_view> keys, bool fallback = false) const;

  // The member, made (null) when missing; this becomes an object when it is none.
  Value& operator[](std::string_view key);
  void Erase(std::string_view key);

  friend bool operator==(const Value&, const Value&) = default;

 private:
  friend class Builder;
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object> v_;
};

// An object literal; null members are left out.
Value Obj(std::initializer_list<std::pair<std::string_view, Value>> members);
// An array literal; nulls stay.
Value Arr(std::initializer_list<Value> items);
// A string map as an object.
Value FromMap(const std::map<std::string, std::string>& map);
// The string members of an object; others are left out. Empty when `value` is nullptr or no object.
std::map<std::string, std::string> ToMap(const Value* value);

}  // namespace restate::json
