// Completion of command lines in shells. The scripts are short: they ask the program itself what may follow.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace restate::cli {

struct Flag {
  std::string name;  // "--namespace", "-n"
  bool takes_value = false;
  std::vector<std::string> values;  // the only ones that it takes; empty: any
};

struct CommandWords {
  std::string name;
  std::vector<Flag> flags;
  std::vector<std::string> arguments;  // the only ones that it takes
  bool takes_object = false;           // [KIND/]NAME
};

struct Grammar {
  std::vector<CommandWords> commands;
  std::vector<Flag> flags;  // of every command
};

struct Candidates {
  enum class More { kNone, kObjects, kNamespaces, kFiles };
  std::vector<std::string> words;  // those that begin with what is there of the word
  More more = More::kNone;         // what else may stand there
  std::string begun;               // of the word; with it begin the objects and namespaces to look for
  std::string prefix;              // goes before each of them: "--namespace="
};

// Pure. `words`: those after the program's name; the last one is to be completed, and may be empty. Some shells make
// "=" a word of its own.
Candidates WhatFollows(const Grammar& grammar, const std::vector<std::string>& words);

// The script for bash or zsh, for both names of the program; nullopt: another shell.
std::optional<std::string_view> CompletionScript(std::string_view shell);

}  // namespace restate::cli
