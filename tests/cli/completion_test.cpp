#include "restate/cli/completion.h"

#include <doctest/doctest.h>

namespace restate::cli {
namespace {

using Words = std::vector<std::string>;
using More = Candidates::More;

const Grammar& TestGrammar() {
  static const Grammar grammar{
      .commands = {{.name = "status",
                    .flags = {{"-o", true, {}}, {"--output", true, {"json"}}, {"--watch", false, {}}},
                    .takes_object = true},
                   {.name = "wait", .flags = {{"--for", true, {"ready", "drained"}}}, .takes_object = true},
                   {.name = "completion", .arguments = {"bash", "zsh"}}},
      .flags = {{"-n", true, {}}, {"--namespace", true, {}}}};
  return grammar;
}

Candidates After(const Words& words) { return WhatFollows(TestGrammar(), words); }

TEST_CASE("commands, arguments and flags are offered by what is begun of them") {
  CHECK(After({""}).words == Words{"status", "wait", "completion"});
  CHECK(After({"s"}).words == Words{"status"});
  CHECK(After({"x"}).words.empty());
  CHECK(After({}).words.size() == 3);
  CHECK(After({"completion", "z"}).words == Words{"zsh"});
  CHECK(After({"completion", "zsh", ""}).words.empty());
  CHECK(After({"status", "--"}).words == Words{"--output", "--watch", "--namespace"});
  CHECK(After({"-n", "shop", "w"}).words == Words{"wait"});
}

TEST_CASE("values of a flag are offered, however the shell cuts the word at =") {
  CHECK(After({"wait", "--for", "r"}).words == Words{"ready"});
  CHECK(After({"wait", "--for", "="}).words == Words{"ready", "drained"});
  CHECK(After({"wait", "--for", "=", "d"}).words == Words{"drained"});
  CHECK(After({"wait", "--for=d"}).words == Words{"--for=drained"});
  CHECK(After({"wait", "--no-such-flag=d"}).words.empty());
}

TEST_CASE("objects and namespaces are asked for where they may stand") {
  CHECK(After({"status", "gr"}).more == More::kObjects);
  CHECK(After({"status", "gr"}).begun == "gr");
  CHECK(After({"wait", "--for", "=", "ready", ""}).more == More::kObjects);
  CHECK(After({"status", "--watch", ""}).more == More::kObjects);
  CHECK(After({"status", "greeter", ""}).more == More::kNone);
  CHECK(After({"status", "-n", "sh"}).more == More::kNamespaces);
  CHECK(After({"--namespace=sh"}).more == More::kNamespaces);
  CHECK(After({"--namespace=sh"}).prefix == "--namespace=");
  CHECK(After({"--namespace=sh"}).begun == "sh");
}

TEST_CASE("there are scripts for bash and zsh, and both ask for both names of the program") {
  for (const std::string_view shell : {"bash", "zsh"}) {
    const auto script = CompletionScript(shell);
    REQUIRE(script);
    CHECK(script->find("kubectl-restate") != std::string_view::npos);
    CHECK(script->find("restate-operator") != std::string_view::npos);
    CHECK(script->find("__complete") != std::string_view::npos);
  }
  CHECK_FALSE(CompletionScript("fish"));
}

}  // namespace
}  // namespace restate::cli
