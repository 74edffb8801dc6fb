#include "services/chat/drafts.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace notso::services {

bool Drafts::may_read(const Conversation& conversation) const {
    const std::vector<ModelEntry> models = deps_.backend.models();
    auto model = std::ranges::find(
        models, conversation.model, [](const ModelEntry& entry) { return entry.info.id; });
    if (conversation.model.empty() || models.size() == 1) model = models.begin();
    if (model == models.end() || model->place != ModelPlace::kReady) return false;
    const Health health = deps_.backend.health();
    return model->info.remote_host.empty() && health.state == HealthState::kReady &&
           health.running + health.waiting <= std::ssize(reading_);
}

void Drafts::read(PromptSource source) {
    const ConversationKey key = source.conversation.key();
    auto request =
        SideRequest::create(deps_, [this, key](const SideText&) { reading_.erase(key); });
    request->begin(std::move(source), {.read_only = true});
    reading_[key] = std::move(request);
}

}  // namespace notso::services
