#include "services/chat/prompt_parts.hpp"

#include <algorithm>
#include <utility>

#include "services/chat/message_files.hpp"

namespace notso::services {
namespace {

constexpr std::string_view kSummaryHeading =
    "Summary of what was said so far in this conversation:\n";

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

/// What the model is told before anything else; empty: nothing.
std::string system_text(const std::string& system_prompt, const Summary* summary) {
    if (summary == nullptr) return system_prompt;
    const std::string told = std::string(kSummaryHeading) + summary->text;
    return system_prompt.empty() ? told : system_prompt + "\n\n" + told;
}

SamplingSettings sampling_of(const ChatSettings& settings) {
    return {.temperature = settings.temperature,
            .top_p = settings.top_p,
            .min_p = settings.min_p,
            .top_k = settings.top_k,
            .repeat_penalty = settings.repeat_penalty};
}

}  // namespace

std::vector<Exchange> exchanges_of(std::span<const Message> messages) {
    std::vector<Exchange> exchanges;
    Exchange current;
    for (const Message& message : messages) {
        if (message.role == MessageRole::kUser) {
            if (current.answer != nullptr) exchanges.push_back(current);
            current = {&message, nullptr};
        } else if (current.user != nullptr && message.parent == current.user->id &&
                   !message.text.empty()) {
            current.answer = &message;
        }
    }
    if (current.user != nullptr) exchanges.push_back(current);
    return exchanges;
}

PromptParts::PromptParts(const PromptSource& source)
    : source_(source), exchanges_(exchanges_of(source.messages)) {
    const std::span<const Message> path(source.messages);
    for (const Summary& summary : source.summaries) {
        const auto until = std::ranges::find(path, summary.until, &Message::id);
        if (until == path.end() || until->role != MessageRole::kAssistant) continue;
        const auto rest = path.subspan(static_cast<std::size_t>(until - path.begin()) + 1);
        auto later = exchanges_of(rest);
        const std::int64_t told = std::ssize(path) - std::ssize(rest);
        if (later.empty() || told <= summarised_) continue;
        summary_ = &summary;
        summarised_ = told;
        exchanges_ = std::move(later);
    }
}

ChatRequest PromptParts::request(const PromptChoice& choice) const {
    ChatRequest request;
    const Conversation& conversation = source_.conversation;
    const std::string system = system_text(choice.system ? conversation.settings.system_prompt : "",
                                           choice.summary ? summary_ : nullptr);
    if (!system.empty()) request.messages.push_back({.role = "system", .content = system});
    for (std::size_t i = choice.first; i < choice.end; ++i) {
        const Exchange& exchange = exchanges_[i];
        request.messages.push_back({.role = "user", .content = prompt_text(*exchange.user)});
        if (exchange.answer != nullptr) add_answer(*exchange.answer, request.messages);
    }
    if (choice.end == exchanges_.size()) {
        if (source_.so_far) add_answer(*source_.so_far, request.messages);
        request.written = source_.written;
    }
    if (choice.system) request.tools = source_.tools;
    request.model = conversation.model;
    request.thinking = source_.thinking;
    request.thinking_overrides_system = true;
    request.user = source_.user;
    request.priority = source_.priority;
    request.quiet = source_.quiet;
    request.sampling = sampling_of(conversation.settings);
    request.sampling.seed = source_.seed;
    if (!conversation.date.empty()) request.date = conversation.date;
    return request;
}

ChatRequest PromptParts::newest(std::size_t count, bool summary) const {
    return request({exchanges_.size() - count, exchanges_.size(), summary});
}

}  // namespace notso::services
