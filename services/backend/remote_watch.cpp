#include "services/backend/remote_watch.hpp"

#include <pthread.h>

#include <exception>
#include <utility>

#include "base/log.hpp"
#include "services/backend/remote_answer.hpp"
#include "services/net/http_client.hpp"

namespace notso::services {
namespace {

constexpr std::chrono::milliseconds kPatience{10'000};
constexpr std::uint64_t kMaxListingBytes = 4 * 1024 * 1024;

}  // namespace

RemoteWatch::RemoteWatch(const RemoteOptions& options)
    : options_(options), thread_([this](const std::stop_token& stop) { run(stop); }) {}

RemoteWatch::~RemoteWatch() {
    thread_.request_stop();
    thread_.join();
}

/// The seam for exceptions of libraries.
void RemoteWatch::run(const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "remote-watch");
    while (!stop.stop_requested()) {
        Result<RemoteModel> model = fail(ErrorCode::kInternal, "asking the server did not end");
        try {
            model = ask(stop);
        } catch (const std::exception& caught) {
            model = fail(ErrorCode::kInternal, "asking the server failed: {}", caught.what());
        }
        if (stop.stop_requested()) return;
        learn(model);
        std::unique_lock lock(mutex_);
        const bool fine = state_ == HealthState::kReady;
        const auto pause = fine ? options_.health_interval : options_.health_interval / 3;
        changed_.wait_for(lock, stop, pause, [this] { return wanted_; });
        wanted_ = false;
    }
}

/// @errors kBusy: the server is there and not ready yet.
Result<RemoteModel> RemoteWatch::ask(std::stop_token stop) const {
    HttpRequest request{.url = options_.base_url.below("/models").text()};
    request.headers = {{"Accept", "application/json"}};
    request.key = options_.api_key;
    request.connect_timeout = options_.connect_timeout;
    request.total_timeout = kPatience;
    request.max_body_bytes = kMaxListingBytes;
    request.stop = std::move(stop);
    NOTSO_TRY(const HttpReply reply, fetch(request));
    const int status = reply.head.status;
    const std::string host = options_.base_url.host_label();
    if (reply.head.is_success()) return read_listing(reply.body);
    if (status == 429 || status == 503)
        return fail(ErrorCode::kBusy, "the server {} is not ready yet", host);
    if (status == 401 || status == 403) {
        return fail(ErrorCode::kPermissionDenied,
                    "the server {} refuses the key; set the right one in NOTSO_REMOTE_KEY",
                    host);
    }
    const bool no_such_page = status == 404 || status == 405 || status == 501;
    if (no_such_page && !options_.model.empty())
        return RemoteModel{.id = options_.model, .name = options_.model};
    if (no_such_page) {
        return fail(
            ErrorCode::kNotFound,
            "there is no list of models at {}; check --remote-url (it usually ends in /v1), "
            "or name the model with --remote-model",
            options_.base_url.below("/models").label());
    }
    return fail(ErrorCode::kUnavailable,
                "the server at {} answers with status {}; look at its log",
                options_.base_url.below("/models").label(),
                status);
}

Result<RemoteModel> RemoteWatch::read_listing(const std::string& body) const {
    auto listing = parse_remote_json(body);
    auto model = listing ? choose_remote_model(*listing, options_.model)
                         : Result<RemoteModel>(std::unexpected(std::move(listing).error()));
    if (model) return model;
    return fail(model.error().code,
                "the server at {} can't be used: {}; check --remote-url (it usually ends in /v1), "
                "or name the model with "
                "--remote-model",
                options_.base_url.below("/models").label(),
                model.error().detail);
}

void RemoteWatch::learn(const Result<RemoteModel>& model) {
    const std::lock_guard lock(mutex_);
    const HealthState before = state_;
    if (model) {
        state_ = HealthState::kReady;
        model_ = *model;
        failure_.clear();
        if (before != state_)
            log::info("event=remote_ready host={} model={}",
                      log::field(options_.base_url.host_label()),
                      log::field(model_->id));
        return;
    }
    const bool busy = model.error().code == ErrorCode::kBusy;
    state_ = busy ? HealthState::kLoading : HealthState::kFailed;
    const std::string failure = busy ? std::string() : model.error().detail;
    if (std::exchange(failure_, failure) != failure && !failure.empty())
        log::warn("event=remote_failed host={} error={}",
                  log::field(options_.base_url.host_label()),
                  log::field(failure));
}

Result<std::string> RemoteWatch::model_id(const std::stop_token& stop) {
    if (!options_.model.empty()) return options_.model;
    {
        const std::lock_guard lock(mutex_);
        if (model_) return model_->id;
    }
    auto model = ask(stop);
    if (!model && model.error().code == ErrorCode::kCancelled)
        return std::unexpected(std::move(model).error());
    learn(model);
    if (model) return model->id;
    const ErrorCode code = model.error().code;
    return fail(
        code == ErrorCode::kBusy ? ErrorCode::kUnavailable : code, "{}", model.error().detail);
}

void RemoteWatch::check_soon() {
    {
        const std::lock_guard lock(mutex_);
        wanted_ = true;
    }
    changed_.notify_all();
}

ModelInfo RemoteWatch::info() const {
    ModelInfo info;
    info.architecture = "remote";
    info.remote_host = options_.base_url.host_label();
    info.id = info.name = options_.model.empty() ? "remote" : options_.model;
    info.context_length = options_.context_length;
    const std::lock_guard lock(mutex_);
    if (!model_) return info;  // a context of 0: not known yet, the server decides
    info.id = model_->id;
    info.name = model_->name;
    info.n_parameters = model_->n_parameters;
    info.can_think = model_->can_think;
    if (info.context_length == 0) info.context_length = model_->context_length;
    if (info.context_length == 0) info.context_length = kDefaultRemoteContext;
    return info;
}

Health RemoteWatch::health() const {
    const std::lock_guard lock(mutex_);
    return {.state = state_,
            .load_progress = state_ == HealthState::kReady ? 1.0 : 0.0,
            .detail = failure_};
}

}  // namespace notso::services
