// Unified diff of two texts, as `diff -u` prints it.
#pragma once

#include <string>
#include <string_view>

namespace restate::cli {

// Lines of `before` and `after` with three lines around each change, under a head that names both sides. Empty: they
// are equal. Texts end with a line break; an empty one has no lines. Takes time and memory in the product of the lines
// that differ, so it is for objects and not for logs.
std::string UnifiedDiff(std::string_view before, std::string_view after, std::string_view before_name,
                        std::string_view after_name);

}  // namespace restate::cli
