// From messages to tokens: guard, render (placing system texts until the template takes them),
// unguard, encode.
#include "services/prompt/prompt_builder.hpp"

#include <utility>

#include "base/utf8.hpp"
#include "services/prompt/control_guard.hpp"
#include "services/prompt/message_guard.hpp"
#include "services/prompt/messages.hpp"
#include "services/prompt/render_request.hpp"
#include "services/prompt/template_traits.hpp"
#include "services/prompt/thinking_flags.hpp"
#include "services/prompt/tool_texts.hpp"

namespace notso::services {
namespace {

constexpr std::string_view kProbeMarker = "\uA000";

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = std::min(text.find_first_not_of(kWhiteSpace), text.size());
    const std::size_t end = text.find_last_not_of(kWhiteSpace);
    return end == std::string_view::npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

void collect_strings(const boost::json::value& value, std::vector<std::string_view>& out) {
    if (const auto* text = value.if_string()) out.emplace_back(*text);
    if (const auto* array = value.if_array()) {
        for (const auto& item : *array) collect_strings(item, out);
    }
    if (const auto* object = value.if_object()) {
        for (const auto& [key, item] : *object) {
            out.emplace_back(key);
            collect_strings(item, out);
        }
    }
}

/// What a model wrote last in an answer with calls; empty where it is not kept as it was written.
std::string last_arguments(const ChatMessage& answer) {
    if (answer.tool_calls.empty() || !answer.tool_calls.back().is_object()) return {};
    const boost::json::value* function =
        answer.tool_calls.back().get_object().if_contains("function");
    if (function == nullptr || !function->is_object()) return {};
    const boost::json::value* arguments = function->get_object().if_contains("arguments");
    return arguments != nullptr && arguments->is_string() ? std::string(arguments->get_string())
                                                          : "";
}

/// A rendering under way: what was written by others has the marker in it.
struct Draft {
    std::vector<ChatMessage> messages;
    jinja::RenderInput input;
};

class JinjaPromptBuilder final : public PromptBuilder {
  public:
    JinjaPromptBuilder(std::string_view source,
                       std::shared_ptr<const jinja::Template> parsed,
                       const ml::Tokenizer& tokenizer)
        : source_(source), template_(std::move(parsed)), tokenizer_(tokenizer), guard_(tokenizer) {
        has_switch_ = switch_changes_something();
        traits_ = probe_template(*template_, variables({}, kProbeMarker));
    }

    Result<Prompt> build(const ChatRequest& request) const override;
    bool template_has_thinking_switch() const override { return has_switch_; }
    bool template_knows_tools() const override { return !traits_.tool_variables.empty(); }

  private:
    Result<std::string> marker_for(const ChatRequest& request) const;
    boost::json::object variables(const ChatRequest& request, std::string_view marker) const;
    Result<std::string> render(const ChatRequest& request, std::string_view marker) const;
    Result<std::string> render_with_tools(const ChatRequest& request,
                                          std::string_view marker,
                                          Draft draft) const;
    Result<std::string> render_placed(Draft& draft) const;
    Result<> add_tools_section(const ChatRequest& request,
                               std::string_view marker,
                               Draft& draft) const;
    bool shows_late_system(const std::vector<ChatMessage>& messages,
                           std::string_view rendered) const;
    Prompt encode(UnmarkedText text) const;
    std::int32_t count_exact(const Prompt& prompt, const std::vector<ChatMessage>& messages) const;
    void add_bos(std::vector<ml::TokenId>& tokens) const;
    std::string token_text(std::optional<ml::TokenId> id) const;
    bool switch_changes_something() const;
    bool takes_tools_as_code() const {
        return traits_.tool_variables.size() == 1 && traits_.reads("python_tools");
    }

    std::string source_;
    std::shared_ptr<const jinja::Template> template_;
    const ml::Tokenizer& tokenizer_;
    ControlGuard guard_;
    bool has_switch_ = false;
    TemplateTraits traits_;
};

Result<Prompt> JinjaPromptBuilder::build(const ChatRequest& request) const {
    if (request.raw_prompt) {
        Prompt prompt{.text = *request.raw_prompt,
                      .tokens = tokenizer_.encode(*request.raw_prompt)};
        add_bos(prompt.tokens);
        return prompt;
    }
    NOTSO_CHECK(check_roles(request.messages));
    NOTSO_TRY(const std::string marker, marker_for(request));
    NOTSO_TRY(const std::string rendered, render(request, marker));
    Prompt prompt = encode(ControlGuard::unmark(rendered, marker));
    prompt.n_exact = count_exact(prompt, request.messages);
    prompt.tools = offered_tools(request, takes_tools_as_code());
    return prompt;
}

Result<std::string> JinjaPromptBuilder::marker_for(const ChatRequest& request) const {
    std::vector<std::string_view> texts = {source_};
    // Arguments spell a text of their own: escapes in them become characters.
    std::vector<boost::json::value> calls;  // views of their strings are taken
    for (const ChatMessage& message : request.messages) {
        texts.emplace_back(message.content);
        if (message.name) texts.emplace_back(*message.name);
        if (message.tool_call_id) texts.emplace_back(*message.tool_call_id);
        for (const auto& call : message.tool_calls) collect_strings(call, texts);
        calls.emplace_back(with_parsed_arguments(message.tool_calls));
    }
    for (const auto& list : calls) collect_strings(list, texts);
    for (const auto& tool : request.tools) collect_strings(tool, texts);
    for (const auto& [name, value] : request.template_variables) collect_strings(value, texts);
    return ControlGuard::choose_marker(texts);
}

boost::json::object JinjaPromptBuilder::variables(const ChatRequest& request,
                                                  std::string_view marker) const {
    boost::json::object values = {{"tools", nullptr},
                                  {"enable_thinking", request.thinking},
                                  {"add_generation_prompt", true},
                                  {"bos_token", token_text(tokenizer_.bos())},
                                  {"eos_token", token_text(tokenizer_.eos())}};
    for (const auto& [name, value] : request.template_variables)
        values[name] = guard_.mark_json(value, marker);
    return values;
}

/// Some templates refuse certain calls or results (ids of another length, two calls at once): then
/// these are written into the texts.
Result<std::string> JinjaPromptBuilder::render(const ChatRequest& request,
                                               std::string_view marker) const {
    const MessageGuard messages(guard_, marker, request.thinking_overrides_system);
    const jinja::RenderInput input{.variables = variables(request, marker), .now = request.date};
    Result<std::string> rendered = render_with_tools(
        request, marker, {messages.guarded(request.messages, history_form_of(traits_)), input});
    if (rendered || !has_tool_history(request.messages)) return rendered;
    auto plain = render_with_tools(
        request, marker, {messages.guarded(request.messages, kPlainHistory), input});
    return plain ? plain : rendered;
}

/// Under the names that the template reads; where that changes nothing, in the system text.
Result<std::string> JinjaPromptBuilder::render_with_tools(const ChatRequest& request,
                                                          std::string_view marker,
                                                          Draft draft) const {
    const bool by_caller = request.template_variables.contains("python_tools") ||
                           request.template_variables.contains("xml_tools");
    if (request.tools.empty() && !by_caller) {
        auto rendered = render_placed(draft);
        if (rendered) return rendered;
        draft.input.variables["tools"] = boost::json::array();  // some loop over it in any case
        auto again = render_placed(draft);
        return again ? again : rendered;
    }
    Draft with = draft;
    for (const std::string_view name : {"tools", "xml_tools", "python_tools"})
        draft.input.variables.erase(name);
    draft.input.variables["tools"] = nullptr;
    if (!request.tools.empty() && !traits_.tool_variables.empty()) {
        with.input.variables[traits_.tool_variables.front()] =
            guard_.mark_json(boost::json::value(request.tools), marker);
    }
    auto shown = render_placed(with);
    const auto bare = render_placed(draft);
    if (shown && (!bare || *shown != *bare)) return shown;
    NOTSO_CHECK(add_tools_section(request, marker, draft));
    auto told = render_placed(draft);
    return told || shown ? told : shown;
}

Result<> JinjaPromptBuilder::add_tools_section(const ChatRequest& request,
                                               std::string_view marker,
                                               Draft& draft) const {
    const auto list = [&](std::string_view name) {
        const auto found = request.template_variables.find(name);
        return found != request.template_variables.end() && found->value().is_array()
                   ? found->value().get_array()
                   : boost::json::array();
    };
    const boost::json::array& tools = request.tools.empty() ? list("xml_tools") : request.tools;
    const auto marked = [&](const boost::json::array& array) {
        return guard_.mark_json(boost::json::value(array), marker).as_array();
    };
    NOTSO_TRY(const std::string section,
              tools_section(marked(tools), marked(list("python_tools"))));
    const auto is_system = [](const ChatMessage& message) { return message.role == "system"; };
    auto system = std::ranges::find_if(draft.messages, is_system);
    if (system == draft.messages.end()) {
        const std::string own = default_system_text(*template_, draft.input);
        draft.messages.insert(draft.messages.begin(),
                              {.role = "system", .content = hide_thinking_flags(own, marker)});
        system = draft.messages.begin();
    }
    if (!system->content.empty()) system->content += "\n\n";
    system->content += hide_thinking_flags(section, marker);
    return {};
}

/// Renders; when the template refuses or drops a system text, it is put elsewhere and rendered
/// again.
Result<std::string> JinjaPromptBuilder::render_placed(Draft& draft) const {
    const std::vector<ChatMessage>& messages = draft.messages;
    Result<std::string> first = fail(ErrorCode::kInternal, "nothing was rendered");
    for (const auto placement : {SystemPlacement::kAsGiven,
                                 SystemPlacement::kMergedFirst,
                                 SystemPlacement::kInFirstUser}) {
        boost::json::array list;
        for (const ChatMessage& message : place_system(messages, placement)) {
            list.push_back(to_template_message(message));
        }
        draft.input.variables["messages"] = std::move(list);
        Result<std::string> rendered = template_->render(draft.input);
        const bool complete = rendered && (placement != SystemPlacement::kAsGiven ||
                                           shows_late_system(messages, *rendered));
        if (complete || !has_system(messages)) return rendered;
        if (placement == SystemPlacement::kAsGiven) first = std::move(rendered);
    }
    return first;
}

/// Templates that only look at the first message drop later system texts silently, others keep only
/// the last one. With a single text at the front there is nothing to check (and templates may take
/// flags out of it).
bool JinjaPromptBuilder::shows_late_system(const std::vector<ChatMessage>& messages,
                                           std::string_view rendered) const {
    const auto is_system = [](const ChatMessage& message) { return message.role == "system"; };
    if (messages.size() < 2 || std::none_of(messages.begin() + 1, messages.end(), is_system))
        return true;
    return std::ranges::all_of(messages, [&](const ChatMessage& message) {
        return !is_system(message) ||
               rendered.find(trimmed(message.content)) != std::string_view::npos;
    });
}

Prompt JinjaPromptBuilder::encode(UnmarkedText text) const {
    Prompt prompt;
    prompt.tokens = tokenizer_.encode(text.text, {ml::SpecialTokens::kParse, text.literal_offsets});
    add_bos(prompt.tokens);
    const std::string_view body =
        std::string_view(text.text).substr(0, text.text.find_last_not_of(kWhiteSpace) + 1);
    prompt.thinking_open =
        body.ends_with(kThinkTag) &&
        !std::ranges::binary_search(text.literal_offsets, body.size() - kThinkTag.size());
    prompt.text = std::move(text.text);
    return prompt;
}

/// Up to the last place where the last answer stands, or everything where it cannot be found.
std::int32_t JinjaPromptBuilder::count_exact(const Prompt& prompt,
                                             const std::vector<ChatMessage>& messages) const {
    const auto answer = std::ranges::find(
        messages.rbegin(), messages.rend(), std::string_view("assistant"), &ChatMessage::role);
    if (answer == messages.rend()) return 0;
    const auto all = static_cast<std::int32_t>(prompt.tokens.size());
    const std::string arguments = last_arguments(*answer);
    std::string_view shown = answer->tool_calls.empty() ? answer->content : arguments;
    const std::size_t thought_end = shown.rfind(kThinkEndTag);
    if (thought_end != std::string_view::npos)
        shown.remove_prefix(thought_end + kThinkEndTag.size());
    shown = trimmed(shown);
    const std::size_t found = prompt.text.rfind(shown);
    if (shown.empty() || found == std::string::npos) return all;
    // From the end: a BOS in front is not part of the text.
    std::size_t new_bytes = prompt.text.size() - found - shown.size();
    std::int32_t n = all;
    while (n > 0) {
        const auto token = prompt.tokens[static_cast<std::size_t>(n) - 1];
        const std::size_t size = tokenizer_.token_bytes(token).size();
        if (size > new_bytes) break;
        new_bytes -= size;
        --n;
    }
    return n;
}

void JinjaPromptBuilder::add_bos(std::vector<ml::TokenId>& tokens) const {
    const std::optional<ml::TokenId> bos = tokenizer_.bos();
    if (!bos) return;
    const bool wanted = tokenizer_.adds_bos() && (tokens.empty() || tokens.front() != *bos);
    if (wanted || tokens.empty()) tokens.insert(tokens.begin(), *bos);
}

std::string JinjaPromptBuilder::token_text(std::optional<ml::TokenId> id) const {
    return id ? std::string(tokenizer_.token_bytes(*id)) : std::string();
}

bool JinjaPromptBuilder::switch_changes_something() const {
    ChatRequest probe;
    probe.date = "2025-01-01T00:00:00";
    probe.messages = {{.role = "user", .content = "a"},
                      {.role = "assistant", .content = "b"},
                      {.role = "user", .content = "c"}};
    const Result<std::string> off = render(probe, kProbeMarker);
    probe.thinking = true;
    const Result<std::string> on = render(probe, kProbeMarker);
    return off && on && *off != *on;
}

}  // namespace

Result<std::unique_ptr<const PromptBuilder>> PromptBuilder::create(std::string_view source,
                                                                   const ml::Tokenizer& tokenizer) {
    const std::string_view chosen = source.empty() ? chatml_template() : source;
    if (!is_valid_utf8(chosen))
        return fail(ErrorCode::kCorruptData, "tokenizer.chat_template: not valid UTF-8");
    auto parsed = jinja::Template::parse(chosen);
    if (!parsed) {
        return fail(parsed.error().code, "tokenizer.chat_template: {}", parsed.error().detail);
    }
    return std::make_unique<const JinjaPromptBuilder>(chosen, *std::move(parsed), tokenizer);
}

}  // namespace notso::services
