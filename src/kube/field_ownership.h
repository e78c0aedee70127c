// managedFields: which fields a manager owns. Nodes are parts of fieldsV1, whose names are "f:field", "k:{item keys}",
// "v:set member" and "." for the object or list itself.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "list_keys.h"
#include "restate/json/value.h"

namespace restate::kube {

// The entries of a manager, its fieldsV1 and apiVersion inside.
std::vector<const json::Value*> EntriesOf(const json::Value& object, std::string_view manager,
                                          std::string_view operation, std::string_view subresource);

// The node of a field or of the item with these key values; nullptr: not owned. `node` may be nullptr.
const json::Value* OwnedField(const json::Value* node, std::string_view field);
const json::Value* OwnedItem(const json::Value* node, const json::Value& key_values);

// The keys by which the items of this list node are told apart; nullopt: it names no items.
std::optional<ListKeys> KeysOfNode(const json::Value* node);

// Whether `desired` has every field that `node` owns.
bool HasAllOwned(const json::Value& node, const json::Value& desired);

}  // namespace restate::kube
