// What the pages of settings have in common.
#pragma once

#include "services/settings/settings_desk.hpp"
#include "web/pages/settings_view.hpp"
#include "web/routes/pages.hpp"

namespace notso::web {

/// What an owner has set. @errors the store's.
Awaitable<Result<services::OwnerSettings>> read_owner_settings(const Pages& pages,
                                                               services::OwnerId owner);
/// Changes it. @param edit  See SettingsDesk::change().
Awaitable<Result<services::OwnerSettings>> change_owner_settings(const Pages& pages,
                                                                 services::OwnerId owner,
                                                                 services::SettingsDesk::Edit edit);

}  // namespace notso::web
