// Exporting every conversation, one after the other.
#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "services/archive/store_gate.hpp"

namespace notso::services {

enum class ArchiveFormat {
    kJson,      ///< Everything there is, to be imported again.
    kMarkdown,  ///< What is shown, for people.
};

/// @errors kInvalidArgument: neither json nor md.
Result<ArchiveFormat> parse_archive_format(std::string_view name);

/// All there is of a conversation. On the store's thread.
Result<WholeConversation> load_whole(SessionStore& store, const ConversationKey& key);

/// Texts that follow each other in a file of all conversations.
class ArchiveText {
  public:
    explicit ArchiveText(ArchiveFormat format) : format_(format) {}
    std::string begin() const { return format_ == ArchiveFormat::kJson ? "[" : ""; }
    std::string next(const WholeConversation& whole);
    std::string next(const boost::json::object& element);
    ArchiveFormat format() const { return format_; }
    std::string end() const { return format_ == ArchiveFormat::kJson ? "\n]\n" : ""; }

  private:
    ArchiveFormat format_;
    bool first_ = true;
};

/// Writes all conversations of an owner, last used last, into a new file that only its owner can
/// read.
/// @return How many. @errors kAlreadyExists, kIo; then there is no file.
Result<std::int64_t> export_file(StoreGate& gate,
                                 const OwnerId& owner,
                                 const std::filesystem::path& path,
                                 ArchiveFormat format);

/// Writes one conversation with its files, as JSON. @errors the same; kNotFound.
Result<> export_conversation(StoreGate& gate,
                             const ConversationKey& key,
                             const std::filesystem::path& path);

}  // namespace notso::services
