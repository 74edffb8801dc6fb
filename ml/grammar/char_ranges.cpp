// Ranges are cut where the number of bytes changes, then where a byte in the middle would not take
// all its values.
#include "ml/grammar/char_ranges.hpp"

#include <algorithm>
#include <string>

#include "base/utf8.hpp"

namespace notso::ml {
namespace {

constexpr std::array<char32_t, 4> kLastOfSize = {0x7F, 0x7FF, 0xFFFF, kLastCodePoint};

/// first and last have the same number of bytes.
void append_sequences(CharRange range, std::vector<ByteSequence>& out) {
    for (int n_low = 1; n_low < 4 && range.last > 0x7F; ++n_low) {  // bytes at the end
        const char32_t low = (char32_t{1} << (6 * n_low)) - 1;
        if ((range.first & ~low) == (range.last & ~low)) break;
        if ((range.first & low) != 0) {
            append_sequences({range.first, range.first | low}, out);
            return append_sequences({(range.first | low) + 1, range.last}, out);
        }
        if ((range.last & low) != low) {
            append_sequences({range.first, (range.last & ~low) - 1}, out);
            return append_sequences({range.last & ~low, range.last}, out);
        }
    }
    std::string first;
    std::string last;
    append_utf8(first, range.first);
    append_utf8(last, range.last);
    ByteSequence sequence{.size = first.size()};
    for (std::size_t i = 0; i < first.size(); ++i)
        sequence.bytes[i] = {static_cast<std::uint8_t>(first[i]),
                             static_cast<std::uint8_t>(last[i])};
    out.push_back(sequence);
}

}  // namespace

std::vector<CharRange> normalised(std::vector<CharRange> ranges) {
    std::ranges::sort(ranges, {}, &CharRange::first);
    std::vector<CharRange> out;
    for (const CharRange& range : ranges) {
        if (!out.empty() && range.first <= out.back().last + 1) {
            out.back().last = std::max(out.back().last, range.last);
        } else {
            out.push_back(range);
        }
    }
    return out;
}

std::vector<CharRange> complement(const std::vector<CharRange>& ranges) {
    std::vector<CharRange> out;
    char32_t next = 0;
    for (const CharRange& range : ranges) {
        if (range.first > next) out.push_back({next, range.first - 1});
        next = range.last + 1;
    }
    if (next <= kLastCodePoint) out.push_back({next, kLastCodePoint});
    return out;
}

std::vector<ByteSequence> utf8_sequences(CharRange range) {
    std::vector<ByteSequence> out;
    char32_t first = range.first;
    for (const char32_t last_of_size : kLastOfSize) {
        if (first > range.last) break;
        const char32_t last = std::min(range.last, last_of_size);
        if (first > last) continue;
        for (CharRange part : {CharRange{first, std::min<char32_t>(last, 0xD7FF)},
                               CharRange{std::max<char32_t>(first, 0xE000), last}}) {
            if (last_of_size != 0xFFFF) part = {first, last};
            if (part.first <= part.last) append_sequences(part, out);
            if (last_of_size != 0xFFFF) break;
        }
        first = last + 1;
    }
    return out;
}

}  // namespace notso::ml
