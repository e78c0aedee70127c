#include "files.h"

#include <spdlog/spdlog.h>

#include <fstream>

namespace restate::kube {
namespace {

constexpr std::size_t kLargest = 1 << 20;
constexpr auto kPollInterval = std::chrono::seconds(10);

std::string WithoutTrailingBlanks(std::string text) {
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

}  // namespace

std::optional<std::string> ReadSmallFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content(kLargest + 1, '\0');
  if (!file.read(content.data(), static_cast<std::streamsize>(content.size())) && !file.eof()) return std::nullopt;
  content.resize(static_cast<std::size_t>(file.gcount()));
  if (content.size() > kLargest) return std::nullopt;
  return content;
}

std::string PolledFile::Get() {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.Now();
  if (read_at_ && now - *read_at_ < kPollInterval) return content_;
  read_at_ = now;
  std::string content = WithoutTrailingBlanks(ReadSmallFile(path_).value_or(""));
  const bool good = !content.empty();
  if (good) content_ = std::move(content);
  if (!good && !warned_) spdlog::warn("{} cannot be read or is empty: its last content stays in use", path_);
  warned_ = !good;
  return content_;
}

void PolledFile::Refuse(const std::string& content) {
  const std::lock_guard lock(mutex_);
  if (content == content_) read_at_.reset();
}

}  // namespace restate::kube
