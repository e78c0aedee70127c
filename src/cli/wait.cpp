#include "restate/cli/wait.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "condition.h"
#include "restate/cli/tree.h"
#include "restate/plan/conditions.h"

namespace restate::cli {
namespace {

using enum Judgement::Verdict;

std::string WordsOf(const std::vector<Wait>& waits) {
  std::vector<std::string> words;
  for (const Wait& wait : waits) {
    if (wait.about != "Warning") words.push_back(plan::Joined(wait.reason, wait.message));
  }
  return absl::StrJoin(words, "; ");
}

// "greeter-a: 1 running, 2 suspended" of each version that is not rid of its work.
std::string WorkOf(const json::Value& object) {
  const json::Value* versions = object.FindPath({"status", "versions"});
  std::vector<std::string> busy;
  for (const json::Value& version : versions && versions->array() ? *versions->array() : json::Array()) {
    if (version.StringAt({"phase"}) != "Draining") continue;
    std::vector<std::string> counts;
    const json::Value* invocations = version.Find("invocations");
    for (const auto& [status, unused] : invocations && invocations->object() ? *invocations->object() : json::Object())
      counts.push_back(absl::StrCat(invocations->IntAt({status}), " ", status));
    if (const auto message = version.StringAt({"message"}); !message.empty()) counts.emplace_back(message);
    busy.push_back(absl::StrCat(std::string(version.StringAt({"name"})), ": ",
                                counts.empty() ? "still gets new work" : absl::StrJoin(counts, ", ")));
  }
  return absl::StrJoin(busy, "; ");
}

// What no time heals.
Judgement NotYetOrNever(const json::Value& object, std::string words) {
  if (IsHeldOff(object)) {
    return {kNever, "the operator is held off; remove the annotation restate.dev/reconcile to let it go on"};
  }
  const bool stalled = IsObserved(object) && plan::IsTrue(object, "Stalled");
  return {stalled ? kNever : kNotYet, std::move(words)};
}

Judgement JudgeReady(const json::Value& object) {
  if (IsDeleting(object)) return {kNever, "it is being deleted"};
  if (IsObserved(object) && plan::IsTrue(object, "Ready")) return {kReached, ""};
  if (StateOf(object) == State::kScaledToZero) return {kNever, "it is scaled to zero; set spec.replicas"};
  return NotYetOrNever(object, WordsOf(WaitsOf(object)));
}

Judgement JudgeDrained(const json::Value& object) {
  const std::string work = WorkOf(object);
  if (IsDeleting(object)) {
    const json::Value* deletion = object.FindPath({"status", "deletion"});
    if (!deletion) return {kNotYet, "no operator has looked at the deletion yet"};
    if (deletion->IntAt({"totalPendingInvocations"}) == 0 && work.empty()) return {kReached, ""};
    return NotYetOrNever(object, work.empty() ? std::string(deletion->StringAt({"message"})) : work);
  }
  // Before the new version is registered the older ones get new work, whatever a status says that is older still.
  const State state = StateOf(object);
  if ((state == State::kReady || state == State::kScaledToZero) && work.empty()) return {kReached, ""};
  return NotYetOrNever(object, work.empty() ? WordsOf(WaitsOf(object)) : work);
}

}  // namespace

Judgement Judge(const json::Value* object, std::string_view uid, Goal goal) {
  const bool gone = !object || (!uid.empty() && object->StringAt({"metadata", "uid"}) != uid);
  if (goal == Goal::kDeleted) {
    if (gone) return {kReached, ""};
    if (!IsDeleting(*object)) return {kNotYet, "nobody has asked for its deletion yet"};
    const std::string words = WordsOf(WaitsOf(*object));
    return NotYetOrNever(*object, words.empty() ? "its deletion is under way" : words);
  }
  if (gone && goal == Goal::kDrained && !uid.empty()) return {kReached, ""};
  if (gone && !uid.empty()) return {kNever, "it was deleted"};
  if (gone) return {kNotYet, "it is not there yet"};
  return goal == Goal::kReady ? JudgeReady(*object) : JudgeDrained(*object);
}

}  // namespace restate::cli
