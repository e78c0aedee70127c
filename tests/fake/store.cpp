#include "fake/store.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace restate::fake {

using json::Value;

namespace {

constexpr std::int64_t kFirstVersion = 100;  // not 0 or 1: those mean something in requests
constexpr std::int64_t kOpaqueTop = 999'999'999;

}  // namespace

std::string KindId(std::string_view group, std::string_view plural) {
  return std::string(plural) + "." + std::string(group);
}

Store::Store() : version_(kFirstVersion) {
  for (Kind& kind : BuiltInKinds()) AddKind(std::move(kind));
}

void Store::AddKind(Kind kind) {
  const auto id = KindId(kind);
  kinds_[id] = std::make_shared<const Kind>(std::move(kind));
}

void Store::RemoveKind(std::string_view group, std::string_view plural) { kinds_.erase(KindId(group, plural)); }

const Kind* Store::FindKind(std::string_view group, std::string_view plural, std::string_view version) const {
  const auto it = kinds_.find(KindId(group, plural));
  if (it == kinds_.end() || (!version.empty() && it->second->version != version)) return nullptr;
  return it->second.get();
}

std::vector<const Kind*> Store::kinds() const {
  std::vector<const Kind*> all;
  for (const auto& [id, kind] : kinds_) all.push_back(kind.get());
  return all;
}

const Objects& Store::All(const Kind& kind) const {
  static const Objects kNone;
  const auto it = objects_.find(KindId(kind));
  return it == objects_.end() ? kNone : it->second;
}

ValuePtr Store::Find(const Kind& kind, const kube::Key& key) const {
  const Objects& objects = All(kind);
  const auto it = objects.find(key);
  return it == objects.end() ? nullptr : it->second;
}

ValuePtr Store::Put(const Kind& kind, const kube::Key& key, Value object) {
  ++version_;
  object["metadata"]["resourceVersion"] = VersionText(version_);
  ValuePtr& place = objects_[KindId(kind)][key];
  const ValuePtr before = place;
  place = std::make_shared<const Value>(std::move(object));
  log_.push_back({version_, before ? ChangeType::kModified : ChangeType::kAdded, KindId(kind), key, place, before});
  return place;
}

ValuePtr Store::Remove(const Kind& kind, const kube::Key& key) {
  Objects& objects = objects_[KindId(kind)];
  const auto it = objects.find(key);
  if (it == objects.end()) return nullptr;
  const ValuePtr before = it->second;
  objects.erase(it);
  ++version_;
  Value last = *before;
  last["metadata"]["resourceVersion"] = VersionText(version_);
  auto object = std::make_shared<const Value>(std::move(last));
  log_.push_back({version_, ChangeType::kDeleted, KindId(kind), key, object, before});
  return object;
}

Objects Store::At(const Kind& kind, std::int64_t version) const {
  Objects objects = All(kind);
  const auto id = KindId(kind);
  for (auto change = log_.rbegin(); change != log_.rend() && change->version > version; ++change) {
    if (change->kind_id != id) continue;
    if (change->before) {
      objects[change->key] = change->before;
    } else {
      objects.erase(change->key);
    }
  }
  return objects;
}

std::string Store::VersionText(std::int64_t version) const {
  if (!opaque_) return std::to_string(version);
  // Neither a number nor in any order: the letter goes round, the digits go down.
  return std::string(1, static_cast<char>('a' + version % 26)) + std::to_string(kOpaqueTop - version);
}

std::optional<std::int64_t> Store::VersionOf(std::string_view text) const {
  const bool letter = !text.empty() && text[0] >= 'a' && text[0] <= 'z';
  const std::string digits(text.substr(letter ? 1 : 0));
  if (digits.empty() || digits.size() > 18 || digits.find_first_not_of("0123456789") != std::string::npos ||
      letter != opaque_) {
    return std::nullopt;
  }
  const std::int64_t number = std::atoll(digits.c_str());
  return opaque_ ? kOpaqueTop - number : number;
}

const Change* Store::NextChange(std::int64_t version) const {
  // One change a version, so the place in the log is known.
  const auto index = std::max<std::int64_t>(version - kFirstVersion, 0);
  return index < static_cast<std::int64_t>(log_.size()) ? &log_[static_cast<std::size_t>(index)] : nullptr;
}

std::string Store::NewUid() {
  char text[64];
  std::snprintf(text, sizeof text, "5f0c1d2e-0000-4000-8000-%012llx", static_cast<unsigned long long>(++uids_));
  return text;
}

std::string Store::NewSuffix() {
  static constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  std::string suffix;
  // Spread, so that neighbours differ in more than the last letter.
  for (std::uint64_t rest = static_cast<std::uint64_t>(++suffixes_) * 2654435761u; suffix.size() < 5;
       rest /= kLetters.size()) {
    suffix += kLetters[rest % kLetters.size()];
  }
  return suffix;
}

}  // namespace restate::fake
