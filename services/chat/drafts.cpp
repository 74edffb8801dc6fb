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
    const ConversationId id = source.conversation.id;
    auto request =
        SideRequest::create(deps_, [this, id](const SideText&) { reading_.erase(id.value); });
    request->begin(std::move(source), {.read_only = true});
    reading_[id.value] = std::move(request);
}

}  // namespace notso::services
