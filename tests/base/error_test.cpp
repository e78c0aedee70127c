#include "restate/base/error.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "restate/base/digest.h"

namespace restate {
namespace {

TEST_CASE("a status carries its reason, its wait and its words through an annotation") {
  const auto inner = WithRetryAfter(MakeError(Reason::kAdminCallFailed, "connection refused"), absl::Seconds(7));
  const auto outer = Annotate(inner, "POST /deployments");
  CHECK(ReasonOf(outer) == Reason::kAdminCallFailed);
  CHECK(RetryAfterOf(outer) == absl::Seconds(7));
  CHECK(MessageOf(outer) == "POST /deployments: connection refused");
}

TEST_CASE("a status of unknown origin counts as our bug") {
  CHECK(ReasonOf(absl::UnknownError("x")) == Reason::kInternalError);
  CHECK(RowOf(Reason::kInternalError).error_class == ErrorClass::kOurBug);
}

TEST_CASE("waits are no errors: no metric, no event unless the reference has one") {
  for (const Reason wait : {Reason::kReplicaSetPodNotReady, Reason::kConfirmingRegistration, Reason::kNotLatest}) {
    CHECK(RowOf(wait).metric.empty());
    CHECK_FALSE(RowOf(wait).event);
  }
}

// A sentence for people: it ends as one, fits a terminal, and quotes in pairs.
bool IsSentence(std::string_view text) {
  return text.size() > 10 && text.size() < 320 && text.back() == '.' &&
         std::count(text.begin(), text.end(), '`') % 2 == 0;
}

TEST_CASE("every reason says what causes it and what to do about it") {
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    const auto reason = static_cast<Reason>(i);
    CAPTURE(RowOf(reason).name);
    CHECK(IsSentence(CauseOf(reason)));
    CHECK(IsSentence(CureOf(reason)));
  }
}

TEST_CASE("the name in a condition finds its advice, also where reasons share a name") {
  std::map<std::string_view, int> shared;
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    const auto reason = static_cast<Reason>(i);
    const std::string_view name = RowOf(reason).name;
    CAPTURE(name);
    const auto found = ReasonOf(name);
    REQUIRE(found);
    CHECK(CauseOf(*found) == CauseOf(reason));
    CHECK(CureOf(*found) == CureOf(reason));
    CHECK(KindsOf(*found) == KindsOf(reason));
    if (*found != reason) ++shared[name];
  }
  CHECK(shared == std::map<std::string_view, int>{{"FailedReconcile", 2}, {"InvalidRestateConfig", 1}});
  CHECK_FALSE(ReasonOf("NoSuchReason"));
}

TEST_CASE("digests agree with published test vectors") {
  Fnv1a hash;
  hash.Add("foobar");
  CHECK(hash.value() == 0x85944171f73967e8u);
  CHECK(Sha256Hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace restate
