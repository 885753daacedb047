#include "base/openssl_stream.h"

#include <new>

namespace signet {
namespace {

struct Ends {
  Source* source;
  Sink* sink;
  std::optional<Error>* error;
};

// Nothing may be thrown through OpenSSL's C code: what a stream throws (memory has run out) becomes its
// error.
template <class Work>
int guarded(Ends& ends, Work work) {
  try {
    return work();
  } catch (const std::exception& thrown) {
    *ends.error = Error{ErrorKind::Internal, thrown.what()};
    return -1;
  }
}

int read_some(BIO* bio, char* out, int size) {
  auto& ends = *static_cast<Ends*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  return guarded(ends, [&] {
    auto count = ends.source->read({reinterpret_cast<std::uint8_t*>(out), static_cast<std::size_t>(size)});
    if (count) return static_cast<int>(*count);
    *ends.error = std::move(count).error();
    return -1;
  });
}

int write_all_of(BIO* bio, const char* data, int size) {
  auto& ends = *static_cast<Ends*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  return guarded(ends, [&] {
    auto written =
        ends.sink->write({reinterpret_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)});
    if (written) return size;
    *ends.error = std::move(written).error();
    return -1;
  });
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

int destroy(BIO* bio) {
  delete static_cast<Ends*>(BIO_get_data(bio));
  BIO_set_data(bio, nullptr);
  return 1;
}

const BIO_METHOD* method() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "signet stream");
    if (made == nullptr) throw std::bad_alloc();
    BIO_meth_set_read(made, read_some);
    BIO_meth_set_write(made, write_all_of);
    BIO_meth_set_ctrl(made, control);
    BIO_meth_set_destroy(made, destroy);
    return made;
  }();
  return kMethod;
}

BioPtr make(Ends ends) {
  BioPtr bio(BIO_new(method()));
  if (!bio) throw std::bad_alloc();
  BIO_set_data(bio.get(), new Ends(ends));
  BIO_set_init(bio.get(), 1);
  return bio;
}

}  // namespace

BioPtr bio_reading(Source& source, std::optional<Error>& error) { return make({&source, nullptr, &error}); }
BioPtr bio_writing(Sink& sink, std::optional<Error>& error) { return make({nullptr, &sink, &error}); }

}  // namespace signet
