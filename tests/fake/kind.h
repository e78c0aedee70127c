// Kind: what the fake API server knows about a kind: names, subresources, how lists merge, defaults and validation.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "restate/json/value.h"
#include "restate/kube/resource.h"
#include "fake/api_answer.h"
#include "fake/field_set.h"

namespace restate::fake {

struct Kind {
  std::string group, version, kind, plural;
  bool namespaced = true;
  bool status_subresource = false;
  bool scale_subresource = false;
  bool has_generation = false;
  bool built_in = false;  // decoded into a struct by the real server: empty and null members vanish, list items have no kind
  Shape shape;
  std::function<void(json::Value&)> defaulter;
  // Causes to refuse `object`; `before` is nullptr on creation.
  std::function<std::vector<Cause>(const json::Value& object, const json::Value* before)> validate;

  std::string ApiVersion() const { return group.empty() ? version : group + "/" + version; }
  Subject Named(std::string_view name) const { return {group, kind, plural, std::string(name)}; }
  bool Is(const kube::Resource& resource) const {
    return group == resource.group && plural == resource.plural && version == resource.version;
  }
};

// The kinds of kube/resource.h, as a real server treats them.
std::vector<Kind> BuiltInKinds();

// A custom resource as its CustomResourceDefinition describes it (first served version): list types, subresources,
// defaults, unknown fields dropped, and types, required members, enums and bounds checked. CEL rules are not run.
Kind KindOfDefinition(const json::Value& definition);

// Metadata, and for built-in kinds everything, as decoding into a struct leaves it.
void Normalize(json::Value& object, const Kind& kind);

// Defaults of a pod template's or pod's spec; used by built_in_kinds.cpp.
void DefaultPodSpec(json::Value& spec);

// "1000m" -> "1", "1024Mi" -> "1Gi"; other text comes back as it is.
std::string CanonicalQuantity(std::string_view text);

}  // namespace restate::fake
