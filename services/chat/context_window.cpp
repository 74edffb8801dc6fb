#include "services/chat/context_window.hpp"

#include <algorithm>
#include <utility>

#include "services/chat/message_files.hpp"
#include "services/settings/setting_fields.hpp"

namespace notso::services {
namespace {

// No vocabulary averages more bytes per token over a prompt: what is longer is not even tried.
constexpr std::size_t kMaxBytesPerToken = 16;

// An answer whose tokens are not known is taken for longer than it is.
constexpr std::int64_t kLeastBytesPerToken = 2;

/// What is left for an answer at least.
std::int64_t least_room(std::int64_t context) { return std::min<std::int64_t>(context / 8, 64); }

/// Nothing when there are more than `budget`.
Result<std::optional<std::int64_t>> tokens_within(ChatBackend& backend,
                                                  const ChatRequest& request,
                                                  std::int64_t budget) {
    const Result<std::int64_t> tokens = backend.count_tokens(request);
    if (!tokens && tokens.error().code == ErrorCode::kContextLength) return std::nullopt;
    if (!tokens) return std::unexpected(tokens.error());
    return *tokens <= budget ? std::optional(*tokens) : std::nullopt;
}

class Fitter {
  public:
    Fitter(ChatBackend& backend, const PromptSource& source)
        : backend_(backend), source_(source), parts_(source) {}

    Result<FittedPrompt> fit() {
        NOTSO_TRY(const ModelInfo model, backend_.find_model(source_.conversation.model));
        const std::int64_t context =
            context_of(model.context_length, source_.conversation.settings);
        const std::size_t n_exchanges = parts_.exchanges().size();
        if (context <= 0) return with(n_exchanges);  // not known: the backend decides
        budget_ = context - answer_room(context, source_.thinking);
        // What was written fits in the answer's room, unless it filled that.
        budget_ = std::min(budget_, context - least_room(context) - written_tokens());
        if (budget_ <= 0) return full();
        const std::size_t most = most_worth_trying();
        NOTSO_TRY(const bool all, fits(most));
        if (all) return with(most);
        std::size_t fitting = 1;
        std::size_t too_many = most;
        while (too_many - fitting > 1) {
            const std::size_t middle = fitting + (too_many - fitting) / 2;
            NOTSO_TRY(const bool ok, fits(middle));
            (ok ? fitting : too_many) = middle;
        }
        if (fitting == 1) NOTSO_CHECK(make_room_for_newest(context));
        return with(fitting);
    }

    Result<> check_newest() {
        NOTSO_TRY(const ModelInfo model, backend_.find_model(source_.conversation.model));
        const std::int64_t context =
            context_of(model.context_length, source_.conversation.settings);
        if (context <= 0) return newest().unread > 0 ? too_much() : Result<>();
        budget_ = context - answer_room(context, source_.thinking);
        return make_room_for_newest(context);
    }

  private:
    FittedPrompt with(std::size_t count) const {
        FittedPrompt prompt{.request = parts_.newest(count, summary_), .exchanges = count};
        const std::size_t out = parts_.exchanges().size() - count;
        prompt.has_summary = summary_ && parts_.summary() != nullptr;
        prompt.messages_left_out =
            2 * static_cast<std::int64_t>(out) + (prompt.has_summary ? 0 : parts_.summarised());
        prompt.tokens = counted_;
        return prompt;
    }

    std::int64_t written_tokens() const {
        if (!source_.written) return 0;
        const auto& [thinking, text, tokens] = *source_.written;
        return tokens.empty() ? std::ssize(thinking + text) / kLeastBytesPerToken
                              : std::ssize(tokens);
    }

    static Result<> too_much() {
        return fail(ErrorCode::kContextLength,
                    "The files of this message have more than {} MiB of text, more than any model "
                    "can read at once: send parts of them.",
                    kMaxPromptBytes >> 20);
    }

    static std::unexpected<Error> full() {
        return fail(ErrorCode::kContextLength,
                    "This answer and its question fill all that the model can read at once, so it "
                    "can't go on: ask for the rest in a new message.");
    }

    std::size_t most_worth_trying() const {
        const auto& exchanges = parts_.exchanges();
        const std::size_t byte_limit = static_cast<std::size_t>(budget_) * kMaxBytesPerToken;
        std::size_t bytes = prompt_size(*exchanges.back().user);
        std::size_t count = 1;
        while (count < exchanges.size()) {
            const Exchange& next = exchanges[exchanges.size() - count - 1];
            bytes += prompt_size(*next.user) + next.answer->text.size();
            if (bytes > byte_limit) break;
            ++count;
        }
        return count;
    }

    /// Remembers how long a prompt that fits is: the last one that does is taken.
    Result<bool> fits(std::size_t count) {
        NOTSO_TRY(const auto tokens,
                  tokens_within(backend_, parts_.newest(count, summary_), budget_));
        counted_ = tokens.value_or(counted_);
        return tokens.has_value();
    }

    Result<> make_room_for_newest(std::int64_t context) {
        NOTSO_TRY(const bool as_it_is, fits(1));
        if (as_it_is && newest().unread == 0) return {};
        summary_ = false;
        return newest_fits(context);
    }

    // The newest message may use the room of the answer too, as long as some of it is left.
    Result<> newest_fits(std::int64_t context) {
        NOTSO_TRY(counted_, backend_.count_tokens(parts_.newest(1, summary_)));
        const auto [read, unread] = newest();
        counted_ += static_cast<std::int64_t>(static_cast<double>(counted_) * unread / read);
        const std::int64_t most = context - least_room(context) - written_tokens();
        if (counted_ <= most) return {};
        if (source_.written) return full();
        return fail(ErrorCode::kContextLength,
                    "This message takes {}{} tokens{}, and the model can read at most {} at once{}: "
                    "shorten it, or send it in parts.",
                    unread > 0 ? "about " : "",
                    counted_,
                    company(),
                    most,
                    source_.conversation.settings.context_size
                        ? ", as the context size in the settings of this chat says"
                        : "");
    }

    /// What else is counted with the newest message.
    std::string_view company() const {
        const bool files = !parts_.exchanges().back().user->files.empty();
        const bool pinned =
            !source_.conversation.settings.system_prompt.empty() || !source_.tools.empty();
        if (files && pinned) return " with its files, the system prompt and the tools";
        if (files) return " with its files";
        return pinned ? " with the system prompt and the tools" : "";
    }

    /// Bytes of the newest message that a count sees, and those of files that are too long to be
    /// read only to be counted.
    struct SeenBytes {
        double read = 1;
        double unread = 0;
    };
    SeenBytes newest() const {
        const Message& message = *parts_.exchanges().back().user;
        const auto whole = static_cast<double>(prompt_size(message));
        const auto unread = static_cast<double>(unread_bytes(message));
        return {std::max(whole - unread, 1.0), unread};
    }

    ChatBackend& backend_;
    const PromptSource& source_;
    PromptParts parts_;
    std::int64_t budget_ = 0;
    std::int64_t counted_ = 0;
    bool summary_ = true;
};

}  // namespace

std::int64_t answer_room(std::int64_t context_length, bool thinking) {
    return thinking ? std::min<std::int64_t>(context_length / 2, 4096)
                    : std::min<std::int64_t>(context_length / 4, 1024);
}

Result<FittedPrompt> fit_context(ChatBackend& backend, const PromptSource& source) {
    return Fitter(backend, source).fit();
}

Result<> check_newest_fits(ChatBackend& backend, const PromptSource& source) {
    return Fitter(backend, source).check_newest();
}

Result<bool> fits_in(ChatBackend& backend, const ChatRequest& request, std::int64_t budget) {
    NOTSO_TRY(const auto tokens, tokens_within(backend, request, budget));
    return tokens.has_value();
}

}  // namespace notso::services
