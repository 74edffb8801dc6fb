#include "services/tools/built_in.hpp"

#include "base/assert.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

class BuiltIn final : public Tool {
  public:
    BuiltIn(ToolInfo info, ToolBody body) : info_(std::move(info)), body_(std::move(body)) {}

    const ToolInfo& info() const override { return info_; }

    Result<ToolOutput> run(const json::object& arguments,
                           const ToolContext& context) const override {
        NOTSO_TRY(std::string text, body_(arguments, context));
        return ToolOutput{.text = std::move(text)};
    }

  private:
    const ToolInfo info_;
    const ToolBody body_;
};

}  // namespace

ToolPtr make_built_in(ToolInfo info, std::string_view schema, ToolBody body) {
    boost::system::error_code error;
    json::value parsed = json::parse(schema, error);
    NOTSO_ASSERT(!error && parsed.is_object(), "the schema of a built-in tool is a JSON object");
    info.parameters = std::move(parsed.get_object());
    info.parameters["type"] = "object";
    info.parameters["additionalProperties"] = false;
    return std::make_shared<BuiltIn>(std::move(info), std::move(body));
}

std::string text_argument(const json::object& arguments,
                          std::string_view name,
                          std::string_view otherwise) {
    const json::value* value = arguments.if_contains(name);
    const json::string* text = value == nullptr ? nullptr : value->if_string();
    return std::string(text == nullptr ? otherwise : std::string_view(*text));
}

std::int64_t whole_argument(const json::object& arguments,
                            std::string_view name,
                            std::int64_t otherwise) {
    const json::value* value = arguments.if_contains(name);
    const std::int64_t* number = value == nullptr ? nullptr : value->if_int64();
    return number == nullptr ? otherwise : *number;
}

}  // namespace notso::services
