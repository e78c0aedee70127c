#include "restate/app/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <string_view>

#include "restate/base/printable.h"
#include "restate/json/text.h"

namespace restate::app {
namespace {

// Messages quote texts from outside, such as an API server's answer, which has quotation marks of its own.
class Message : public spdlog::custom_flag_formatter {
 public:
  explicit Message(bool json) : json_(json) {}

  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    std::string text = Printable({message.payload.data(), message.payload.size()});
    if (json_) text = json::Dump(json::Value(std::move(text)));
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::custom_flag_formatter> clone() const override { return std::make_unique<Message>(json_); }

 private:
  bool json_;
};

}  // namespace

std::unique_ptr<spdlog::formatter> NewLogFormatter(bool json) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<Message>('*', json).set_pattern(
      json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%*})" : "%Y-%m-%dT%H:%M:%S.%eZ %l %*");
  return formatter;
}

void SetUpLog(const std::string& level, bool json) {
  auto logger = spdlog::stderr_logger_mt("restate-operator");
  logger->set_level(spdlog::level::from_str(level));
  logger->set_formatter(NewLogFormatter(json));
  spdlog::set_default_logger(logger);
}

}  // namespace restate::app
