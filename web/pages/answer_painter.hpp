// AnswerPainter: what has to change on a page to bring it from one state of an answer to the next.
// Finished blocks are added once and stay; only the growing tail is drawn again. One painter per
// reader; no HTTP here.
#pragma once

#include <string>

#include "services/chat/turn_feed.hpp"
#include "web/pages/page_renderer.hpp"

namespace notso::web {

class AnswerPainter {
  public:
    /// A reader that has seen nothing of the answer: the first paint replaces whatever it shows.
    AnswerPainter(const PageRenderer& pages, const services::TurnFeed& feed)
        : pages_(pages), feed_(feed) {}

    /// The reader shows everything up to event `seq`. False when the feed does not know that event:
    /// the first paint then is a snapshot.
    bool resume_at(std::uint64_t seq);

    /// Sequence number of the last paint.
    std::uint64_t seq() const { return seq_; }
    bool has_text() const { return text_bytes_ > 0; }

    /// htmx fragments (hx-partial) from the last paint to now; may be empty. After the turn's end:
    /// the answer in its final form, the pill gone, Send in Stop's place.
    std::string paint();

  private:
    void paint_thinking(std::string& out);
    void paint_text(std::string& out);
    void paint_status(std::string& out);
    void paint_end(std::string& out);

    const PageRenderer& pages_;
    const services::TurnFeed& feed_;
    bool fresh_ = true;  // nothing is known about what the reader shows
    std::uint64_t seq_ = 0;
    std::size_t text_bytes_ = 0;
    std::size_t done_bytes_ = 0;
    std::size_t thinking_bytes_ = 0;
    std::string label_;
    std::string thinking_label_;
};

/// The final form of an answer as fragments, for a reader whose feed is gone.
std::string paint_stored_answer(const PageRenderer& pages,
                                const services::Message& answer,
                                bool can_continue);

/// `<hx-partial>` that puts `html` into the element with this id.
std::string partial(std::string_view id, std::string_view swap, std::string_view html);

}  // namespace notso::web
