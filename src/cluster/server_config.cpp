// What the configuration of the servers says that the operator has to know. toml++ is used here only.
#include "server_config.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "spec_mistake.h"

namespace restate::cluster {
namespace {

constexpr std::string_view kVariable = "RESTATE_AUTO_PROVISION";
constexpr std::string_view kWhy =
    " because spec.cluster.autoProvision is true: two that provision would make two clusters";

// The variable as the user sets it; nullptr: not at all, or from elsewhere (valueFrom).
const json::Value* LiteralVariable(const Observed& seen) {
  const json::Value* found = nullptr;
  if (!seen.spec.compute.env) return nullptr;
  for (const json::Value& variable : *seen.spec.compute.env) {
    if (variable.StringAt({"name"}) == kVariable) found = variable.Find("value");
  }
  return found && found->get<std::string>() ? found : nullptr;
}

absl::Status CheckFile(const std::string& config) {
  const toml::parse_result parsed = toml::parse(config);
  if (!parsed) {
    const toml::source_position at = parsed.error().source().begin;
    return Invalid("spec.config", absl::StrCat("is no valid TOML, see line ", at.line, ", column ", at.column));
  }
  const auto value = parsed.table()["auto-provision"].value_exact<bool>();
  if (value && !*value) return absl::OkStatus();
  return Invalid("spec.config", absl::StrCat("must have the line `auto-provision = false` before the first [section],",
                                             std::string(kWhy)));
}

}  // namespace

absl::Status CheckServersDoNotProvision(const Observed& seen) {
  if (!seen.spec.cluster || !seen.spec.cluster->auto_provision) return absl::OkStatus();
  if (const json::Value* literal = LiteralVariable(seen)) {
    const std::string text = *literal->get<std::string>();
    if (absl::EqualsIgnoreCase(text, "false")) return absl::OkStatus();
    return Invalid(absl::StrCat("spec.compute.env[", std::string(kVariable), "]"),
                   absl::StrCat("must be \"false\",", std::string(kWhy)));
  }
  return CheckFile(seen.spec.config.value_or(""));
}

}  // namespace restate::cluster
