// Messages as the templates see them. Stored answers and running ones give the same shape, cut at
// the same block boundaries, so that a page that is loaded in the middle of an answer looks like
// one that watched it.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "services/chat/turn_feed.hpp"
#include "services/session/session_store.hpp"
#include "web/language/language.hpp"

namespace notso::web {

/// Bytes of `text` whose rendering is settled: the end of the last finished block, 0 without one.
std::size_t finished_bytes(std::string_view text);

/// HTML of a piece of an answer, with labels in that language; nothing for nothing.
std::string prose_html(const Language& language, std::string_view text);

/// Variables of partials/user_message.html.
boost::json::object user_view(const Language& language, const services::Message& message);

/// Variables of partials/answer.html for an answer that has ended.
/// @param can_continue  It is the last one, and can go on where it was cut.
boost::json::object answer_view(const Language& language,
                                const services::Message& message,
                                bool can_continue = false);

/// The same for one that is being written (or has just ended) as far as `shown`.
boost::json::object live_answer_view(const Language& language, const services::TurnFeed& feed);

/// Variables `running` of the pill, the stream element and the action: where the feed is now.
boost::json::object running_view(const Language& language, const services::TurnFeed& feed);

/// "Thinking…" while it lasts, then "Thought for 6 s · 142 tokens", and why, if the model did not
/// end it itself.
std::string thinking_label(const Language& language, const services::FeedSnapshot& shown);

/// HTML of the status pill, e.g. "<b>Writing</b> 48 tokens · 15.8 tokens/s", and of its details.
std::string pill_label(const Language& language, const services::TurnStatus& status);
std::string pill_details(const Language& language, const services::TurnStatus& status);

/// What a screen reader hears at the end: "Answer ready, 84 words".
std::string end_announcement(const Language& language, const services::Message& answer);

}  // namespace notso::web
