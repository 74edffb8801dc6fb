// Malformed GGUF files: each class by name. All must end in kCorruptData with a place, quickly,
// never in a crash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <random>

#include "ml/gguf/header.hpp"
#include "ml/gguf/test_writer.hpp"

namespace notso::ml::gguf {
namespace {

using test::Bytes;
using test::TempFile;
using test::Writer;
using ::testing::HasSubstr;

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

/// Numbers at which sums and products wrap.
constexpr std::uint64_t kNasty[] = {
    (1ULL << 31) - 1, 1ULL << 31,       (1ULL << 31) + 1,
    (1ULL << 32) - 1, 1ULL << 32,       (1ULL << 32) + 1,
    1ULL << 58,       1ULL << 59,       1ULL << 60,
    1ULL << 61,       (1ULL << 61) + 1, (1ULL << 62) - 1,
    1ULL << 62,       (1ULL << 63) - 1, 1ULL << 63,
    (1ULL << 63) + 1, kMax - 63,        kMax - 31,
    kMax - 7,         kMax - 1,         kMax,
};

Writer base() {
    Writer writer;
    writer.key("general.architecture", "llama").key("n", std::uint32_t{1});
    writer.array<std::string>("list", {"a", "bc"});
    return writer;
}

std::string data_of(std::size_t size) { return std::string(size, '\1'); }

/// Opens a file with these bytes and returns the error; a file that opens fails the test.
std::string error_of(const std::string& bytes) {
    const TempFile temp(bytes);
    const auto file = File::open(temp.path());
    if (file.has_value()) {
        ADD_FAILURE() << "a malformed file was accepted";
        return {};
    }
    EXPECT_EQ(file.error().code, ErrorCode::kCorruptData) << file.error().detail;
    EXPECT_THAT(file.error().detail, HasSubstr(temp.path().string()));
    return file.error().detail;
}

TEST(MalformedGguf, EmptyAndForeignFiles) {
    EXPECT_THAT(error_of(""), HasSubstr("byte 0"));
    EXPECT_THAT(error_of("<!DOCTYPE html><html></html>"), HasSubstr("not a GGUF file"));
    EXPECT_THAT(error_of("version https://git-lfs.example/spec/v1"), HasSubstr("not a GGUF file"));
    EXPECT_THAT(error_of(std::string(100, '\0')), HasSubstr("not a GGUF file"));
}

TEST(MalformedGguf, UnknownVersions) {
    for (const std::uint32_t version : {0U, 1U, 4U, 0x02000000U, 0x03000000U, 0xFFFFFFFFU}) {
        Writer writer = base();
        writer.version = version;
        EXPECT_THAT(error_of(writer.bytes()), HasSubstr("version"));
    }
    Writer swapped = base();
    swapped.version = 0x03000000;
    EXPECT_THAT(error_of(swapped.bytes()), HasSubstr("big-endian"));
}

TEST(MalformedGguf, TruncatedAtEveryByteOfTheHeader) {
    Writer writer = base();
    writer.tensor("t", {32, 2}, TensorType::kQ4_0, data_of(36));
    const std::string whole = writer.bytes();
    ASSERT_TRUE(File::open(TempFile(whole).path()).has_value());
    for (std::size_t size = 0; size < writer.header().size(); ++size) {
        const auto error = error_of(whole.substr(0, size));
        EXPECT_THAT(error, HasSubstr("byte")) << size;
    }
}

TEST(MalformedGguf, TruncatedInsideTheData) {
    Writer writer = base();
    writer.tensor("t", {32, 2}, TensorType::kQ4_0, data_of(36));
    const std::string whole = writer.bytes();
    const std::size_t start = whole.size() - 64;
    for (std::size_t size = writer.header().size(); size < start + 36; ++size) {
        EXPECT_THAT(error_of(whole.substr(0, size)), HasSubstr("tensor \"t\"")) << size;
    }
    EXPECT_TRUE(File::open(TempFile(whole.substr(0, start + 36)).path()).has_value());
}

TEST(MalformedGguf, ImpossibleCounts) {
    for (const std::uint64_t count : kNasty) {
        Writer keys = base();
        keys.key_count = count;
        EXPECT_THAT(error_of(keys.bytes()), HasSubstr("keys at byte 16")) << count;
        Writer tensors = base();
        tensors.tensor_count = count;
        EXPECT_THAT(error_of(tensors.bytes()), HasSubstr("tensors at byte 8")) << count;
    }
    Writer more = base();
    more.key_count = 4;
    error_of(more.bytes());
    Writer fewer = base();
    fewer.key_count = 2;
    fewer.tensor_count = 1;
    error_of(fewer.bytes());
}

TEST(MalformedGguf, ImpossibleStringLengths) {
    for (const std::uint64_t length : kNasty) {
        Writer name = base();
        const std::string good = name.bytes();
        std::string bytes = good;
        std::memcpy(bytes.data() + 24, &length, 8);  // the length of the first key's name
        EXPECT_THAT(error_of(bytes), HasSubstr("at byte 24")) << length;
        Writer value = base();
        value.raw_key("text", 8, Bytes().put(length).raw("abc").str());
        EXPECT_THAT(error_of(value.bytes()), HasSubstr("key \"text\"")) << length;
        Writer element = base();
        element.raw_key("texts", 9, Bytes().put(8U).put(1ULL).put(length).raw("abc").str());
        EXPECT_THAT(error_of(element.bytes()), HasSubstr("key \"texts\"")) << length;
    }
}

TEST(MalformedGguf, KeyNames) {
    Writer empty = base();
    empty.key("", std::uint32_t{1});
    EXPECT_THAT(error_of(empty.bytes()), HasSubstr("no name"));
    Writer longest = base();
    longest.key(std::string(65'535, 'k'), std::uint32_t{1});
    EXPECT_TRUE(File::open(TempFile(longest.bytes()).path()).has_value());
    Writer longer = base();
    longer.key(std::string(65'536, 'k'), std::uint32_t{1});
    error_of(longer.bytes());
    Writer twice = base();
    twice.key("n", std::uint32_t{2});
    EXPECT_THAT(error_of(twice.bytes()), HasSubstr("key \"n\" is there twice"));
}

TEST(MalformedGguf, NamesAreTextWithoutControlCharacters) {
    using namespace std::string_literals;
    for (const std::string& name :
         {"a\0b"s, "a\nb"s, "a\x1B[2Jb"s, "a\x7F"s, "\xFF"s, "a\xC3"s, "\xED\xA0\x80"s}) {
        Writer key = base();
        key.key(name, std::uint32_t{1});
        EXPECT_THAT(error_of(key.bytes()), HasSubstr("not UTF-8 without control characters"));
        Writer tensor = base();
        tensor.tensor(name, {8}, TensorType::kF32, data_of(32));
        EXPECT_THAT(error_of(tensor.bytes()), HasSubstr("not UTF-8 without control characters"));
    }
    Writer umlaut = base();
    umlaut.key("gr\xC3\xB6\xC3\x9F" "e", std::uint32_t{1});
    EXPECT_TRUE(File::open(TempFile(umlaut.bytes()).path()).has_value());
}

TEST(MalformedGguf, ControlBytesInNamesAreEscapedInErrors) {
    Writer writer = base();
    writer.raw_key("evil\n\x1B[31m", 77, "");
    const auto error = error_of(writer.bytes());
    EXPECT_THAT(error, HasSubstr("evil\\x0a\\x1b[31m"));
    EXPECT_EQ(error.find('\n'), std::string::npos);
}

TEST(MalformedGguf, UnknownValueTypes) {
    for (const std::uint32_t type : {13U, 14U, 255U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU}) {
        Writer value = base();
        value.raw_key("odd", type, std::string(64, '\0'));
        EXPECT_THAT(error_of(value.bytes()), HasSubstr("key \"odd\""));
        Writer element = base();
        element.raw_key("odd", 9, Bytes().put(type).put(1ULL).raw(data_of(64)).str());
        EXPECT_THAT(error_of(element.bytes()), HasSubstr("key \"odd\""));
    }
}

TEST(MalformedGguf, BooleansThatAreNone) {
    Writer value = base();
    value.raw_key("flag", 7, "\2");
    EXPECT_THAT(error_of(value.bytes()), HasSubstr("key \"flag\""));
    Writer element = base();
    element.raw_key("flags", 9, Bytes().put(7U).put(2ULL).raw("\1\xFF").str());
    EXPECT_THAT(error_of(element.bytes()), HasSubstr("key \"flags\""));
}

TEST(MalformedGguf, ArraysWithImpossibleCounts) {
    for (std::uint32_t type = 0; type < 13; ++type) {
        if (type == 9) continue;
        for (const std::uint64_t count : kNasty) {
            Writer writer = base();
            writer.raw_key("list2", 9, Bytes().put(type).put(count).raw(data_of(8)).str());
            EXPECT_THAT(error_of(writer.bytes()), HasSubstr("key \"list2\""))
                << type << " " << count;
        }
    }
}

TEST(MalformedGguf, NestedArrays) {
    Bytes nested;
    for (int depth = 0; depth < 100'000; ++depth) nested.put(9U).put(1ULL);
    Writer writer = base();
    writer.raw_key("deep", 9, nested.str());
    EXPECT_THAT(error_of(writer.bytes()), HasSubstr("array of arrays"));
}

TEST(MalformedGguf, Alignments) {
    for (const std::uint32_t bad :
         {0U, 1U, 3U, 4U, 7U, 33U, 48U, (1U << 20) + 1, 1U << 21, 1U << 31, 0xFFFFFFFFU}) {
        Writer writer = base();
        writer.key("general.alignment", bad).tensor("t", {8}, TensorType::kF32, data_of(32));
        EXPECT_THAT(error_of(writer.bytes()), HasSubstr("general.alignment")) << bad;
    }
    Writer text = base();
    text.key("general.alignment", "32");
    EXPECT_THAT(error_of(text.bytes()), HasSubstr("general.alignment"));
}

TEST(MalformedGguf, TensorNames) {
    Writer empty = base();
    empty.tensor("", {8}, TensorType::kF32, data_of(32));
    EXPECT_THAT(error_of(empty.bytes()), HasSubstr("no name"));
    Writer longest = base();
    longest.tensor(std::string(63, 'n'), {8}, TensorType::kF32, data_of(32));
    EXPECT_TRUE(File::open(TempFile(longest.bytes()).path()).has_value());
    for (const std::size_t size : {64UL, 64'000UL}) {
        Writer longer = base();
        longer.tensor(std::string(size, 'n'), {8}, TensorType::kF32, data_of(32));
        EXPECT_THAT(error_of(longer.bytes()), HasSubstr("the name of tensor 0"));
    }
    Writer twice = base();
    twice.tensor("t", {8}, TensorType::kF32, data_of(32))
        .tensor("t", {8}, TensorType::kF32, data_of(32));
    EXPECT_THAT(error_of(twice.bytes()), HasSubstr("tensor \"t\" is there twice"));
}

TEST(MalformedGguf, TensorDimensions) {
    for (const std::size_t n_dims : {0UL, 5UL, 100UL}) {
        Writer writer = base();
        writer.tensor("t", std::vector<std::uint64_t>(n_dims, 1), TensorType::kF32, data_of(32));
        EXPECT_THAT(error_of(writer.bytes()), HasSubstr("dimensions"));
    }
    for (std::size_t zero = 0; zero < 4; ++zero) {
        std::vector<std::uint64_t> shape(4, 2);
        shape[zero] = 0;
        Writer writer = base();
        writer.tensor("t", shape, TensorType::kF32, data_of(64));
        EXPECT_THAT(error_of(writer.bytes()), HasSubstr("dimension of 0"));
    }
    Writer ragged = base();
    ragged.tensor("t", {33, 2}, TensorType::kQ4_0, data_of(64));
    EXPECT_THAT(error_of(ragged.bytes()), HasSubstr("blocks of 32"));
}

TEST(MalformedGguf, ShapesThatWrap) {
    for (const std::uint64_t dim : kNasty) {
        for (const auto& shape : {std::vector{dim},
                                  std::vector{dim, 2UL},
                                  std::vector{2UL, dim},
                                  std::vector{dim, dim},
                                  std::vector{8UL, dim, dim, dim}}) {
            Writer writer = base();
            writer.tensor("t", shape, TensorType::kF32, data_of(64));
            EXPECT_THAT(error_of(writer.bytes()), HasSubstr("tensor \"t\"")) << dim;
        }
        Writer block = base();
        block.tensor("t", {256, dim}, TensorType::kQ6_K, data_of(210));
        EXPECT_THAT(error_of(block.bytes()), HasSubstr("tensor \"t\"")) << dim;
    }
}

TEST(MalformedGguf, UnknownTensorTypes) {
    for (const std::uint32_t type : {4U, 5U, 31U, 36U, 99U, 0x80000000U, 0xFFFFFFFFU}) {
        Writer writer = base();
        writer.raw_tensor("t", {32}, type, 0);
        EXPECT_THAT(error_of(writer.bytes() + data_of(4096)), HasSubstr("unknown type"));
    }
}

TEST(MalformedGguf, TensorOffsets) {
    for (const std::uint64_t offset : kNasty) {
        Writer writer = base();
        writer.raw_tensor("t", {8}, 0, offset);
        EXPECT_THAT(error_of(writer.bytes() + data_of(4096)), HasSubstr("tensor \"t\"")) << offset;
    }
    Writer crooked = base();
    crooked.raw_tensor("t", {8}, 0, 16);
    EXPECT_THAT(error_of(crooked.bytes() + data_of(4096)), HasSubstr("alignment"));
    Writer outside = base();
    outside.raw_tensor("t", {8}, 0, 64);
    EXPECT_THAT(error_of(outside.bytes() + data_of(64)), HasSubstr("tensor \"t\" needs 32 bytes"));
}

TEST(MalformedGguf, TensorsThatOverlap) {
    Writer same = base();
    same.raw_tensor("a", {8}, 0, 0).raw_tensor("b", {8}, 0, 0);
    EXPECT_THAT(error_of(same.bytes() + data_of(64)), HasSubstr("overlaps"));
    Writer partly = base();
    partly.raw_tensor("late", {8}, 0, 64).raw_tensor("early", {17}, 0, 0);
    EXPECT_THAT(error_of(partly.bytes() + data_of(128)), HasSubstr("tensor \"late\""));
    Writer side_by_side = base();
    side_by_side.raw_tensor("late", {8}, 0, 64).raw_tensor("early", {16}, 0, 0);
    EXPECT_TRUE(File::open(TempFile(side_by_side.bytes() + data_of(96)).path()).has_value());
}

TEST(MalformedGguf, RandomDamageNeverCrashes) {
    Writer writer = base();
    writer.tensor("t", {32, 2}, TensorType::kQ4_0, data_of(36))
        .tensor("u", {8}, TensorType::kF32, data_of(32));
    const std::string whole = writer.bytes();
    std::mt19937_64 random(20240817);
    int accepted = 0;
    for (int round = 0; round < 50'000; ++round) {
        std::string bytes = whole;
        for (std::uint64_t hits = 1 + random() % 4; hits > 0; --hits) {
            const std::size_t at = random() % bytes.size();
            bytes[at] = static_cast<char>(random() % 3 == 0 ? 0xFF : random());
        }
        if (random() % 8 == 0) bytes.resize(random() % bytes.size());
        const auto outcome = parse_header(std::as_bytes(std::span(bytes)), bytes.size());
        if (!outcome.header) continue;
        ++accepted;
        for (const TensorInfo& info : outcome.header->tensors) {
            ASSERT_LE(info.offset, bytes.size());
            ASSERT_LE(info.bytes, bytes.size() - info.offset);
        }
    }
    EXPECT_GT(accepted, 100);  // damage in data and texts is no damage to the format
}

}  // namespace
}  // namespace notso::ml::gguf
