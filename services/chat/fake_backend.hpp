// FakeBackend: a ChatBackend for tests whose every event is given by the test. Events run on a
// thread of its own, as those of a real backend do. One token per character of content, so that
// context arithmetic is easy to check.
#pragma once

#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/serial_worker.hpp"
#include "services/backend/chat_backend.hpp"

namespace notso::services {

class FakeBackend final : public ChatBackend {
  public:
    /// One started answer; the handler is gone after End.
    struct Call {
        ChatRequest request;
        std::mutex mutex;
        ChatEventHandler handler;
        bool cancelled = false;
        bool answers_cancel = true;  ///< Gives End{kCancelled} when cancelled, as a backend must.
    };

    Result<std::unique_ptr<ChatStream>> start(const ChatRequest& request,
                                              ChatEventHandler handler) override {
        if (before_start) before_start();
        if (start_error) return std::unexpected(*start_error);
        auto call = std::make_shared<Call>();
        call->request = request;
        call->handler = std::move(handler);
        {
            const std::lock_guard lock(mutex_);
            calls_.push_back(call);
        }
        started_.notify_all();
        return std::make_unique<Stream>(*this, std::move(call));
    }

    Result<std::int64_t> count_tokens(const ChatRequest& request) override {
        std::int64_t tokens = 0;
        for (const ChatMessage& message : request.messages) tokens += std::ssize(message.content);
        return tokens;
    }

    ModelInfo info() const override {
        ModelInfo info;
        info.id = "fake";
        info.name = "Fake";
        info.can_call_tools = true;
        info.context_length = context_length;
        info.remote_host = remote_host;
        return info;
    }
    /// Has every model but "gone"; "small" reads 100 tokens.
    Result<ModelInfo> find_model(const std::string& name) const override {
        if (name == "gone") return fail(ErrorCode::kNotFound, "there is no model gone");
        ModelInfo model = info();
        if (name == "small") model.context_length = 100;
        return model;
    }
    Health health() const override { return {.state = HealthState::kReady, .running = busy}; }
    std::vector<ModelEntry> models() const override { return {{.info = info(), .place = place}}; }

    /// Waits for the nth start() (0-based).
    std::shared_ptr<Call> call(std::size_t n) {
        std::unique_lock lock(mutex_);
        started_.wait(lock, [&] { return calls_.size() > n; });
        return calls_[n];
    }
    std::size_t n_calls() {
        const std::lock_guard lock(mutex_);
        return calls_.size();
    }

    /// Gives events in order, from the backend's thread.
    void emit(const std::shared_ptr<Call>& call, std::vector<ChatEvent> events) {
        thread_.post([call, events = std::move(events)]() mutable {
            for (ChatEvent& event : events) give(*call, std::move(event));
        });
    }

    /// Waits until everything emitted so far was given.
    void wait_given() {
        std::promise<void> given;
        thread_.post([&given] { given.set_value(); });
        given.get_future().wait();
    }

    std::int64_t context_length = 1000;
    std::string remote_host = {};
    ModelPlace place = ModelPlace::kReady;
    std::int64_t busy = 0;                    ///< Health::running
    std::optional<Error> start_error = {};    ///< Set before sending.
    std::function<void()> before_start = {};  ///< Runs on the compute thread.

  private:
    class Stream final : public ChatStream {
      public:
        Stream(FakeBackend& backend, std::shared_ptr<Call> call)
            : backend_(backend), call_(std::move(call)) {}
        ~Stream() override { end(); }
        void cancel() override { end(); }

      private:
        void end() {
            {
                const std::lock_guard lock(call_->mutex);
                if (std::exchange(call_->cancelled, true)) return;
            }
            if (!call_->answers_cancel) return;
            backend_.emit(call_, {chat_event::End{.finish = ChatFinish::kCancelled}});
        }
        FakeBackend& backend_;
        std::shared_ptr<Call> call_;
    };

    static void give(Call& call, ChatEvent event) {
        const bool last = std::holds_alternative<chat_event::End>(event);
        if (call.handler) call.handler(std::move(event));
        if (last) call.handler = nullptr;
    }

    std::mutex mutex_;
    std::condition_variable started_;
    std::vector<std::shared_ptr<Call>> calls_;
    SerialWorker thread_{"fake-backend"};
};

}  // namespace notso::services
