#include "fake/field_set.h"

#include "restate/json/text.h"

namespace restate::fake {

using json::Value;

namespace {

const FieldSet kNothing;

std::string Joined(const std::string& path, const std::string& name) { return path.empty() ? name : path + "." + name; }

// The element of a list item; a port without a protocol has the default one of Kubernetes' schema.
std::string ElementOf(const Value& item, const std::vector<std::string>& keys) {
  if (keys.empty()) return "v:" + json::Dump(item);
  Value id = json::Object();
  for (const std::string& key : keys) {
    const Value* part = item.Find(key);
    if (part && !part->is_null()) {
      id[key] = *part;
    } else if (key == "protocol") {
      id[key] = "TCP";
    }
  }
  return "k:" + json::Dump(id);
}

template <typename Combine>
FieldSet Zip(const FieldSet& a, const FieldSet& b, const Combine& combine) {
  FieldSet result;
  result.member = combine(a.member, b.member);
  for (const auto& [element, child] : a.children) {
    const FieldSet* other = b.Find(element);
    result.children[element] = Zip(child, other ? *other : kNothing, combine);
  }
  for (const auto& [element, child] : b.children) {
    if (!a.Find(element)) result.children[element] = Zip(kNothing, child, combine);
  }
  DropEmpty(result);
  return result;
}

void Collect(const Value& value, const std::string& path, const Shape& shape, FieldSet& out) {
  const auto parts = PartsOf(value, path, shape);
  if (!parts || (parts->empty() && value.is_object())) out.member = true;
  if (!parts) return;
  for (const Part& part : *parts) {
    FieldSet& child = out.children[part.element];
    Collect(*part.value, part.path, shape, child);
    if (!IsFieldElement(part.element)) child.member = true;
  }
}

// Everything at and below a value that came or went.
void CollectAll(const Value& value, const std::string& path, const Shape& shape, FieldSet& out) {
  out.member = true;
  const auto parts = PartsOf(value, path, shape);
  if (!parts) return;
  for (const Part& part : *parts) CollectAll(*part.value, part.path, shape, out.children[part.element]);
}

const Part* FindPart(const std::vector<Part>& parts, std::string_view element) {
  for (const Part& part : parts) {
    if (part.element == element) return &part;
  }
  return nullptr;
}

struct ChangeNodes {
  FieldSet &added, &modified, &removed;
  ChangeNodes Child(const std::string& element) {
    return {added.children[element], modified.children[element], removed.children[element]};
  }
};

void CompareAt(const Value& before, const Value& after, const std::string& path, const Shape& shape, ChangeNodes out) {
  const auto old_parts = PartsOf(before, path, shape);
  const auto new_parts = PartsOf(after, path, shape);
  if (!old_parts && !new_parts) {
    out.modified.member = !(before == after);
    return;
  }
  if (!old_parts || !new_parts) out.modified.member = true;
  const std::vector<Part> none;
  const auto& olds = old_parts ? *old_parts : none;
  const auto& news = new_parts ? *new_parts : none;
  std::map<std::string_view, const Part*> by_element;
  for (const Part& part : news) by_element[part.element] = &part;
  for (const Part& part : olds) {
    const auto same = by_element.find(part.element);
    if (same == by_element.end()) {
      CollectAll(*part.value, part.path, shape, out.removed.children[part.element]);
    } else {
      CompareAt(*part.value, *same->second->value, part.path, shape, out.Child(part.element));
    }
  }
  for (const Part& part : news) {
    if (!FindPart(olds, part.element)) {
      CollectAll(*part.value, part.path, shape, out.added.children[part.element]);
    }
  }
}

// "f:spec" -> ".spec", k:{"name":"x"} -> [name="x"], v:"x" -> [="x"].
std::string PathElement(std::string_view element) {
  const std::string rest(element.substr(2));
  if (IsFieldElement(element)) return "." + rest;
  if (element.substr(0, 2) == "v:") return "[=" + rest + "]";
  std::string keys;
  const auto id = json::Parse(rest);
  if (id.ok() && id->object()) {
    for (const auto& [key, value] : *id->object()) keys += (keys.empty() ? "" : ",") + key + "=" + json::Dump(value);
  }
  return "[" + keys + "]";
}

void CollectPaths(const FieldSet& set, const std::string& prefix, std::vector<std::string>& out) {
  for (const auto& [element, child] : set.children) {
    const std::string path = prefix + PathElement(element);
    if (child.member) out.push_back(path);
    CollectPaths(child, path, out);
  }
}

std::string FindDuplicateAt(const Value& value, const std::string& path, const std::string& shown,
                            const Shape& shape) {
  const auto parts = PartsOf(value, path, shape);
  if (!parts) return "";
  std::set<std::string_view> seen;
  for (const Part& part : *parts) {
    if (!seen.insert(part.element).second) return shown + ": duplicate entries for key " + PathElement(part.element);
    const auto below = FindDuplicateAt(*part.value, part.path, shown + PathElement(part.element), shape);
    if (!below.empty()) return below;
  }
  return "";
}

}  // namespace

const FieldSet* FieldSet::Find(std::string_view element) const {
  const auto it = children.find(element);
  return it == children.end() ? nullptr : &it->second;
}

void DropEmpty(FieldSet& set) {
  for (auto it = set.children.begin(); it != set.children.end();) {
    DropEmpty(it->second);
    it = it->second.empty() ? set.children.erase(it) : std::next(it);
  }
}

FieldSet Union(const FieldSet& a, const FieldSet& b) {
  return Zip(a, b, [](bool x, bool y) { return x || y; });
}
FieldSet Intersection(const FieldSet& a, const FieldSet& b) {
  return Zip(a, b, [](bool x, bool y) { return x && y; });
}
FieldSet Difference(const FieldSet& a, const FieldSet& b) {
  return Zip(a, b, [](bool x, bool y) { return x && !y; });
}

Value ToFieldsV1(const FieldSet& set) {
  Value fields = json::Object();
  if (set.member && !set.children.empty()) fields["."] = json::Object();
  for (const auto& [element, child] : set.children) fields[element] = ToFieldsV1(child);
  return fields;
}

FieldSet FromFieldsV1(const Value& fields) {
  FieldSet set;
  const json::Object* members = fields.object();
  if (!members) return set;
  set.member = members->empty();
  for (const auto& [element, below] : *members) {
    if (element == ".") {
      set.member = true;
    } else {
      set.children[element] = FromFieldsV1(below);
    }
  }
  return set;
}

std::vector<std::string> PathsOf(const FieldSet& set) {
  std::vector<std::string> paths;
  CollectPaths(set, "", paths);
  return paths;
}

std::optional<std::vector<Part>> PartsOf(const Value& value, const std::string& path, const Shape& shape) {
  std::vector<Part> parts;
  if (const json::Object* members = value.object()) {
    if (shape.atomic_maps.contains(path)) return std::nullopt;
    for (const auto& [name, member] : *members) parts.push_back({"f:" + name, Joined(path, name), &member});
    return parts;
  }
  const auto keys = shape.list_keys.find(path);
  if (!value.array() || keys == shape.list_keys.end()) return std::nullopt;
  for (const Value& item : *value.array()) parts.push_back({ElementOf(item, keys->second), path, &item});
  return parts;
}

FieldSet FieldsOf(const Value& value, const Shape& shape) {
  FieldSet set;
  Collect(value, "", shape, set);
  set.member = false;
  DropEmpty(set);
  return set;
}

Changes Compare(const Value& before, const Value& after, const Shape& shape) {
  Changes changes;
  CompareAt(before, after, "", shape, {changes.added, changes.modified, changes.removed});
  DropEmpty(changes.added);
  DropEmpty(changes.modified);
  DropEmpty(changes.removed);
  return changes;
}

std::string FindDuplicate(const Value& value, const Shape& shape) { return FindDuplicateAt(value, "", "", shape); }

}  // namespace restate::fake
