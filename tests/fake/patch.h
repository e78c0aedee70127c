// JSON patch and JSON merge patch.
#pragma once

#include "restate/json/value.h"

namespace restate::fake {

// RFC 6902 with test, add, replace and remove. Throws Refusal: 422 when the patch does not fit the object (a failed test
// above all), 400 when it is no patch. As in the real server a missing member tests equal to null, and replacing a missing
// member of an object adds it.
json::Value JsonPatched(json::Value object, const json::Value& patch);

// RFC 7386.
json::Value MergePatched(json::Value object, const json::Value& patch);

}  // namespace restate::fake
