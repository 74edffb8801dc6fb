// Loading, holding, cancelling. Handlers are never called with a lock held.
#include "services/backend/local_backend.hpp"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.hpp"
#include "services/backend/local.hpp"
#include "services/backend/stop_matcher.hpp"

namespace notso::services {

/// Shared by all streams: null once the backend is going away.
struct LocalBackend::Link {
    std::mutex mutex;
    LocalBackend* backend = nullptr;
};

/// One request's state between its stream and the backend. Guarded by `mutex`.
struct LocalBackend::Ticket {
    std::mutex mutex;
    bool cancelled = false;
    std::optional<ml::RequestId> id = {};  ///< Once the engine has it.
    const std::shared_ptr<AnswerControl> control = std::make_shared<AnswerControl>();
};

class LocalBackend::Stream final : public ChatStream {
  public:
    Stream(std::shared_ptr<Link> link, std::shared_ptr<Ticket> ticket)
        : link_(std::move(link)), ticket_(std::move(ticket)) {}
    ~Stream() override { cancel(); }

    void cancel() override {
        const std::lock_guard lock(link_->mutex);
        if (link_->backend != nullptr) link_->backend->cancel(*ticket_);
    }
    bool answer_now() override {
        ticket_->control->answer_now = true;
        return true;
    }

  private:
    std::shared_ptr<Link> link_;
    std::shared_ptr<Ticket> ticket_;
};

LocalBackend::LocalBackend(ModelLoader loader, LocalBackendOptions options)
    : options_(std::move(options)),
      link_(std::make_shared<Link>()),
      loader_([this, load_model = std::move(loader)] { load(load_model); }) {
    const std::lock_guard lock(link_->mutex);
    link_->backend = this;
}

LocalBackend::~LocalBackend() {
    {
        const std::lock_guard lock(link_->mutex);
        link_->backend = nullptr;
    }
    stop_.request_stop();
    loader_.join();
    desk_.post([this] { end_held([](const Held&) { return true; }, ChatFinish::kCancelled, {}); });
    desk_.stop();
    model_.reset();  // ends what runs
}

Result<std::unique_ptr<ChatStream>> LocalBackend::start(const ChatRequest& request,
                                                        ChatEventHandler handler) {
    auto ticket = std::make_shared<Ticket>();
    auto shared_handler = std::make_shared<ChatEventHandler>(std::move(handler));
    HealthState state = HealthState::kLoading;
    {
        const std::lock_guard lock(mutex_);
        state = state_;
        if (state == HealthState::kFailed) return std::unexpected(failure_);
        if (state == HealthState::kLoading) NOTSO_CHECK(hold({request, shared_handler, ticket}));
    }
    if (state == HealthState::kReady)
        NOTSO_CHECK(submit(request, std::move(shared_handler), *ticket));
    return std::make_unique<Stream>(link_, std::move(ticket));
}

/// Called with the lock held.
Result<> LocalBackend::hold(Held held) {
    NOTSO_CHECK(validate_stops(held.request.stop));
    if (std::ssize(held_) >= options_.engine.max_queue) {
        return fail(ErrorCode::kOverloaded,
                    "{} requests wait for the model to load, try again later",
                    held_.size());
    }
    held_.push_back(std::move(held));
    desk_.post([this] { look_after_held(); });
    return {};
}

Result<> LocalBackend::submit(const ChatRequest& request,
                              std::shared_ptr<ChatEventHandler> handler,
                              Ticket& ticket) {
    // Before the prompt is made, which takes time: who is refused hears it at once.
    if (const ml::EngineStats stats = model_->stats(); is_full(stats))
        return fail(
            ErrorCode::kOverloaded, "{} requests are waiting, try again later", stats.waiting);
    NOTSO_TRY(const ml::RequestId id, model_->submit(request, std::move(handler), ticket.control));
    const std::lock_guard lock(ticket.mutex);
    ticket.id = id;
    if (ticket.cancelled) model_->cancel(id);
    return {};
}

void LocalBackend::cancel(Ticket& ticket) {
    const std::lock_guard lock(ticket.mutex);
    ticket.cancelled = true;
    if (ticket.id) {
        model_->cancel(*ticket.id);
    } else {
        desk_.post([this] { look_after_held(); });
    }
}

Result<std::int64_t> LocalBackend::count_tokens(const ChatRequest& request) {
    {
        const std::lock_guard lock(mutex_);
        if (state_ == HealthState::kFailed) return std::unexpected(failure_);
        if (state_ == HealthState::kLoading)
            return fail(ErrorCode::kUnavailable, "the model is still loading");
    }
    return model_->count_tokens(request);
}

ModelInfo LocalBackend::info() const {
    const std::lock_guard lock(mutex_);
    if (state_ == HealthState::kReady) return model_->info();
    ModelInfo info;
    info.id = info.name = options_.id;
    return info;
}

/// Nobody gets in. See ml::EngineOptions::max_queue: users without a request do beyond it.
bool LocalBackend::is_full(const ml::EngineStats& stats) const {
    return stats.waiting >= options_.engine.max_queue + options_.engine.max_queue / 4;
}

Health LocalBackend::health() const {
    const std::lock_guard lock(mutex_);
    Health health{.state = state_,
                  .load_progress = progress_,
                  .memory = memory_,
                  .detail = failure_.detail,
                  .waiting = std::ssize(held_),
                  .full = std::ssize(held_) >= options_.engine.max_queue};
    if (state_ != HealthState::kReady) return health;
    const ml::EngineStats stats = model_->stats();
    health.load_progress = 1;
    health.running = stats.running;
    health.waiting = stats.waiting;
    health.full = is_full(stats);
    health.kv_bytes = stats.kv_bytes;
    health.kv_held_bytes = stats.kv_held_bytes;
    health.kv_budget_bytes = stats.kv_budget_bytes;
    health.preemptions = stats.preemptions;
    return health;
}

/// The loading thread. The seam for exceptions of libraries.
void LocalBackend::load(const ModelLoader& loader) {
    pthread_setname_np(pthread_self(), "load");
    Result<std::unique_ptr<LocalModel>> loaded =
        fail(ErrorCode::kInternal, "loading the model did not end");
    try {
        auto model = loader(watch());
        loaded =
            model ? LocalModel::create(*std::move(model), options_.engine)
                  : Result<std::unique_ptr<LocalModel>>(std::unexpected(std::move(model).error()));
    } catch (const std::bad_alloc&) {
        loaded = fail(ErrorCode::kOutOfMemory, "not enough memory to load the model");
    } catch (const std::exception& caught) {
        loaded = fail(ErrorCode::kInternal, "loading the model failed: {}", caught.what());
    }
    finish_loading(std::move(loaded));
}

/// How the loader tells what it does, and hears that it should stop.
ml::LoadOptions LocalBackend::watch() {
    ml::LoadOptions options;
    options.on_plan = [this](const ml::MemoryPlan& plan) {
        const std::lock_guard lock(mutex_);
        memory_ = plan.to_string();
    };
    options.on_progress = [this](double done) { progress_ = std::clamp(done, 0.0, 1.0); };
    options.stop = stop_.get_token();
    return options;
}

void LocalBackend::finish_loading(Result<std::unique_ptr<LocalModel>> model) {
    if (model) {
        log::info("model loaded id={}", log::field(options_.id));
        {
            const std::lock_guard lock(mutex_);
            model_ = *std::move(model);
        }
        desk_.post([this] { submit_held(); });
        return;
    }
    if (stop_.stop_requested()) return;  // the destructor ends what is held
    log::error("model failed to load error={}", log::field(model.error().detail));
    {
        const std::lock_guard lock(mutex_);
        failure_ = Error{ErrorCode::kUnavailable, std::move(model).error().detail};
        state_ = HealthState::kFailed;
    }
    desk_.post(
        [this] { end_held([](const Held&) { return true; }, ChatFinish::kError, failure_); });
}

/// On the desk: ends cancelled requests, tells the others their position.
void LocalBackend::look_after_held() {
    const auto is_cancelled = [](const Held& held) {
        const std::lock_guard lock(held.ticket->mutex);
        return held.ticket->cancelled;
    };
    end_held(is_cancelled, ChatFinish::kCancelled, {});
    std::vector<std::pair<std::shared_ptr<ChatEventHandler>, std::int64_t>> news;
    {
        const std::lock_guard lock(mutex_);
        for (std::int64_t i = 0; i < std::ssize(held_); ++i) {
            Held& held = held_[static_cast<std::size_t>(i)];
            if (std::exchange(held.announced_position, i) != i) news.emplace_back(held.handler, i);
        }
    }
    for (const auto& [handler, position] : news) (*handler)(chat_event::Queued{position});
}

/// On the desk, once the model stands: hands over what was held, in order. New requests line up
/// behind until then.
void LocalBackend::submit_held() {
    for (;;) {
        look_after_held();
        std::optional<Held> next;
        {
            const std::lock_guard lock(mutex_);
            if (held_.empty()) {
                state_ = HealthState::kReady;
                return;
            }
            next = std::move(held_.front());
            held_.pop_front();
        }
        const Result<> submitted = submit(next->request, next->handler, *next->ticket);
        if (submitted) continue;
        (*next->handler)(chat_event::End{.finish = ChatFinish::kError, .error = submitted.error()});
    }
}

/// On the desk.
void LocalBackend::end_held(const std::function<bool(const Held&)>& which,
                            ChatFinish finish,
                            const std::optional<Error>& error) {
    std::vector<Held> ended;
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(held_, [&](Held& held) {
            if (!which(held)) return false;
            ended.push_back(std::move(held));
            return true;
        });
    }
    for (const Held& held : ended)
        (*held.handler)(chat_event::End{.finish = finish, .error = error});
}

std::unique_ptr<ChatBackend> make_local_backend(LocalOptions options) {
    LocalBackendOptions backend{.id = options.model.stem().string(),
                                .engine = {.max_queue = options.max_queue,
                                           .prompt_precision = options.prompt_precision,
                                           .max_draft = options.max_draft}};
    auto loader = [options = std::move(options)](ml::LoadOptions load) {
        load.n_threads = options.n_threads;
        load.tokenizer_json = options.tokenizer_json;
        load.context_length = options.context_length;
        load.kv_type = options.kv_type;
        load.kv_budget_bytes = options.kv_budget_bytes;
        load.max_contexts = options.max_contexts;
        return ml::Model::load(options.model, load);
    };
    return std::make_unique<LocalBackend>(std::move(loader), std::move(backend));
}

}  // namespace notso::services
