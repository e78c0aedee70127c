// JSON text to Value and back. RapidJSON is used behind this header only.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "restate/json/value.h"

namespace restate::json {

// Parses one JSON text. Iterative, so that depth costs heap and no stack; deeper than kMaxDepth, invalid UTF-8, lone
// surrogates and trailing bytes are errors (kInvalidArgument, the message names the byte offset).
absl::StatusOr<Value> Parse(std::string_view text);

// 10,000 is what kube-apiserver itself accepts (json-iterator's limit, 2026); a Value of that depth can be destroyed safely.
inline constexpr int kMaxDepth = 10000;

// Compact text with sorted keys. Escapes `"`, `\`, \b \t \n \f \r and other control characters as \u00xx with lower-case
// hex, and nothing else; numbers print as serde_json prints them. This text goes into version hashes: it never changes.
std::string Dump(const Value& value);

// The same value over several lines, indented by two spaces: for people.
std::string DumpPretty(const Value& value);

}  // namespace restate::json
