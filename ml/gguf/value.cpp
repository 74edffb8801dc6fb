// GGUF metadata values. One table lists the value types; reading and array access go through it.
#include "ml/gguf/value.hpp"

#include <algorithm>
#include <concepts>
#include <cstring>
#include <limits>
#include <utility>

#include "base/log.hpp"

namespace notso::ml::gguf {
namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

using ReadFunction = Result<Value> (*)(Cursor&, std::string_view);
/// Appends the elements of a checked integer array; false when one does not fit.
using WidenFunction = bool (*)(const Array&, std::vector<std::int64_t>&);

struct ValueType {
    std::string_view name;
    std::uint64_t min_bytes;  ///< Of one array element in the file.
    ReadFunction read;
    WidenFunction widen;  ///< Null for everything but integers.
};

template <class T>
Result<Value> read_number(Cursor& in, std::string_view what) {
    NOTSO_TRY(const T value, in.read<T>(what));
    return Value(value);
}

Result<Value> read_bool(Cursor& in, std::string_view what) {
    const std::uint64_t at = in.offset();
    NOTSO_TRY(const auto byte, in.read<std::uint8_t>(what));
    if (byte > 1) {
        return fail(ErrorCode::kCorruptData, "{} at byte {} is {}, not a boolean", what, at, byte);
    }
    return Value(byte == 1);
}

Result<Value> read_text(Cursor& in, std::string_view what) {
    NOTSO_TRY(const auto text, in.read_string(what, kNoLimit));
    return Value(text);
}

Result<Value> read_array(Cursor& in, std::string_view what);

template <class T>
bool widen(const Array& array, std::vector<std::int64_t>& out) {
    for (std::uint64_t i = 0; i < array.count; ++i) {
        T value;
        std::memcpy(&value, array.data.data() + i * sizeof(T), sizeof(T));
        if (!std::in_range<std::int64_t>(value)) return false;
        out.push_back(static_cast<std::int64_t>(value));
    }
    return true;
}

template <class T>
constexpr ValueType integer(std::string_view name) {
    return {name, sizeof(T), read_number<T>, widen<T>};
}

constexpr std::uint32_t kBool = 7;
constexpr std::uint32_t kString = 8;
constexpr std::uint32_t kArray = 9;
constexpr ValueType kTypes[] = {
    integer<std::uint8_t>("u8"),
    integer<std::int8_t>("i8"),
    integer<std::uint16_t>("u16"),
    integer<std::int16_t>("i16"),
    integer<std::uint32_t>("u32"),
    integer<std::int32_t>("i32"),
    {"f32", sizeof(float), read_number<float>, nullptr},
    {"bool", 1, read_bool, nullptr},
    {"string", sizeof(std::uint64_t), read_text, nullptr},
    {"array", 1, read_array, nullptr},
    integer<std::uint64_t>("u64"),
    integer<std::int64_t>("i64"),
    {"f64", sizeof(double), read_number<double>, nullptr},
};
constexpr std::uint32_t kTypeCount = std::size(kTypes);

/// Steps over the elements of a string array; every length is checked.
Result<> skip_strings(Cursor& in, std::uint64_t count, std::string_view what) {
    if (in.skip_strings(count) == count) return {};
    // Reading the one at which it stopped says what is wrong with it.
    NOTSO_TRY([[maybe_unused]] const auto text, in.read_string(what, kNoLimit));
    return fail(ErrorCode::kInternal, "{} has a string that can be read, but not skipped", what);
}

Result<> check_bools(std::span<const std::byte> data, std::uint64_t at, std::string_view what) {
    const auto bad = std::ranges::find_if(data, [](std::byte b) { return b > std::byte{1}; });
    if (bad == data.end()) return {};
    return fail(ErrorCode::kCorruptData,
                "{} at byte {} holds {}, not a boolean",
                what,
                at + static_cast<std::uint64_t>(bad - data.begin()),
                std::to_integer<int>(*bad));
}

Result<Value> read_array(Cursor& in, std::string_view what) {
    const std::uint64_t at = in.offset();
    Array array;
    NOTSO_TRY(array.element_type, in.read<std::uint32_t>(what));
    NOTSO_TRY(array.count, in.read<std::uint64_t>(what));
    if (array.element_type == kArray) {
        return fail(ErrorCode::kCorruptData,
                    "{} at byte {} is an array of arrays: not supported",
                    what,
                    at);
    }
    if (array.element_type >= kTypeCount) {
        return fail(ErrorCode::kCorruptData,
                    "{} at byte {} has elements of the unknown type {}",
                    what,
                    at,
                    array.element_type);
    }
    const std::uint64_t element_bytes = kTypes[array.element_type].min_bytes;
    if (array.count > in.left() / element_bytes) {
        return fail(ErrorCode::kCorruptData,
                    "{} at byte {} claims {} elements, but only {} bytes are left",
                    what,
                    at,
                    array.count,
                    in.left());
    }
    const std::uint64_t start = in.offset();
    if (array.element_type == kString) {
        NOTSO_CHECK(skip_strings(in, array.count, what));
    } else {
        NOTSO_TRY(const auto data, in.take(array.count * element_bytes, what));
        if (array.element_type == kBool) NOTSO_CHECK(check_bools(data, start, what));
    }
    array.data = in.since(start);
    return Value(array);
}

/// What a value is, for messages.
struct Describe {
    std::string operator()(const Array& array) const {
        return fmt::format("array of {}", kTypes[array.element_type].name);
    }
    std::string operator()(bool) const { return "bool"; }
    std::string operator()(float) const { return "f32"; }
    std::string operator()(double) const { return "f64"; }
    std::string operator()(std::string_view) const { return "string"; }
    template <std::integral T>
    std::string operator()(T number) const {
        return fmt::format("{}{} {}", std::is_signed_v<T> ? 'i' : 'u', 8 * sizeof(T), number);
    }
};

std::unexpected<Error> wrong_type(const KeyValue& item, std::string_view expected) {
    return fail(ErrorCode::kCorruptData,
                "key {} at byte {} should be {}, but it is: {}",
                item.key,
                item.file_offset,
                expected,
                std::visit(Describe{}, item.value));
}

}  // namespace

Result<Value> read_value(Cursor& in, std::string_view what) {
    const std::uint64_t at = in.offset();
    NOTSO_TRY(const auto type, in.read<std::uint32_t>(what));
    if (type >= kTypeCount) {
        return fail(
            ErrorCode::kCorruptData, "{} has the unknown type {} at byte {}", what, type, at);
    }
    return kTypes[type].read(in, what);
}

Result<std::uint64_t> as_uint(const KeyValue& item) {
    const auto number = std::visit(
        [](const auto& value) -> std::optional<std::uint64_t> {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
                if (std::in_range<std::uint64_t>(value)) return static_cast<std::uint64_t>(value);
            }
            return std::nullopt;
        },
        item.value);
    if (!number) return wrong_type(item, "a whole number, not negative");
    return *number;
}

Result<double> as_float(const KeyValue& item) {
    if (const auto* value = std::get_if<float>(&item.value)) return *value;
    if (const auto* value = std::get_if<double>(&item.value)) return *value;
    return wrong_type(item, "f32 or f64");
}

Result<bool> as_bool(const KeyValue& item) {
    if (const auto* value = std::get_if<bool>(&item.value)) return *value;
    return wrong_type(item, "bool");
}

Result<std::string_view> as_string(const KeyValue& item) {
    if (const auto* value = std::get_if<std::string_view>(&item.value)) return *value;
    return wrong_type(item, "string");
}

Result<std::vector<std::string_view>> as_strings(const KeyValue& item) {
    const auto* array = std::get_if<Array>(&item.value);
    if (array == nullptr || array->element_type != kString) {
        return wrong_type(item, "array of string");
    }
    std::vector<std::string_view> out;
    out.reserve(array->count);
    Cursor in(array->data, array->data.size());
    for (std::uint64_t i = 0; i < array->count; ++i) {
        NOTSO_TRY(const auto text, in.read_string("an array element", kNoLimit));
        out.push_back(text);
    }
    return out;
}

Result<std::vector<std::int64_t>> as_ints(const KeyValue& item) {
    const auto* array = std::get_if<Array>(&item.value);
    if (array == nullptr || kTypes[array->element_type].widen == nullptr) {
        return wrong_type(item, "array of whole numbers");
    }
    std::vector<std::int64_t> out;
    out.reserve(array->count);
    if (!kTypes[array->element_type].widen(*array, out)) {
        return wrong_type(item, "array of whole numbers below 2^63");
    }
    return out;
}

}  // namespace notso::ml::gguf
