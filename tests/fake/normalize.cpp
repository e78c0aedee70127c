// What decoding into Go structs and encoding again does to an object.
#include <array>
#include <cstdint>
#include <set>

#include "restate/json/text.h"
#include "fake/kind.h"

namespace restate::fake {

using json::Value;

namespace {

// map[string]string members: an empty one vanishes, a null inside becomes the empty string.
const std::set<std::string, std::less<>> kStringMaps = {"labels", "annotations", "matchLabels", "nodeSelector"};
const std::set<std::string, std::less<>> kQuantityMaps = {"limits", "requests"};
// Members that are left out at their zero value; pointers are not.
const std::set<std::string, std::less<>> kPlainFlags = {"hostNetwork", "hostPID", "hostIPC", "readOnly", "stdin",
                                                        "stdinOnce", "tty", "publishNotReadyAddresses"};
const std::set<std::string, std::less<>> kPlainNumbers = {"minReadySeconds", "initialDelaySeconds", "hostPort",
                                                          "nodePort"};

bool IsEmpty(const Value* value) {
  if (!value || value->is_null()) return true;
  if (const auto* members = value->object()) return members->empty();
  if (const auto* items = value->array()) return items->empty();
  return false;
}

void CleanStringMap(Value& map) {
  if (json::Object* members = map.object()) {
    for (auto& [name, value] : *members) {
      if (value.is_null()) value = "";
    }
  }
}

bool Vanishes(const std::string& name, const Value& value) {
  if (value.is_null()) return true;
  if (const auto* items = value.array()) return items->empty();
  if (const auto* text = value.get<std::string>()) return text->empty();
  if (const auto* flag = value.get<bool>()) return !*flag && kPlainFlags.contains(name);
  if (const auto* number = value.get<std::int64_t>()) return *number == 0 && kPlainNumbers.contains(name);
  return value.is_object() && value.object()->empty() && (kStringMaps.contains(name) || kQuantityMaps.contains(name));
}

void CleanStruct(Value& value) {
  if (json::Array* items = value.array()) {
    for (Value& item : *items) CleanStruct(item);
    return;
  }
  json::Object* members = value.object();
  if (!members) return;
  for (auto it = members->begin(); it != members->end();) {
    auto& [name, member] = *it;
    if (kStringMaps.contains(name)) {
      CleanStringMap(member);
    } else if (kQuantityMaps.contains(name) && member.is_object()) {
      for (auto& [resource, quantity] : *member.object()) {
        if (const auto* text = quantity.get<std::string>()) quantity = CanonicalQuantity(*text);
        if (const auto* number = quantity.get<std::int64_t>()) quantity = std::to_string(*number);
      }
    } else if (name != "managedFields") {
      CleanStruct(member);
    }
    it = Vanishes(name, member) ? members->erase(it) : std::next(it);
  }
}

}  // namespace

void Normalize(Value& object, const Kind& kind) {
  Value& metadata = object["metadata"];
  for (const char* name : {"labels", "annotations"}) {
    if (metadata.Find(name)) CleanStringMap(metadata[name]);
  }
  for (const char* name : {"labels", "annotations", "finalizers", "ownerReferences", "managedFields"}) {
    if (IsEmpty(metadata.Find(name))) metadata.Erase(name);
  }
  // A schema and a template inside a definition are raw JSON, not structs.
  if (kind.built_in && kind.plural != "customresourcedefinitions") CleanStruct(object);
}

std::string CanonicalQuantity(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits == 0 || digits > 15) return std::string(text);
  std::int64_t number = std::stoll(std::string(text.substr(0, digits)));
  const auto suffix = text.substr(digits);
  static constexpr std::array<std::string_view, 6> kDecimal = {"m", "", "k", "M", "G", "T"};
  static constexpr std::array<std::string_view, 5> kBinary = {"", "Ki", "Mi", "Gi", "Ti"};
  const auto scaled = [&](const auto& units, std::int64_t step) -> std::string {
    std::size_t unit = 0;
    while (unit < units.size() && units[unit] != suffix) ++unit;
    if (unit == units.size()) return std::string(text);
    while (number != 0 && number % step == 0 && unit + 1 < units.size()) {
      number /= step;
      ++unit;
    }
    return std::to_string(number) + std::string(units[unit]);
  };
  return suffix.size() == 2 && suffix[1] == 'i' ? scaled(kBinary, 1024) : scaled(kDecimal, 1000);
}

}  // namespace restate::fake
