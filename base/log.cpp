#include "base/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>

#include "base/utf8.hpp"

namespace notso::log {
namespace {

constexpr std::size_t kMaxField = 256;

Result<spdlog::level::level_enum> parse_level(std::string_view text) {
    if (text == "trace") return spdlog::level::trace;
    if (text == "debug") return spdlog::level::debug;
    if (text == "info") return spdlog::level::info;
    if (text == "warn" || text == "warning") return spdlog::level::warn;
    if (text == "error") return spdlog::level::err;
    if (text == "off") return spdlog::level::off;
    return fail(ErrorCode::kInvalidArgument,
                "log level {} is none of trace, debug, info, warn, error, off",
                field(text));
}

}  // namespace

Result<> configure(std::string_view spec) {
    auto level = spdlog::level::info;
    while (!spec.empty()) {
        const auto comma = spec.find(',');
        std::string_view part = spec.substr(0, comma);
        spec = comma == std::string_view::npos ? std::string_view{} : spec.substr(comma + 1);
        const auto equals = part.find('=');
        const bool ours = equals == std::string_view::npos || part.substr(0, equals).starts_with("notso");
        if (equals != std::string_view::npos) part = part.substr(equals + 1);
        NOTSO_TRY(const auto parsed, parse_level(part));
        if (ours) level = parsed;
    }
    auto logger = std::make_shared<spdlog::logger>("notso", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
    logger->set_level(level);
    logger->flush_on(spdlog::level::warn);
    spdlog::set_default_logger(std::move(logger));
    return {};
}

std::string field(std::string_view value) {
    const bool cut = value.size() > kMaxField;
    std::string out = "\"";
    for (const char c : repair_utf8(truncate_utf8(value, kMaxField))) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7F) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    out += cut ? "…\"" : "\"";
    return out;
}

}  // namespace notso::log
