// AttachmentStore: files that people add to their messages; a part of every SessionStore. A file
// comes piece by piece, then lies in the composer of its conversation (or of the next new one)
// until a message takes it. Its bytes are in the database like all else: so they are there with
// their message or not at all, a backup has them, and deleting overwrites them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "services/session/store_ids.hpp"

namespace notso::services {

inline constexpr std::int64_t kMaxAttachmentBytes = std::int64_t{20} << 20;
inline constexpr std::size_t kMaxAttachments = 10;  ///< Of a message.
inline constexpr std::size_t kAttachmentPieceBytes = std::size_t{1} << 20;

/// A file of a message. Its name and its content are hostile.
struct AttachedFile {
    AttachmentId id;
    std::string name;             ///< No path, no control characters.
    std::string media_type;       ///< "text/plain" or "application/pdf".
    std::int64_t bytes = 0;       ///< Of the file.
    std::string sha256;           ///< Of the file, 64 hex digits.
    std::int64_t text_bytes = 0;  ///< Of what the model reads of it, UTF-8.
    bool text_is_file = false;    ///< That text is the file, byte for byte: it is stored once.
    UnixMs created_at = 0;
    /// How much of its text stands in prompts, in bytes; absent = all. Of a file of a message.
    std::optional<std::int64_t> prompt_bytes = {};
    std::string text = {};  ///< The beginning of its text, where somebody has read it.

    /// How much of its text stands in prompts.
    std::int64_t in_prompt() const { return prompt_bytes ? *prompt_bytes : text_bytes; }
    bool operator==(const AttachedFile&) const = default;
};

/// A file that a message takes from the composer, or from another version of itself.
struct AttachmentUse {
    AttachmentId id;
    std::optional<std::int64_t> prompt_bytes = {};  ///< AttachedFile::prompt_bytes

    bool operator==(const AttachmentUse&) const = default;
};

/// Which of the two that a file has.
enum class AttachmentPart { kFile, kText };

/// As SessionStore. A composer is named by its conversation; that of the next new conversation has
/// an empty id.
class AttachmentStore {
  public:
    virtual ~AttachmentStore() = default;

    /// Begins a file; nobody sees it until it is finished.
    /// @errors kNotFound: no such conversation; kAlreadyExists.
    virtual Result<> begin_attachment(const ConversationKey& composer,
                                      const AttachedFile& file) = 0;
    /// The next bytes of a file that is not finished, at most kAttachmentPieceBytes.
    /// @errors kNotFound.
    virtual Result<> append_attachment(const AttachmentId& id,
                                       AttachmentPart part,
                                       std::string_view bytes) = 0;
    /// Shows it in its composer. @errors kNotFound; kCorruptData: it is not as long as it says.
    virtual Result<> finish_attachment(const AttachmentId& id) = 0;

    /// What lies in a composer, in the order in which it came.
    virtual Result<std::vector<AttachedFile>> composer_files(const ConversationKey& composer) = 0;
    /// A finished file of a conversation, or of the composer of the next one (empty id).
    virtual Result<AttachedFile> attachment(const ConversationKey& key, const AttachmentId& id) = 0;
    /// Bytes from `offset` on, at most `most`. @errors kNotFound.
    virtual Result<std::string> read_attachment(const AttachedFile& file,
                                                AttachmentPart part,
                                                std::int64_t offset,
                                                std::int64_t most) = 0;
    /// Takes a file out of a composer, also one that is not finished. @errors kNotFound: it is not
    /// there.
    virtual Result<> remove_attachment(const ConversationKey& composer, const AttachmentId& id) = 0;
    /// Removes what was begun before `begun_before` and never finished, and what lies in composers
    /// since before `unsent_before`; everybody's. @return How many.
    virtual Result<std::int64_t> remove_unsent(UnixMs begun_before, UnixMs unsent_before) = 0;
};

}  // namespace notso::services
