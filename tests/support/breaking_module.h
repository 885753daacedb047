#pragma once

namespace signet::test {

/// What breaking_module.cc does next, as the symbol `signet_break` of that library.
struct Break {
  char function[32] = {};  ///< such as "C_SignInit"
  unsigned long value = 0;
  unsigned times = 0;
  unsigned log_ins = 0;  ///< how often somebody has logged in
};

}  // namespace signet::test
