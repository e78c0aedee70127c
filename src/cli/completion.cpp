#include "restate/cli/completion.h"

#include <algorithm>

namespace restate::cli {
namespace {

// The last line of an answer is a directive in the manner of cobra, which kubectl asks plugins in: ":0" file names may
// stand there too, ":4" they may not.
constexpr std::string_view kBash =
    R"(# bash completion of kubectl-restate and restate-operator; to load it: source <(kubectl-restate completion bash)
# For `kubectl restate` make a link of the name kubectl_complete-restate to the program, beside kubectl-restate.
_restate_operator_complete() {
  local line directive=:4
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :[0-9]*) directive=$line ;;
      ?*) COMPREPLY+=("$line") ;;
    esac
  done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/] ]]; then compopt -o nospace 2>/dev/null; fi
  if [[ $directive == :0 ]]; then compopt -o default 2>/dev/null; fi
}
complete -F _restate_operator_complete kubectl-restate restate-operator
)";

constexpr std::string_view kZsh = R"(#compdef kubectl-restate restate-operator
# zsh completion of kubectl-restate and restate-operator; to load it: source <(kubectl-restate completion zsh)
# For `kubectl restate` make a link of the name kubectl_complete-restate to the program, beside kubectl-restate.
_restate_operator_complete() {
  local -a answer
  answer=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ ${answer[-1]} == :0 ]]; then _files; fi
  answer=("${(@)answer:#:[0-9]*}")
  answer=("${(@)answer:#}")
  if (( ${#answer} )); then compadd -- "${answer[@]}"; fi
}
compdef _restate_operator_complete kubectl-restate restate-operator
)";

const Flag* FlagOf(const std::vector<Flag>& flags, std::string_view name) {
  const auto found = std::find_if(flags.begin(), flags.end(), [&](const Flag& flag) { return flag.name == name; });
  return found == flags.end() ? nullptr : &*found;
}

// What is known of the words before the one to complete.
struct Before {
  const CommandWords* command = nullptr;
  const Flag* open = nullptr;  // the last word is a flag that still wants its value
  std::size_t arguments = 0;   // of the command
};

const Flag* FindFlag(const Grammar& grammar, const CommandWords* command, std::string_view name) {
  const Flag* found = command ? FlagOf(command->flags, name) : nullptr;
  return found ? found : FlagOf(grammar.flags, name);
}

Before Read(const Grammar& grammar, const std::vector<std::string>& words) {
  Before before;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "=") continue;  // the value is to come
    if (before.open) {
      before.open = nullptr;
    } else if (word.starts_with('-')) {
      const Flag* flag = FindFlag(grammar, before.command, word);
      before.open = flag && flag->takes_value ? flag : nullptr;
    } else if (before.command) {
      ++before.arguments;
    } else {
      const auto& commands = grammar.commands;
      const auto found = std::find_if(commands.begin(), commands.end(), [&](const auto& c) { return c.name == word; });
      if (found != commands.end()) before.command = &*found;
    }
  }
  return before;
}

void Offer(std::string_view word, Candidates& candidates) {
  std::string offer = candidates.prefix + std::string(word);
  auto& words = candidates.words;
  if (word.starts_with(candidates.begun) && std::find(words.begin(), words.end(), offer) == words.end())
    words.push_back(std::move(offer));
}

void OfferValues(const Flag& flag, Candidates& candidates) {
  for (const std::string& value : flag.values) Offer(value, candidates);
  if (flag.name == "-n" || flag.name == "--namespace") candidates.more = Candidates::More::kNamespaces;
  if (flag.name == "-f" || flag.name == "--filename" || flag.name == "--kubeconfig")
    candidates.more = Candidates::More::kFiles;
}

void OfferFlags(const std::vector<Flag>& flags, Candidates& candidates) {
  for (const Flag& flag : flags) {
    if (flag.name.starts_with("--")) Offer(flag.name, candidates);
  }
}

}  // namespace

Candidates WhatFollows(const Grammar& grammar, const std::vector<std::string>& words) {
  Candidates candidates{.begun = words.empty() ? "" : words.back()};
  const Before before = Read(grammar, words);
  if (before.open) {
    if (candidates.begun == "=") candidates.begun.clear();
    OfferValues(*before.open, candidates);
    return candidates;
  }
  const auto equals = candidates.begun.find('=');
  if (candidates.begun.starts_with("--") && equals != std::string::npos) {
    candidates.prefix = candidates.begun.substr(0, equals + 1);
    const Flag* flag = FindFlag(grammar, before.command, candidates.begun.substr(0, equals));
    candidates.begun.erase(0, equals + 1);
    if (flag) OfferValues(*flag, candidates);
    return candidates;
  }
  if (candidates.begun.starts_with('-')) {
    if (before.command) OfferFlags(before.command->flags, candidates);
    OfferFlags(grammar.flags, candidates);
    return candidates;
  }
  if (!before.command) {
    for (const CommandWords& command : grammar.commands) Offer(command.name, candidates);
  } else if (before.arguments == 0) {
    for (const std::string& argument : before.command->arguments) Offer(argument, candidates);
    if (before.command->takes_object) candidates.more = Candidates::More::kObjects;
    if (before.command->arguments.empty() && !before.command->takes_object) candidates.more = Candidates::More::kFiles;
  }
  return candidates;
}

std::optional<std::string_view> CompletionScript(std::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  return std::nullopt;
}

}  // namespace restate::cli
