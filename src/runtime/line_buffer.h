// LineBuffer: puts the lines of a stream together, wherever its pieces were cut.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace restate::runtime {

class LineBuffer {
 public:
  // Where the next piece is appended. Views given out before become invalid.
  std::string* Tail() {
    text_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
    return &text_;
  }

  // The next complete line, without its end; nullopt: more bytes are needed.
  std::optional<std::string_view> Next() {
    const std::size_t end = text_.find('\n', scanned_);
    if (end == std::string::npos) {
      scanned_ = text_.size();
      return std::nullopt;
    }
    const auto line = std::string_view(text_).substr(begin_, end - begin_);
    begin_ = scanned_ = end + 1;
    return line;
  }

  // Bytes of the line that is not complete yet.
  std::size_t pending() const { return text_.size() - begin_; }

 private:
  std::string text_;
  std::size_t begin_ = 0;    // of the line that Next() gives out
  std::size_t scanned_ = 0;  // no line end before this
};

}  // namespace restate::runtime
