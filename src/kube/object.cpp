#include "restate/kube/object.h"

#include "packing.h"
#include "restate/base/error.h"
#include "restate/json/text.h"

namespace restate::kube {
namespace {

constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

bool IsOurs(const json::Value& managed_fields_entry, std::string_view manager_prefix) {
  return managed_fields_entry.StringAt({"manager"}).starts_with(manager_prefix);
}

// What nobody here reads: it is up to half of an object.
json::Value WithoutBallast(json::Value body, std::string_view manager_prefix) {
  json::Value& metadata = body["metadata"];
  if (const json::Value* fields = metadata.Find("managedFields"); fields != nullptr && fields->is_array()) {
    json::Array& entries = *metadata["managedFields"].array();
    std::erase_if(entries, [&](const json::Value& entry) { return !IsOurs(entry, manager_prefix); });
    if (entries.empty()) metadata.Erase("managedFields");
  }
  if (metadata.FindPath({"annotations", kLastApplied}) != nullptr) metadata["annotations"][kLastApplied] = "";
  return body;
}

std::string ControllerUid(const json::Value& body) {
  const json::Value* owners = body.FindPath({"metadata", "ownerReferences"});
  if (owners == nullptr || !owners->is_array()) return {};
  for (const json::Value& owner : *owners->array()) {
    if (owner.BoolAt({"controller"})) return std::string(owner.StringAt({"uid"}));
  }
  return {};
}

absl::Status Missing(std::string_view member) {
  std::string message = "an object of the API server has no ";
  message += member;
  return MakeError(Reason::kInvalidSpec, message);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Object>> Object::From(const json::Value& body, std::string_view manager_prefix) {
  std::shared_ptr<Object> object(new Object);
  object->key_ = KeyOf(body);
  object->uid_ = body.StringAt({"metadata", "uid"});
  if (object->key_.name.empty()) return Missing("metadata.name");
  if (object->uid_.empty()) return Missing("metadata.uid");
  object->resource_version_ = body.StringAt({"metadata", "resourceVersion"});
  object->generation_ = body.IntAt({"metadata", "generation"});
  object->deleting_ = !body.StringAt({"metadata", "deletionTimestamp"}).empty();
  object->owner_uid_ = ControllerUid(body);

  const std::string text = json::Dump(WithoutBallast(body, manager_prefix));
  std::string kind(body.StringAt({"apiVersion"}));
  kind.append("/").append(body.StringAt({"kind"}));
  object->dictionary_ = DictionaryFor(kind, text);
  object->packed_ = Pack(text, object->dictionary_);
  object->raw_size_ = static_cast<std::uint32_t>(text.size());
  return object;
}

json::Value Object::Body() const {
  auto body = json::Parse(Unpack(packed_, dictionary_, raw_size_));
  return body.ok() ? *std::move(body) : json::Value();
}

}  // namespace restate::kube
