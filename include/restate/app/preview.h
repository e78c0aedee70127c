// The commands that show what the operator would do, and do nothing: render and diff.
#pragma once

#include "restate/app/settings.h"
#include "restate/kube/credentials.h"

namespace restate::app {

// Runs settings.command, which is one of the two, and prints to the standard output. Returns the exit code.
int Preview(const Settings& settings, const kube::Environment& environment);

}  // namespace restate::app
