#include "fake/server_side_apply.h"

#include <algorithm>
#include <tuple>

#include "restate/json/text.h"
#include "fake/api_answer.h"

namespace restate::fake {

using json::Obj;
using json::Value;

namespace {

// The server never books these: it sets them itself, or they are the object's identity.
void StripIdentity(FieldSet& set) {
  set.children.erase("f:apiVersion");
  set.children.erase("f:kind");
  const auto metadata = set.children.find("f:metadata");
  if (metadata == set.children.end()) return;
  metadata->second.member = false;
  for (const char* field : {"name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation",
                            "managedFields", "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds"}) {
    metadata->second.children.erase("f:" + std::string(field));
  }
  DropEmpty(set);
}

bool IsEmptyOrNull(const Value& value) {
  if (value.is_null()) return true;
  if (const auto* members = value.object()) return members->empty();
  if (const auto* items = value.array()) return items->empty();
  return false;
}

Value Merge(const Value& live, const Value& intent, const std::string& path, const Shape& shape);

Value MergeMaps(const Value& live, const Value& intent, const std::string& path, const Shape& shape) {
  Value merged = live;
  for (const auto& [name, wanted] : *intent.object()) {
    const Value* old = live.Find(name);
    merged[name] = Merge(old ? *old : Value(), wanted, path.empty() ? name : path + "." + name, shape);
  }
  return merged;
}

// Items of `intent` in its order; items only `live` has keep their place before the next item that both have.
Value MergeLists(const std::vector<Part>& olds, const std::vector<Part>& wanted, const std::string& path,
                 const Shape& shape) {
  std::map<std::string_view, const Value*> old_items, wanted_items;
  for (const Part& part : olds) old_items[part.element] = part.value;
  for (const Part& part : wanted) wanted_items[part.element] = part.value;
  json::Array merged;
  std::size_t next_old = 0;
  const auto take_olds = [&](std::string_view until) {
    for (; next_old < olds.size() && olds[next_old].element != until; ++next_old) {
      if (!wanted_items.contains(olds[next_old].element)) merged.push_back(*olds[next_old].value);
    }
  };
  for (auto part = wanted.begin(); part != wanted.end(); ++part) {
    const auto shared =
        std::find_if(part, wanted.end(), [&](const Part& later) { return old_items.contains(later.element); });
    take_olds(shared == wanted.end() ? "" : std::string_view(shared->element));
    const auto old = old_items.find(part->element);
    merged.push_back(Merge(old == old_items.end() ? Value() : *old->second, *part->value, path, shape));
  }
  take_olds("");
  return merged;
}

Value Merge(const Value& live, const Value& intent, const std::string& path, const Shape& shape) {
  const auto live_parts = PartsOf(live, path, shape);
  // Null does not delete: it leaves a map or list with content as it is and takes the place of anything else.
  if (intent.is_null()) return live_parts && !IsEmptyOrNull(live) ? live : Value();
  const auto parts = PartsOf(intent, path, shape);
  if (!parts) return intent;
  if (intent.is_array()) return MergeLists(live_parts ? *live_parts : std::vector<Part>(), *parts, path, shape);
  return MergeMaps(live.is_object() ? live : Value(json::Object()), intent, path, shape);
}

// The child an element names, and its removal. Lists are searched by the element's text.
void RemovePart(Value& value, const Part& part) {
  if (value.is_object()) {
    value.Erase(std::string_view(part.element).substr(2));
  } else if (json::Array* items = value.array()) {
    items->erase(items->begin() + (part.value - items->data()));
  }
}

// Removes what `last` has and `still` has not. An emptied map or list becomes null, as the real merge library leaves it:
// the built-in types drop a null, the schema of a custom resource refuses it.
void Prune(Value& value, const FieldSet& last, const FieldSet& still, const std::string& path, const Shape& shape) {
  bool removed = false;
  for (const auto& [name, node] : last.children) {
    const std::string& element = name;
    const auto parts = PartsOf(value, path, shape);
    if (!parts) return;
    const auto part = std::find_if(parts->begin(), parts->end(), [&](const Part& p) { return p.element == element; });
    if (part == parts->end()) continue;
    const FieldSet* kept = still.Find(element);
    const bool is_field = IsFieldElement(element);
    const bool stays = kept && (is_field || kept->member);
    if ((node.member || is_field) && !stays) {
      RemovePart(value, *part);
      removed = true;
    } else if (kept) {
      Prune(const_cast<Value&>(*part->value), node, *kept, part->path, shape);
    }
  }
  if (removed && IsEmptyOrNull(value)) value = Value();
}

std::string Named(const Ownership& owner) {
  std::string text = "\"" + owner.manager + "\"";
  if (!owner.subresource.empty()) text += " with subresource \"" + owner.subresource + "\"";
  if (owner.operation == "Update") text += " using " + owner.api_version;
  return text;
}

Refusal ConflictsOf(const std::vector<Ownership>& conflicts) {
  json::Array causes;
  std::string list;
  for (const Ownership& owner : conflicts) {
    const auto paths = PathsOf(owner.fields);
    const bool one = paths.size() == 1;
    if (!list.empty()) list += "\n";
    list += (one ? "conflict with " : "conflicts with ") + Named(owner) + ":";
    for (const auto& path : paths) {
      list += (one ? " " : "\n- ") + path;
      causes.push_back(Obj({{"reason", "FieldManagerConflict"}, {"message", "conflict with " + Named(owner)},
                            {"field", path}}));
    }
  }
  const auto count = causes.size();
  return {409, "Conflict",
          "Apply failed with " + std::to_string(count) + (count == 1 ? " conflict: " : " conflicts: ") + list,
          Obj({{"causes", std::move(causes)}})};
}

// Takes from every other owner what the write changed or removed. Throws the conflicts unless forced.
void TakeOver(std::vector<Ownership>& owners, const Ownership& self, const Changes& changes, bool force) {
  const FieldSet touched = Union(changes.modified, changes.added);
  std::vector<Ownership> conflicts;
  for (const Ownership& owner : owners) {
    if (owner.SameOwner(self)) continue;
    Ownership conflict = owner;
    conflict.fields = Intersection(owner.fields, touched);
    if (!conflict.fields.empty()) conflicts.push_back(std::move(conflict));
  }
  if (!force && !conflicts.empty()) throw ConflictsOf(conflicts);
  const FieldSet lost = Union(touched, changes.removed);
  for (Ownership& owner : owners) {
    if (!owner.SameOwner(self)) owner.fields = Difference(owner.fields, lost);
  }
}

Ownership& FindOrAdd(std::vector<Ownership>& owners, const Ownership& self) {
  const auto it = std::find_if(owners.begin(), owners.end(), [&](const auto& owner) { return owner.SameOwner(self); });
  return it == owners.end() ? owners.emplace_back(self) : *it;
}

}  // namespace

bool Ownership::SameOwner(const Ownership& other) const {
  return manager == other.manager && operation == other.operation && subresource == other.subresource &&
         (operation == "Apply" || api_version == other.api_version);
}

std::vector<Ownership> OwnershipsOf(const Value& object) {
  std::vector<Ownership> owners;
  const Value* entries = object.FindPath({"metadata", "managedFields"});
  if (!entries || !entries->array()) return owners;
  for (const Value& entry : *entries->array()) {
    const Value* fields = entry.Find("fieldsV1");
    owners.push_back({std::string(entry.StringAt({"manager"})), std::string(entry.StringAt({"operation"})),
                      std::string(entry.StringAt({"apiVersion"})), std::string(entry.StringAt({"subresource"})),
                      std::string(entry.StringAt({"time"})), fields ? FromFieldsV1(*fields) : FieldSet()});
  }
  return owners;
}

void SetOwnerships(Value& object, std::vector<Ownership> owners) {
  std::erase_if(owners, [](const Ownership& owner) { return owner.fields.empty(); });
  std::sort(owners.begin(), owners.end(), [](const Ownership& a, const Ownership& b) {
    return std::tie(a.operation, a.time, a.manager, a.subresource) <
           std::tie(b.operation, b.time, b.manager, b.subresource);
  });
  json::Array entries;
  for (const Ownership& owner : owners) {
    Value entry = Obj({{"manager", owner.manager}, {"operation", owner.operation}, {"apiVersion", owner.api_version},
                       {"time", owner.time}, {"fieldsType", "FieldsV1"}, {"fieldsV1", ToFieldsV1(owner.fields)}});
    if (!owner.subresource.empty()) entry["subresource"] = owner.subresource;
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) {
    object["metadata"].Erase("managedFields");
  } else {
    object["metadata"]["managedFields"] = std::move(entries);
  }
}

Value ApplyTo(const Value& live, const Value& intent, const Writer& writer, const Shape& shape) {
  if (const auto duplicate = FindDuplicate(intent, shape); !duplicate.empty()) {
    throw ServerError("failed to create typed patch object (" + std::string(intent.StringAt({"metadata", "namespace"})) +
                      "/" + std::string(intent.StringAt({"metadata", "name"})) + "; " + writer.api_version +
                      ", Kind=" + std::string(intent.StringAt({"kind"})) + "): " + duplicate);
  }
  auto owners = OwnershipsOf(live);
  Ownership& self =
      FindOrAdd(owners, {writer.manager, "Apply", writer.api_version, writer.subresource, writer.time, {}});
  const FieldSet last = self.fields;
  self.fields = FieldsOf(intent, shape);
  StripIdentity(self.fields);
  if (!(self.fields == last)) self.time = writer.time;
  self.api_version = writer.api_version;

  const Value old = live.is_null() ? Value(json::Object()) : live;
  Value merged = Merge(old, intent, "", shape);
  FieldSet owned;
  for (const Ownership& owner : owners) owned = Union(owned, owner.fields);
  Prune(merged, last, owned, "", shape);
  const Ownership me = self;
  Changes changes = Compare(old, merged, shape);
  TakeOver(owners, me, changes, writer.force);
  SetOwnerships(merged, std::move(owners));
  return merged;
}

void BookUpdate(const Value& before, Value& after, const Writer& writer, const Shape& shape) {
  // The parts that are always there in an object of Kubernetes are not booked as such.
  Value base = before.is_null() ? Value(json::Object()) : before;
  const bool custom = writer.api_version.find('.') != std::string::npos && writer.api_version.find(".k8s.io") ==
                      std::string::npos;
  for (const char* part : {"metadata", "spec", "status"}) {
    const bool always = !custom || std::string_view(part) == "metadata";
    if (always && after.Find(part) && !base.Find(part)) base[part] = json::Object();
  }
  Changes changes = Compare(base, after, shape);
  auto owners = OwnershipsOf(before);
  Ownership& self =
      FindOrAdd(owners, {writer.manager, "Update", writer.api_version, writer.subresource, writer.time, {}});
  const FieldSet last = self.fields;
  self.fields = Union(Difference(last, changes.removed), Union(changes.modified, changes.added));
  StripIdentity(self.fields);
  if (!(self.fields == last)) self.time = writer.time;
  const Ownership me = self;
  TakeOver(owners, me, changes, true);
  SetOwnerships(after, std::move(owners));
}

bool SameButForTimes(const Value& a, const Value& b) {
  const auto timeless = [](Value object) {
    auto owners = OwnershipsOf(object);
    for (Ownership& owner : owners) owner.time.clear();
    SetOwnerships(object, std::move(owners));
    return object;
  };
  return timeless(a) == timeless(b);
}

}  // namespace restate::fake
