#include "restate/app/losses.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "restate/base/error.h"

namespace restate::app {
namespace {

struct Fixture {
  std::vector<std::string> told;
  Losses losses{[this](const kube::Key& lost) { told.push_back(lost.ToString()); }};
  const kube::Key key{"shop", "greeter"};
  const std::vector<std::string> once = {"shop/greeter"};
};

TEST_CASE_FIXTURE(Fixture, "an object that goes while nobody works on it was taken away") {
  losses.Gone(key, false);
  CHECK(told == once);
}

TEST_CASE_FIXTURE(Fixture, "an object that goes in the pass that lets it go was not") {
  losses.Gone(key, true);
  losses.Passed(key, absl::OkStatus());
  losses.Passed(key, MakeError(Reason::kApiConflict, "of a later object of that name"));
  CHECK(told.empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "an object that went before the pass could let it go was taken away, and that is told once") {
  losses.Gone(key, true);
  losses.Passed({"shop", "other"}, MakeError(Reason::kApiConflict, "not this one"));
  CHECK(told.empty());
  losses.Passed(key, MakeError(Reason::kApiConflict, "our view was stale"));
  losses.Passed(key, MakeError(Reason::kApiConflict, "our view was stale"));
  CHECK(told == once);
}

}  // namespace
}  // namespace restate::app
