#include "restate/cli/unified_diff.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace restate::cli {
namespace {

std::string Diff(std::string_view before, std::string_view after) { return UnifiedDiff(before, after, "a", "b"); }

TEST_CASE("equal texts have no diff") {
  CHECK(Diff("", "").empty());
  CHECK(Diff("x\ny\n", "x\ny\n").empty());
}

TEST_CASE("a changed line stands between the three before and after it") {
  CHECK(Diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n") ==
        "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST_CASE("what is new or gone is shown whole") {
  CHECK(Diff("", "x\ny\n") == "--- a\n+++ b\n@@ -0,0 +1,2 @@\n+x\n+y\n");
  CHECK(Diff("x\n", "") == "--- a\n+++ b\n@@ -1 +0,0 @@\n-x\n");
}

TEST_CASE("changes that are far apart have a hunk each, near ones share one") {
  const std::string middle = "1\n2\n3\n4\n5\n6\n";
  CHECK(Diff("a\n" + middle + "b\n", "A\n" + middle + "B\n").find("@@ -1,8 +1,8 @@\n") != std::string::npos);
  const std::string two = Diff("a\n" + middle + "7\nb\n", "A\n" + middle + "7\nB\n");
  CHECK(two == "--- a\n+++ b\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// What `patch` does, and as strictly: the numbers in the heads are right and every line is where they say.
std::string Patched(const std::string& before, const std::string& patch) {
  const auto old = LinesOf(before), edits = LinesOf(patch);
  std::string text;
  std::size_t at = 0;
  for (std::size_t i = 2; i < edits.size();) {
    int from = 0, count = 1;
    REQUIRE(std::sscanf(edits[i].c_str(), "@@ -%d,%d +", &from, &count) >= 1);
    for (const std::size_t begin = count == 0 ? from : from - 1; at < begin; ++at) text += old[at] + "\n";
    for (++i; i < edits.size() && edits[i][0] != '@'; ++i) {
      if (edits[i][0] != '+') REQUIRE(edits[i].substr(1) == old.at(at++));
      if (edits[i][0] != '+') --count;
      if (edits[i][0] != '-') text += edits[i].substr(1) + "\n";
    }
    REQUIRE(count == 0);
  }
  for (; at < old.size(); ++at) text += old[at] + "\n";
  return text;
}

TEST_CASE("it makes the second text of the first, of any two") {
  std::mt19937 random(7);
  const auto text = [&] {
    std::string lines;
    for (unsigned left = random() % 40; left > 0; --left)
      lines.append(1, static_cast<char>('a' + random() % 4)) += '\n';
    return lines;
  };
  for (int round = 0; round < 500; ++round) {
    const std::string before = text(), after = text();
    REQUIRE(Patched(before, Diff(before, after)) == after);
  }
}

}  // namespace
}  // namespace restate::cli
