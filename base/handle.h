#pragma once

#include <memory>

/// Ownership of objects that a C library frees. One alias per C type; nothing else calls the library's free
/// function.
///
/// A raw pointer is borrowed, a Handle passed by value is taken, a Handle returned is given.

namespace signet {

template <auto FreeFn>
struct Free {
  template <class T>
  void operator()(T* object) const noexcept {
    FreeFn(object);
  }
};

template <class T, auto FreeFn>
using Handle = std::unique_ptr<T, Free<FreeFn>>;

}  // namespace signet
