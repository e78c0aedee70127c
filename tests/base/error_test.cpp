#include "restate/base/error.h"

#include <doctest/doctest.h>

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

TEST_CASE("digests agree with published test vectors") {
  Fnv1a hash;
  hash.Add("foobar");
  CHECK(hash.value() == 0x85944171f73967e8u);
  CHECK(Sha256Hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace restate
