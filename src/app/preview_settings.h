// The command lines of render and diff.
#pragma once

#include <CLI/CLI.hpp>

#include "restate/app/settings.h"

namespace restate::app {

// What the two take besides the operator's own flags. `settings` has to outlive the parse.
void AddPreviewOptions(CLI::App& render, CLI::App& diff, Settings& settings);

}  // namespace restate::app
