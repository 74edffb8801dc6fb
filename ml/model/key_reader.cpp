#include "ml/model/key_reader.hpp"

namespace notso::ml {

Result<std::int32_t> KeyReader::integer(std::string_view key,
                                        std::int32_t low,
                                        std::int32_t high,
                                        std::optional<std::int32_t> fallback) const {
    NOTSO_TRY(const auto value, file_.get_uint(name(key)));
    if (!value && fallback) return *fallback;
    if (!value) return missing(key);
    if (*value < static_cast<std::uint64_t>(low) || *value > static_cast<std::uint64_t>(high)) {
        return fail(ErrorCode::kCorruptData,
                    "{}: {} is {}, but must be between {} and {}",
                    file_.path().string(),
                    label(key),
                    *value,
                    low,
                    high);
    }
    return static_cast<std::int32_t>(*value);
}

Result<double> KeyReader::number(std::string_view key,
                                 double low,
                                 double high,
                                 std::optional<double> fallback) const {
    NOTSO_TRY(const auto value, file_.get_float(name(key)));
    if (!value && fallback) return *fallback;
    if (!value) return missing(key);
    if (!(*value >= low && *value <= high)) {  // also refuses NaN
        return fail(ErrorCode::kCorruptData,
                    "{}: {} is {}, but must be between {} and {}",
                    file_.path().string(),
                    label(key),
                    *value,
                    low,
                    high);
    }
    return *value;
}

Result<> KeyReader::neutral(std::string_view key, double harmless) const {
    const gguf::KeyValue* entry = file_.find(name(key));
    if (entry == nullptr) return {};
    const auto as_double = [](const auto& value) -> std::optional<double> {
        if constexpr (std::is_arithmetic_v<std::remove_cvref_t<decltype(value)>>)
            return static_cast<double>(value);
        return std::nullopt;
    };
    const std::optional<double> value = std::visit(as_double, entry->value);
    if (value == harmless) return {};
    return refuse(key, value ? fmt::to_string(*value) : "no number", fmt::format("{:g}", harmless));
}

std::unexpected<Error> KeyReader::missing(std::string_view key) const {
    return fail(ErrorCode::kCorruptData, "{}: key {} is missing", file_.path().string(), name(key));
}

std::unexpected<Error> KeyReader::refuse(std::string_view key,
                                         std::string_view value,
                                         std::string_view harmless) const {
    return fail(ErrorCode::kUnsupported,
                "{}: {} is {}; this program only runs models with {}",
                file_.path().string(),
                label(key),
                value,
                harmless);
}

}  // namespace notso::ml
