#include "services/chat/prompt_source.hpp"

#include <utility>

#include "services/chat/message_files.hpp"

namespace notso::services {

Result<PromptSource> load_source(SessionStore& store, ShownConversation shown) {
    PromptSource source;
    NOTSO_TRY(const OwnerSettings own, store.owner_settings(shown.conversation.owner));
    source.quiet = own.quiet;
    source.conversation = std::move(shown.conversation);
    source.messages = std::move(shown.path);
    source.summaries = std::move(shown.summaries);
    NOTSO_CHECK(read_texts(store, source.messages));
    return source;
}

Result<PromptSource> load_source(SessionStore& store, const ConversationKey& key) {
    NOTSO_TRY(ShownConversation shown, load_shown(store, key));
    return load_source(store, std::move(shown));
}

}  // namespace notso::services
