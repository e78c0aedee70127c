#include "restate/cli/rehearsal.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "restate/base/error.h"

namespace restate::cli {
namespace {

// A plan that never comes to rest would be a mistake of ours.
constexpr int kMostPasses = 30;

bool EndsPlan(const plan::Step& step) {
  const auto* apply = std::get_if<plan::Apply>(&step);
  return apply && apply->ends_plan;
}

absl::StatusOr<bool> PlayAll(const plan::Plan& plan, Effects& effects) {
  bool changed = false;
  for (const plan::Step& step : plan.steps) {
    const auto played = effects.Play(step);
    if (!played.ok()) return Annotate(played.status(), plan::ToString(step));
    changed = changed || *played;
    if (*played && EndsPlan(step)) break;
  }
  return changed;
}

bool Registers(const plan::Plan& plan) {
  return std::any_of(plan.steps.begin(), plan.steps.end(),
                     [](const plan::Step& step) { return std::holds_alternative<plan::Register>(step); });
}

}  // namespace

std::string NoteOn(const plan::Step& step) {
  if (const auto* registration = std::get_if<plan::Register>(&step)) {
    return absl::StrCat("then registers ", registration->request.uri, " at ", registration->endpoint.ToString());
  }
  if (const auto* announcement = std::get_if<plan::Announce>(&step)) {
    const kube::Event& event = announcement->event;
    return event.warning ? absl::StrCat("warns: ", event.reason, ": ", event.note) : std::string();
  }
  const bool calls = std::holds_alternative<plan::Forget>(step) || std::holds_alternative<plan::Provision>(step);
  return calls ? "then calls: " + plan::ToString(step) : std::string();
}

std::string OneLine(std::string note) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  std::replace_if(note.begin(), note.end(), is_control, ' ');
  return note;
}

absl::Status Rehearse(const kube::Resource& kind, const kube::Key& key, const Stage& stage, Effects& effects) {
  for (int pass = 0; pass < kMostPasses; ++pass) {
    const auto plan = PlanFor(kind, key, stage);
    if (!plan) return absl::OkStatus();
    const auto changed = PlayAll(*plan, effects);
    if (!changed.ok()) return changed.status();
    if (*changed) continue;
    if (Registers(*plan)) return absl::OkStatus();  // Restate decides what comes next
    if (!plan->failure.ok()) return plan->failure;
    if (!plan->wait) return absl::OkStatus();
    effects.Tell(absl::StrCat("then waits: ", std::string(RowOf(plan->wait->reason).name), ": ", plan->wait->message));
    if (!effects.Grant()) return absl::OkStatus();
  }
  return MakeError(Reason::kInternalError,
                   absl::StrCat(key.ToString(), ": the plan does not come to rest; please report this"));
}

}  // namespace restate::cli
