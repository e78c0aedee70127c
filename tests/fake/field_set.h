// FieldSet: which fields of an object somebody owns, as managedFields say it, and what differs between two objects.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "restate/json/value.h"

namespace restate::fake {

// How the lists and maps of a kind merge. Paths are field names joined by dots, list items add nothing:
// "spec.template.spec.containers.env". A list not named is atomic, a map not named is not.
struct Shape {
  std::map<std::string, std::vector<std::string>, std::less<>> list_keys;  // no keys: a set of scalars
  std::set<std::string, std::less<>> atomic_maps;
};

// A tree of path elements as fieldsV1 writes them: f:name, k:{"name":"x"}, v:"x".
struct FieldSet {
  bool member = false;  // the element itself belongs to the set, not only fields below it
  std::map<std::string, FieldSet, std::less<>> children;

  bool empty() const { return !member && children.empty(); }
  const FieldSet* Find(std::string_view element) const;
  friend bool operator==(const FieldSet&, const FieldSet&) = default;
};

FieldSet Union(const FieldSet& a, const FieldSet& b);
FieldSet Intersection(const FieldSet& a, const FieldSet& b);
FieldSet Difference(const FieldSet& a, const FieldSet& b);
void DropEmpty(FieldSet& set);

json::Value ToFieldsV1(const FieldSet& set);
FieldSet FromFieldsV1(const json::Value& fields);
// The members as an API server names them in a conflict: .spec.containers[name="x"].image
std::vector<std::string> PathsOf(const FieldSet& set);

inline bool IsFieldElement(std::string_view element) { return element.substr(0, 2) == "f:"; }

// The parts of a map or list that can be owned one by one; nullopt for a leaf (scalar, atomic map or list).
struct Part {
  std::string element;
  std::string path;  // for Shape
  const json::Value* value;
};
std::optional<std::vector<Part>> PartsOf(const json::Value& value, const std::string& path, const Shape& shape);

// What somebody who sends `value` says something about.
FieldSet FieldsOf(const json::Value& value, const Shape& shape);

struct Changes {
  FieldSet added, modified, removed;
};
Changes Compare(const json::Value& before, const json::Value& after, const Shape& shape);

// The path of the first list with two items of the same key (or two equal items of a set), in words; empty: none.
std::string FindDuplicate(const json::Value& value, const Shape& shape);

}  // namespace restate::fake
