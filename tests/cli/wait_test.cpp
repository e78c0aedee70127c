#include "restate/cli/wait.h"

#include <doctest/doctest.h>

namespace restate::cli {
namespace {

using json::Arr;
using json::Obj;
using json::Value;
using enum Judgement::Verdict;

Value Condition(std::string_view type, std::string_view status, std::string_view reason) {
  return Obj({{"type", type}, {"status", status}, {"reason", reason}, {"message", "words"}});
}

Value Object(std::int64_t observed, Value conditions) {
  return Obj({{"metadata", Obj({{"uid", "u1"}, {"generation", 2}})},
              {"status", Obj({{"observedGeneration", observed}, {"conditions", std::move(conditions)}})}});
}

Value Ready() { return Object(2, Arr({Condition("Ready", "True", "Deployed")})); }
Value Waiting() {
  return Object(2, Arr({Condition("Ready", "False", "ReplicaSetScaling"), Condition("Reconciling", "True", "x")}));
}
Value Stalled() {
  return Object(2, Arr({Condition("Ready", "False", "InvalidSpec"), Condition("Stalled", "True", "InvalidSpec")}));
}
Value With(Value object, std::string_view phase) {
  object["status"]["versions"] = Arr({Obj({{"name", "b"}, {"phase", "Current"}}),
                                      Obj({{"name", "a"}, {"phase", phase}, {"invocations", Obj({{"running", 2}})}})});
  return object;
}
Value Deleting(Value object) {
  object["metadata"]["deletionTimestamp"] = "2027-01-15T08:00:00Z";
  return object;
}
Value HeldOff(Value object) {
  object["metadata"]["annotations"] = Obj({{"restate.dev/reconcile", "disabled"}});
  return object;
}

Judgement::Verdict VerdictOn(const Value& object, Goal goal) { return Judge(&object, "u1", goal).verdict; }

TEST_CASE("ready: only the present spec counts, and what needs a person never comes") {
  CHECK(VerdictOn(Ready(), Goal::kReady) == kReached);
  CHECK(VerdictOn(Object(1, Arr({Condition("Ready", "True", "Deployed")})), Goal::kReady) == kNotYet);
  CHECK(VerdictOn(Waiting(), Goal::kReady) == kNotYet);
  const Value waiting = Waiting(), stalled = Stalled();
  CHECK(Judge(&waiting, "u1", Goal::kReady).words == "ReplicaSetScaling: words");
  CHECK(VerdictOn(stalled, Goal::kReady) == kNever);
  CHECK(Judge(&stalled, "u1", Goal::kReady).words == "InvalidSpec: words");
  // The mistake may be mended already.
  CHECK(VerdictOn(Object(1, *stalled.FindPath({"status", "conditions"})), Goal::kReady) == kNotYet);
  CHECK(VerdictOn(Deleting(Ready()), Goal::kReady) == kNever);
  CHECK(VerdictOn(HeldOff(Waiting()), Goal::kReady) == kNever);
  CHECK(VerdictOn(HeldOff(Ready()), Goal::kReady) == kReached);
  CHECK(VerdictOn(Object(2, Arr({Condition("Ready", "False", "ScaledToZero")})), Goal::kReady) == kNever);
}

TEST_CASE("an object that is still to come is waited for, one that was deleted is not") {
  CHECK(Judge(nullptr, "", Goal::kReady).verdict == kNotYet);
  CHECK(Judge(nullptr, "u1", Goal::kReady).verdict == kNever);
  CHECK(Judge(nullptr, "u1", Goal::kDeleted).verdict == kReached);
  CHECK(Judge(nullptr, "u1", Goal::kDrained).verdict == kReached);
  const Value another = Ready();
  CHECK(Judge(&another, "u0", Goal::kDeleted).verdict == kReached);
}

TEST_CASE("drained: no older version has work, and the latest gets the new work") {
  CHECK(VerdictOn(With(Ready(), "Drained"), Goal::kDrained) == kReached);
  const Value draining = With(Ready(), "Draining");
  CHECK(VerdictOn(draining, Goal::kDrained) == kNotYet);
  CHECK(Judge(&draining, "u1", Goal::kDrained).words == "a: 2 running");
  CHECK(VerdictOn(With(Waiting(), "Drained"), Goal::kDrained) == kNotYet);
  CHECK(VerdictOn(With(Stalled(), "Draining"), Goal::kDrained) == kNever);
  CHECK(VerdictOn(With(Object(1, Arr({Condition("Ready", "True", "Deployed")})), "Drained"), Goal::kDrained) ==
        kNotYet);
  CHECK(VerdictOn(Object(2, Arr({Condition("Ready", "False", "ScaledToZero")})), Goal::kDrained) == kReached);
}

TEST_CASE("drained, of one that is being deleted: none of its versions has work") {
  Value object = Deleting(With(Waiting(), "Draining"));
  CHECK(VerdictOn(object, Goal::kDrained) == kNotYet);
  object["status"]["deletion"] = Obj({{"totalPendingInvocations", 2}, {"message", "2 invocations"}});
  CHECK(VerdictOn(object, Goal::kDrained) == kNotYet);
  object["status"]["deletion"]["totalPendingInvocations"] = 0;
  object["status"].Erase("versions");
  CHECK(VerdictOn(object, Goal::kDrained) == kReached);
}

TEST_CASE("deleted: says so while nobody has asked for it") {
  const Value ready = Ready();
  const Judgement judgement = Judge(&ready, "u1", Goal::kDeleted);
  CHECK(judgement.verdict == kNotYet);
  CHECK(judgement.words.find("nobody has asked") != std::string::npos);
  CHECK(VerdictOn(Deleting(Waiting()), Goal::kDeleted) == kNotYet);
  CHECK(VerdictOn(Deleting(Stalled()), Goal::kDeleted) == kNever);
}

}  // namespace
}  // namespace restate::cli
