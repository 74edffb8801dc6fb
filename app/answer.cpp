#include "app/answer.hpp"

#include <memory>
#include <utility>

#include "base/clock.hpp"
#include "base/serial_worker.hpp"
#include "base/utf8.hpp"

namespace notso::app {
namespace {

namespace event = services::chat_event;

double ms_since(SteadyClock::time_point start) {
    return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

/// Collects events; lives on the thread that waits.
class Collector {
  public:
    explicit Collector(const AnswerView& view) : view_(view), start_(SteadyClock::now()) {}

    void take(services::ChatEvent&& happened) {
        std::visit([this](auto& body) { on(body); }, happened);
    }
    bool ended() const { return ended_; }
    Answer result() && { return std::move(answer_); }

  private:
    void on(event::ThinkingText& body) {
        view_.on_thinking(body.text);
        answer_.thinking += body.text;
    }
    void on(event::Text& body) {
        view_.on_text(body.text);
        answer_.text += body.text;
    }
    void on(event::ToolCallBegun& body) {
        answer_.calls.push_back({std::move(body.id), std::move(body.name), {}});
    }
    void on(event::ToolCallArguments& body) {
        if (!answer_.calls.empty()) answer_.calls.back().arguments += body.text;
    }
    void on(event::Progress& body) {
        if (answer_.first_token_ms == 0) answer_.first_token_ms = ms_since(start_);
        if (body.token_id >= 0) answer_.tokens.push_back(body.token_id);
    }
    void on(event::End& body) {
        answer_.end = std::move(body);
        ended_ = true;
    }
    template <class Other>
    void on(Other&) {}

    const AnswerView& view_;
    SteadyClock::time_point start_;
    Answer answer_;
    bool ended_ = false;
};

}  // namespace

Result<Answer> follow_answer(services::ChatBackend& backend,
                             const services::ChatRequest& request,
                             Interrupts& interrupts,
                             const AnswerView& view) {
    // Shared with the backend's thread and the signal thread: both may still hold it when we leave.
    auto loop = std::make_shared<RunLoop>();
    auto collector = std::make_shared<Collector>(view);
    NOTSO_TRY(const auto stream,
              backend.start(request, [loop, collector](services::ChatEvent happened) {
                  auto shared = std::make_shared<services::ChatEvent>(std::move(happened));
                  loop->post([collector, shared] { collector->take(std::move(*shared)); });
              }));
    interrupts.handle([loop, &stream] { loop->post([&stream] { stream->cancel(); }); });
    if (interrupts.take()) stream->cancel();  // It came while the prompt was being made.
    loop->run_until([&] { return collector->ended(); });
    interrupts.handle({});
    return std::move(*collector).result();
}

std::string_view finish_name(services::ChatFinish finish) {
    switch (finish) {
        case services::ChatFinish::kStop:
            return "stop";
        case services::ChatFinish::kLength:
            return "length";
        case services::ChatFinish::kCancelled:
            return "cancelled";
        case services::ChatFinish::kError:
            return "error";
        case services::ChatFinish::kToolCalls:
            return "tool_calls";
    }
    return "error";
}

std::string terminal_safe(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const DecodedCodePoint point = decode_utf8(text);
        const bool control = point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0);
        if (point.valid && (!control || point.value == '\n' || point.value == '\t'))
            out += text.substr(0, point.size);
        text.remove_prefix(point.size);
    }
    return out;
}

}  // namespace notso::app
