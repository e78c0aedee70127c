// IsNoOpApply: whether an apply would change nothing. Three trees are walked side by side: what is desired, what is
// live, and what managedFields say the manager owns. Whatever is not clear counts as a difference, because an apply too
// many costs a request, and one too few leaves the object wrong.
#include <algorithm>

#include "field_ownership.h"
#include "list_keys.h"
#include "restate/kube/applier.h"
#include "restate/kube/quantity.h"

namespace restate::kube {
namespace {

// One place in the three trees.
struct Place {
  const json::Value& desired;
  const json::Value* live;   // nullptr: absent
  const json::Value* owned;  // nullptr: not owned by this manager
  std::string_view field;    // name of the member, of the list for its items
  bool quantity;             // below a member whose leaves are quantities
  bool whole = false;        // within something that is owned as a whole (atomic): nothing in it is owned singly
  bool filled = false;       // a webhook fills in more than is desired, within atomic values too
};

bool IsSame(const Place& place);

bool IsEmpty(const json::Value& value) {
  if (const json::Array* array = value.array()) return array->empty();
  if (const json::Object* object = value.object()) return object->empty();
  return value.is_null();
}

bool IsZero(const json::Value& value) {
  return value == json::Value(false) || value == json::Value(0) || value == json::Value("");
}

bool HoldsQuantities(std::string_view field) {
  return field == "requests" || field == "limits" || field == "capacity" || field == "sizeLimit" ||
         field == "divisor" || field == "minAvailableQuantity";
}

// Absent from the live object. Empty maps and lists vanish on the server. So do zero values of Go's omitempty members;
// but a zero value may also have been taken away by somebody, and then it is not owned any more.
bool IsSameAsAbsent(const Place& place) {
  if (IsEmpty(place.desired)) return true;
  return place.owned != nullptr && IsZero(place.desired);
}

bool SameNumber(const json::Value& a, const json::Value& b) {
  const auto as_double = [](const json::Value& value) {
    if (const auto* i = value.get<std::int64_t>()) return static_cast<double>(*i);
    if (const auto* u = value.get<std::uint64_t>()) return static_cast<double>(*u);
    return *value.get<double>();
  };
  const bool integers = a.get<double>() == nullptr && b.get<double>() == nullptr;
  return integers ? a == b : as_double(a) == as_double(b);
}

bool IsSameLeaf(const Place& place) {
  if (place.desired == *place.live) return true;
  if (place.desired.is_number() && place.live->is_number()) return SameNumber(place.desired, *place.live);
  return place.quantity && SameQuantity(place.desired, *place.live);
}

// What the API server adds within atomic values. One that is missing here costs an apply after each restart.
bool IsDefault(std::string_view field, std::string_view name, const json::Value& value) {
  if (field == "volumeClaimTemplates") return true;  // nobody can change those
  return IsEmpty(value) || (name == "protocol" && value == json::Value("TCP")) ||
         (name == "apiVersion" && value == json::Value("v1")) || (name == "divisor" && value == json::Value("0")) ||
         (name == "expirationSeconds" && value == json::Value(3600));
}

// Somebody who adds to something atomic takes it over, and gives it back to nobody.
bool HasMore(const Place& place) {
  const auto& live = *place.live->object();
  return std::any_of(live.begin(), live.end(), [&](const auto& member) {
    return place.desired.Find(member.first) == nullptr && !IsDefault(place.field, member.first, member.second);
  });
}

// Owned with nothing in it: an atomic map. (A granular one that was applied empty is desired empty as well.)
bool IsAtomic(const json::Value* owned) { return owned != nullptr && owned->is_object() && owned->object()->empty(); }

bool IsSameObject(const Place& place) {
  const bool whole = place.whole || (IsAtomic(place.owned) && !IsEmpty(place.desired));
  if (whole && !place.filled && HasMore(place)) return false;
  for (const auto& [name, value] : *place.desired.object()) {
    const bool quantity = place.quantity || HoldsQuantities(name);
    // Names of defaults are looked up below what is lenient as a whole.
    const std::string_view field = place.field == "volumeClaimTemplates" ? place.field : std::string_view(name);
    if (!IsSame({value, place.live->Find(name), OwnedField(place.owned, name), field, quantity, whole, place.filled}))
      return false;
  }
  return true;
}

// Every desired item is there with these keys, in the order of the desired list (an apply would restore that order);
// items of other managers may stand between.
bool IsSameKeyedList(const Place& place, const ListKeys& keys) {
  const json::Array& live = *place.live->array();
  std::size_t next = 0;
  for (const json::Value& item : *place.desired.array()) {
    const auto key_values = KeyValues(item, keys);
    if (!key_values) return false;
    while (next < live.size() && KeyValues(live[next], keys) != key_values) ++next;
    if (next == live.size()) return false;
    if (!IsSame({item, &live[next], OwnedItem(place.owned, *key_values), place.field, place.quantity, false,
                 place.filled})) {
      return false;
    }
    ++next;
  }
  return true;
}

bool IsSameAtomicList(const Place& place) {
  const json::Array &desired = *place.desired.array(), &live = *place.live->array();
  if (desired.size() != live.size()) return false;
  for (std::size_t i = 0; i < desired.size(); ++i) {
    if (!IsSame({desired[i], &live[i], nullptr, place.field, place.quantity, true, place.filled})) return false;
  }
  return true;
}

bool IsSameSet(const Place& place) {
  const json::Array& live = *place.live->array();
  return std::all_of(place.desired.array()->begin(), place.desired.array()->end(), [&](const json::Value& member) {
    return std::find(live.begin(), live.end(), member) != live.end();
  });
}

bool IsSameList(const Place& place) {
  if (place.whole) return IsSameAtomicList(place);
  const json::Array& desired = *place.desired.array();
  if (auto keys = KeysOfNode(place.owned)) return IsSameKeyedList(place, *keys);
  if (place.field == "finalizers") return IsSameSet(place);
  const bool owned_whole =
      place.owned != nullptr;  // owned, but no item by key: the list is atomic, or was applied empty
  if (!owned_whole || desired.empty()) {
    if (auto keys = KeysOfField(place.field, desired.empty() ? json::Value() : desired.front())) {
      return IsSameKeyedList(place, *keys);
    }
  }
  return IsSameAtomicList(place);
}

bool IsSame(const Place& place) {
  if (place.live == nullptr || place.live->is_null()) return IsSameAsAbsent(place);
  // Somebody else's by now, whatever its value is just now: an apply takes it back.
  if (place.owned == nullptr && !place.whole && !IsEmpty(place.desired)) return false;
  if (place.desired.is_object() && place.live->is_object()) return IsSameObject(place);
  if (place.desired.is_array() && place.live->is_array()) return IsSameList(place);
  return IsSameLeaf(place);
}

// Knative's webhook writes its defaults, which each installation sets, into the containers of what is applied. Whoever
// else changes these takes them over: an atomic list has one owner.
bool IsFilledByWebhook(const json::Value& desired) {
  return desired.StringAt({"apiVersion"}).starts_with("serving.knative.dev/");
}

// What of it can be owned. The rest names the object, or is not sent (Client::Apply).
json::Value Claims(const json::Value& desired) {
  json::Value claims = desired;
  for (const char* member : {"apiVersion", "kind"}) claims.Erase(member);
  if (!claims.Find("metadata")) return claims;
  for (const char* member : {"managedFields", "resourceVersion", "name", "namespace", "uid"}) {
    claims["metadata"].Erase(member);
  }
  return claims;
}

}  // namespace

bool IsNoOpApply(const json::Value& desired, const json::Value& live, std::string_view manager,
                 std::string_view subresource) {
  if (!desired.is_object() || !live.is_object()) return false;
  const bool scale = subresource == "scale";  // a Scale is desired, but live is the object it belongs to
  const auto other = [](std::string_view wanted, std::string_view found) { return !wanted.empty() && wanted != found; };
  for (const std::string_view member : {"name", "namespace", "uid"}) {
    if (other(desired.StringAt({"metadata", member}), live.StringAt({"metadata", member}))) return false;
  }
  if (!scale && other(desired.StringAt({"kind"}), live.StringAt({"kind"}))) return false;

  auto entries = EntriesOf(live, manager, "Apply", subresource);
  // Created by POST under the same name (client-rules A3): its fields count as ours if we would leave none of them out.
  if (entries.empty()) entries = EntriesOf(live, manager, "Update", subresource);
  if (entries.size() != 1) return false;
  const json::Value& entry = *entries.front();
  if (!scale && entry.StringAt({"apiVersion"}) != desired.StringAt({"apiVersion"})) return false;
  const json::Value* owned = entry.Find("fieldsV1");
  const json::Value claims = Claims(desired);
  return owned != nullptr && HasAllOwned(*owned, claims) &&
         IsSame({claims, &live, owned, "", false, false, IsFilledByWebhook(desired)});
}

}  // namespace restate::kube
