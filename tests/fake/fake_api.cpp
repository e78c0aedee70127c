// Requests: recording, faults, answers and watch streams.
#include "fake/fake_api.h"

#include <chrono>
#include <cstdlib>

#include "restate/json/text.h"
#include "fake/fake_api_impl.h"

namespace restate::fake {

using json::Obj;
using json::Value;

namespace {

// How often an idle watch looks whether its client is still there; nothing else depends on it.
constexpr auto kPeerCheck = std::chrono::milliseconds(20);

}  // namespace

FakeApi::FakeApi() : impl_(std::make_unique<Impl>()) {
  CreateNamespace("default");
  CreateNamespace("kube-system");
  Impl* impl = impl_.get();
  impl->server = std::make_unique<HttpServer>([impl](ApiRequest request, Connection& connection, std::stop_token stop) {
    return impl->Handle(std::move(request), connection, stop);
  });
}

FakeApi::~FakeApi() { impl_->server.reset(); }

std::string FakeApi::url() const { return "http://127.0.0.1:" + std::to_string(impl_->server->port()); }

bool FakeApi::Impl::Handle(ApiRequest request, Connection& connection, std::stop_token stop) {
  RequestHook ask;
  {
    const std::lock_guard lock(mutex);
    request.number = first_number + static_cast<int>(requests.size());
    requests.push_back(request);
    if (!request.IsWatch()) max_in_flight = std::max(max_in_flight, ++in_flight);
    ask = hook;
  }
  const auto fault = ask ? ask(request) : std::nullopt;
  const bool keep = HandleSound(request, connection, fault.value_or(Fault()), stop);
  if (!request.IsWatch()) {
    const std::lock_guard lock(mutex);
    --in_flight;
  }
  return keep;
}

void FakeApi::Impl::Record(const ApiRequest& request) {
  const std::lock_guard lock(mutex);
  const int index = request.number - first_number;
  if (index >= 0 && index < static_cast<int>(requests.size())) requests[static_cast<std::size_t>(index)] = request;
  changed.notify_all();
}

// The callback of AfterWrite when this was its write.
std::function<void()> FakeApi::Impl::CountWrite(When now) {
  const std::lock_guard lock(mutex);
  if (!after_write || when != now || writes_to_go == 0 || --writes_to_go > 0) return nullptr;
  return std::exchange(after_write, nullptr);
}

bool FakeApi::Impl::HandleSound(ApiRequest& request, Connection& connection, const Fault& fault,
                                std::stop_token stop) {
  if (fault.hold_before) fault.hold_before->Wait(stop);
  if (fault.drop_before) return false;
  if (fault.silence) {
    Gate never;
    never.Wait(stop);
    return false;
  }
  if (!fault.split_at.empty()) connection.SplitAt(fault.split_at);
  if (fault.cut_after) connection.CutAfter(*fault.cut_after);
  if (request.IsWatch() && !fault.answer) {
    request.answer_code = 200;
    Record(request);
    return HandleWatch(request, connection, stop);
  }
  Answer answer;
  if (fault.answer) {
    answer = *fault.answer;
  } else {
    const std::lock_guard lock(mutex);
    Tick();
    const auto version = truth.store.version();
    try {
      answer = fake::Serve(truth, request);
    } catch (const Refusal& refusal) {
      answer = AnswerOf(refusal);
    }
    request.committed = truth.store.version() != version;
    if (request.committed) Settle();
  }
  request.answer_code = fault.drop_after ? 0 : answer.code;
  Record(request);
  const auto run = [&](When now) {
    if (!request.committed) return;
    if (const auto callback = CountWrite(now)) callback();
  };
  run(When::kCommitted);
  if (fault.hold_after) fault.hold_after->Wait(stop);
  if (fault.drop_after || !connection.SendAnswer(answer, request.method == "HEAD")) return false;
  run(When::kAnswered);
  return true;
}

// What an accepted watch starts with; nullopt: refused.
std::optional<Watch> FakeApi::Impl::OpenWatch(const ApiRequest& request, Answer* refusal) {
  const Kind* kind = truth.store.FindKind(request.group, request.plural, request.version);
  if (!kind) {
    *refusal = AnswerOf(UnknownResource());
    return std::nullopt;
  }
  Watch watch{.request = request, .kind_id = KindId(*kind), .kind = kind->kind, .api_version = kind->ApiVersion()};
  const int seconds = std::atoi(request.Query("timeoutSeconds").c_str());
  watch.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds > 0 ? seconds : 3600);
  watch.position = truth.store.version();
  const auto text = request.Query("resourceVersion");
  if (text.empty() || text == "0") {
    // Synthetic events in no order of versions: the names' order backwards.
    const Objects objects = truth.store.All(*kind);
    for (auto it = objects.rbegin(); it != objects.rend(); ++it) {
      if (IsSelected(*it->second, request)) watch.pending.push_back(Frame("ADDED", *it->second));
    }
    return watch;
  }
  const auto version = truth.store.VersionOf(text);
  if (!version) {
    *refusal = AnswerOf(ServerError("resourceVersion: Invalid value: \"" + text + "\": not a version"));
    return std::nullopt;
  }
  watch.position = *version;
  if (*version < truth.expired_before) {
    const Refusal expired = Expired("too old resource version: " + text + " (" +
                                    truth.store.VersionText(truth.expired_before) + ")");
    if (expired_form == ExpiredForm::kHttp) {
      *refusal = AnswerOf(expired);
      return std::nullopt;
    }
    watch.position = truth.store.version();  // nothing comes after the error
    watch.pending.push_back(Frame("ERROR", StatusObject(expired)));
    watch.end = WatchEnd::kClean;
  }
  return watch;
}

bool FakeApi::Impl::HandleWatch(const ApiRequest& request, Connection& connection, std::stop_token stop) {
  std::unique_lock lock(mutex);
  Answer refusal;
  auto opened = OpenWatch(request, &refusal);
  if (!opened) {
    lock.unlock();
    ApiRequest refused = request;
    refused.answer_code = refusal.code;
    Record(refused);
    return connection.SendAnswer(refusal);
  }
  const auto watch = hub.Open(*std::move(opened));
  changed.notify_all();
  lock.unlock();
  bool alive = connection.StartChunked();
  lock.lock();
  while (alive && !stop.stop_requested()) {
    changed.wait_for(lock, stop, kPeerCheck, [&] { return hub.HasNews(truth.store, *watch); });
    const std::string text = hub.Take(truth.store, *watch);
    const WatchEnd end = watch->end;
    const bool over = end != WatchEnd::kOpen || std::chrono::steady_clock::now() >= watch->deadline;
    lock.unlock();
    alive = (text.empty() || connection.SendChunk(text)) && !connection.PeerIsGone();
    if (alive && over) {
      end == WatchEnd::kBroken ? connection.Reset() : static_cast<void>(alive = connection.EndChunked());
      lock.lock();
      hub.Close(watch);
      changed.notify_all();
      return alive && end != WatchEnd::kBroken;
    }
    lock.lock();
  }
  hub.Close(watch);
  changed.notify_all();
  return false;
}

}  // namespace restate::fake
