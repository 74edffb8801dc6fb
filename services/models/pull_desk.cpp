// See pull_desk.hpp.
#include "services/models/pull_desk.hpp"

#include <utility>

#include "base/log.hpp"

namespace notso::services {

PullDesk::~PullDesk() {
    cancel();
    worker_.stop();
}

Result<> PullDesk::start(std::string_view what) {
    if (what.find("://") != std::string_view::npos)
        return fail(ErrorCode::kInvalidArgument,
                    "give a name or OWNER/REPO/FILE.gguf here; `notso pull` in a terminal takes "
                    "addresses");
    PullRequest request;
    NOTSO_TRY(request.source, find_model_source(what, options_.hub));
    request.folder = options_.folder;
    const std::lock_guard lock(mutex_);
    if (status_.state == PullStatus::State::kRunning)
        return fail(
            ErrorCode::kBusy, "{} is being fetched; wait for it, or cancel it", status_.file_name);
    status_ = {.state = PullStatus::State::kRunning, .file_name = request.source.file_name};
    stop_ = {};
    worker_.post(
        [this, request = std::move(request), stop = stop_.get_token()] { run(request, stop); });
    return {};
}

void PullDesk::cancel() {
    const std::lock_guard lock(mutex_);
    stop_.request_stop();
}

PullStatus PullDesk::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

PullRoom PullDesk::room() const {
    const MachineRoom& room = options_.pull.room;
    std::error_code ignored;
    std::filesystem::path folder = options_.folder;
    while (!std::filesystem::exists(folder, ignored) && folder.has_parent_path() &&
           folder.parent_path() != folder)
        folder = folder.parent_path();
    return {room.disk_bytes(folder).value_or(0), room.memory_bytes()};
}

void PullDesk::run(const PullRequest& request, const std::stop_token& stop) {
    log::info("event=pull file={}", log::field(request.source.file_name));
    PullHooks hooks;
    hooks.stop = stop;
    hooks.on_progress = [this](const PullProgress& progress) { show(progress); };
    hooks.on_note = [this](const std::string& line) {
        const std::lock_guard lock(mutex_);
        status_.note = line;
    };
    const auto pulled = pull_model(request, hooks, options_.pull);
    if (pulled && options_.on_installed) options_.on_installed();
    const std::lock_guard lock(mutex_);
    status_.state = PullStatus::State::kInstalled;
    if (pulled) {
        log::info(
            "event=pulled file={} sha256={}", log::field(request.source.file_name), pulled->sha256);
        return;
    }
    const bool cancelled = pulled.error().code == ErrorCode::kCancelled;
    status_.state = cancelled ? PullStatus::State::kCancelled : PullStatus::State::kFailed;
    status_.error = pulled.error();
    log::warn("event=pull_failed file={} error={}",
              log::field(request.source.file_name),
              log::field(pulled.error().detail));
}

void PullDesk::show(const PullProgress& progress) {
    const std::lock_guard lock(mutex_);
    const auto now = SteadyClock::now();
    if (progress.stage != status_.progress.stage || progress.done < status_.progress.done) {
        stage_began_ = now;
        stage_first_byte_ = progress.done;
    }
    status_.progress = progress;
    const double seconds = std::chrono::duration<double>(now - stage_began_).count();
    constexpr double kLongEnough = 0.5;
    status_.bytes_per_second =
        seconds < kLongEnough ? 0
                              : static_cast<double>(progress.done - stage_first_byte_) / seconds;
}

}  // namespace notso::services
