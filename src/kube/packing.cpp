#include "packing.h"

#include <zlib.h>

#include <map>
#include <mutex>

#include "restate/base/guarded.h"

namespace restate::kube {
namespace {

constexpr int kRawWindow = -15;             // negative: no header and no checksum; 32 KiB window
constexpr std::size_t kWindow = 32 * 1024;  // what deflate can look back on

class Dictionaries {
 public:
  Dictionary Get(const std::string& kind, const std::string& sample) {
    const std::lock_guard lock(mutex_);
    Dictionary& dictionary = by_kind_[kind];
    if (dictionary == nullptr) dictionary = std::make_shared<const std::string>(sample.substr(0, kWindow));
    return dictionary;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Dictionary> by_kind_ GUARDED_BY(mutex_);
};

struct Deflater {
  z_stream stream{};
  Deflater() { deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRawWindow, 8, Z_DEFAULT_STRATEGY); }
  ~Deflater() { deflateEnd(&stream); }
};

struct Inflater {
  z_stream stream{};
  Inflater() { inflateInit2(&stream, kRawWindow); }
  ~Inflater() { inflateEnd(&stream); }
};

// zlib takes its input as non-const, but does not write to it.
Bytef* BytesOf(std::string_view text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }

void SetBuffers(z_stream& stream, std::string_view in, std::string& out) {
  stream.next_in = BytesOf(in);
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = BytesOf(out);
  stream.avail_out = static_cast<uInt>(out.size());
}

}  // namespace

Dictionary DictionaryFor(const std::string& kind, const std::string& sample) {
  static Dictionaries dictionaries;
  return dictionaries.Get(kind, sample);
}

std::string Pack(std::string_view text, const Dictionary& dictionary) {
  thread_local Deflater deflater;
  thread_local std::string out;
  z_stream& stream = deflater.stream;
  deflateReset(&stream);
  deflateSetDictionary(&stream, BytesOf(*dictionary), static_cast<uInt>(dictionary->size()));
  out.resize(deflateBound(&stream, text.size()));
  SetBuffers(stream, text, out);
  deflate(&stream, Z_FINISH);  // always ends: the output is as large as the bound
  return out.substr(0, out.size() - stream.avail_out);
}

std::string Unpack(std::string_view packed, const Dictionary& dictionary, std::size_t size) {
  thread_local Inflater inflater;
  z_stream& stream = inflater.stream;
  std::string text(size, '\0');
  inflateReset(&stream);
  inflateSetDictionary(&stream, BytesOf(*dictionary), static_cast<uInt>(dictionary->size()));
  SetBuffers(stream, packed, text);
  if (inflate(&stream, Z_FINISH) != Z_STREAM_END || stream.avail_out != 0) return {};
  return text;
}

}  // namespace restate::kube
