// Messages on their way to a template: everything that people and tools wrote gets markers, and
// calls and results of tools get the form that the template, or else the model, knows.
#pragma once

#include <string_view>
#include <vector>

#include "services/backend/chat_backend.hpp"
#include "services/prompt/control_guard.hpp"
#include "services/prompt/template_traits.hpp"

namespace notso::services {

/// How the tool history is written.
struct HistoryForm {
    bool calls_in_content = true;
    ToolResultForm results = ToolResultForm::kUserTurn;
};

/// What every template can write: texts only.
inline constexpr HistoryForm kPlainHistory = {};

HistoryForm history_form_of(const TemplateTraits& traits);

bool has_tool_history(const std::vector<ChatMessage>& messages);

class MessageGuard {
  public:
    /// @param guard, marker  Must outlive this.
    /// @param own_chat       The chat's own history: /think and /no_think in system texts are taken
    ///                       out, and answers stand without their thoughts.
    MessageGuard(const ControlGuard& guard, std::string_view marker, bool own_chat)
        : guard_(guard), marker_(marker), own_chat_(own_chat) {}

    /// Tags that are written here are control tokens; those that stood in the texts before are not.
    /// But in an assistant's history from elsewhere think tags keep their meaning: templates cut
    /// old thoughts out by them.
    std::vector<ChatMessage> guarded(const std::vector<ChatMessage>& messages,
                                     HistoryForm form) const;

  private:
    void guard_system(ChatMessage& message) const;
    void guard_assistant(ChatMessage& message, HistoryForm form) const;
    ChatMessage guarded_result(const ChatMessage& message, HistoryForm form) const;

    const ControlGuard& guard_;
    std::string_view marker_;
    bool own_chat_;
};

}  // namespace notso::services
