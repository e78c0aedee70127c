// Rehearsal: passes over one object until none of them does anything new, where steps have no real effects.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "restate/cli/stage.h"
#include "restate/plan/step.h"

namespace restate::cli {

// What becomes of steps.
class Effects {
 public:
  virtual ~Effects() = default;
  // Plays one step on the stage, so that the next pass sees it. Whether it changed anything there. Error: it cannot be
  // known what would become of it.
  virtual absl::StatusOr<bool> Play(const plan::Step& step) = 0;
  // Something that is worth telling and is no object: what is waited for.
  virtual void Tell(std::string note) = 0;
  // Lets what a pass waits for come about, as far as that can be made up. Whether it changed anything.
  virtual bool Grant() { return false; }
};

// What is worth telling of a step that makes no object; empty: nothing. The finalizer is not.
std::string NoteOn(const plan::Step& step);

// A note on one line, whatever its text has in it.
std::string OneLine(std::string note);

// Error: that of a step, or why the operator would make nothing more of the object (plan::Plan::failure).
absl::Status Rehearse(const kube::Resource& kind, const kube::Key& key, const Stage& stage, Effects& effects);

}  // namespace restate::cli
