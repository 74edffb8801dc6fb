#include "services/mcp/mcp_tool.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "services/mcp/server.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxDescription = 4096;
constexpr std::size_t kMaxSchemaBytes = 64 * 1024;
constexpr std::size_t kMaxSchemaDepth = 32;

class McpTool final : public Tool {
  public:
    McpTool(ToolInfo info, std::string name, std::weak_ptr<McpServer> server)
        : info_(std::move(info)), name_(std::move(name)), server_(std::move(server)) {}

    const ToolInfo& info() const override { return info_; }

    Result<ToolOutput> run(const json::object& arguments,
                           const ToolContext& context) const override {
        if (const auto server = server_.lock()) return server->call(name_, arguments, context);
        return fail(ErrorCode::kUnavailable, "its server is no longer configured; do without");
    }

  private:
    const ToolInfo info_;
    const std::string name_;  // the server's
    const std::weak_ptr<McpServer> server_;
};

std::string text_of(const json::object& object, std::string_view key, std::size_t most) {
    const json::value* value = object.if_contains(key);
    const json::string* text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string() : std::string(truncate_utf8(*text, most));
}

/// Stops at the limit: what is deeper is not walked.
bool is_deeper(const json::value& value, std::size_t most) {
    if (!value.is_structured()) return false;
    if (most == 0) return true;
    if (const json::array* array = value.if_array())
        return std::ranges::any_of(*array,
                                   [&](const auto& each) { return is_deeper(each, most - 1); });
    return std::ranges::any_of(value.get_object(),
                               [&](const auto& m) { return is_deeper(m.value(), most - 1); });
}

/// 24 bits of FNV-1a, as hex.
std::string short_hash(std::string_view text) {
    std::uint32_t hash = 2166136261U;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    return fmt::format("{:06x}", (hash ^ hash >> 24) & 0xffffffU);
}

std::string content_text(const json::object& item) {
    const std::string type = text_of(item, "type", 64);
    if (const json::value* text = item.if_contains("text"); text && text->is_string())
        return std::string(text->get_string());
    if (const json::value* resource = item.if_contains("resource");
        resource && resource->is_object()) {
        const json::object& inner = resource->get_object();
        if (const json::value* text = inner.if_contains("text"); text && text->is_string())
            return std::string(text->get_string());
        return fmt::format("[{}: {}]", type, text_of(inner, "uri", 500));
    }
    if (type == "resource_link") return fmt::format("[link: {}]", text_of(item, "uri", 500));
    return fmt::format("[{} {}]", type, text_of(item, "mimeType", 100));
}

}  // namespace

std::string mcp_tool_name(std::string_view server, std::string_view tool) {
    std::string name = fmt::format("{}__{}", server, tool);
    const std::string original = name;
    std::ranges::replace_if(
        name,
        [](char c) {
            const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            return !letter && !(c >= '0' && c <= '9') && c != '_' && c != '-';
        },
        '_');
    if (name == original && name.size() <= kMaxName) return name;
    const std::string hash = short_hash(original);
    name.resize(std::min(name.size(), kMaxName - hash.size() - 1));
    return fmt::format("{}_{}", name, hash);
}

ToolPtr make_mcp_tool(const json::value& entry,
                      std::string_view server_name,
                      std::string_view place,
                      std::weak_ptr<McpServer> server,
                      std::chrono::milliseconds timeout) {
    if (!entry.is_object()) return nullptr;
    const json::object& object = entry.get_object();
    constexpr std::size_t kMaxServerName = 256;
    const std::string name = text_of(object, "name", kMaxServerName + 1);
    if (name.empty() || name.size() > kMaxServerName) return nullptr;
    ToolInfo info;
    info.parameters = {{"type", "object"}};
    if (const json::value* schema = object.if_contains("inputSchema");
        schema && schema->is_object()) {
        if (is_deeper(*schema, kMaxSchemaDepth) ||
            json::serialize(*schema).size() > kMaxSchemaBytes) {
            log::warn("event=mcp_tool_left_out server={} tool={} why=schema",
                      log::field(server_name),
                      log::field(name));
            return nullptr;
        }
        info.parameters = schema->get_object();
        info.parameters["type"] = "object";
        info.parameters.erase("$schema");
    }
    info.name = mcp_tool_name(server_name, name);
    info.title = text_of(object, "title", 200);
    if (info.title.empty()) info.title = name;
    info.description = text_of(object, "description", kMaxDescription);
    info.policy = ToolPolicy::kAsksFirst;
    info.sends_to = place;
    info.timeout = timeout;
    return std::make_shared<McpTool>(std::move(info), name, std::move(server));
}

ToolOutput mcp_output(const json::object& result) {
    ToolOutput out;
    if (const json::value* failed = result.if_contains("isError"); failed && failed->is_bool())
        out.is_error = failed->get_bool();
    const json::value* content = result.if_contains("content");
    if (content != nullptr && content->is_array()) {
        for (const json::value& item : content->get_array()) {
            if (!item.is_object()) continue;
            if (!out.text.empty()) out.text += '\n';
            out.text += content_text(item.get_object());
        }
    }
    if (const json::value* data = result.if_contains("structuredContent"); data && out.text.empty())
        out.text = json::serialize(*data);
    if (out.text.empty())
        out.text = out.is_error ? "the tool failed without a word" : "(no output)";
    return out;
}

}  // namespace notso::services
