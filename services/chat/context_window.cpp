#include "services/chat/context_window.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace notso::services {
namespace {

// No vocabulary averages more bytes per token over a prompt: what is longer is not even tried.
constexpr std::size_t kMaxBytesPerToken = 16;

// An answer whose tokens are not known is taken for longer than it is.
constexpr std::int64_t kLeastBytesPerToken = 2;

/// What is left for an answer at least.
std::int64_t least_room(std::int64_t context) { return std::min<std::int64_t>(context / 8, 64); }

struct Exchange {
    const Message* user;
    const Message* answer;  // null for the newest
};

std::vector<Exchange> exchanges_of(const std::vector<Message>& messages) {
    std::vector<Exchange> exchanges;
    Exchange current{nullptr, nullptr};
    for (const Message& message : messages) {
        if (message.role == MessageRole::kUser) {
            if (current.answer != nullptr) exchanges.push_back(current);
            current = {&message, nullptr};
        } else if (current.user != nullptr && message.parent == current.user->id &&
                   !message.text.empty()) {
            current.answer = &message;  // of several tries the last one counts
        }
    }
    if (current.user != nullptr) exchanges.push_back(current);
    return exchanges;
}

/// An answer as the model wrote it: text, calls and what they gave, text.
void add_answer(const Message& answer, std::vector<ChatMessage>& messages) {
    std::size_t written = 0;
    const auto text_until = [&](std::size_t end) {
        const std::size_t begin = std::exchange(written, std::max(written, end));
        return answer.text.substr(begin, written - begin);
    };
    for (std::size_t i = 0; i < answer.tool_uses.size();) {
        const ToolUse& first = answer.tool_uses[i];
        ChatMessage said{.role = "assistant", .content = text_until(first.begin_in(answer.text))};
        std::vector<ChatMessage> results;
        for (; i < answer.tool_uses.size() && answer.tool_uses[i].round == first.round; ++i) {
            const ToolUse& use = answer.tool_uses[i];
            said.tool_calls.push_back(boost::json::object{
                {"id", use.id},
                {"type", "function"},
                {"function", {{"name", use.name}, {"arguments", use.arguments}}}});
            results.push_back(
                {.role = "tool", .content = use.output, .name = use.name, .tool_call_id = use.id});
        }
        messages.push_back(std::move(said));
        for (ChatMessage& result : results) messages.push_back(std::move(result));
    }
    const std::string rest = text_until(answer.text.size());
    if (!rest.empty() || answer.tool_uses.empty())
        messages.push_back({.role = "assistant", .content = rest});
}

class Fitter {
  public:
    Fitter(ChatBackend& backend, const PromptSource& source)
        : backend_(backend), source_(source), exchanges_(exchanges_of(source.messages)) {}

    Result<FittedPrompt> fit() {
        NOTSO_TRY(const ModelInfo model, backend_.find_model(source_.conversation.model));
        const std::int64_t context = model.context_length;
        if (context <= 0) return with(exchanges_.size());  // not known: the backend decides
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
        if (fitting == 1) NOTSO_CHECK(newest_fits(context));
        return with(fitting);
    }

  private:
    // The request with the newest `count` exchanges.
    FittedPrompt with(std::size_t count) const {
        FittedPrompt prompt;
        ChatRequest& request = prompt.request;
        const Conversation& conversation = source_.conversation;
        if (!conversation.system_prompt.empty()) {
            request.messages.push_back({.role = "system", .content = conversation.system_prompt});
        }
        const auto first = exchanges_.end() - static_cast<std::ptrdiff_t>(count);
        std::for_each(first, exchanges_.end(), [&](const Exchange& exchange) {
            request.messages.push_back({.role = "user", .content = exchange.user->text});
            if (exchange.answer == nullptr) return;
            add_answer(*exchange.answer, request.messages);
        });
        if (source_.so_far) add_answer(*source_.so_far, request.messages);
        request.written = source_.written;
        request.tools = source_.tools;
        request.model = conversation.model;
        request.thinking = source_.thinking;
        request.thinking_overrides_system = true;
        request.user = source_.user;
        request.priority = source_.priority;
        request.sampling.temperature = conversation.temperature;
        request.sampling.seed = source_.seed;
        if (!conversation.date.empty()) request.date = conversation.date;
        prompt.messages_left_out = 2 * static_cast<std::int64_t>(exchanges_.size() - count);
        return prompt;
    }

    std::int64_t written_tokens() const {
        if (!source_.written) return 0;
        const auto& [thinking, text, tokens] = *source_.written;
        return tokens.empty() ? std::ssize(thinking + text) / kLeastBytesPerToken
                              : std::ssize(tokens);
    }

    static std::unexpected<Error> full() {
        return fail(ErrorCode::kContextLength,
                    "This answer and its question fill all that the model can read at once, so it "
                    "can't go on: ask for the rest in a new message.");
    }

    std::size_t most_worth_trying() const {
        const std::size_t byte_limit = static_cast<std::size_t>(budget_) * kMaxBytesPerToken;
        std::size_t bytes = exchanges_.back().user->text.size();
        std::size_t count = 1;
        while (count < exchanges_.size()) {
            const Exchange& next = exchanges_[exchanges_.size() - count - 1];
            bytes += next.user->text.size() + next.answer->text.size();
            if (bytes > byte_limit) break;
            ++count;
        }
        return count;
    }

    Result<bool> fits(std::size_t count) {
        const Result<std::int64_t> tokens = backend_.count_tokens(with(count).request);
        if (!tokens && tokens.error().code == ErrorCode::kContextLength) return false;
        if (!tokens) return std::unexpected(tokens.error());
        return *tokens <= budget_;
    }

    // The newest message may use the room of the answer too, as long as some of it is left.
    Result<> newest_fits(std::int64_t context) {
        NOTSO_TRY(const std::int64_t tokens, backend_.count_tokens(with(1).request));
        const std::int64_t most = context - least_room(context) - written_tokens();
        if (tokens <= most) return {};
        if (source_.written) return full();
        return fail(ErrorCode::kContextLength,
                    "This message takes {} tokens, and the model can read at most {} at once: "
                    "shorten it, or send "
                    "it in parts.",
                    tokens,
                    most);
    }

    ChatBackend& backend_;
    const PromptSource& source_;
    std::vector<Exchange> exchanges_;  // never empty: the newest message has no answer yet
    std::int64_t budget_ = 0;
};

}  // namespace

std::int64_t answer_room(std::int64_t context_length, bool thinking) {
    return thinking ? std::min<std::int64_t>(context_length / 2, 4096)
                    : std::min<std::int64_t>(context_length / 4, 1024);
}

Result<FittedPrompt> fit_context(ChatBackend& backend, const PromptSource& source) {
    return Fitter(backend, source).fit();
}

}  // namespace notso::services
