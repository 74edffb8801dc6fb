#include "services/settings/setting_fields.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/utf8.hpp"

namespace notso::services {
namespace {

constexpr std::size_t kShownBytes = 40;
constexpr double kMaxTopK = 1000;

// In the order of the form.
constexpr NumberSetting kNumbers[] = {
    {"temperature",
     "Temperature",
     "How much chance there is in the choice of words; 0 always takes the likeliest.",
     0,
     2,
     &ChatSettings::temperature},
    {"top_p",
     "Top-p",
     "Only the likeliest words that together have this much of the chance; 1 is off.",
     0.01,
     1,
     &ChatSettings::top_p},
    {"top_k",
     "Top-k",
     "Only this many of the likeliest words; 0 is off.",
     0,
     kMaxTopK,
     &ChatSettings::top_k},
    {"min_p",
     "Min-p",
     "Only words with at least this share of the likeliest word’s chance; 0 is off.",
     0,
     1,
     &ChatSettings::min_p},
    {"repeat_penalty",
     "Repeat penalty",
     "How much words that were just said are avoided; 1 is off.",
     0.01,
     10,
     &ChatSettings::repeat_penalty},
    {"max_tokens",
     "Most tokens of an answer",
     "The answer is cut there, and can be continued.",
     1,
     static_cast<double>(kMaxThinkingBudget),
     &ChatSettings::max_tokens},
    {"thinking_budget",
     "Most tokens for thinking",
     "The model answers when they are used up; 0 is no limit.",
     0,
     static_cast<double>(kMaxThinkingBudget),
     &ChatSettings::thinking_budget},
    {"context_size",
     "Context size",
     "Most tokens that prompt and answer take; less is quicker, and forgets sooner.",
     static_cast<double>(kLeastContextSize),
     static_cast<double>(kMaxContextSize),
     &ChatSettings::context_size},
};

std::string_view trim_typed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(kWhiteSpace);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kWhiteSpace) - begin + 1);
}

/// The whole text as a number. People who write 0,7 mean 0.7.
std::optional<double> parse_number(std::string text) {
    const std::size_t comma = text.find(',');
    if (comma != std::string::npos && !text.contains('.')) text[comma] = '.';
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return value;
}

std::string range_text(const NumberSetting& setting, const SettingLimits& limits) {
    const double most = most_of(setting, limits);
    return setting.is_whole() ? fmt::format("a whole number from {} to {}", setting.least, most)
                              : fmt::format("a number from {} to {}", setting.least, most);
}

std::unexpected<Error> refuse_text(const NumberSetting& setting,
                                   std::string_view text,
                                   const SettingLimits& limits) {
    const std::string shown = repair_utf8(truncate_utf8(text, kShownBytes));
    return fail(ErrorCode::kInvalidArgument,
                "{} is “{}{}”; it must be {}",
                setting.label,
                shown,
                text.size() > kShownBytes ? "…" : "",
                range_text(setting, limits));
}

std::optional<double> number_value(const NumberSetting& setting, const ChatSettings& settings) {
    return std::visit(
        [&](auto member) -> std::optional<double> {
            const auto& value = settings.*member;
            return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
        },
        setting.member);
}

bool is_allowed(const NumberSetting& setting, double value, const SettingLimits& limits) {
    const bool within = value >= setting.least && value <= most_of(setting, limits);
    return within && (!setting.is_whole() || value == std::floor(value));
}

}  // namespace

std::span<const NumberSetting> number_settings() { return kNumbers; }

const NumberSetting* find_number_setting(std::string_view name) {
    const auto* found = std::ranges::find(kNumbers, name, &NumberSetting::name);
    return found == std::end(kNumbers) ? nullptr : found;
}

double most_of(const NumberSetting& setting, const SettingLimits& limits) {
    if (setting.name != "context_size" || limits.context <= 0) return setting.most;
    return static_cast<double>(std::clamp(limits.context, kLeastContextSize, kMaxContextSize));
}

std::string text_of(const NumberSetting& setting, const ChatSettings& settings) {
    const auto value = number_value(setting, settings);
    if (!value) return {};
    return setting.is_whole() ? fmt::format("{:.0f}", *value) : fmt::format("{}", *value);
}

Result<> set_number(const NumberSetting& setting,
                    std::string_view text,
                    const SettingLimits& limits,
                    ChatSettings& settings) {
    const std::string_view typed = trim_typed(text);
    std::optional<double> value;
    if (!typed.empty()) {
        value = parse_number(std::string(typed));
        if (!value || !is_allowed(setting, *value, limits))
            return refuse_text(setting, typed, limits);
    }
    std::visit(
        [&]<class T>(std::optional<T> ChatSettings::* member) {
            settings.*member = value ? std::optional(static_cast<T>(*value)) : std::nullopt;
        },
        setting.member);
    return {};
}

Result<> set_system_prompt(std::string_view text, ChatSettings& settings) {
    const std::string_view typed = trim_typed(text);
    if (typed.size() > kMaxSystemPromptBytes) {
        return fail(ErrorCode::kTooLarge,
                    "The system prompt has {} bytes; it may have at most {}",
                    typed.size(),
                    kMaxSystemPromptBytes);
    }
    if (!is_valid_utf8(typed))
        return fail(ErrorCode::kInvalidArgument, "The system prompt is not valid UTF-8");
    settings.system_prompt = typed;
    return {};
}

Result<> check_numbers(const ChatSettings& settings, const SettingLimits& limits) {
    for (const NumberSetting& setting : kNumbers) {
        const auto value = number_value(setting, settings);
        if (value && !is_allowed(setting, *value, limits))
            return refuse_text(setting, fmt::format("{}", *value), limits);
    }
    return {};
}

Result<> check_settings(const ChatSettings& settings, const SettingLimits& limits) {
    NOTSO_CHECK(check_numbers(settings, limits));
    ChatSettings copy;
    return set_system_prompt(settings.system_prompt, copy);
}

std::int64_t context_of(std::int64_t model_context, const ChatSettings& settings) {
    if (model_context <= 0) return settings.context_size.value_or(0);
    return std::min(model_context, settings.context_size.value_or(model_context));
}

}  // namespace notso::services
