// Files below tests/, found by the environment variable that the build sets; run by hand, from the top of the
// repository.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace restate {

inline std::filesystem::path TestSource(const std::filesystem::path& relative) {
  const char* tests = std::getenv("RESTATE_TEST_SOURCE");
  return std::filesystem::path(tests ? tests : "tests") / relative;
}

inline std::string FileText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE_MESSAGE(file.good(), "cannot read " << path.string());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace restate
