// Files that a person gives a terminal chat: they go with the next message, and tools can read them
// until a new conversation begins.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/session/attachment_store.hpp"
#include "services/tools/attachments.hpp"

namespace notso::app {

class TerminalFiles {
  public:
    /// Reads a text or PDF file. @return What was attached, for people.
    /// @errors name the file: it is not there, neither text nor PDF, too large; a message has
    /// kMaxAttachments.
    Result<std::string> attach(const std::string& path);
    /// What the model reads of a message with the files that were attached since the last one.
    /// @param tools  That the model may call.
    /// @errors kContextLength: it is too long; the files stay for the next try.
    Result<std::string> take_with(const std::string& text,
                                  services::ChatBackend& backend,
                                  const boost::json::array& tools);
    /// The newest first.
    std::shared_ptr<services::AttachmentShelf> shelf() const;
    void start_over();

  private:
    std::vector<services::AttachedFile> next_;  // of the next message
    std::vector<services::Attachment> all_;     // of the conversation, the newest first
};

}  // namespace notso::app
