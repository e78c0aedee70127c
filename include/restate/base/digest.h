// Digests of bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace restate {

// 64-bit FNV-1a, fed piece by piece: the hash behind version names.
class Fnv1a {
 public:
  void Add(std::string_view bytes);
  void AddBigEndian(std::uint64_t value, int bytes);  // the low `bytes` bytes, most significant first
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325u;  // the algorithm's offset basis
};

// SHA-256 as 64 lower-case hex digits.
std::string Sha256Hex(std::string_view bytes);

}  // namespace restate
