// Conditions in the statuses of objects that others write.
#pragma once

#include "restate/plan/conditions.h"

namespace restate::cluster {

using plan::ConditionIn;
using plan::IsTrue;
using plan::Joined;
using plan::WordsOf;

}  // namespace restate::cluster
