// MemoryStore: what owners have set.
#include <algorithm>

#include "services/session/memory_store.hpp"
#include "services/session/store_errors.hpp"

namespace notso::services {

Result<OwnerSettings> MemoryStore::owner_settings(const OwnerId& owner) {
    const auto found = settings_.find(owner);
    return found == settings_.end() ? OwnerSettings{} : found->second;
}

Result<> MemoryStore::put_owner_settings(const OwnerId& owner, const OwnerSettings& settings) {
    if (owner == OwnerId{}) return no_owner();
    OwnerSettings kept = settings;
    std::ranges::sort(kept.presets, {}, &Preset::name);
    if (std::ranges::adjacent_find(kept.presets, {}, &Preset::name) != kept.presets.end())
        return fail(ErrorCode::kAlreadyExists, "it is there already");
    settings_[owner] = std::move(kept);
    return {};
}

}  // namespace notso::services
