// Any text: a value or an error, within the limits; a value is written the same way twice, and a
// whole number or a decimal that is read again is the same value.
#include "base/utf8.hpp"
#include "services/tools/calculator/calculate.hpp"
#include "services/tools/calculator/format.hpp"
#include "tests/fuzz/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace notso;
    using namespace notso::services::calculator;
    Limits limits;
    limits.max_digits = 1000;
    const auto value = calculate(test::text_of(data, size), limits);
    if (!value) {
        FUZZ_CHECK(is_valid_utf8(value.error().detail) && !value.error().detail.empty());
        return 0;
    }
    const std::string text = format(*value);
    FUZZ_CHECK(is_valid_utf8(text) && text.size() < 1200);
    if (text.find("≈") != std::string::npos) return 0;
    const auto again = calculate(text, limits);
    FUZZ_CHECK(again && compare(*again, *value) == 0);
    FUZZ_CHECK(format(*again) == text);
    return 0;
}
