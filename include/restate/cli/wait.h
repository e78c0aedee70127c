// What `wait` waits for, judged from an object.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "restate/json/value.h"

namespace restate::cli {

enum class Goal : std::uint8_t {
  kReady,    // Ready is True, and of the present spec
  kDrained,  // of a RestateDeployment: no older version has work; of one that is being deleted, none has
  kDeleted,  // this incarnation is gone
};

struct Judgement {
  enum class Verdict : std::uint8_t { kReached, kNotYet, kNever };
  Verdict verdict = Verdict::kNotYet;
  std::string words;  // what it still waits for, or why that never comes; from outside: not cleaned
};

// What is there, as far as the wait goes. Pure. `object` null: it is not there. `uid` is that of the incarnation that
// the wait began with, empty: it is still to come.
Judgement Judge(const json::Value* object, std::string_view uid, Goal goal);

}  // namespace restate::cli
