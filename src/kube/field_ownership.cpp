#include "field_ownership.h"

#include <algorithm>
#include <map>

#include "restate/json/text.h"

namespace restate::kube {
namespace {

// The JSON after "k:" or "v:"; nullopt when there is none.
std::optional<json::Value> Payload(std::string_view name) {
  auto value = json::Parse(name.substr(2));
  if (!value.ok()) return std::nullopt;
  return *std::move(value);
}

ListKeys NamesOf(const json::Value& key_values) {
  ListKeys names;
  if (const json::Object* members = key_values.object()) {
    for (const auto& [name, value] : *members) names.push_back(name);
  }
  return names;
}

const json::Value* ItemWith(const json::Value& list, const json::Value& key_values) {
  if (!list.is_array()) return nullptr;
  const ListKeys keys = NamesOf(key_values);
  for (const json::Value& item : *list.array()) {
    if (KeyValues(item, keys) == key_values) return &item;
  }
  return nullptr;
}

// A granular map that was applied empty is owned as a whole, without anything in it: leaving it out changes nothing.
bool IsEmptyMapClaim(std::string_view field, const json::Value& node) {
  return (field == "annotations" || field == "labels") && node.is_object() && node.object()->empty();
}

// The items of `desired` by the names that nodes of this list have. Looked up one by one, those of a long list would
// take the square of its length.
using Items = std::map<std::string, const json::Value*, std::less<>>;

Items ItemsOf(const json::Value& node, const json::Value& desired) {
  Items items;
  const auto keys = desired.is_array() ? KeysOfNode(&node) : std::nullopt;
  if (!keys) return items;
  for (const json::Value& item : *desired.array()) {
    if (const auto values = KeyValues(item, *keys)) items.emplace("k:" + json::Dump(*values), &item);
  }
  return items;
}

bool HasOwned(std::string_view name, const json::Value& node, const json::Value& desired, const Items& items) {
  if (name == ".") return true;
  const std::string_view kind = name.substr(0, 2);
  if (kind == "f:") {
    const std::string_view field = name.substr(2);
    const json::Value* value = desired.Find(field);
    if (value == nullptr) return IsEmptyMapClaim(field, node);
    return HasAllOwned(node, *value);
  }
  const auto payload = kind == "k:" || kind == "v:" ? Payload(name) : std::nullopt;
  if (!payload) return false;  // positions ("i:"), or a kind of name from the future: in doubt
  if (kind == "v:") {
    const json::Array* members = desired.array();
    return members != nullptr && std::find(members->begin(), members->end(), *payload) != members->end();
  }
  const auto known = items.find(name);
  const json::Value* item = known != items.end() ? known->second : ItemWith(desired, *payload);
  return item != nullptr && HasAllOwned(node, *item);
}

}  // namespace

std::vector<const json::Value*> EntriesOf(const json::Value& object, std::string_view manager,
                                          std::string_view operation, std::string_view subresource) {
  std::vector<const json::Value*> found;
  const json::Value* entries = object.FindPath({"metadata", "managedFields"});
  if (entries == nullptr || !entries->is_array()) return found;
  for (const json::Value& entry : *entries->array()) {
    if (entry.StringAt({"manager"}) == manager && entry.StringAt({"operation"}) == operation &&
        entry.StringAt({"subresource"}) == subresource) {
      found.push_back(&entry);
    }
  }
  return found;
}

const json::Value* OwnedField(const json::Value* node, std::string_view field) {
  return node == nullptr ? nullptr : node->Find("f:" + std::string(field));
}

const json::Value* OwnedItem(const json::Value* node, const json::Value& key_values) {
  // The API server writes keys compact and sorted, as Dump does.
  return node == nullptr ? nullptr : node->Find("k:" + json::Dump(key_values));
}

std::optional<ListKeys> KeysOfNode(const json::Value* node) {
  if (node == nullptr || !node->is_object()) return std::nullopt;
  for (const auto& [name, child] : *node->object()) {
    if (!name.starts_with("k:")) continue;
    const auto payload = Payload(name);
    if (payload) return NamesOf(*payload);
  }
  return std::nullopt;
}

bool HasAllOwned(const json::Value& node, const json::Value& desired) {
  if (!node.is_object()) return false;
  const Items items = ItemsOf(node, desired);
  return std::all_of(node.object()->begin(), node.object()->end(),
                     [&](const auto& child) { return HasOwned(child.first, child.second, desired, items); });
}

}  // namespace restate::kube
