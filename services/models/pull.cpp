// See pull.hpp: the order of the steps, the tries, the checks at the end.
#include "services/models/pull.hpp"

#include <condition_variable>
#include <mutex>
#include <system_error>

#include "base/bytes.hpp"
#include "services/models/hub_pointer.hpp"
#include "services/models/part_file.hpp"
#include "services/models/pull_transfer.hpp"
#include "services/models/sha256.hpp"

namespace notso::services {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxFromStart = 2;  // how often a changing file is begun again

/// Waits, or returns at once when it is stopped.
void wait(std::chrono::milliseconds delay, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    woken.wait_for(lock, stop, delay, [] { return false; });
}

class Pull {
  public:
    Pull(const PullRequest& request, const PullHooks& hooks, const PullOptions& options)
        : request_(request),
          hooks_(hooks),
          options_(options),
          target_(request.folder / request.source.file_name),
          sha256_(request.sha256) {}

    Result<PulledModel> run() {
        std::error_code error;
        fs::create_directories(request_.folder, error);
        if (error)
            return fail(ErrorCode::kIo,
                        "the models folder {} can't be created: {}",
                        request_.folder.string(),
                        error.message());
        tell({PullStage::kAsking});
        if (sha256_.empty() && !request_.source.pointer_url.empty()) {
            NOTSO_TRY(const HubPointer pointer,
                      fetch_hub_pointer(request_.source.pointer_url, hooks_.stop));
            sha256_ = pointer.sha256;
            size_ = pointer.size;
        }
        if (fs::exists(target_, error)) return look_at_installed();
        NOTSO_TRY(PartFile part, PartFile::open(target_));
        NOTSO_CHECK(receive(part));
        return install(part);
    }

  private:
    Result<PulledModel> look_at_installed() {
        std::error_code error;
        const std::uint64_t bytes = fs::file_size(target_, error);
        if (error) return fail(ErrorCode::kIo, "{}: {}", target_.string(), error.message());
        if (sha256_.empty())
            return fail(ErrorCode::kAlreadyExists,
                        "{} is installed, and without --sha256 nobody can tell whether it is the "
                        "same file; remove it first to fetch it again",
                        target_.string());
        NOTSO_TRY(const std::string hash, hash_of(target_, bytes));
        if (hash != sha256_)
            return fail(ErrorCode::kAlreadyExists,
                        "{} is installed and is another file: its SHA-256 is {}, that of the one "
                        "to fetch {}; remove it first",
                        target_.string(),
                        hash,
                        sha256_);
        return PulledModel{target_, hash, true, true, bytes};
    }

    Result<> receive(PartFile& part) {
        PullTransfer transfer(part, request_, hooks_, options_);
        int failures = 0;
        int from_start = 0;
        while (true) {
            const std::uint64_t before = part.bytes();
            if (before > 0) note(fmt::format("going on from byte {}", before));
            const TransferResult result = transfer.run(size_, !sha256_.empty());
            if (result.end == TransferEnd::kWhole) return {};
            if (hooks_.stop.stop_requested()) return stopped(part);
            if (result.end == TransferEnd::kFailed) return std::unexpected(result.why);
            if (result.end == TransferEnd::kFromStart) {
                note(result.why.detail + ": from the start");
                if (++from_start > kMaxFromStart) return std::unexpected(result.why);
                continue;
            }
            failures = part.bytes() >= before + kMiB ? 1 : failures + 1;
            if (failures >= options_.tries) return gave_up(part, result.why);
            note(fmt::format("interrupted at {} of {}: {}; trying again ({} of {})",
                             mebibytes(part.bytes()),
                             mebibytes(part.state().size),
                             result.why.detail,
                             failures + 1,
                             options_.tries));
            wait(options_.retry_delay, hooks_.stop);
            if (hooks_.stop.stop_requested()) return stopped(part);
        }
    }

    Result<PulledModel> install(PartFile& part) {
        const std::uint64_t bytes = part.bytes();
        NOTSO_TRY(const std::string hash, hash_of(part.path(), bytes));
        if (!sha256_.empty() && hash != sha256_) {
            part.discard();
            return fail(ErrorCode::kCorruptData,
                        "{} has the SHA-256 {}, and {} was expected; what was fetched is removed",
                        request_.source.file_name,
                        hash,
                        sha256_);
        }
        if (auto good = check(part.path()); !good) {
            part.discard();
            return fail(good.error().code, "{}; what was fetched is removed", good.error().detail);
        }
        NOTSO_CHECK(part.install());
        return PulledModel{target_, hash, !sha256_.empty(), false, bytes};
    }

    Result<> check(const fs::path& path) const {
        NOTSO_CHECK(check_gguf(path));
        if (request_.force) return {};
        NOTSO_CHECK(check_model(path, options_.room));
        return {};
    }

    Result<std::string> hash_of(const fs::path& path, std::uint64_t bytes) {
        return sha256_of_file(path, hooks_.stop, [&](std::uint64_t done) {
            tell({PullStage::kChecking, done, bytes});
        });
    }

    std::unexpected<Error> stopped(const PartFile& part) const {
        return fail(ErrorCode::kCancelled,
                    "stopped at {} of {}; it is kept, and the same command goes on from there",
                    mebibytes(part.bytes()),
                    mebibytes(part.state().size));
    }

    std::unexpected<Error> gave_up(const PartFile& part, const Error& why) const {
        return fail(ErrorCode::kUnavailable,
                    "gave up after {} tries at {} of {}: {}; what arrived is kept, start again to "
                    "go on",
                    options_.tries,
                    mebibytes(part.bytes()),
                    mebibytes(part.state().size),
                    why.detail);
    }

    void tell(const PullProgress& progress) const {
        if (hooks_.on_progress) hooks_.on_progress(progress);
    }
    void note(const std::string& line) const {
        if (hooks_.on_note) hooks_.on_note(line);
    }

    const PullRequest& request_;
    const PullHooks& hooks_;
    const PullOptions& options_;
    const fs::path target_;
    std::string sha256_;      // expected; empty: nobody names one
    std::uint64_t size_ = 0;  // as the pointer says; 0 = unknown
};

}  // namespace

Result<PulledModel> pull_model(const PullRequest& request,
                               const PullHooks& hooks,
                               const PullOptions& options) {
    return Pull(request, hooks, options).run();
}

}  // namespace notso::services
