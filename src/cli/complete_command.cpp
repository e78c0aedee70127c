#include <cstdio>
#include <set>

#include "connection.h"
#include "restate/cli/completion.h"
#include "restate/cli/gather.h"
#include "restate/cli/text.h"
#include "restate/plan/names.h"

namespace restate::cli {
namespace {

// Nobody waits longer for a proposal.
constexpr absl::Duration kPatience = absl::Seconds(3);

// What the words before say about where to look. They are not parsed in full: they are not complete yet.
UserCommand PlaceOf(const std::vector<std::string>& words) {
  UserCommand place;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const auto value = [&](std::string_view name) -> std::optional<std::string> {
      if (words[i] == name) return words[i + 1] == "=" && i + 2 < words.size() ? words[i + 2] : words[i + 1];
      if (words[i].starts_with(std::string(name) + "=")) return words[i].substr(name.size() + 1);
      return std::nullopt;
    };
    if (words[i] == "-A" || words[i] == "--all-namespaces") place.all_namespaces = true;
    if (const auto ns = value("-n")) place.ns = *ns;
    if (const auto ns = value("--namespace")) place.ns = *ns;
    if (const auto file = value("--kubeconfig")) place.kubeconfig = *file;
    if (const auto context = value("--context")) place.context = *context;
  }
  return place;
}

// "NAME" of each of our objects, or "KIND/NAME" where a kind was begun.
std::set<std::string> ObjectNames(kube::Client& client, const std::string& ns, std::string_view begun,
                                  std::stop_token stop) {
  std::set<std::string> names;
  const auto slash = begun.find('/');
  const auto asked = ParseObjectName(slash == std::string_view::npos ? begun : std::string(begun) + "x");
  if (!asked.ok()) return names;
  const std::string before(slash == std::string_view::npos ? "" : begun.substr(0, slash + 1));
  for (const crd::Kind* kind : crd::kKinds) {
    if (asked->kind && asked->kind != kind) continue;
    const auto page = client.List(plan::ResourceOf(*kind), {.ns = kind->namespaced ? ns : ""}, stop);
    if (!page.ok()) continue;
    for (const json::Value& item : page->items) names.insert(before + kube::KeyOf(item).name);
  }
  return names;
}

std::set<std::string> Namespaces(kube::Client& client, std::stop_token stop) {
  std::set<std::string> names;
  const auto page = client.List(kube::kNamespaces, {}, stop);
  if (!page.ok()) return names;
  for (const json::Value& item : page->items) names.insert(kube::KeyOf(item).name);
  return names;
}

}  // namespace

// Without a cluster the words of the program itself are all there is: no error helps anybody here.
int RunComplete(const UserCommand& command, const kube::Environment& environment, std::stop_token stop) {
  using More = Candidates::More;
  const Candidates candidates = WhatFollows(command.grammar, command.words);
  for (const std::string& word : candidates.words) std::puts(word.c_str());
  if (candidates.more == More::kObjects || candidates.more == More::kNamespaces) {
    auto connection = Connect(PlaceOf(command.words), environment);
    if (connection.ok()) {
      kube::Client client(*connection->http, nullptr, kPatience);
      const auto names = candidates.more == More::kObjects ? ObjectNames(client, connection->ns, candidates.begun, stop)
                                                           : Namespaces(client, stop);
      for (const std::string& name : names) {
        if (name.starts_with(candidates.begun)) std::puts((candidates.prefix + Clean({}, name)).c_str());
      }
    }
  }
  std::puts(candidates.more == More::kFiles ? ":0" : ":4");
  return kDone;
}

}  // namespace restate::cli
