#include "restate/app/user_settings.h"

#include <doctest/doctest.h>

#include "restate/app/settings.h"
#include "restate/base/error.h"

namespace restate::app {
namespace {

using cli::UserCommand;
using Verb = UserCommand::Verb;
using Words = std::vector<std::string>;

UserCommand Parsed(const Words& arguments, std::string_view program = "/usr/bin/kubectl-restate") {
  const auto command = ParseUserCommand(program, arguments);
  REQUIRE_MESSAGE(command.ok(), command.status().ToString());
  return *command;
}

std::string Complaint(const Words& arguments) {
  return std::string(MessageOf(ParseUserCommand("kubectl-restate", arguments).status()));
}

bool Has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

TEST_CASE("the program is kubectl-restate by its name, and restate-operator has the same commands") {
  CHECK(IsUserCommand("/usr/local/bin/kubectl-restate", {}));
  CHECK(IsUserCommand("kubectl-restate", {"run"}));
  CHECK(IsUserCommand("kubectl_complete-restate", {"st"}));
  CHECK(IsUserCommand("restate-operator", {"status", "-A"}));
  CHECK(IsUserCommand("restate-operator", {"why", "x"}));
  CHECK_FALSE(IsUserCommand("restate-operator", {}));
  CHECK_FALSE(IsUserCommand("restate-operator", {"run"}));
  CHECK_FALSE(IsUserCommand("restate-operator", {"--log-level", "debug"}));
  CHECK_FALSE(IsUserCommand("/opt/kubectl-restate/restate-operator", {"run"}));
}

TEST_CASE("flags may stand before and behind the object") {
  const UserCommand status = Parsed({"status", "rsd/greeter", "-n", "shop", "-w", "-o", "json", "--context=prod"});
  CHECK(status.verb == Verb::kStatus);
  CHECK(status.object == "rsd/greeter");
  CHECK(status.ns == "shop");
  CHECK(status.watch);
  CHECK(status.json);
  CHECK(status.context == "prod");
  const UserCommand wait = Parsed({"-n", "shop", "wait", "--for=drained", "--timeout", "1h30m", "greeter"});
  CHECK(wait.verb == Verb::kWait);
  CHECK(wait.ns == "shop");
  CHECK(wait.goal == cli::Goal::kDrained);
  CHECK(wait.timeout == absl::Minutes(90));
  CHECK(Parsed({"wait", "x"}).timeout == absl::Minutes(5));
  CHECK(Parsed({"status", "-A"}, "restate-operator").all_namespaces);
  CHECK_FALSE(Parsed({"status"}).ns);
}

TEST_CASE("help is about this set of commands, under either name") {
  CHECK(Has(Parsed({}).help, "kubectl restate"));
  CHECK(Parsed({}).verb == Verb::kHelp);
  for (const UserVerb& verb : kUserVerbs) CHECK(Has(Parsed({"--help"}).help, verb.name));
  CHECK_FALSE(Has(Parsed({"--help"}).help, "--operator-namespace"));
  const std::string wait = Parsed({"wait", "--help"}).help;
  CHECK(Has(wait, "--timeout"));
  CHECK(Has(wait, "Exit code"));
}

TEST_CASE("the version, as everybody asks a program for it") {
  CHECK(Parsed({"--version"}).help == RESTATE_OPERATOR_VERSION "\n");
}

TEST_CASE("bad usage names the flag and what is wanted") {
  CHECK(Has(Complaint({"wait"}), "object"));
  CHECK(Has(Complaint({"wait", "x", "--for=soon"}), "drained"));
  CHECK(Has(Complaint({"wait", "x", "--timeout=soon"}), "as in 90s or 5m"));
  CHECK(Has(Complaint({"wait", "x", "--timeout=0s"}), "more than nothing"));
  CHECK(Has(Complaint({"wait", "x", "--timeout=-5m"}), "--timeout"));
  CHECK(Has(Complaint({"status", "-o", "yaml"}), "json"));
  CHECK(Has(Complaint({"status", "-n", ""}), "--namespace"));
  CHECK(Has(Complaint({"status", "a", "b"}), "b"));
  CHECK(Has(Complaint({"frobnicate"}), "kubectl restate --help"));
  CHECK(Has(Complaint({"completion", "fish"}), "bash"));
}

TEST_CASE("completion knows the commands and flags of both names") {
  const auto words = [](std::string_view program, Words line) {
    line.insert(line.begin(), "__complete");
    const UserCommand command = Parsed(line, program);
    REQUIRE(command.verb == Verb::kComplete);
    return cli::WhatFollows(command.grammar, command.words);
  };
  CHECK(words("kubectl-restate", {""}).words == Words{"status", "why", "wait", "completion"});
  CHECK(words("restate-operator", {"ru"}).words == Words{"run"});
  CHECK(words("kubectl-restate", {"ru"}).words.empty());
  CHECK(words("kubectl-restate", {"wait", "x", "--for", ""}).words == Words{"ready", "drained", "deleted"});
  CHECK(words("kubectl-restate", {"status", "-"}).words == Words{"--help", "--all-namespaces", "--watch", "--output",
                                                                 "--version", "--namespace", "--context",
                                                                 "--kubeconfig"});
  CHECK(Parsed({"st"}, "/usr/bin/kubectl_complete-restate").words == Words{"st"});
}

TEST_CASE("completion knows every command that restate-operator has") {
  const auto settings = ParseSettings({"--help"}, [](const char*) -> const char* { return nullptr; });
  REQUIRE(settings.ok());
  const UserCommand command = Parsed({"__complete", ""}, "restate-operator");
  const std::string& help = settings->help;
  std::size_t begin = help.find("Subcommands:\n");
  REQUIRE(begin != std::string::npos);
  int seen = 0;
  for (begin = help.find('\n', begin) + 1; help.compare(begin, 2, "  ") == 0; begin = help.find('\n', begin) + 1) {
    if (help[begin + 2] == ' ') continue;  // a description that goes on
    const std::string name = help.substr(begin + 2, help.find(' ', begin + 2) - begin - 2);
    CAPTURE(name);
    const auto& all = command.grammar.commands;
    CHECK(std::any_of(all.begin(), all.end(), [&](const auto& words) { return words.name == name; }));
    ++seen;
  }
  CHECK(seen >= 7);
}

}  // namespace
}  // namespace restate::app
