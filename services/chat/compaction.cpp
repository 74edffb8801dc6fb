#include "services/chat/compaction.hpp"

#include <algorithm>
#include <utility>

#include "base/random.hpp"
#include "services/settings/setting_fields.hpp"

namespace notso::services {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n";

std::int64_t summary_room(std::int64_t context) {
    return std::clamp<std::int64_t>(context / 16, 32, 256);
}

/// At most that many bytes, cut between characters.
std::string shortened(const std::string& text, std::size_t bytes) {
    if (text.size() <= bytes) return text;
    std::size_t end = bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return text.substr(0, end) + " […]";
}

Message instruction_of(const PromptSource& source) {
    return {.id = {random_id()},
            .conversation = source.conversation.id,
            .role = MessageRole::kUser,
            .text = std::string(kSummaryInstruction)};
}

class StepFinder {
  public:
    StepFinder(ChatBackend& backend, const PromptSource& source)
        : backend_(backend), source_(source), parts_(source) {}

    Result<std::optional<CompactStep>> find(CompactReach reach) {
        NOTSO_TRY(const ModelInfo model, backend_.find_model(source_.conversation.model));
        const std::int64_t context =
            context_of(model.context_length, source_.conversation.settings);
        if (context <= 0) return std::nullopt;  // nobody knows what would have to fit
        budget_ = context - answer_room(context, source_.thinking);
        NOTSO_TRY(const std::size_t kept, n_kept(reach));
        const std::size_t n_told = parts_.exchanges().size() - kept;
        if (n_told == 0) return std::nullopt;
        NOTSO_TRY(CompactStep step, step_of(n_told));
        step.max_tokens = summary_room(context);
        return step;
    }

  private:
    /// Exchanges that stay as they are: at least the newest.
    Result<std::size_t> n_kept(CompactReach reach) {
        if (reach == CompactReach::kAllButNewest) return 1;
        const std::size_t n_all = parts_.exchanges().size();
        std::size_t kept = 1;
        std::size_t too_many = n_all + 1;
        while (too_many - kept > 1) {
            const std::size_t middle = kept + (too_many - kept) / 2;
            NOTSO_TRY(const bool ok, fits_in(backend_, parts_.newest(middle), budget_ / 3));
            (ok ? kept : too_many) = middle;
        }
        return kept;
    }

    /// The first exchanges, at most `most`, that can be read with the instruction.
    Result<CompactStep> step_of(std::size_t most) {
        std::size_t fitting = 0;
        std::size_t too_many = most + 1;
        while (too_many - fitting > 1) {
            const std::size_t middle = fitting + (too_many - fitting) / 2;
            NOTSO_TRY(const bool ok, readable(messages_until(middle)));
            (ok ? fitting : too_many) = middle;
        }
        CompactStep step;
        const std::size_t told = std::max<std::size_t>(fitting, 1);
        step.until = parts_.exchanges()[told - 1].answer->id;
        step.messages = fitting > 0 ? messages_until(fitting) : shortened_first();
        if (fitting > 0) return step;
        NOTSO_TRY(const bool ok, readable(step.messages));
        if (ok) return step;
        return fail(ErrorCode::kContextLength,
                    "the system prompt and the summary leave no room to read the conversation: "
                    "shorten the system prompt, or choose a model that can read more");
    }

    Result<bool> readable(std::vector<Message> messages) {
        PromptSource source = source_;
        source.messages = std::move(messages);
        const PromptParts parts(source);
        return fits_in(backend_, parts.newest(parts.exchanges().size()), budget_);
    }

    /// The path as it is up to the end of that many exchanges, so that what is read for the summary
    /// begins as every prompt of the conversation does.
    std::vector<Message> messages_until(std::size_t count) const {
        const Message* last = parts_.exchanges()[count - 1].answer;
        std::vector<Message> messages(source_.messages.data(), last + 1);
        messages.push_back(instruction_of(source_));
        return messages;
    }

    /// An exchange that is too long to be read is read as far as half of the room goes: no token is
    /// shorter than a byte.
    std::vector<Message> shortened_first() const {
        const Exchange& first = parts_.exchanges().front();
        const std::size_t bytes = static_cast<std::size_t>(budget_) / 4;
        std::vector<Message> messages(source_.messages.data(), first.answer + 1);
        for (Message& message : messages) {
            if (message.id != first.user->id && message.id != first.answer->id) continue;
            message.text = shortened(message.text, bytes);
            for (AttachedFile& file : message.files)
                file.text = shortened(file.text, bytes / message.files.size());
            message.tool_uses.clear();
        }
        messages.push_back(instruction_of(source_));
        return messages;
    }

    ChatBackend& backend_;
    const PromptSource& source_;
    PromptParts parts_;
    std::int64_t budget_ = 0;
};

}  // namespace

Result<std::optional<CompactStep>> next_compact_step(ChatBackend& backend,
                                                     const PromptSource& source,
                                                     CompactReach reach) {
    const bool any = std::ranges::any_of(
        source.messages, [](const Message& message) { return message.role == MessageRole::kUser; });
    if (!any) return std::nullopt;
    return StepFinder(backend, source).find(reach);
}

bool is_nearly_full(std::int64_t tokens, std::int64_t budget) {
    constexpr std::int64_t kPercent = 85;
    return budget > 0 && tokens * 100 >= budget * kPercent;
}

std::string clean_summary(std::string_view written, bool whole) {
    const std::size_t begin = written.find_first_not_of(kWhiteSpace);
    if (begin == std::string_view::npos) return {};
    written = written.substr(begin, written.find_last_not_of(kWhiteSpace) + 1 - begin);
    if (!whole) {
        const std::size_t end = written.find_last_of(".!?\n");
        if (end != std::string_view::npos && end > written.size() / 2)
            written = written.substr(0, end + 1);
    }
    return std::string(written);
}

}  // namespace notso::services
