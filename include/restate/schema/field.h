// The field table of a struct: one line per member says what JSON calls it and what it may hold. The C++ type says the
// rest:
//
//   struct ServiceReference {
//     std::string name;
//     std::optional<std::int32_t> port;
//   };
//   constexpr auto Describe(schema::Of<ServiceReference>) {
//     using S = ServiceReference;
//     return schema::Struct("A Service that serves the admin API.",
//         schema::Field("name", &S::name, "Name of the Service."),
//         schema::Field("port", &S::port, "Port; 9070 when left out.").Min(1).Max(65535));
//   }
//
// Members are bool, std::int32_t, std::int64_t, std::string, absl::Time (RFC 3339), json::Value, an enum with Names(),
// a struct with Describe(), and std::vector<T>, std::map<std::string, T>, std::optional<T> of these. A plain member is
// required, unless it has a Default(); an optional one may be missing or null. codec.h reads and writes such structs,
// openapi.h makes their schema. A member without a line does not compile. All of it is constexpr data; strings must be
// literals.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "restate/json/value.h"

namespace restate::schema {

// The tag by which Describe() and Names() are found in the namespace of T.
template <class T>
struct Of {};

template <class T>
concept Described = requires {
  Describe(Of<T>{});
};
template <class T>
concept Named = std::is_enum_v<T> && requires {
  Names(Of<T>{});
};

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
// A member of type T may take over the description of a struct: T itself, or what T may hold.
template <class T>
inline constexpr bool kDescribesItself = Described<T>;
template <class T>
inline constexpr bool kDescribesItself<std::optional<T>> = Described<T>;

// A vector for constant expressions. More than N items do not compile.
template <class T, std::size_t N>
struct FixedList {
  std::array<T, N> items{};
  std::size_t size = 0;

  constexpr void Add(const T& item) { items[size++] = item; }  // past the end is no constant expression
  constexpr const T* begin() const { return items.data(); }
  constexpr const T* end() const { return items.data() + size; }
};

// A condition in the Common Expression Language that the API server checks (x-kubernetes-validations).
struct CelRule {
  std::string_view rule, message;
};
using CelRules = FixedList<CelRule, 4>;

enum class Content : std::uint8_t {
  kTyped,      // what the C++ type says
  kAnyObject,  // a json::Value that must be an object; the API server keeps all of it
  kAnyValue,   // a json::Value of any type; the API server keeps all of it
};

// What a line says beyond the C++ type of its member.
struct Attributes {
  std::string_view name;  // in JSON
  std::string_view doc;   // for people, shown by `kubectl explain`
  std::optional<std::int64_t> min, max;
  std::optional<std::int64_t> min_length, max_length;
  std::string_view pattern;          // RE2 syntax; the API server checks it, Decode() does not
  std::string_view kubernetes_type;  // schema of the innermost json::Value, a name of kubernetes.h
  std::string_view map_key;          // the member that tells the items of a list apart
  Content content = Content::kTyped;
  CelRules rules;
  bool has_default = false;  // the initialiser of the member
  bool nullable = true;      // looked at for optional members only
  bool atomic = false;
};

// One line of a table: member M of struct C. The setters return a copy, for chaining.
template <class C, class M>
struct Line {
  Attributes attributes;
  M C::*member;

  constexpr Line Min(std::int64_t value) const {
    return With([=](Attributes& a) { a.min = value; });
  }
  constexpr Line Max(std::int64_t value) const {
    return With([=](Attributes& a) { a.max = value; });
  }
  constexpr Line Length(std::int64_t min, std::int64_t max) const {
    return With([=](Attributes& a) { a.min_length = min, a.max_length = max; });
  }
  constexpr Line Pattern(std::string_view regex) const {
    return With([=](Attributes& a) { a.pattern = regex; });
  }
  // Missing means the member's initialiser, which the schema publishes.
  constexpr Line Default() const {
    return With([](Attributes& a) { a.has_default = true; });
  }
  // An optional member that may be missing, but not null.
  constexpr Line NotNullable() const {
    return With([](Attributes& a) { a.nullable = false; });
  }
  constexpr Line Immutable(std::string_view message) const { return Rule("self == oldSelf", message); }
  constexpr Line Rule(std::string_view rule, std::string_view message) const {
    return With([=](Attributes& a) { a.rules.Add({rule, message}); });
  }
  // Server-side apply merges the items of this list by the member `name` of each.
  constexpr Line MapKey(std::string_view name) const {
    return With([=](Attributes& a) { a.map_key = name; });
  }
  // Server-side apply replaces this list or map as a whole.
  constexpr Line Atomic() const {
    return With([](Attributes& a) { a.atomic = true; });
  }
  constexpr Line PreserveUnknown() const {
    return With([](Attributes& a) { a.content = Content::kAnyValue; });
  }
  constexpr Line AnyObject() const {
    return With([](Attributes& a) { a.content = Content::kAnyObject; });
  }
  // The Kubernetes type, such as "Affinity", of a member that stays json::Value here.
  constexpr Line Schema(std::string_view type) const {
    return With([=](Attributes& a) { a.kubernetes_type = type; });
  }

 private:
  template <class Change>
  constexpr Line With(Change change) const {
    Line copy = *this;
    change(copy.attributes);
    return copy;
  }
};

template <class C, class M>
constexpr Line<C, M> Field(std::string_view name, M C::*member, std::string_view doc) {
  return {{.name = name, .doc = doc}, member};
}

// A line without a description of its own.
template <class C, class M>
requires kDescribesItself<M>
constexpr Line<C, M> Field(std::string_view name, M C::*member) { return {{.name = name}, member}; }

using Alternatives = FixedList<std::string_view, 8>;

// The table of struct C.
template <class C, class... M>
struct Table {
  std::string_view doc;
  std::tuple<Line<C, M>...> lines;
  CelRules rules;
  Alternatives one_of;

  // A condition over the whole struct.
  constexpr Table Rule(std::string_view rule, std::string_view message) const {
    Table copy = *this;
    copy.rules.Add({rule, message});
    return copy;
  }
  // Exactly one of these optional members is set; null does not count, so none of them is nullable.
  template <class... Names>
  constexpr Table OneOf(Names... names) const {
    Table copy = *this;
    (copy.one_of.Add(names), ...);
    return copy;
  }
};

template <class C, class... M>
constexpr Table<C, M...> Struct(std::string_view doc, Line<C, M>... lines) {
  return {doc, {lines...}, {}, {}};
}

// One value of an enum and its text. An enum is described by the array that its `constexpr auto Names(schema::Of<E>)`
// returns.
template <class E>
struct EnumName {
  E value;
  std::string_view name;
};

// The text of an enum value; empty for one that has no name.
template <Named E>
constexpr std::string_view NameOf(E value) {
  for (const auto& entry : Names(Of<E>{})) {
    if (entry.value == value) return entry.name;
  }
  return {};
}

namespace internal {

struct Anything {
  template <class T>
  operator T() const;  // declared only
};

// How many members the aggregate C has: as many as it can be initialised with.
template <class C, class... Args>
consteval std::size_t MemberCount() {
  if constexpr (requires { C{std::declval<Args>()..., Anything{}}; }) {
    return MemberCount<C, Args..., Anything>();
  } else {
    return sizeof...(Args);
  }
}

template <class A, class B>
constexpr bool SameMember(const A& a, const B& b) {
  if constexpr (std::is_same_v<A, B>) return a.member == b.member;
  return false;
}

// No name and no member occurs twice.
template <class... Lines>
consteval bool Distinct(const std::tuple<Lines...>& lines) {
  return std::apply(
      [](const auto&... a) {
        const auto occurs_once = [&](const auto& x) {
          return ((x.attributes.name == a.attributes.name) + ...) == 1 && (SameMember(x, a) + ...) == 1;
        };
        return (occurs_once(a) && ...);
      },
      lines);
}

}  // namespace internal

// The table of T, checked: every member has exactly one line.
template <Described T>
inline constexpr auto kTable = [] {
  constexpr auto table = Describe(Of<T>{});
  static_assert(std::tuple_size_v<decltype(table.lines)> == internal::MemberCount<T>(),
                "a member of this struct has no line in its Describe()");
  static_assert(internal::Distinct(table.lines), "two lines of Describe() have the same name or the same member");
  return table;
}();

}  // namespace restate::schema
