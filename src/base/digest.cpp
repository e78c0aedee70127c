#include "restate/base/digest.h"

#include <openssl/evp.h>

#include <array>

namespace restate {

void Fnv1a::Add(std::string_view bytes) {
  constexpr std::uint64_t kPrime = 0x100000001b3u;
  for (const char c : bytes) {
    state_ ^= static_cast<unsigned char>(c);
    state_ *= kPrime;
  }
}

void Fnv1a::AddBigEndian(std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) {
    const char byte = static_cast<char>((value >> (8 * i)) & 0xff);
    Add({&byte, 1});
  }
}

std::string Sha256Hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return text;
}

}  // namespace restate
