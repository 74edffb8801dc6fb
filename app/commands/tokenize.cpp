// notso tokenize and notso detokenize: one JSON value per input line, one per output line, as they
// come.
#include <boost/json.hpp>
#include <iostream>

#include "app/commands/command.hpp"
#include "app/model_files.hpp"
#include "base/utf8.hpp"

namespace notso::app {
namespace {

namespace json = boost::json;

struct Options {
    bool special = false;
};

/// Strings of any length; nesting never helps here.
constexpr json::parse_options kParse{.max_depth = 4};

Result<json::value> parse_line(const std::string& line, std::int64_t number) {
    boost::system::error_code error;
    json::value value = json::parse(line, error, {}, kParse);
    if (error)
        return fail(
            ErrorCode::kInvalidArgument, "stdin line {}: not JSON: {}", number, error.message());
    return value;
}

/// [1,2,3] without the cost of a JSON tree.
void append_ids(std::string& out, const std::vector<ml::TokenId>& ids) {
    out += '[';
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (i > 0) out += ',';
        out += std::to_string(ml::to_int(ids[i]));
    }
    out += "]\n";
}

Result<std::string> tokenize_line(const json::value& value,
                                  const ml::Tokenizer& tokenizer,
                                  const Options& options) {
    if (!value.is_string()) return fail(ErrorCode::kInvalidArgument, "not a JSON string");
    ml::EncodeOptions encode;
    encode.special = options.special ? ml::SpecialTokens::kParse : ml::SpecialTokens::kAsText;
    const json::string& text = value.get_string();
    std::string out;
    append_ids(out, tokenizer.encode({text.data(), text.size()}, encode));
    return out;
}

Result<std::string> detokenize_line(const json::value& value,
                                    const ml::Tokenizer& tokenizer,
                                    const Options& options) {
    const json::array* numbers = value.if_array();
    if (numbers == nullptr)
        return fail(ErrorCode::kInvalidArgument, "not a JSON array of token ids");
    std::vector<ml::TokenId> ids;
    ids.reserve(numbers->size());
    for (const json::value& number : *numbers) {
        const std::int64_t* id = number.if_int64();
        if (id == nullptr || *id < 0 || *id >= static_cast<std::int64_t>(tokenizer.vocab_size()))
            return fail(ErrorCode::kInvalidArgument,
                        "{} is no token id; ids are whole numbers from 0 to {}",
                        json::serialize(number),
                        tokenizer.vocab_size() - 1);
        ids.push_back(static_cast<ml::TokenId>(*id));
    }
    return json::serialize(json::value(repair_utf8(tokenizer.decode(ids, options.special)))) + '\n';
}

using LineFunction = Result<std::string> (*)(const json::value&,
                                             const ml::Tokenizer&,
                                             const Options&);

Result<int> run(const Settings& settings, const Options& options, LineFunction convert) {
    NOTSO_TRY(const ModelFiles files, open_model_files(settings));
    std::ios::sync_with_stdio(false);
    std::string line;
    for (std::int64_t number = 1; std::getline(std::cin, line); ++number) {
        NOTSO_TRY(const json::value value, parse_line(line, number));
        const auto out = convert(value, *files.tokenizer, options);
        if (!out) return fail(out.error().code, "stdin line {}: {}", number, out.error().detail);
        std::cout << *out << std::flush;
        if (!std::cout) break;
    }
    return kExitOk;
}

CommandBody declare(OptionList& options, const char* special_help, LineFunction convert) {
    auto values = std::make_shared<Options>();
    options.flag("--special", values->special, special_help);
    return [values, convert](const Settings& settings) { return run(settings, *values, convert); };
}

}  // namespace

CommandBody declare_tokenize(OptionList& options) {
    return declare(options, "texts such as <|im_start|> become control tokens", tokenize_line);
}

CommandBody declare_detokenize(OptionList& options) {
    return declare(
        options, "control tokens are written out; without it they are left out", detokenize_line);
}

}  // namespace notso::app
