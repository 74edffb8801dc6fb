// Bytes in pieces of any size: what comes out is valid UTF-8 at every moment, does not depend on
// the pieces, and is the input itself where that was valid.
#include "base/utf8.hpp"
#include "tests/fuzz/target.hpp"

namespace {

/// Pieces of 1..4 bytes chosen by `seed`.
std::string assemble(std::string_view text, unsigned seed) {
    notso::Utf8Assembler assembler;
    std::string out;
    while (!text.empty()) {
        seed = seed * 1'103'515'245U + 12'345U;
        const std::size_t n = std::min<std::size_t>(text.size(), 1 + (seed >> 16) % 4);
        const std::string piece = assembler.push(text.substr(0, n));
        FUZZ_CHECK(notso::is_valid_utf8(piece));
        out += piece;
        text.remove_prefix(n);
    }
    return out + assembler.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace notso;
    const std::string_view text = test::text_of(data, size);
    const std::string whole = repair_utf8(text);
    FUZZ_CHECK(is_valid_utf8(whole));
    if (is_valid_utf8(text)) FUZZ_CHECK(whole == text);
    for (const unsigned seed : {1U, 2U, 3U}) FUZZ_CHECK(assemble(text, seed) == whole);
    for (const std::size_t cut : {size / 2, size / 3, std::size_t{5}}) {
        const std::string_view start = truncate_utf8(whole, cut);
        FUZZ_CHECK(start.size() <= cut && is_valid_utf8(start));
    }
    std::string copied;
    for (std::string_view rest = whole; !rest.empty();) {
        const DecodedCodePoint c = decode_utf8(rest);
        FUZZ_CHECK(c.valid && c.size >= 1 && c.size <= 4);
        append_utf8(copied, c.value);
        rest.remove_prefix(c.size);
    }
    FUZZ_CHECK(copied == whole);
    return 0;
}
