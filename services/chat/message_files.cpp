#include "services/chat/message_files.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/utf8.hpp"
#include "services/chat/context_window.hpp"
#include "services/settings/setting_fields.hpp"

namespace notso::services {
namespace {

// Around each file; about that long.
constexpr std::size_t kFrameBytes = 64;

/// Nothing in a name may look like the end of its line.
std::string quoted(const std::string& name) {
    std::string out = name;
    std::ranges::replace(out, '"', '\'');
    return '"' + out + '"';
}

std::string framed(const AttachedFile& file) {
    const std::string name = quoted(file.name);
    const std::string part =
        file.prompt_bytes ? fmt::format(": the first {} of {} bytes; read_document gives the rest",
                                        file.text.size(),
                                        file.text_bytes)
                          : "";
    return fmt::format("[File {}{}]\n{}\n[End of {}]\n\n", name, part, file.text, name);
}

bool can_read_rest(const boost::json::array& tools) {
    return std::ranges::any_of(tools, [](const boost::json::value& tool) {
        boost::json::error_code error;
        const boost::json::value* name = tool.find_pointer("/function/name", error);
        return name != nullptr && *name == "read_document";
    });
}

/// Each file stands in the prompt with that many bytes at most.
void shorten(Message& message, std::size_t most) {
    for (AttachedFile& file : message.files) {
        if (std::cmp_less_equal(file.text_bytes, most)) continue;
        file.text = truncate_utf8(file.text, most);
        file.prompt_bytes = std::ssize(file.text);
    }
}

Result<> read_text(SessionStore& store, AttachedFile& file, std::size_t most) {
    const auto wanted = std::min(static_cast<std::size_t>(file.in_prompt()), most);
    NOTSO_TRY(
        file.text,
        store.read_attachment(file, AttachmentPart::kText, 0, static_cast<std::int64_t>(wanted)));
    file.text = truncate_utf8(file.text, file.text.size());
    if (!is_valid_utf8(file.text)) file.text = repair_utf8(file.text);  // of an import
    return {};
}

}  // namespace

std::string prompt_text(const Message& message) {
    std::string text;
    for (const AttachedFile& file : message.files) text += framed(file);
    return text + message.text;
}

std::size_t prompt_size(const Message& message) {
    std::size_t bytes = message.text.size();
    for (const AttachedFile& file : message.files)
        bytes += static_cast<std::size_t>(file.in_prompt()) + kFrameBytes;
    return bytes;
}

std::size_t unread_bytes(const Message& message) {
    std::size_t bytes = 0;
    for (const AttachedFile& file : message.files) {
        const auto whole = static_cast<std::size_t>(file.in_prompt());
        constexpr std::size_t kCutCharacter = 3;
        if (file.text.size() + kCutCharacter < whole) bytes += whole - file.text.size();
    }
    return bytes;
}

std::string names_of_files(const Message& message) {
    std::string names;
    for (const AttachedFile& file : message.files)
        names += (names.empty() ? " [" : ", ") + file.name;
    return names.empty() ? names : names + "]";
}

Result<> check_uses(const std::vector<AttachmentUse>& uses) {
    if (uses.size() > kMaxAttachments)
        return fail(ErrorCode::kInvalidArgument,
                    "a message takes at most {} files, not {}",
                    kMaxAttachments,
                    uses.size());
    for (std::size_t i = 0; i < uses.size(); ++i) {
        const auto others = std::span(uses).first(i);
        if (std::ranges::find(others, uses[i].id, &AttachmentUse::id) != others.end())
            return fail(ErrorCode::kInvalidArgument, "a file can't be sent twice in one message");
    }
    return {};
}

std::vector<AttachedFile> files_to_use(const std::vector<AttachmentUse>& uses) {
    std::vector<AttachedFile> files;
    for (const AttachmentUse& use : uses) {
        AttachedFile& file = files.emplace_back();
        file.id = use.id;
        file.prompt_bytes = use.prompt_bytes;
    }
    return files;
}

std::vector<AttachmentUse> uses_of(const Message& message) {
    std::vector<AttachmentUse> uses;
    for (const AttachedFile& file : message.files) uses.push_back({file.id, file.prompt_bytes});
    return uses;
}

Result<std::vector<AttachedFile>> find_files(SessionStore& store,
                                             const ConversationKey& key,
                                             const std::vector<AttachmentUse>& uses) {
    std::vector<AttachedFile> files;
    for (const AttachmentUse& use : uses) {
        auto file = store.attachment(key, use.id);
        if (!file && file.error().code == ErrorCode::kNotFound)
            file = store.attachment({key.owner, {}}, use.id);
        if (!file) return std::unexpected(std::move(file).error());
        file->prompt_bytes = use.prompt_bytes;
        files.push_back(*std::move(file));
    }
    return files;
}

Result<> read_texts(SessionStore& store, std::vector<Message>& path) {
    std::size_t left = kMaxPromptBytes;
    for (Message& message : path | std::views::reverse) {
        for (AttachedFile& file : message.files) {
            if (left > 0) NOTSO_CHECK(read_text(store, file, left));
            left -= file.text.size();
        }
    }
    return {};
}

Result<> fit_files(ChatBackend& backend, PromptSource& source) {
    Result<> fits = check_newest_fits(backend, source);
    Message& message = source.messages.back();
    const bool too_long = !fits && fits.error().code == ErrorCode::kContextLength;
    if (!too_long || message.files.empty() || !can_read_rest(source.tools)) return fits;
    NOTSO_TRY(const ModelInfo model, backend.find_model(source.conversation.model));
    const std::int64_t context = context_of(model.context_length, source.conversation.settings);
    // Two bytes for each token that the model can read, then less: few texts have so short tokens.
    auto share = static_cast<std::size_t>(std::max<std::int64_t>(context, 0)) * 2 /
                 message.files.size();
    constexpr std::size_t kLeast = 64;
    for (; !fits && share >= kLeast; share /= 2) {
        shorten(message, share);
        const Result<> shortened = check_newest_fits(backend, source);
        if (shortened) return {};
        if (shortened.error().code != ErrorCode::kContextLength) return shortened;
    }
    return fits;
}

}  // namespace notso::services
