#include "services/mcp/config.hpp"

#include <boost/json.hpp>
#include <fstream>
#include <iterator>

#include "base/log.hpp"
#include "services/net/url.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMaxServers = 32;

/// One server of the file; `where` is what messages call it.
class EntryReader {
  public:
    EntryReader(const json::object& entry, std::string where)
        : entry_(entry), where_(std::move(where)) {}

    Result<McpServerConfig> read(std::string_view name) const {
        McpServerConfig out;
        out.name = name;
        NOTSO_TRY(out.command, text("command"));
        NOTSO_TRY(out.url, text("url"));
        if (out.command.empty() == out.url.empty())
            return wrong("it needs either \"command\" or \"url\"");
        if (!out.url.empty()) {
            const auto url = parse_http_url(out.url);
            if (!url) return wrong("\"url\": " + url.error().detail);
        }
        NOTSO_TRY(out.arguments, texts("args"));
        NOTSO_TRY(const auto environment, pairs("env"));
        for (const auto& [key, value] : environment) out.environment.push_back(key + "=" + value);
        NOTSO_TRY(out.headers, pairs("headers"));
        return out;
    }

  private:
    std::unexpected<Error> wrong(std::string_view what) const {
        return fail(ErrorCode::kInvalidArgument, "{}: {}", where_, what);
    }

    static bool is_text(const json::value& value) {
        return value.is_string() && value.get_string().find('\0') == json::string::npos;
    }

    Result<std::string> text(std::string_view key) const {
        const json::value* value = entry_.if_contains(key);
        if (value == nullptr) return std::string();
        if (!is_text(*value)) return wrong(fmt::format("\"{}\" must be a string", key));
        return std::string(value->get_string());
    }

    Result<std::vector<std::string>> texts(std::string_view key) const {
        std::vector<std::string> out;
        const json::value* value = entry_.if_contains(key);
        if (value == nullptr) return out;
        if (!value->is_array()) return wrong(fmt::format("\"{}\" must be a list of strings", key));
        for (const json::value& each : value->get_array()) {
            if (!is_text(each)) return wrong(fmt::format("\"{}\" must be a list of strings", key));
            out.emplace_back(each.get_string());
        }
        return out;
    }

    Result<std::vector<HttpHeader>> pairs(std::string_view key) const {
        std::vector<HttpHeader> out;
        const json::value* value = entry_.if_contains(key);
        if (value == nullptr) return out;
        if (!value->is_object()) return wrong(fmt::format("\"{}\" must be an object", key));
        for (const auto& member : value->get_object()) {
            if (!is_text(member.value()))
                return wrong(fmt::format("\"{}\" must have strings only", key));
            out.push_back({std::string(member.key()), std::string(member.value().get_string())});
        }
        return out;
    }

    const json::object& entry_;
    const std::string where_;
};

}  // namespace

Result<std::vector<McpServerConfig>> parse_mcp_config(std::string_view text,
                                                      std::string_view source) {
    boost::system::error_code error;
    const json::value root = json::parse(text, error);
    if (error)
        return fail(ErrorCode::kInvalidArgument, "{}: not JSON: {}", source, error.message());
    const json::value* servers =
        root.is_object() ? root.get_object().if_contains("mcpServers") : nullptr;
    if (servers == nullptr || !servers->is_object() || servers->get_object().size() > kMaxServers) {
        return fail(ErrorCode::kInvalidArgument,
                    "{}: needs an object \"mcpServers\" of at most {} servers",
                    source,
                    kMaxServers);
    }
    std::vector<McpServerConfig> out;
    for (const auto& member : servers->get_object()) {
        const std::string where = fmt::format("{}: server {}", source, log::field(member.key()));
        if (member.key().empty() || !member.value().is_object())
            return fail(ErrorCode::kInvalidArgument, "{}: needs a name and an object", where);
        const json::object& entry = member.value().get_object();
        const json::value* disabled = entry.if_contains("disabled");
        if (disabled != nullptr && disabled->is_bool() && disabled->get_bool()) continue;
        NOTSO_TRY(McpServerConfig config, EntryReader(entry, where).read(member.key()));
        out.push_back(std::move(config));
    }
    return out;
}

Result<std::vector<McpServerConfig>> read_mcp_config(const std::filesystem::path& path) {
    std::error_code error;
    if (!std::filesystem::exists(path, error)) return std::vector<McpServerConfig>{};
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    std::ifstream file(path, std::ios::binary);
    if (error || !file || size > kMaxFileBytes)
        return fail(ErrorCode::kIo, "{}: can't be read, or is over 1 MiB", path.string());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return parse_mcp_config(text, path.string());
}

}  // namespace notso::services
