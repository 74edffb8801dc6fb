// notso render: the prompt that a chat template makes, byte for byte. The template and its markers
// come from a model or from a file; the variables from messages and tools, or all of them from one
// request file.
#include <boost/json.hpp>
#include <iostream>

#include "app/commands/command.hpp"
#include "app/files.hpp"
#include "app/model_files.hpp"
#include "services/template/template.hpp"

namespace notso::app {
namespace {

namespace json = boost::json;
namespace jinja = services::jinja;

struct Options {
    std::optional<std::string> template_file;
    std::optional<std::string> messages_file;
    std::optional<std::string> tools_file;
    std::optional<std::string> request_file;
    std::optional<std::string> now;
    bool think = false;
    bool no_think = false;
    bool no_generation_prompt = false;
};

struct Source {
    std::string text;
    std::string bos = "<s>";
    std::string eos = "</s>";
};

std::string token_text(const ml::Tokenizer& tokenizer, std::optional<ml::TokenId> id) {
    return id ? std::string(tokenizer.token_bytes(*id)) : std::string();
}

Result<Source> template_of_model(const Settings& settings) {
    NOTSO_TRY(const ModelFiles files, open_model_files(settings));
    NOTSO_TRY(const auto text, files.file->get_string("tokenizer.chat_template"));
    if (!text)
        return fail(ErrorCode::kNotFound,
                    "{} has no chat template (tokenizer.chat_template); give one with --template",
                    files.file->path().string());
    return Source{std::string(*text),
                  token_text(*files.tokenizer, files.tokenizer->bos()),
                  token_text(*files.tokenizer, files.tokenizer->eos())};
}

Result<json::value> read_json(const std::string& path) {
    NOTSO_TRY(const std::string text, read_input(path));
    boost::system::error_code error;
    json::value value = json::parse(text, error, {}, {.max_depth = 64});
    if (error) return fail(ErrorCode::kInvalidArgument, "{}: not JSON: {}", path, error.message());
    return value;
}

Result<json::array> read_array(const std::string& path) {
    NOTSO_TRY(json::value value, read_json(path));
    if (!value.is_array()) return fail(ErrorCode::kInvalidArgument, "{}: not a JSON array", path);
    return std::move(value.get_array());
}

Result<json::object> variables_of_request(const std::string& path) {
    NOTSO_TRY(json::value value, read_json(path));
    if (!value.is_object())
        return fail(ErrorCode::kInvalidArgument, "{}: not a JSON object of variables", path);
    return std::move(value.get_object());
}

Result<json::object> variables_of_messages(const Options& options) {
    json::object variables;
    NOTSO_TRY(variables["messages"], read_array(*options.messages_file));
    if (options.tools_file) {
        NOTSO_TRY(variables["tools"], read_array(*options.tools_file));
    }
    // Without a flag the template's own default decides, as for everyone who renders it.
    if (options.think || options.no_think) variables["enable_thinking"] = options.think;
    variables["add_generation_prompt"] = !options.no_generation_prompt;
    return variables;
}

/// Adds what callers of chat templates always set.
void add_defaults(json::object& variables, const Source& source) {
    if (!variables.contains("bos_token")) variables["bos_token"] = source.bos;
    if (!variables.contains("eos_token")) variables["eos_token"] = source.eos;
    if (!variables.contains("add_generation_prompt")) variables["add_generation_prompt"] = true;
    if (!variables.contains("tools")) variables["tools"] = nullptr;
}

Result<int> run(const Settings& settings, const Options& options) {
    if (options.messages_file.has_value() == options.request_file.has_value())
        return usage_error("render takes either --messages FILE or --request FILE");
    if (options.request_file &&
        (options.tools_file || options.think || options.no_think || options.no_generation_prompt))
        return usage_error("--request holds all variables; the other options belong to --messages");
    Source source;
    if (options.template_file) {
        NOTSO_TRY(source.text, read_input(*options.template_file));
    } else {
        NOTSO_TRY(source, template_of_model(settings));
    }
    jinja::RenderInput input;
    input.now = options.now;
    NOTSO_TRY(input.variables,
              options.request_file ? variables_of_request(*options.request_file)
                                   : variables_of_messages(options));
    add_defaults(input.variables, source);
    NOTSO_TRY(const auto parsed, jinja::Template::parse(source.text));
    NOTSO_TRY(const std::string prompt, parsed->render(input));
    std::cout << prompt;
    return kExitOk;
}

}  // namespace

CommandBody declare_render(OptionList& options) {
    auto values = std::make_shared<Options>();
    options.text("--template", values->template_file, "template file; default: the model's own");
    options.text("--messages", values->messages_file, "JSON array of messages; - is stdin");
    options.text("--tools", values->tools_file, "JSON array of tools");
    options.text("--request", values->request_file, "JSON object with all variables; - is stdin");
    options.text("--now", values->now, "the template's clock, e.g. 2025-07-08T12:00:00");
    options.flag("--think", values->think, "enable_thinking = true");
    options.flag("--no-think", values->no_think, "enable_thinking = false");
    options.exclude("--no-think", "--think");
    options.flag(
        "--no-generation-prompt", values->no_generation_prompt, "end after the last message");
    return [values](const Settings& settings) { return run(settings, *values); };
}

}  // namespace notso::app
