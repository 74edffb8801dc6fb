#include "web/pages/format.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace notso::web {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;

/// Days since an arbitrary day, by the local calendar.
std::int64_t local_day(UnixMs at) {
    const std::time_t seconds = at / 1000;
    std::tm parts{};
    localtime_r(&seconds, &parts);
    return (static_cast<std::int64_t>(seconds) + parts.tm_gmtoff) / kSecondsPerDay;
}

/// "0.4"
std::string one_decimal(const Language& language, double value) {
    std::string digits = fmt::format("{:.1f}", value);
    digits.replace(digits.find('.'), 1, language.decimal());
    return digits;
}

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

}  // namespace

std::string format_count(const Language& language, std::int64_t value) {
    const std::string digits = std::to_string(value);
    const std::size_t first = value < 0 ? 1 : 0;
    std::string out;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > first && (digits.size() - i) % 3 == 0) out += language.thousands();
        out += digits[i];
    }
    return out;
}

std::string format_counted(const Language& language, std::int64_t value, std::string_view noun) {
    const std::string plural = fmt::format("{}s", noun);
    return fmt::format(
        "{} {}", format_count(language, value), language.text(value == 1 ? noun : plural));
}

std::string format_duration(const Language& language, double ms) {
    const double seconds = ms / 1000;
    if (ms < 99.5) return fmt::format("{:.0f} ms", ms);
    if (seconds < 9.95) return one_decimal(language, seconds) + " s";
    if (seconds < 59.5) return fmt::format("{:.0f} s", seconds);
    const auto whole = static_cast<std::int64_t>(seconds + 0.5);
    return fmt::format("{} min {} s", whole / 60, whole % 60);
}

std::string format_size(const Language& language, std::uint64_t bytes) {
    const auto amount = static_cast<double>(bytes);
    if (amount >= 1e9) return one_decimal(language, amount / 1e9) + " GB";
    if (amount >= 1e6) return fmt::format("{:.0f} MB", amount / 1e6);
    return fmt::format("{:.0f} kB", amount / 1e3);
}

std::string format_rate(const Language& language, double tokens_per_second) {
    if (tokens_per_second <= 0) return {};
    return one_decimal(language, tokens_per_second) + " " + std::string(language.text("tokens/s"));
}

std::string format_sentence(const Language& language, std::string_view detail) {
    std::string text = language.detail(detail);
    if (text.empty()) return text;
    if (text.front() >= 'a' && text.front() <= 'z')
        text.front() = static_cast<char>(text.front() - 'a' + 'A');
    if (!std::string_view(".!?…").contains(text.back())) text += '.';
    return text;
}

std::int64_t count_words(std::string_view text) {
    std::int64_t words = 0;
    bool inside = false;
    for (const char c : text) {
        const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
        if (!space && !inside) ++words;
        inside = !space;
    }
    return words;
}

std::string_view day_label(const Language& language, UnixMs at, UnixMs now) {
    const std::int64_t days = local_day(now) - local_day(at);
    if (days <= 0) return language.text("Today");
    if (days == 1) return language.text("Yesterday");
    return language.text(days < 8 ? "Last 7 days" : "Earlier");
}

Moment format_moment(UnixMs at, UnixMs now) {
    if (at <= 0) return {};
    const std::time_t seconds = at / 1000;
    std::tm utc{};
    std::tm local{};
    gmtime_r(&seconds, &utc);
    localtime_r(&seconds, &local);
    std::string exact = fmt::format("{:%F %T}", local);
    constexpr std::size_t kDate = 11;
    constexpr std::size_t kMinutes = 16;
    std::string brief = exact.substr(0, kMinutes);
    if (local_day(now) == local_day(at)) brief.erase(0, kDate);
    return {fmt::format("{:%FT%TZ}", utc), std::move(exact), std::move(brief)};
}

std::string percent_encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

}  // namespace notso::web
