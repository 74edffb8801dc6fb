#include "web/pages/sse.hpp"

#include <gtest/gtest.h>

namespace notso::web {
namespace {

const std::string kAnswer(32, 'a');

TEST(Sse, EveryLineIsADataLine) {
    const EventId id{{kAnswer}, 7};
    EXPECT_EQ(sse_event(id, "", "one"), "id: " + kAnswer + "-7\ndata: one\n\n");
    EXPECT_EQ(sse_event(id, "turn-end", ""), "id: " + kAnswer + "-7\nevent: turn-end\ndata: \n\n");
    EXPECT_EQ(sse_event(id, "", "a\nb\r\nc\rd\n"),
              "id: " + kAnswer + "-7\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n");
    // Text that looks like the protocol stays text.
    EXPECT_EQ(sse_event(id, "", "\nevent: evil\n\nid: 9"),
              "id: " + kAnswer + "-7\ndata: \ndata: event: evil\ndata: \ndata: id: 9\n\n");
}

TEST(Sse, EventIdsGoThereAndBack) {
    const EventId id{{kAnswer}, 18'446'744'073'709'551'615U};
    EXPECT_EQ(parse_event_id(to_string(id)), id);
    EXPECT_EQ(parse_event_id(kAnswer + "-0"), (EventId{{kAnswer}, 0}));
}

TEST(Sse, OtherIdsAreNone) {
    const std::string upper(32, 'A');
    for (const std::string& text : {std::string(),
                                    std::string("-"),
                                    std::string("17"),
                                    kAnswer,
                                    kAnswer + "-",
                                    kAnswer + "-x",
                                    kAnswer + "-1x",
                                    kAnswer + "--1",
                                    kAnswer + "-18446744073709551616",
                                    upper + "-1",
                                    kAnswer + "0-1",
                                    kAnswer.substr(1) + "-1",
                                    std::string(1'000'000, 'a')}) {
        EXPECT_FALSE(parse_event_id(text)) << text.substr(0, 80);
    }
}

}  // namespace
}  // namespace notso::web
