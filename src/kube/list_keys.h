// Lists that the API server merges by the keys of their items (x-kubernetes-list-type: map).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "restate/json/value.h"

namespace restate::kube {

using ListKeys = std::vector<std::string>;

// The keys of the list `field` of a built-in kind, judged by its name and, where a name is used twice, by an item.
// nullopt: the list is atomic, or not known.
std::optional<ListKeys> KeysOfField(std::string_view field, const json::Value& sample_item);

// The values of `keys` in an item, with the API's defaults for missing ones. Two items with equal key values are the
// same item. nullopt: a key is missing.
std::optional<json::Value> KeyValues(const json::Value& item, const ListKeys& keys);

}  // namespace restate::kube
