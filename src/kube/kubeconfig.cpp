#include "kubeconfig.h"

#include "absl/strings/escaping.h"
#include "files.h"
#include "live_tls.h"
#include "restate/base/error.h"
#include "restate/json/yaml.h"

namespace restate::kube {
namespace {

absl::Status Bad(std::string_view message) { return MakeError(Reason::kInvalidSpec, message); }

std::string PathIn(const std::string& directory, std::string_view path) {
  return path.starts_with('/') ? std::string(path) : directory + "/" + std::string(path);
}

// Fills `text` from the base64 member NAME-data, or `file` from the path member NAME; inline data wins.
absl::Status DataOrFile(const json::Value& value, const std::string& name, const std::string& directory,
                        std::string* text, std::shared_ptr<PolledFile>* file) {
  const std::string_view data = value.StringAt({name + "-data"}), path = value.StringAt({name});
  if (!data.empty()) {
    if (absl::Base64Unescape({data.data(), data.size()}, text)) return absl::OkStatus();
    return Bad(name + "-data is not base64");
  }
  if (path.empty()) return absl::OkStatus();
  *file = std::make_shared<PolledFile>(PathIn(directory, path));
  if ((*file)->Get().empty()) return Bad(name + ": " + PathIn(directory, path) + " cannot be read or is empty");
  return absl::OkStatus();
}

absl::Status ReadCluster(const json::Value& cluster, const std::string& directory, HttpSettings* http,
                         TlsSources* tls) {
  http->base_url = cluster.StringAt({"server"});
  if (http->base_url.empty()) return Bad("its cluster has no server");
  http->proxy_url = cluster.StringAt({"proxy-url"});
  tls->fixed.server_name = cluster.StringAt({"tls-server-name"});
  tls->fixed.insecure_skip_verify = cluster.BoolAt({"insecure-skip-tls-verify"});
  return DataOrFile(cluster, "certificate-authority", directory, &tls->fixed.ca_pem, &tls->ca_file);
}

void UseTokenFile(HttpSettings* http, std::shared_ptr<PolledFile> file) {
  http->bearer_token = [file] { return file->Get(); };
  http->token_refused = [file](const std::string& token) { file->Refuse(token); };
}

absl::Status ReadUser(const json::Value& user, const json::Value& cluster, const std::string& directory,
                      HttpSettings* http, TlsSources* tls) {
  for (const char* unsupported :
       {"auth-provider", "username", "password", "as", "as-uid", "as-groups", "as-user-extra"}) {
    if (user.Find(unsupported) != nullptr) {
      return Bad(std::string("its user has ") + unsupported +
                 ", which is not supported; use a token, a client certificate or exec");
    }
  }
  RETURN_IF_ERROR(
      DataOrFile(user, "client-certificate", directory, &tls->fixed.client_cert_pem, &tls->client_cert_file));
  RETURN_IF_ERROR(DataOrFile(user, "client-key", directory, &tls->fixed.client_key_pem, &tls->client_key_file));
  // clientcmd's order: a file's token is the fresher one.
  if (const std::string_view path = user.StringAt({"tokenFile"}); !path.empty()) {
    UseTokenFile(http, std::make_shared<PolledFile>(PathIn(directory, path)));
  } else if (const std::string_view token = user.StringAt({"token"}); !token.empty()) {
    http->bearer_token = [text = std::string(token)] { return text; };
  } else if (const json::Value* exec = user.Find("exec"); exec != nullptr && exec->is_object()) {
    auto plugin = ExecPlugin::From(*exec, cluster, directory);
    if (!plugin.ok()) return plugin.status();
    tls->plugin = *plugin;
    http->bearer_token = [p = *plugin] { return p->Get().token; };
    http->token_refused = [p = *plugin](const std::string& refused) { p->Refuse(refused); };
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Kubeconfig::AddEntries(const json::Value& document, const char* list, const char* member,
                                    const std::string& directory, Entries* entries) {
  const json::Value* items = document.Find(list);
  if (items == nullptr || items->is_null()) return absl::OkStatus();
  if (!items->is_array()) return Bad(std::string(list) + " is no list");
  for (const json::Value& item : *items->array()) {
    const json::Value* value = item.Find(member);
    entries->try_emplace(std::string(item.StringAt({"name"})),
                         Entry{value == nullptr ? json::Value() : *value, directory});
  }
  return absl::OkStatus();
}

absl::Status Kubeconfig::Add(std::string_view yaml, const std::string& directory) {
  const auto documents = json::ParseYaml(yaml);
  if (!documents.ok()) return documents.status();
  if (documents->empty()) return absl::OkStatus();  // clientcmd takes an empty file for an empty kubeconfig
  const json::Value& document = documents->front();
  if (!document.is_object())
    return document.is_null() ? absl::OkStatus() : Bad("it is no kubeconfig: no mapping at the top");
  if (current_context_.empty()) current_context_ = document.StringAt({"current-context"});
  RETURN_IF_ERROR(AddEntries(document, "contexts", "context", directory, &contexts_));
  RETURN_IF_ERROR(AddEntries(document, "clusters", "cluster", directory, &clusters_));
  return AddEntries(document, "users", "user", directory, &users_);
}

absl::StatusOr<const Kubeconfig::Entry*> Kubeconfig::Find(const Entries& entries, std::string_view kind,
                                                          std::string_view name) {
  const auto it = entries.find(name);
  if (it != entries.end()) return &it->second;
  return Bad("there is no " + std::string(kind) + " \"" + std::string(name) + "\"");
}

absl::StatusOr<Access> Kubeconfig::CurrentAccess() const {
  if (current_context_.empty()) return Bad("current-context is not set");
  const auto context = Find(contexts_, "context", current_context_);
  if (!context.ok()) return context.status();
  const auto cluster = Find(clusters_, "cluster", (*context)->value.StringAt({"cluster"}));
  if (!cluster.ok()) return cluster.status();

  Access access;
  TlsSources tls;
  RETURN_IF_ERROR(ReadCluster((*cluster)->value, (*cluster)->directory, &access.http, &tls));
  if (const std::string_view user_name = (*context)->value.StringAt({"user"}); !user_name.empty()) {
    const auto user = Find(users_, "user", user_name);
    if (!user.ok()) return user.status();
    RETURN_IF_ERROR(ReadUser((*user)->value, (*cluster)->value, (*user)->directory, &access.http, &tls));
  }
  access.default_namespace = (*context)->value.StringAt({"namespace"}, "default");
  access.http.tls = tls.fixed;
  if (!tls.IsFixed()) {
    access.http.current_tls = [live = std::make_shared<LiveTls>(tls)] { return live->Current(); };
  }
  return access;
}

}  // namespace restate::kube
