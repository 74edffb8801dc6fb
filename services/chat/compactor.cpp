#include "services/chat/compactor.hpp"

#include <utility>

namespace notso::services {

void Compactor::begin(PromptSource source) {
    source_ = std::move(source);
    source_.thinking = false;
    find_step();
}

void Compactor::find_step() {
    deps_.side.compute.post([weak = weak_from_this(),
                             io = &deps_.side.io,
                             backend = &deps_.side.backend,
                             source = source_,
                             reach = deps_.reach] {
        if (weak.expired()) return;
        auto step = next_compact_step(*backend, source, reach);
        io->post([weak, step = std::move(step)]() mutable {
            if (const auto self = weak.lock()) self->on_step(std::move(step));
        });
    });
}

void Compactor::on_step(Result<std::optional<CompactStep>> step) {
    if (!step) return end(std::unexpected(std::move(step).error()));
    if (!*step) return end(n_steps_);
    until_ = (*step)->until;
    PromptSource source = source_;
    source.messages = std::move((*step)->messages);
    request_ =
        SideRequest::create(deps_.side, [this](const SideText& written) { on_text(written); });
    request_->begin(std::move(source),
                    {.max_tokens = (*step)->max_tokens, .priority = source_.priority});
}

void Compactor::on_text(const SideText& written) {
    std::string text = clean_summary(written.text, written.whole);
    if (written.failed || text.empty()) {
        return end(fail(ErrorCode::kUnavailable,
                        "the model wrote no summary: the conversation is as it was; try again "
                        "later"));
    }
    keep({.until = until_, .text = std::move(text), .created_at = now_ms()});
}

/// Counts what the summary leads to, then stores it.
void Compactor::keep(Summary summary) {
    PromptSource source = source_;
    source.summaries.push_back(summary);
    deps_.side.compute.post([weak = weak_from_this(),
                             io = &deps_.side.io,
                             backend = &deps_.side.backend,
                             source = std::move(source),
                             summary = std::move(summary)]() mutable {
        if (weak.expired()) return;
        const auto fitted = fit_context(*backend, source);
        if (fitted) summary.prompt_tokens = fitted->tokens;
        io->post([weak, summary = std::move(summary)]() mutable {
            const auto self = weak.lock();
            if (!self) return;
            self->deps_.store.call(
                weak,
                [summary, key = self->source_.conversation.key()](SessionStore& store) {
                    return store.put_summary(key, summary);
                },
                [self = self.get(), summary](const Result<>& kept) {
                    self->on_kept(summary, kept);
                });
        });
    });
}

void Compactor::on_kept(Summary summary, const Result<>& kept) {
    if (!kept) return end(std::unexpected(kept.error()));
    ++n_steps_;
    source_.summaries.push_back(std::move(summary));
    find_step();
}

void Compactor::end(Result<std::int64_t> ended) {
    const auto self = shared_from_this();  // `done` may let go of this
    if (Done done = std::exchange(done_, nullptr)) done(std::move(ended));
}

}  // namespace notso::services
