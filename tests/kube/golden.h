// The objects recorded from a real API server (tests/golden/objects).
#pragma once

#include <string>
#include <string_view>

#include "restate/json/value.h"

namespace restate::testing {

// One recording: cr, stored, status and objects. Ends the test when the file is missing.
json::Value Golden(const std::string& name);

// The first recorded object of a kind, with managedFields whose owner uid is the one in ownerReferences (the recording
// has a placeholder there).
json::Value GoldenObject(const std::string& name, std::string_view kind);

// Puts that placeholder into an object's managedFields.
void UsePlaceholderOwner(json::Value& object);

}  // namespace restate::testing
