// New ids for a copy of a conversation: one that is imported, or forked.
#pragma once

#include "services/session/session_store.hpp"

namespace notso::services {

/// Gives a conversation and its messages ids of their own, so that it can be added to any store.
/// What refers to messages refers to the same ones afterwards; those of files stay.
void give_new_ids(WholeConversation& whole);

}  // namespace notso::services
