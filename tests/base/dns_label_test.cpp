#include "restate/base/dns_label.h"

#include <doctest/doctest.h>

#include <string>

namespace restate {
namespace {

TEST_CASE("a DNS label has 1 to 63 lower-case letters, digits and hyphens, none at its ends") {
  for (const char* good : {"a", "0", "shop", "a--b", "v1-2", "1st"}) CHECK_MESSAGE(IsDnsLabel(good), good);
  for (const char* bad : {"", "-", "-a", "a-", "A", "a.b", "a_b", "a b", "a/b", "\xc3\xa4"}) {
    CHECK_FALSE_MESSAGE(IsDnsLabel(bad), bad);
  }
  CHECK(IsDnsLabel(std::string(63, 'a')));
  CHECK_FALSE(IsDnsLabel(std::string(64, 'a')));
  CHECK_FALSE(IsDnsLabel(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace restate
