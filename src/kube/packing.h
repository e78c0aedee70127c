// Packing: JSON texts of one kind, compressed against an earlier text of that kind. Objects of a kind are alike: a 4.5
// KB ReplicaSet takes a few hundred bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace restate::kube {

using Dictionary = std::shared_ptr<const std::string>;

// The dictionary of a kind; `sample` becomes it when the kind is seen for the first time. Thread safe.
Dictionary DictionaryFor(const std::string& kind, const std::string& sample);

// Raw deflate with a preset dictionary. Thread safe: each thread has its own state (260 KB, so it is kept).
std::string Pack(std::string_view text, const Dictionary& dictionary);

// The text again, given its size. Empty when `packed` was not made by Pack with this dictionary.
std::string Unpack(std::string_view packed, const Dictionary& dictionary, std::size_t size);

}  // namespace restate::kube
