#include "restate/json/yaml.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "restate/json/text.h"

namespace restate::json {
namespace {

// The documents of a text as JSON, one after the other; or the error.
std::string Read(std::string_view text) {
  const auto documents = ParseYaml(text);
  if (!documents.ok()) return "error: " + std::string(documents.status().message());
  std::string out;
  for (const Value& document : *documents) out += (out.empty() ? "" : " ") + Dump(document);
  return out;
}

// `text` as it stands in YAML after "key: ".
std::string Written(std::string_view text) {
  const std::string yaml = ToYaml(Obj({{"key", text}}));
  return yaml.substr(5, yaml.size() - 6);
}

const std::vector<std::string> kNasty = {
    "",
    " ",
    "~",
    "null",
    "Null",
    "yes",
    "No",
    "on",
    "OFF",
    "y",
    "N",
    "true",
    "False",
    "1",
    "-1",
    "+1",
    "1e3",
    "1E3",
    ".5",
    "5.",
    "0x1f",
    "0o17",
    "017",
    "1_000",
    "1:30",
    "2026-01-31",
    "2026-01-31T09:00:00Z",
    ".inf",
    "-.INF",
    ".nan",
    "=",
    "<<",
    "-",
    "- a",
    "--",
    "---",
    "...",
    "? a",
    "?",
    ":",
    ": a",
    "a: b",
    "a:b",
    "a:",
    "a #b",
    "a#b",
    "#a",
    "&a",
    "*a",
    "!a",
    "!!str a",
    "|",
    ">",
    "%a",
    "@a",
    "`a",
    "'a'",
    "'",
    "\"a\"",
    "\"",
    "[a]",
    "{a}",
    "]",
    "}",
    ",",
    "a, b",
    "a\\b",
    "\\n",
    " a",
    "a ",
    "\ta",
    "a\t",
    "a\tb",
    "a\rb",
    "\r\n",
    "a\nb",
    "a\nb\n",
    "a\nb\n\n\n",
    "\n",
    "\n\n",
    "\na",
    " a\nb",
    "a\n b",
    "a\n\nb",
    "a \nb ",
    "a\n\tb",
    "\n a",
    "a\n#b\n---\n...\n- c",
    "key: value\nlist:\n- 1\n",
    "a\n ",
    "a\n \n",
    "\x01",
    "a\x1f\x7f",
    "ä",
    "日本語",
    "😀",
    "a\u0085b",
    "a\u2028b\u2029c",
    "\uFEFFa",
    "ä\nö\n",
    "a\u00a0b",
    std::string("a\0b", 3),
};

TEST_CASE("nasty texts survive as values and as keys") {
  for (const std::string& text : kNasty) {
    CAPTURE(Dump(text));
    const std::vector<Value> values = {Value(text), Obj({{"key", text}}), Arr({text, text}),
                                       Obj({{"a", Arr({Obj({{"b", text}, {"c", 1}})})}})};
    for (const Value& value : values) {
      const std::string yaml = ToYaml(value);
      CAPTURE(yaml);
      CHECK(Read(yaml) == Dump(value));
    }
    if (text.find('\n') == std::string::npos) {
      const Value keyed = Value(Object{{text, Value(1)}});
      CHECK(Read(ToYaml(keyed)) == Dump(keyed));
    }
  }
}

TEST_CASE("JSON text for readers of YAML is the same value for both") {
  const std::string odd = "\x7f \xc2\x80 \xc2\x85 \xe2\x80\xa8 \xe2\x80\xa9 \xef\xbb\xbf \xef\xbf\xbe \xef\xbf\xbf";
  CHECK(ToFlowYaml(Value(odd)) == R"("\u007f \u0080 \u0085 \u2028 \u2029 \ufeff \ufffe \uffff")");
  CHECK(ToFlowYaml(Obj({{"b", 1}, {"a", "\xc3\xbc\n\t\xf0\x9f\x98\x80"}})) ==
        "{\"a\":\"\xc3\xbc\\n\\t\xf0\x9f\x98\x80\",\"b\":1}");
  for (const std::string& text : kNasty) {
    CAPTURE(text);
    const Value value = Obj({{text, Arr({text, odd})}});
    CHECK(Read(ToFlowYaml(value)) == Dump(value));
    CHECK(*Parse(ToFlowYaml(value)) == value);
  }
}

TEST_CASE("texts that YAML 1.1 readers take for something else are quoted") {
  for (const std::string text :
       {"yes", "no", "ON", "y", "1_000", "1:30", "017", "0o17", "2026-01-31", "1e3", "=", "<<", "~"}) {
    CHECK(Written(text) == "\"" + text + "\"");
  }
  for (const std::string text : {"greeter", "restate.dev/v1", "a b", "x:y", "IfNotPresent", "_a", "/health"}) {
    CHECK(Written(text) == text);
  }
  CHECK(Written("a\u2028b") == "\"a\\u2028b\"");
}

TEST_CASE("values print as kubectl prints them") {
  const Value value =
      Obj({{"empty", Obj({})},
           {"none", Arr({})},
           {"list", Arr({Obj({{"a", 1}, {"b", Arr({1.5, true, Value()})}}), "x", Arr({1, 2}), Obj({})})},
           {"text", "one\ntwo\n"}});
  CHECK(ToYaml(value) ==
        "empty: {}\n"
        "list:\n"
        "- a: 1\n"
        "  b:\n"
        "  - 1.5\n"
        "  - true\n"
        "  - null\n"
        "- x\n"
        "- - 1\n"
        "  - 2\n"
        "- {}\n"
        "none: []\n"
        "text: |\n"
        "  one\n"
        "  two\n");
}

TEST_CASE("long texts are folded and come back as one line") {
  std::string text;
  for (int i = 0; i < 60; ++i) text += (i ? " " : "") + std::string(1 + i % 13, 'w');
  const Value value = Obj({{"doc", text}, {"url", std::string(300, 'u')}, {"gap", text + "  " + text}});
  const std::string yaml = ToYaml(value);
  CHECK(yaml.find("doc: >-\n  w ww ") == 0);
  CHECK(Read(yaml) == Dump(value));
}

TEST_CASE("numbers survive") {
  const Value value =
      Arr({0, -1, std::int64_t{9223372036854775807}, std::uint64_t{18446744073709551615U}, 0.1, 1e300, -2.5e-9});
  CHECK(Read(ToYaml(value)) == Dump(value));
}

TEST_CASE("plain scalars follow the YAML 1.2 core schema, and octal numbers kubectl") {
  CHECK(Read("[yes, no, on, y, True, FALSE, ~, null, NULL, '', nullx]") ==
        R"(["yes","no","on","y",true,false,null,null,null,"","nullx"])");
  CHECK(Read("[0, -7, +7, 0644, 0899, 0o17, 0x1F, 1e3, .5, 5., -1.5E-1, 1_000, 1:30, .inf, .nan, ., +, 0x, 1e]") ==
        R"([0,-7,7,420,899,15,31,1000.0,0.5,5.0,-0.15,"1_000","1:30",".inf",".nan",".","+","0x","1e"])");
  CHECK(Read("[18446744073709551615, -9223372036854775808, 99999999999999999999]") ==
        "[18446744073709551615,-9223372036854775808,1e20]");
  CHECK(Read("['1', \"true\", !!str 2, |-\n 3\n]").substr(0, 5) == "error");  // no block scalars in flow style
  CHECK(Read("['1', \"true\", !!str 2, !!int 3]") == R"(["1","true","2",3])");
  CHECK(Read("{1: a, true: b, 1.5: c}") == R"({"1":"a","1.5":"c","true":"b"})");
}

TEST_CASE("a text may hold several documents, JSON too; empty ones are left out") {
  CHECK(Read("a: 1\n---\n# nothing\n---\n- b\n...\n") == R"({"a":1} ["b"])");
  CHECK(Read(R"({"a": [1, "x", null]})") == R"({"a":[1,"x",null]})");
  CHECK(Read("") == "");
  CHECK(Read("# only a comment\n") == "");
}

TEST_CASE("aliases are expanded") {
  CHECK(Read("a: &x {b: [1]}\nc: *x\nd: *x") == R"({"a":{"b":[1]},"c":{"b":[1]},"d":{"b":[1]}})");
}

TEST_CASE("aliases that multiply are refused before they cost memory") {
  std::string nodes = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    nodes += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + below;
    for (int j = 0; j < 8; ++j) nodes += ", " + below;
    nodes += "]\n";
  }
  CHECK(Read(nodes).find("too large") != std::string::npos);
  std::string bytes = "a: &a " + std::string(1 << 20, 'x') + "\nb:\n";
  for (int i = 0; i < 1000; ++i) bytes += "- *a\n";
  CHECK(Read(bytes).find("too large") != std::string::npos);
  CHECK(Read("a: &a [*a]").find("error") == 0);
}

TEST_CASE("deep nesting is refused, not a crash") {
  for (const char open : {'[', '{'}) {
    const std::string error = Read(std::string(200000, open));
    CHECK(error.find("error: invalid YAML at line 1, column ") == 0);
  }
  CHECK(Read(std::string(100, '[') + std::string(100, ']')) == std::string(100, '[') + std::string(100, ']'));
}

TEST_CASE("errors name the place and the mistake") {
  CHECK(Read("a: 1\nb: [1,\n").find("error: invalid YAML at line 3") == 0);
  CHECK(Read("a: 1\na: 2") == "error: invalid YAML at line 2, column 1: the key \"a\" occurs twice");
  CHECK(Read("[a]: 1").find("a key must be a scalar") != std::string::npos);
  CHECK(Read("~: 1").find("a key must be a text") != std::string::npos);
  CHECK(Read("a: &x {b: 1}\nc:\n  <<: *x").find("line 3, column 3: merge keys") != std::string::npos);
  CHECK(Read("a: !!binary aGk=").find("!!binary") != std::string::npos);
  CHECK(Read("a: *nothing").find("error: invalid YAML at line 1") == 0);
  CHECK(Read("a\tb: c: d").find("error") == 0);
}

}  // namespace
}  // namespace restate::json
