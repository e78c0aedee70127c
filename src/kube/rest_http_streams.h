// The stream buffers between cpprestsdk and an Exchange; for rest_http.cpp only.
//
// cpprestsdk's own buffers do not do: its default response buffer grows without limit, and its string request body
// casts between unrelated stream types (undefined) and lets any request be sent a second time.
#pragma once

#include <cpprest/astreambuf.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include "exchange.h"

namespace restate::kube {

inline constexpr char kTooLateToSend[] = "not sent: the time in which it might leave was over";

using StreamBuffer = concurrency::streams::details::streambuf_state_manager<uint8_t>;

// What neither direction offers: a buffer without positions and without direct memory access.
class PlainStreamBuffer : public StreamBuffer {
 public:
  using StreamBuffer::StreamBuffer;
  bool can_seek() const override { return false; }
  bool has_size() const override { return false; }
  size_t buffer_size(std::ios_base::openmode) const override { return 0; }
  void set_buffer_size(size_t, std::ios_base::openmode) override {}
  size_t in_avail() const override { return 0; }
  pos_type getpos(std::ios_base::openmode) const override { return None(); }
  pos_type seekpos(pos_type, std::ios_base::openmode) override { return None(); }
  pos_type seekoff(off_type, std::ios_base::seekdir, std::ios_base::openmode) override { return None(); }
  bool acquire(uint8_t*& memory, size_t& count) override {
    memory = nullptr;
    count = 0;
    return false;
  }
  void release(uint8_t*, size_t) override {}

 protected:
  static pos_type None() { return static_cast<pos_type>(traits::eof()); }
  uint8_t* _alloc(size_t) override { return nullptr; }
  void _commit(size_t) override {}
  pplx::task<int_type> _putc(uint8_t) override { return pplx::task_from_result<int_type>(traits::eof()); }
  pplx::task<size_t> _putn(const uint8_t*, size_t) override { return pplx::task_from_result<size_t>(0); }
  pplx::task<int_type> _bumpc() override { return pplx::task_from_result<int_type>(_sbumpc()); }
  int_type _sbumpc() override { return traits::eof(); }
  pplx::task<int_type> _getc() override { return pplx::task_from_result<int_type>(_sgetc()); }
  int_type _sgetc() override { return traits::eof(); }
  pplx::task<int_type> _nextc() override { return pplx::task_from_result<int_type>(traits::eof()); }
  pplx::task<int_type> _ungetc() override { return pplx::task_from_result<int_type>(traits::eof()); }
  pplx::task<size_t> _getn(uint8_t*, size_t) override { return pplx::task_from_result<size_t>(0); }
  size_t _scopy(uint8_t*, size_t) override { return 0; }
  pplx::task<bool> _sync() override { return pplx::task_from_result(true); }
};

// Receives an answer's body on the I/O thread. A put that is left pending stops cpprestsdk from reading the socket.
class ResponseSink : public PlainStreamBuffer {
 public:
  // `post`: runs a function on the I/O thread.
  ResponseSink(std::shared_ptr<Exchange> exchange, void (*post)(std::function<void()>))
      : PlainStreamBuffer(std::ios_base::out), exchange_(std::move(exchange)), post_(post) {}

  pplx::task<size_t> putn_nocopy(const uint8_t* bytes, size_t count) override {
    pplx::task_completion_event<size_t> taken;
    const auto resume = [taken, count, post = post_] { post([taken, count] { taken.set(count); }); };
    switch (exchange_->Append({reinterpret_cast<const char*>(bytes), count}, resume)) {
      case Exchange::Verdict::kMore: return pplx::task_from_result(count);
      case Exchange::Verdict::kRefuse: return pplx::task_from_result<size_t>(0);
      case Exchange::Verdict::kPause: return pplx::create_task(taken);
    }
    return pplx::task_from_result<size_t>(0);
  }

 protected:
  pplx::task<int_type> _putc(uint8_t byte) override {
    return putn_nocopy(&byte, 1).then([byte](size_t) { return static_cast<int_type>(byte); });
  }
  pplx::task<size_t> _putn(const uint8_t* bytes, size_t count) override { return putn_nocopy(bytes, count); }

 private:
  const std::shared_ptr<Exchange> exchange_;
  void (*const post_)(std::function<void()>);
};

// A request's body. That it cannot seek is what forbids cpprestsdk to send the request again when a kept-alive
// connection breaks before the answer.
class RequestSource : public PlainStreamBuffer {
 public:
  RequestSource(std::string body, std::chrono::steady_clock::time_point send_by)
      : PlainStreamBuffer(std::ios_base::in), body_(std::move(body)), send_by_(send_by) {}
  bool has_size() const override { return true; }
  utility::size64_t size() const override { return body_.size(); }
  size_t in_avail() const override { return body_.size() - position_; }
  pos_type getpos(std::ios_base::openmode) const override { return static_cast<pos_type>(position_); }

 protected:
  int_type _sgetc() override {
    return position_ < body_.size() ? static_cast<uint8_t>(body_[position_]) : traits::eof();
  }
  int_type _sbumpc() override {
    const int_type byte = _sgetc();
    if (position_ < body_.size()) ++position_;
    return byte;
  }
  pplx::task<int_type> _nextc() override {
    _sbumpc();
    return _getc();
  }
  size_t _scopy(uint8_t* to, size_t count) override {
    count = std::min(count, body_.size() - position_);
    std::memcpy(to, body_.data() + position_, count);
    return count;
  }
  // Asked for once the request's head has been written: without its body the server does nothing.
  pplx::task<size_t> _getn(uint8_t* to, size_t count) override {
    if (position_ == 0 && std::chrono::steady_clock::now() > send_by_) {
      return pplx::task_from_exception<size_t>(std::runtime_error(kTooLateToSend));
    }
    count = _scopy(to, count);
    position_ += count;
    return pplx::task_from_result(count);
  }

 private:
  const std::string body_;
  const std::chrono::steady_clock::time_point send_by_;
  size_t position_ = 0;
};

}  // namespace restate::kube
