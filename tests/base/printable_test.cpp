#include "restate/base/printable.h"

#include <doctest/doctest.h>

namespace restate {
namespace {

TEST_CASE("what people can read stays as it is") {
  for (const char* text : {"", "plain", "\"quoted\" \\", "\u00fc \u2026 \U0001f600"}) CHECK(Printable(text) == text);
}

TEST_CASE("control characters become blanks, those that only terminals know too") {
  CHECK(Printable("a\nb\r\tc\x1b[31m\x7f") == "a b  c [31m ");
  CHECK(Printable("a\u009b31m") == "a 31m");
}

TEST_CASE("bytes of no character become question marks") {
  CHECK(Printable("a\xff"
                  "b") == "a?b");
  CHECK(Printable("\xc0\xaf") == "??");            // overlong
  CHECK(Printable("\xed\xa0\x80") == "???");       // half of a pair
  CHECK(Printable("\xf4\x90\x80\x80") == "????");  // beyond Unicode
  CHECK(Printable("cut \xe2\x80") == "cut ??");
}

TEST_CASE("a limit counts bytes and cuts no character in two") {
  CHECK(Printable("abc", 3) == "abc");
  CHECK(Printable("abc", 2) == "ab");
  CHECK(Printable("a\u2026", 3) == "a");
}

}  // namespace
}  // namespace restate
