#include "ml/tokenizer/hf_pre_tokenizer.hpp"

#include <array>
#include <boost/json.hpp>

#include "base/log.hpp"

namespace notso::ml::hf {
namespace {

namespace json = boost::json;

// A pre-tokenizer is written down as one letter per step, so that equal chains have equal names
// however they are nested: D = digits one by one, B = bytes to characters, and one letter per
// regular expression.
struct Pattern {
    std::string_view regex;
    char step;
};
constexpr std::array kPatterns = {
    Pattern{R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", 'G'},
    Pattern{
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
        'L'},
    Pattern{
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
        'Q'},
};

struct Chain {
    std::string_view steps;
    PreTokenizer kind;
};
constexpr std::array kChains = {
    Chain{"GB", PreTokenizer::kGpt2},
    Chain{"DGB", PreTokenizer::kSmollm},
    Chain{"LB", PreTokenizer::kLlama3},
    Chain{"QB", PreTokenizer::kQwen2},
};

std::unexpected<Error> unsupported(std::string_view step, std::string_view why) {
    return fail(ErrorCode::kUnsupported, "pre-tokenizer {}: {}", log::field(step), why);
}

Result<std::string> split_step(const json::object& step) {
    const json::value* pattern = step.if_contains("pattern");
    const json::value* regex = pattern != nullptr && pattern->is_object()
                                   ? pattern->get_object().if_contains("Regex")
                                   : nullptr;
    if (regex == nullptr || !regex->is_string())
        return unsupported("Split", "only a Regex pattern is supported");
    const json::value* behavior = step.if_contains("behavior");
    const bool isolated =
        behavior != nullptr && behavior->is_string() && view(behavior->get_string()) == "Isolated";
    if (!isolated || flag(step, "invert", false)) {
        return unsupported("Split", "only the behavior Isolated, not inverted, is supported");
    }
    for (const Pattern& known : kPatterns) {
        if (known.regex == view(regex->get_string())) return std::string(1, known.step);
    }
    return unsupported("Split",
                       "unknown regular expression " + log::field(view(regex->get_string())));
}

Result<std::string> byte_level_step(const json::object& step) {
    if (flag(step, "add_prefix_space", true))
        return unsupported("ByteLevel", "add_prefix_space is not supported");
    return std::string(flag(step, "use_regex", true) ? "GB" : "B");
}

/// The steps of an entry; sequences may nest, as deep as the JSON parser lets them.
Result<std::string> steps_of(const json::value& entry) {
    const std::string_view type = type_of(entry);
    if (type == "Split") return split_step(entry.get_object());
    if (type == "ByteLevel") return byte_level_step(entry.get_object());
    if (type == "Digits") {
        if (flag(entry.get_object(), "individual_digits", false)) return std::string("D");
        return unsupported("Digits", "only individual_digits is supported");
    }
    if (type != "Sequence") {
        return unsupported(type, "not supported; ByteLevel, Digits, Split and Sequence are");
    }
    const json::value* list = entry.get_object().if_contains("pretokenizers");
    if (list == nullptr || !list->is_array()) {
        return unsupported("Sequence", "has no list of steps");
    }
    std::string steps;
    for (const json::value& step : list->get_array()) {
        NOTSO_TRY(const std::string next, steps_of(step));
        steps += next;
    }
    return steps;
}

}  // namespace

std::string_view type_of(const json::value& component) noexcept {
    const json::object* object = component.if_object();
    const json::value* type = object != nullptr ? object->if_contains("type") : nullptr;
    if (type == nullptr || !type->is_string()) return "(no type)";
    return view(type->get_string());
}

bool flag(const json::object& object, std::string_view name, bool fallback) noexcept {
    const json::value* value = object.if_contains({name.data(), name.size()});
    return value != nullptr && value->is_bool() ? value->get_bool() : fallback;
}

Result<PreTokenizer> read_pre_tokenizer(const json::value& entry) {
    NOTSO_TRY(const std::string steps, steps_of(entry));
    for (const Chain& chain : kChains) {
        if (chain.steps == steps) return chain.kind;
    }
    return unsupported(type_of(entry), "these steps are not supported together");
}

}  // namespace notso::ml::hf
