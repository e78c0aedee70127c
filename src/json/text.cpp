#include "restate/json/text.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/encodedstream.h>
#include <rapidjson/reader.h>

#include <array>
#include <optional>

#include "absl/strings/str_cat.h"
#include "number.h"
#include "restate/base/error.h"

namespace restate::json {

// Receives the parser's events and builds the value. The open containers are a stack of their own: no recursion.
class Builder {
 public:
  bool Null() { return Put(Value()); }
  bool Bool(bool b) { return Put(Value(b)); }
  bool Int(int i) { return Put(Value(i)); }
  bool Uint(unsigned u) { return Put(Value(std::int64_t{u})); }
  bool Int64(std::int64_t i) { return Put(Value(i)); }
  bool Uint64(std::uint64_t u) { return Put(Value(u)); }
  bool Double(double d) { return Put(Value(d)); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }
  bool String(const char* s, rapidjson::SizeType n, bool) { return Put(Value(std::string(s, n))); }
  bool StartObject() { return Open(Value(Object())); }
  bool StartArray() { return Open(Value(Array())); }
  bool Key(const char* s, rapidjson::SizeType n, bool) {
    open_.back().key.assign(s, n);
    return true;
  }
  bool EndObject(rapidjson::SizeType) { return Close(); }
  bool EndArray(rapidjson::SizeType) { return Close(); }

  bool too_deep() const { return too_deep_; }
  Value Take() { return std::move(root_); }

 private:
  struct Container {
    Value value;
    std::string key;  // of the member that is being read
  };

  bool Open(Value container) {
    if (open_.size() >= static_cast<std::size_t>(kMaxDepth)) {
      too_deep_ = true;
      return false;
    }
    open_.push_back({std::move(container), {}});
    return true;
  }
  bool Close() {
    Value done = std::move(open_.back().value);
    open_.pop_back();
    return Put(std::move(done));
  }
  bool Put(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Array* items = open_.back().value.array()) {
      items->push_back(std::move(value));
    } else {
      // Of a repeated key the last one counts, as in Go's and Rust's readers.
      open_.back().value.object()->insert_or_assign(std::move(open_.back().key), std::move(value));
    }
    return true;
  }

  std::vector<Container> open_;
  Value root_;
  bool too_deep_ = false;
};

absl::StatusOr<Value> Parse(std::string_view text) {
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseFullPrecisionFlag;
  rapidjson::MemoryStream bytes(text.data(), text.size());
  rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> stream(bytes);
  Builder builder;
  rapidjson::Reader reader;
  const auto result = reader.Parse<kFlags>(stream, builder);
  if (builder.too_deep()) {
    return MakeError(Reason::kInvalidSpec, absl::StrCat("JSON is nested deeper than ", kMaxDepth, " levels"));
  }
  if (result.IsError()) {
    return MakeError(Reason::kInvalidSpec, absl::StrCat("invalid JSON at byte ", result.Offset(), ": ",
                                                        rapidjson::GetParseError_En(result.Code())));
  }
  return builder.Take();
}

namespace {

void AppendString(std::string_view text, std::string* out) {
  constexpr char kHex[] = "0123456789abcdef";
  *out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': *out += "\\\""; break;
      case '\\': *out += "\\\\"; break;
      case '\b': *out += "\\b"; break;
      case '\t': *out += "\\t"; break;
      case '\n': *out += "\\n"; break;
      case '\f': *out += "\\f"; break;
      case '\r': *out += "\\r"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          *out += "\\u00";
          *out += kHex[static_cast<unsigned char>(c) >> 4];
          *out += kHex[static_cast<unsigned char>(c) & 15];
        } else {
          *out += c;
        }
    }
  }
  *out += '"';
}

void AppendScalar(const Value& value, std::string* out) {
  if (value.is_null()) {
    *out += "null";
  } else if (const auto* b = value.get<bool>()) {
    *out += *b ? "true" : "false";
  } else if (const auto* i = value.get<std::int64_t>()) {
    *out += std::to_string(*i);
  } else if (const auto* u = value.get<std::uint64_t>()) {
    *out += std::to_string(*u);
  } else if (const auto* d = value.get<double>()) {
    AppendDouble(*d, out);
  } else if (const auto* s = value.get<std::string>()) {
    AppendString(*s, out);
  }
}

// Writes containers, with or without line breaks. Recursive: a Value is at most kMaxDepth deep and a frame is small.
class Writer {
 public:
  Writer(std::string* out, bool pretty) : out_(out), pretty_(pretty) {}

  void Write(const Value& value) {
    if (const Object* members = value.object()) {
      WriteObject(*members);
    } else if (const Array* items = value.array()) {
      WriteArray(*items);
    } else {
      AppendScalar(value, out_);
    }
  }

 private:
  void WriteObject(const Object& members) {
    *out_ += '{';
    ++depth_;
    bool first = true;
    for (const auto& [key, member] : members) {
      Separate(&first);
      AppendString(key, out_);
      *out_ += pretty_ ? ": " : ":";
      Write(member);
    }
    End(first, '}');
  }
  void WriteArray(const Array& items) {
    *out_ += '[';
    ++depth_;
    bool first = true;
    for (const Value& item : items) {
      Separate(&first);
      Write(item);
    }
    End(first, ']');
  }
  void Separate(bool* first) {
    if (!*first) *out_ += ',';
    *first = false;
    NewLine();
  }
  void End(bool empty, char bracket) {
    --depth_;
    if (!empty) NewLine();
    *out_ += bracket;
  }
  void NewLine() {
    if (pretty_) *out_ += "\n" + std::string(2 * static_cast<std::size_t>(depth_), ' ');
  }

  std::string* const out_;
  const bool pretty_;
  int depth_ = 0;
};

std::string Write(const Value& value, bool pretty) {
  std::string text;
  Writer(&text, pretty).Write(value);
  return text;
}

}  // namespace

std::string Dump(const Value& value) { return Write(value, false); }

std::string DumpPretty(const Value& value) { return Write(value, true); }

}  // namespace restate::json
