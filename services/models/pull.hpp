// Fetches a model into the models folder: resumes what was interrupted, checks size, disk, memory,
// SHA-256 and header, and only then gives the file its name. Blocks; call it on a thread of its
// own.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "base/result.hpp"
#include "services/models/catalogue.hpp"
#include "services/models/model_check.hpp"

namespace notso::services {

enum class PullStage {
    kAsking,     ///< The hub or the server has not answered yet.
    kReceiving,  ///< Bytes arrive.
    kChecking,   ///< All bytes are there and are hashed.
};

struct PullProgress {
    PullStage stage = PullStage::kAsking;
    std::uint64_t done = 0;   ///< Bytes of this stage.
    std::uint64_t total = 0;  ///< 0 = not known yet.
};

struct PullRequest {
    ModelSource source;
    std::filesystem::path folder;  ///< Created when it is not there.
    std::string sha256 = {};       ///< Expected, lowercase; empty: what the hub's pointer names.
    bool force = false;            ///< Also a model that this machine or this program can't run.
};

/// Called on the thread that pulls. All may be empty.
struct PullHooks {
    std::function<void(const PullProgress&)> on_progress = {};
    /// One line for people: going on, trying again, what the model will take in memory.
    std::function<void(const std::string&)> on_note = {};
    std::stop_token stop = {};
};

struct PullOptions {
    int tries = 8;  ///< Failures in a row, without a MiB in between.
    std::chrono::milliseconds retry_delay{2000};
    std::chrono::milliseconds silence_timeout{60'000};
    MachineRoom room = this_machine();
};

struct PulledModel {
    std::filesystem::path path;
    std::string sha256;      ///< Of the file that is installed now.
    bool verified = false;   ///< Somebody named that hash before.
    bool was_there = false;  ///< Nothing was fetched: installed already.
    std::uint64_t bytes = 0;
};

/// Whatever fails, what arrived stays beside the models as NAME.gguf.part and the next call goes on
/// from it, except when the bytes are wrong (hash, no GGUF): then it is removed.
/// @errors kCorruptData: wrong hash (both are named), no GGUF, sizes that contradict each other;
/// kAlreadyExists: another file of that name is installed; kBusy: it is being fetched already;
/// kTooLarge (disk), kOutOfMemory, kUnsupported: it would not run here; kNotFound; kCancelled with
/// how to go on; kUnavailable after the last try; kIo, kPermissionDenied.
Result<PulledModel> pull_model(const PullRequest& request,
                               const PullHooks& hooks = {},
                               const PullOptions& options = {});

}  // namespace notso::services
