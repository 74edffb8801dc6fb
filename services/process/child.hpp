// ChildProcess: a program that this one starts, with pipes to its three streams and nothing else of
// ours: no shell, no open files, no signal masks, a process group of its own, limits. It and what
// it started are killed when the object goes.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace notso::services {

struct ChildOptions {
    std::string program;                      ///< A path, or a name that PATH has.
    std::vector<std::string> arguments = {};  ///< Without the program's own name.
    /// "NAME=value". Only these and PATH, HOME, LANG, TMPDIR of ours reach the child.
    std::vector<std::string> environment = {};
    std::uint64_t max_memory_bytes = 0;  ///< Address space; 0 = no limit.
    std::int64_t max_cpu_s = 0;          ///< 0 = no limit.
    /// It reads hostile input and only answers over its pipes: it can write no files, and reach no
    /// network where the system lets us take that away.
    bool confined = false;
};

/// One child. Its functions are for one thread at a time, except kill().
class ChildProcess {
  public:
    /// @errors kNotFound: there is no such program. kIo: it can't be started.
    static Result<ChildProcess> start(const ChildOptions& options);
    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;
    ~ChildProcess();

    int input_fd() const { return input_; }    ///< To write to: what the child reads. Non-blocking.
    int output_fd() const { return output_; }  ///< Non-blocking.
    int error_fd() const { return error_; }    ///< Non-blocking.
    /// The child sees the end of its input.
    void close_input();

    /// Kills it and all of its group; at once, without waiting.
    void kill() const;
    /// Waits for the end: its exit status, or 128 + the signal.
    int wait();

  private:
    ChildProcess() = default;

    pid_t pid_ = -1;
    int input_ = -1;
    int output_ = -1;
    int error_ = -1;
};

struct ChildOutput {
    int status = 0;
    std::string output;
    std::string error;  ///< The first 4 KiB.
};

/// Limits of a run to the end.
struct RunLimits {
    std::size_t max_output_bytes = 0;
    SteadyClock::time_point deadline = SteadyClock::time_point::max();
    std::stop_token stop = {};
};

/// Runs a program to its end, with no input.
/// @errors as ChildProcess::start; kTooLarge: more output (the program is killed). kTimeout,
///         kCancelled: likewise.
Result<ChildOutput> run_to_end(const ChildOptions& options, const RunLimits& limits);

}  // namespace notso::services
