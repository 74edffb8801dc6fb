// The threads of the remote backend: who waits for whom. What is sent and understood is decided in
// remote_*.cpp.
#include "services/backend/remote.hpp"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "services/backend/remote_call.hpp"
#include "services/backend/remote_request.hpp"
#include "services/backend/stop_matcher.hpp"
#include "services/prompt/messages.hpp"

namespace notso::services {
namespace {

// Over this share of the context fit_context() refuses a newest message (context_window.cpp). The
// estimate below is too rough for a refusal, so it stays under.
std::int64_t most_worth_saying(std::int64_t context) {
    return context - std::min<std::int64_t>(context / 8, 64);
}

constexpr std::int64_t kBytesPerToken = 3;
constexpr std::int64_t kTokensPerMessage = 8;  // role and separators

/// One answer: owned by the queue, then by the thread that carries it.
struct Task {
    RemoteJob job;
    ChatEventHandler handler;
    std::stop_source stop = {};
};

/// May outlive the backend: the stop source is shared, and stopping what has ended does nothing.
class RemoteStream final : public ChatStream {
  public:
    explicit RemoteStream(std::stop_source stop) : stop_(std::move(stop)) {}
    ~RemoteStream() override { cancel(); }

    void cancel() override { stop_.request_stop(); }

  private:
    std::stop_source stop_;
};

class RemoteBackend final : public ChatBackend {
  public:
    explicit RemoteBackend(RemoteOptions options) : server_(std::move(options)) {}
    ~RemoteBackend() override;

    Result<std::unique_ptr<ChatStream>> start(const ChatRequest& request,
                                              ChatEventHandler handler) override;
    Result<std::int64_t> count_tokens(const ChatRequest& request) override;
    ModelInfo info() const override { return server_.watch.info(); }
    Health health() const override;

  private:
    Result<> enqueue(std::shared_ptr<Task> task);
    void carry();
    void answer(Task& task);

    RemoteServer server_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::shared_ptr<Task>> running_;  // waiting ones too
    std::deque<std::shared_ptr<Task>> waiting_;   // for a thread, not longer than it takes to wake
    std::size_t idle_ = 0;  // threads without a task, those that just begin among them
    bool closing_ = false;
    std::vector<std::thread> threads_;
};

RemoteBackend::~RemoteBackend() {
    std::vector<std::shared_ptr<Task>> running;
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
        running = running_;
    }
    changed_.notify_all();
    for (const auto& task : running) task->stop.request_stop();
    for (std::thread& thread : threads_) thread.join();
}

Result<std::unique_ptr<ChatStream>> RemoteBackend::start(const ChatRequest& request,
                                                         ChatEventHandler handler) {
    NOTSO_CHECK(validate_stops(request.stop));
    NOTSO_CHECK(check_roles(request.messages));
    if (request.written) {
        return fail(ErrorCode::kUnsupported,
                    "a remote model can't go on exactly where an answer was cut: ask it to go on, "
                    "or for another answer");
    }
    if (request.max_tokens < 0)
        return fail(ErrorCode::kInvalidArgument, "max_tokens: {} is negative", request.max_tokens);
    auto task = std::make_shared<Task>(Task{{std::string(remote_path(request)),
                                             remote_body(request),
                                             remote_template_variables(request),
                                             offered_tools(request, false)},
                                            std::move(handler)});
    auto stream = std::make_unique<RemoteStream>(task->stop);
    NOTSO_CHECK(enqueue(std::move(task)));
    return stream;
}

Result<> RemoteBackend::enqueue(std::shared_ptr<Task> task) {
    {
        const std::lock_guard lock(mutex_);
        if (std::ssize(running_) >= server_.options.max_running) {
            return fail(
                ErrorCode::kOverloaded, "{} answers are running, try again later", running_.size());
        }
        if (idle_ <= waiting_.size()) {
            try {
                threads_.emplace_back([this] { carry(); });
                ++idle_;
            } catch (const std::system_error& caught) {
                return fail(
                    ErrorCode::kOverloaded, "no thread for another answer: {}", caught.what());
            }
        }
        running_.push_back(task);
        waiting_.push_back(std::move(task));
    }
    changed_.notify_one();
    return {};
}

/// A thread: one answer after another.
void RemoteBackend::carry() {
    pthread_setname_np(pthread_self(), "remote");
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
        --idle_;
        if (waiting_.empty()) return;
        const std::shared_ptr<Task> task = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        answer(*task);
        lock.lock();
        std::erase(running_, task);
        ++idle_;
    }
}

/// The seam for exceptions of libraries.
void RemoteBackend::answer(Task& task) {
    chat_event::End end;
    try {
        end = RemoteCall(server_, task.job, task.handler, task.stop.get_token()).run();
    } catch (const std::exception& caught) {
        end = {.finish = ChatFinish::kError,
               .error = Error{ErrorCode::kInternal,
                              fmt::format("following the answer failed: {}", caught.what())}};
    }
    task.handler(std::move(end));
    task.handler = nullptr;
}

Result<std::int64_t> RemoteBackend::count_tokens(const ChatRequest& request) {
    std::int64_t tokens = 0;
    const auto add = [&](std::string_view text) {
        tokens += std::ssize(text) / kBytesPerToken + kTokensPerMessage;
    };
    if (request.raw_prompt) {
        add(*request.raw_prompt);
    } else {
        for (const ChatMessage& message : request.messages) add(message.content);
        if (!request.tools.empty()) add(boost::json::serialize(request.tools));
    }
    const std::int64_t context = server_.watch.info().context_length;
    return context > 0 ? std::min(tokens, most_worth_saying(context)) : tokens;
}

Health RemoteBackend::health() const {
    Health health = server_.watch.health();
    const std::lock_guard lock(mutex_);
    health.running = std::ssize(running_);
    health.full = health.running >= server_.options.max_running;
    return health;
}

}  // namespace

std::unique_ptr<ChatBackend> make_remote_backend(RemoteOptions options) {
    if (options.base_url.scheme == "http" && !options.base_url.is_loopback()) {
        log::warn(
            "event=remote_unencrypted host={} hint=\"what people write, and the key, can be read "
            "on "
            "the way; use https\"",
            log::field(options.base_url.host_label()));
    }
    return std::make_unique<RemoteBackend>(std::move(options));
}

}  // namespace notso::services
