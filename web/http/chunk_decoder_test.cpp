// The chunk decoder: exact framing, limits, every slicing the same.
#include "web/http/chunk_decoder.hpp"

#include <gtest/gtest.h>

#include <random>

namespace notso::web {
namespace {

const HttpLimits kLimits;
constexpr std::size_t kMaxBody = 100;

struct Outcome {
    int status = 0;  // 200 done, 0 unfinished, else the failure
    std::string body = {};
    std::size_t used = 0;

    bool operator==(const Outcome&) const = default;
};

Outcome decode(std::string_view bytes,
               std::size_t slice = std::string_view::npos,
               std::size_t max_body = kMaxBody) {
    ChunkDecoder decoder(kLimits, max_body);
    Outcome outcome;
    while (outcome.used < bytes.size() && !decoder.done() && !decoder.failure()) {
        const std::string_view piece = bytes.substr(outcome.used, slice);
        const std::size_t used = decoder.feed(piece, outcome.body);
        outcome.used += used;
        if (used < piece.size()) break;
    }
    if (decoder.failure()) outcome.status = decoder.failure()->status;
    if (decoder.done()) outcome.status = 200;
    return outcome;
}

TEST(ChunkDecoder, Decodes) {
    EXPECT_EQ(decode("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nREST"),
              (Outcome{200, "hello world", 26}));
    EXPECT_EQ(decode("0\r\n\r\n").status, 200);
    EXPECT_EQ(decode("A;name=value;x=\"y z\"\r\n0123456789\r\n00\r\nTrailer: x\r\n\r\n").body,
              "0123456789");
    EXPECT_EQ(decode("0005\r\nhello\r\n0\r\n\r\n").status, 200);
    EXPECT_EQ(decode("5\r\nhello\r\n0\r\n").status, 0);
}

TEST(ChunkDecoder, RefusesOddSizes) {
    for (const char* size : {"",
                             "+5",
                             "-5",
                             "0x5",
                             "5_0",
                             " 5",
                             "5 ",
                             "\t5",
                             "g",
                             "5,5",
                             "\"5\"",
                             "00000000000000005"}) {
        EXPECT_EQ(decode(fmt::format("{}\r\nhello\r\n0\r\n\r\n", size)).status, 400) << size;
    }
    EXPECT_EQ(decode("ffffffffffffffff\r\n").status, 413);
    EXPECT_EQ(decode("8000000000000000\r\n").status, 413);
}

TEST(ChunkDecoder, RefusesBadLineEnds) {
    for (const char* text : {"5\nhello\r\n0\r\n\r\n",
                             "5\rhello\r\n0\r\n\r\n",
                             "5\r\nhello\n0\r\n\r\n",
                             "5\r\nhello0\r\n\r\n",
                             "5\r\nhello!\r\n0\r\n\r\n",
                             "5\r\nhell\r\n0\r\n\r\n",
                             "0\r\n\n",
                             "0\r\nA: b\n\r\n",
                             "0\r\nA: b\r\r\n",
                             "0\r\n A: b\r\n\r\n",
                             "0\r\nno colon\r\n\r\n",
                             "5;a\nb\r\nhello\r\n0\r\n\r\n"}) {
        EXPECT_EQ(decode(text).status, 400) << text;
    }
}

TEST(ChunkDecoder, Limits) {
    const auto body = [](std::size_t n) {
        return fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", n, std::string(n, 'x'));
    };
    EXPECT_EQ(decode(body(kMaxBody)).body.size(), kMaxBody);
    EXPECT_EQ(decode(body(kMaxBody + 1)).status, 413);
    EXPECT_EQ(decode(body(kMaxBody * 1000)).status, 413);
    std::string small;
    for (std::size_t i = 0; i <= kMaxBody; ++i) small += "1\r\nx\r\n";
    EXPECT_EQ(decode(small).status, 413) << "sums count, not single chunks";
    EXPECT_EQ(decode("1;" + std::string(kLimits.header_bytes, 'e') + "\r\nx\r\n0\r\n\r\n").status,
              200);
    EXPECT_EQ(
        decode("1;" + std::string(kLimits.header_bytes + 1, 'e') + "\r\nx\r\n0\r\n\r\n").status,
        431);
    EXPECT_EQ(decode("0\r\nA: " + std::string(kLimits.header_bytes, 'e') + "\r\n\r\n").status, 431);
    std::string trailers = "0\r\n";
    for (std::size_t i = 0; i < kLimits.header_count; ++i) trailers += "A: b\r\n";
    EXPECT_EQ(decode(trailers + "\r\n").status, 200);
    EXPECT_EQ(decode(trailers + "A: b\r\n\r\n").status, 431);
}

TEST(ChunkDecoder, AnySlicingGivesTheSame) {
    const std::string seed =
        "5\r\nhello\r\n1a;x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nA: b\r\n\r\nnext";
    const std::string_view odd = std::string_view("\r\n\0 ;0aG+x", 10);
    std::mt19937 random(3);
    for (int i = 0; i < 3000; ++i) {
        std::string text = seed;
        if (i > 0) text[random() % text.size()] = odd[random() % odd.size()];
        if (i % 3 == 2) text.erase(random() % text.size(), 1);
        const Outcome whole = decode(text);
        for (const std::size_t slice :
             {std::size_t{1}, std::size_t{2}, std::size_t{1 + random() % 20}}) {
            ASSERT_EQ(decode(text, slice), whole) << text << " in slices of " << slice;
        }
    }
}

}  // namespace
}  // namespace notso::web
