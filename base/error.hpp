// The one error type of the program. Codes say what kind of failure it is, independent of any protocol;
// one file in web/ maps them to HTTP, app/ maps them to exit codes. The detail is for people.
#pragma once

#include <string>
#include <string_view>

namespace notso {

/// What kind of failure happened. Every code has one meaning, given here.
enum class ErrorCode {
    kInvalidArgument,   ///< The caller sent something that can never work (bad value, bad syntax).
    kNotFound,          ///< The named thing does not exist (file, conversation, model, route).
    kAlreadyExists,     ///< The thing to be created is there already.
    kUnsupported,       ///< Well formed, but this program (or this model) does not do it.
    kCorruptData,       ///< A file or stored record breaks its own format.
    kPermissionDenied,  ///< The system or a policy forbids it.
    kBusy,              ///< Someone else holds it (locked data directory, port taken).
    kOverloaded,        ///< A bounded queue is full; trying later may work.
    kUnavailable,       ///< Not ready now (model loading, shutting down, remote server gone).
    kTooLarge,          ///< A size limit was crossed.
    kContextLength,     ///< The prompt does not fit in the context; the detail has both numbers.
    kOutOfMemory,       ///< Not enough memory for what was asked; the detail has the numbers.
    kTimeout,           ///< It took longer than allowed.
    kCancelled,         ///< The one who asked no longer wants it.
    kIo,                ///< Reading or writing failed (disk full, connection lost).
    kInternal,          ///< A failure that should not happen; the detail helps the developers.
};

/// A stable snake_case name for logs and JSON, e.g. "invalid_argument".
std::string_view to_string(ErrorCode code) noexcept;

/// A failure: its kind, and one line that says what was wrong, where, and what to do.
struct Error {
    ErrorCode code = ErrorCode::kInternal;
    std::string detail;

    bool operator==(const Error&) const = default;
};

}  // namespace notso
