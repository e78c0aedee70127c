#include "../../src/kube/program.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "../../src/kube/exec_plugin.h"

namespace restate::kube {
namespace {

TEST_CASE("a program's code, output and errors come back") {
  const auto end = Run({.argv = {"sh", "-c", "echo out; echo err >&2; exit 3"}, .variables = {}});
  REQUIRE(end.ok());
  CHECK(end->exit_code == 3);
  CHECK(end->output == "out\n");
  CHECK(end->errors == "err\n");
}

TEST_CASE("T4: a program over its limit is killed with its children") {
  const absl::Time begin = absl::Now();
  const auto end =
      Run({.argv = {"sh", "-c", "sleep 1000 & sleep 1000"}, .variables = {}, .limit = absl::Milliseconds(50)});
  CHECK(end.status().message().find("did not end within 50ms") != std::string::npos);
  const auto closed =
      Run({.argv = {"sh", "-c", "exec >&- 2>&-; sleep 1000"}, .variables = {}, .limit = absl::Milliseconds(50)});
  CHECK_FALSE(closed.ok());
  CHECK(absl::Now() - begin < absl::Seconds(500));  // not the programs' own 1000 s
}

TEST_CASE("T4: a program that says too much is ended, a missing one is named") {
  CHECK_FALSE(Run({.argv = {"cat", "/dev/zero"}, .variables = {}, .max_output = 1000}).ok());
  CHECK(Run({.argv = {"no-such-program"}, .variables = {}})
            .status()
            .message()
            .find("no-such-program cannot be started") == 0);
}

TEST_CASE("a program inherits no open files") {
  const auto end = Run({.argv = {"sh", "-c", "ls /proc/self/fd | wc -l"}, .variables = {}});
  REQUIRE(end.ok());
  CHECK(std::stoi(end->output) <= 4);  // 0, 1, 2 and the directory itself
}

TEST_CASE("a program gets our environment and its own variables, but not the CAs that we hide from ourselves") {
  const auto end =
      Run({.argv = {"sh", "-c", "echo \"$PATH:$MINE:$SSL_CERT_FILE:$SSL_CERT_DIR\""}, .variables = {{"MINE", "a b"}}});
  REQUIRE(end.ok());
  CHECK(end->output.starts_with(std::getenv("PATH") + std::string(":a b:")));
  CHECK(end->output.find("/dev/null") == std::string::npos);
}

TEST_CASE("T5: what may be a token does not reach the log") {
  CHECK(MaskSecrets("error: token eyJhbGciOiJSUzI1NiIsImtpZCI6 is bad\nagain") == "error: token *** is bad again");
  CHECK(MaskSecrets("plain words stay") == "plain words stay");
}

}  // namespace
}  // namespace restate::kube
