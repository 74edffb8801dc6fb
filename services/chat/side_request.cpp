#include "services/chat/side_request.hpp"

#include <utility>
#include <variant>

namespace notso::services {
namespace {

// A server far away may not keep to max_tokens.
constexpr std::size_t kMaxTextBytes = std::size_t{16} * 1024;

Result<std::unique_ptr<ChatStream>> start_request(ChatBackend& backend,
                                                  const PromptSource& source,
                                                  const SideOptions& options,
                                                  ChatEventHandler handler) {
    NOTSO_TRY(FittedPrompt prompt, fit_context(backend, source));
    ChatRequest& request = prompt.request;
    request.priority = options.priority;
    request.sampling = {};
    request.max_tokens = options.max_tokens;
    request.read_only = options.read_only;
    request.stop = options.stop;
    request.form = options.form;
    return backend.start(request, std::move(handler));
}

}  // namespace

std::shared_ptr<SideRequest> SideRequest::create(const SideDeps& deps, Done done) {
    std::shared_ptr<SideRequest> side(new SideRequest(deps, std::move(done)));
    side->inbox_ = std::make_shared<EventInbox>(
        deps.io, [weak = std::weak_ptr(side)](std::vector<TimedEvent> events) {
            if (const auto self = weak.lock()) self->receive(std::move(events));
        });
    return side;
}

void SideRequest::begin(PromptSource source, SideOptions options) {
    deps_.compute.post([weak = weak_from_this(),
                        io = &deps_.io,
                        backend = &deps_.backend,
                        inbox = inbox_,
                        outcome = start_outcome_,
                        source = std::move(source),
                        options = std::move(options)] {
        if (weak.expired()) return;
        outcome->stream = start_request(
            *backend, source, options, [inbox](ChatEvent event) { inbox->push(std::move(event)); });
        io->post([weak] {
            if (const auto self = weak.lock()) self->on_started();
        });
    });
}

void SideRequest::on_started() {
    auto& started = start_outcome_->stream;
    if (!started) return end({.failed = true});
    stream_ = *std::move(started);
}

void SideRequest::receive(std::vector<TimedEvent> events) {
    for (TimedEvent& event : events) {
        if (auto* text = std::get_if<chat_event::Text>(&event.event)) {
            text_ += text->text;
            if (text_.size() > kMaxTextBytes) {
                stream_.reset();
                return end({.failed = true});
            }
        } else if (const auto* last = std::get_if<chat_event::End>(&event.event)) {
            const bool whole = last->finish == ChatFinish::kStop;
            const bool failed = !whole && last->finish != ChatFinish::kLength;
            return end({.text = std::move(text_), .whole = whole, .failed = failed});
        }
    }
}

void SideRequest::end(SideText text) {
    if (Done done = std::exchange(done_, nullptr)) done(std::move(text));
}

}  // namespace notso::services
