// Labels, annotations and owners of what is made for an object.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "restate/kube/object.h"
#include "restate/kube/resource.h"

namespace restate::plan {

using StringMap = std::map<std::string, std::string>;

// Whether a label or an annotation only means something on the object itself. The reference copies these to pods as
// well: dropping them from running pods would roll those.
bool IsOwnAlone(std::string_view key);

// The labels or annotations of an object, as they are copied to what is made for it: those that mean something there.
StringMap Copied(const json::Value* own);

// To the object that controls another one.
json::Value ControllerReference(const kube::Resource& resource, const kube::Object& owner);

}  // namespace restate::plan
