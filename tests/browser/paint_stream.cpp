// What the server would send to a tab while hostile answers are written: paint_stream ANSWER
// CONVERSATION STEP Reads texts, one JSON string a line. Each is thought, written and given to a
// tool, STEP characters at a time, and painted after each piece. Writes the stream's events, which
// hostile_stream.test.mjs gives to a browser in place of a server's.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <iostream>
#include <string>

#include "web/pages/answer_painter.hpp"
#include "web/pages/sse.hpp"

namespace {

namespace services = notso::services;
namespace web = notso::web;
namespace feed_event = notso::services::feed_event;

/// Ends of pieces of `step` characters; the last one is the text's end.
std::vector<std::size_t> piece_ends(std::string_view text, std::size_t step) {
    std::vector<std::size_t> ends;
    std::size_t characters = 0;
    for (std::size_t i = 1; i < text.size(); ++i) {
        const bool inside = (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
        if (!inside && ++characters % step == 0) ends.push_back(i);
    }
    if (!text.empty()) ends.push_back(text.size());
    return ends;
}

class Stream {
  public:
    Stream(std::string answer, std::string conversation, std::size_t step)
        : answer_(std::move(answer)), conversation_(std::move(conversation)), step_(step) {}

    void write(const std::string& text) {
        feed_ = new_feed();
        web::AnswerPainter painter(pages_, *feed_);
        in_pieces(painter, text, [&](std::string piece) {
            feed_->append(feed_event::ThinkingText{std::move(piece)});
        });
        in_pieces(painter, text, [&](std::string piece) {
            feed_->append(feed_event::Text{std::move(piece)});
        });
        for (const auto state : {services::ToolUseState::kAsking, services::ToolUseState::kDone}) {
            services::ToolUse use{
                .id = text, .name = text, .arguments = text, .state = state, .output = text};
            use.sends_to = text;
            use.text_offset = static_cast<std::int64_t>(text.size());
            feed_->append(
                feed_event::Status{{.phase = services::TurnPhase::kUsingTools, .tool = text}});
            feed_->append(feed_event::ToolUses{{use}});
            emit(painter);
        }
    }

    void end() {
        feed_ = new_feed();
        services::Message message{
            .id = {answer_}, .conversation = {conversation_}, .text = "The end."};
        message.role = services::MessageRole::kAssistant;
        feed_->append(feed_event::Ended{message});
        web::AnswerPainter painter(pages_, *feed_);
        emit(painter);
        std::cout << web::sse_event({{answer_}, ++number_}, "turn-end", "Answer ready");
    }

  private:
    std::shared_ptr<services::TurnFeed> new_feed() const {
        return std::make_shared<services::TurnFeed>(
            services::MessageId{answer_}, services::ConversationKey({"o"}, {conversation_}));
    }

    void in_pieces(web::AnswerPainter& painter, const std::string& text, const auto& append) {
        std::size_t at = 0;
        for (const std::size_t end : piece_ends(text, step_)) {
            append(text.substr(at, end - at));
            at = end;
            emit(painter);
        }
    }

    void emit(web::AnswerPainter& painter) {
        std::cout << web::sse_event({{answer_}, ++number_}, "", painter.paint());
    }

    std::string answer_;
    std::string conversation_;
    std::size_t step_;
    std::uint64_t number_ = 0;
    web::PageRenderer pages_{web::Language::english()};
    std::shared_ptr<services::TurnFeed> feed_;
};

}  // namespace

int main(int count, char** arguments) {
    std::size_t step = 0;
    if (count == 4) {
        const std::string_view text = arguments[3];
        std::from_chars(text.data(), text.data() + text.size(), step);
    }
    if (step == 0) {
        std::cerr << "usage: paint_stream ANSWER CONVERSATION STEP\n";
        return 2;
    }
    std::ios::sync_with_stdio(false);
    Stream stream(arguments[1], arguments[2], step);
    for (std::string line; std::getline(std::cin, line);)
        stream.write(std::string(boost::json::parse(line).as_string()));
    stream.end();
}
