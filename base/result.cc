#include "base/result.h"

namespace signet {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::InvalidInput:
      return "InvalidInput";
    case ErrorKind::NotFound:
      return "NotFound";
    case ErrorKind::AlreadyExists:
      return "AlreadyExists";
    case ErrorKind::DeletedButRecoverable:
      return "DeletedButRecoverable";
    case ErrorKind::PermissionDenied:
      return "PermissionDenied";
    case ErrorKind::Disabled:
      return "Disabled";
    case ErrorKind::LimitExceeded:
      return "LimitExceeded";
    case ErrorKind::Unsupported:
      return "Unsupported";
    case ErrorKind::CryptoFailure:
      return "CryptoFailure";
    case ErrorKind::IoFailure:
      return "IoFailure";
    case ErrorKind::Unavailable:
      return "Unavailable";
    case ErrorKind::Internal:
      return "Internal";
  }
  return "Internal";
}

}  // namespace signet
