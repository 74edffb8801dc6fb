// Files of messages in an export: before their conversation, first what is known of a file, then
// its bytes in pieces, so that nobody needs a whole file in memory:
//   {"notso_file": "ID", "name": …, "media_type": …, "bytes": …, "sha256": …, "text_bytes": …,
//    "text_is_file": …}, {"notso_file_part": "ID", "part": "file" or "text", "data": BASE64}, …
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <map>
#include <string>

#include "services/archive/store_gate.hpp"
#include "services/chat/quota.hpp"
#include "services/models/sha256.hpp"

namespace notso::services {

/// Gives every element of the files of a conversation, each file once.
/// @errors the store's, and those of `write`.
Result<> write_files(StoreGate& gate,
                     const WholeConversation& whole,
                     const std::function<Result<>(const boost::json::object&)>& write);

/// Files that were read from an import and wait for their conversation. What none took is removed
/// with this object.
class ImportedFiles {
  public:
    /// @param gate  Outlives this.
    ImportedFiles(StoreGate& gate, OwnerId owner, Quota quota)
        : gate_(gate), owner_(std::move(owner)), quota_(quota) {}
    ImportedFiles(const ImportedFiles&) = delete;
    ImportedFiles& operator=(const ImportedFiles&) = delete;
    ~ImportedFiles();

    /// Whether an element is a file, or a part of one.
    static bool is_one(const boost::json::object& object);
    /// @errors kInvalidArgument naming the member that is wrong; kTooLarge; kPermissionDenied: the
    /// quota is used up; the store's.
    Result<> take(const boost::json::object& object);

    /// Puts the files in the place of the ids that messages have in the import.
    /// @errors kInvalidArgument: one is not there, or not what its hash says.
    Result<> resolve(WholeConversation& whole);
    /// They belong to their conversation now.
    void give_away(const WholeConversation& whole);

  private:
    struct Staged {
        AttachedFile file;
        std::unique_ptr<Sha256> hash = std::make_unique<Sha256>();
        std::string hash_found = {};
        std::int64_t bytes = 0;  ///< That came.
        std::int64_t text_bytes = 0;
    };

    Result<> begin(const boost::json::object& object);
    Result<> add_part(const boost::json::object& object);
    Result<AttachedFile> find(const AttachmentId& id);
    ConversationKey composer() const { return {owner_, {}}; }

    StoreGate& gate_;
    OwnerId owner_;
    Quota quota_;
    std::map<std::string, Staged> files_;  // by the import's id
};

}  // namespace notso::services
