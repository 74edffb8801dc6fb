// Tokenizer::from_hf_json: a Hugging Face tokenizer.json with a byte-level BPE model. Every part
// that changes ids and that we don't do exactly is refused by name; parts that only matter to other
// uses (padding, offsets) are ignored.
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <fstream>
#include <limits>
#include <unordered_map>

#include "base/log.hpp"
#include "ml/tokenizer/hf_pre_tokenizer.hpp"
#include "ml/tokenizer/vocabulary.hpp"

namespace notso::ml {
namespace {

namespace json = boost::json;
using hf::view;

constexpr std::uintmax_t kMaxFileBytes = 128 << 20;

std::unexpected<Error> corrupt(std::string_view problem) {
    return fail(ErrorCode::kCorruptData, "{}", problem);
}
std::unexpected<Error> unsupported(std::string_view what) {
    return fail(ErrorCode::kUnsupported, "{} is not supported", what);
}

/// A member that is there and not null.
const json::value* member(const json::object& object, std::string_view name) noexcept {
    const json::value* value = object.if_contains({name.data(), name.size()});
    return value != nullptr && !value->is_null() ? value : nullptr;
}

Result<std::string> read_file(const std::filesystem::path& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error) {
        const bool missing = error == std::errc::no_such_file_or_directory;
        return fail(
            missing ? ErrorCode::kNotFound : ErrorCode::kIo, "cannot read it: {}", error.message());
    }
    if (size > kMaxFileBytes) {
        return fail(
            ErrorCode::kTooLarge, "{} bytes are more than the {} allowed", size, kMaxFileBytes);
    }
    std::ifstream in(path, std::ios::binary);
    std::string text(size, '\0');
    if (!in.read(text.data(), static_cast<std::streamsize>(size))) {
        return fail(in.is_open() ? ErrorCode::kIo : ErrorCode::kPermissionDenied, "cannot read it");
    }
    return text;
}

/// Reads one tokenizer.json. Views in `source_` point into the document.
class HfReader {
  public:
    HfReader(const json::object& root, std::size_t expected) : root_(root), expected_(expected) {}

    Result<VocabularySource> read() {
        NOTSO_CHECK(check_components());
        NOTSO_CHECK(check_size());
        NOTSO_CHECK(read_model());
        NOTSO_CHECK(read_added_tokens());
        choose_bos_and_eos();
        return std::move(source_);
    }

  private:
    Result<> check_components() {
        const json::value* normalizer = member(root_, "normalizer");
        const bool empty_sequence = normalizer != nullptr &&
                                    hf::type_of(*normalizer) == "Sequence" &&
                                    is_empty_array(member(normalizer->get_object(), "normalizers"));
        if (normalizer != nullptr && !empty_sequence) {
            return unsupported("normalizer " + log::field(hf::type_of(*normalizer)));
        }
        const json::value* decoder = member(root_, "decoder");
        if (decoder != nullptr && hf::type_of(*decoder) != "ByteLevel") {
            return unsupported("decoder " + log::field(hf::type_of(*decoder)));
        }
        const json::value* pre_tokenizer = member(root_, "pre_tokenizer");
        if (pre_tokenizer == nullptr) return unsupported("a file without a pre-tokenizer");
        NOTSO_TRY(source_.pre_tokenizer, hf::read_pre_tokenizer(*pre_tokenizer));
        return {};
    }

    static bool is_empty_array(const json::value* value) {
        return value != nullptr && value->is_array() && value->get_array().empty();
    }

    /// Compares the highest id with the model before anything is laid out by id.
    Result<> check_size() {
        std::uint64_t rows = 0;
        const auto see = [&](const json::value* id) {
            if (id == nullptr) return;
            if (id->is_int64() && id->get_int64() >= 0) {
                rows = std::max(rows, static_cast<std::uint64_t>(id->get_int64()) + 1);
            }
            if (id->is_uint64()) rows = std::numeric_limits<std::uint64_t>::max();
        };
        json::error_code ignored;
        const json::value* model = member(root_, "model");
        const json::value* vocabulary =
            model != nullptr ? model->find_pointer("/vocab", ignored) : nullptr;
        if (vocabulary == nullptr || !vocabulary->is_object()) {
            return corrupt("model.vocab is not an object");
        }
        for (const auto& item : vocabulary->get_object()) see(&item.value());
        const json::value* added = member(root_, "added_tokens");
        if (added != nullptr && added->is_array()) {
            for (const json::value& entry : added->get_array()) {
                see(entry.find_pointer("/id", ignored));
            }
        }
        if (rows != expected_) {
            return fail(ErrorCode::kInvalidArgument,
                        "the vocabulary needs {} embedding rows, but the model has {}: this "
                        "tokenizer belongs to another model",
                        rows,
                        expected_);
        }
        source_.tokens.resize(expected_);
        source_.kinds.resize(expected_, TokenKind::kAbsent);
        source_.mergeable.resize(expected_, false);
        return {};
    }

    Result<> read_model() {
        const json::value* entry = member(root_, "model");
        if (entry == nullptr || !entry->is_object()) return corrupt("there is no model");
        const json::object& model = entry->get_object();
        // The oldest files have no type; their merges tell what they are.
        const bool untyped = member(model, "type") == nullptr && member(model, "merges") != nullptr;
        if (!untyped && hf::type_of(*entry) != "BPE") {
            return unsupported("model type " + log::field(hf::type_of(*entry)));
        }
        NOTSO_CHECK(check_model_options(model));
        source_.ignore_merges = hf::flag(model, "ignore_merges", false);
        NOTSO_CHECK(read_vocabulary(model));
        return read_merges(model);
    }

    static Result<> check_model_options(const json::object& model) {
        for (const std::string_view name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
            const json::value* value = member(model, name);
            if (value != nullptr && !(value->is_string() && value->get_string().empty())) {
                return unsupported(fmt::format("model option {}", name));
            }
        }
        const json::value* dropout = member(model, "dropout");
        if (dropout != nullptr && !(dropout->is_number() && dropout->to_number<double>() == 0.0)) {
            return unsupported("model option dropout");
        }
        if (hf::flag(model, "byte_fallback", false))
            return unsupported("model option byte_fallback");
        if (member(model, "unk_token") != nullptr && hf::flag(model, "fuse_unk", false)) {
            return unsupported("model option fuse_unk");
        }
        return {};
    }

    /// Puts a text at an id, which check_size() has seen.
    Result<> place(std::uint64_t id, std::string_view text, bool mergeable) {
        if (source_.kinds[id] != TokenKind::kAbsent) {
            return corrupt(fmt::format("tokens {} and {} have the same id {}",
                                       log::field(source_.tokens[id]),
                                       log::field(text),
                                       id));
        }
        source_.tokens[id] = text;
        source_.kinds[id] = TokenKind::kNormal;
        source_.mergeable[id] = mergeable;
        return {};
    }

    static Result<std::uint64_t> read_id(const json::value& value, std::string_view text) {
        if (value.is_int64() && value.get_int64() >= 0)
            return static_cast<std::uint64_t>(value.get_int64());
        if (value.is_uint64()) return value.get_uint64();
        return corrupt(fmt::format("the id of token {} is not a whole number", log::field(text)));
    }

    Result<> read_vocabulary(const json::object& model) {
        for (const auto& [key, value] : model.at("vocab").get_object()) {
            const std::string_view text(key.data(), key.size());
            NOTSO_TRY(const auto id, read_id(value, text));
            NOTSO_CHECK(place(id, text, true));
            ids_.emplace(text, static_cast<TokenId>(id));
        }
        const json::value* unknown = member(model, "unk_token");
        if (unknown != nullptr && unknown->is_string())
            source_.unknown = id_of(view(unknown->get_string()));
        return {};
    }

    Result<> read_merges(const json::object& model) {
        const json::value* merges = member(model, "merges");
        if (merges == nullptr || !merges->is_array()) return corrupt("model.merges is not a list");
        for (const json::value& merge : merges->get_array()) {
            const auto pair = merge_of(merge);
            if (!pair)
                return corrupt(
                    fmt::format("merge {} is not a pair of tokens", source_.merges.size()));
            source_.merges.push_back(*pair);
        }
        return {};
    }

    /// "left right" or ["left", "right"].
    static std::optional<std::pair<std::string_view, std::string_view>> merge_of(
        const json::value& merge) {
        if (merge.is_string()) {
            const std::string_view text = view(merge.get_string());
            const std::size_t space = text.find(' ');
            if (space == std::string_view::npos ||
                text.find(' ', space + 1) != std::string_view::npos) {
                return std::nullopt;
            }
            return std::pair(text.substr(0, space), text.substr(space + 1));
        }
        if (!merge.is_array()) return std::nullopt;
        const json::array& pair = merge.get_array();
        if (pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) return std::nullopt;
        return std::pair(view(pair[0].get_string()), view(pair[1].get_string()));
    }

    Result<> read_added_tokens() {
        const json::value* list = member(root_, "added_tokens");
        if (list == nullptr) return {};
        if (!list->is_array()) return corrupt("added_tokens is not a list");
        for (const json::value& entry : list->get_array()) {
            if (!entry.is_object()) return corrupt("an entry of added_tokens is not an object");
            NOTSO_CHECK(read_added_token(entry.get_object()));
        }
        return {};
    }

    Result<> read_added_token(const json::object& entry) {
        const json::value* content = member(entry, "content");
        const json::value* id_value = member(entry, "id");
        if (content == nullptr || !content->is_string() || id_value == nullptr) {
            return corrupt("an entry of added_tokens lacks its content or its id");
        }
        const std::string_view text = view(content->get_string());
        for (const std::string_view name : {"single_word", "lstrip", "rstrip"}) {
            if (hf::flag(entry, name, false)) {
                return unsupported(
                    fmt::format("option {} of added token {}", name, log::field(text)));
            }
        }
        NOTSO_TRY(const auto id, read_id(*id_value, text));
        if (const auto known = id_of(text)) {
            if (to_index(*known) != id) {
                return corrupt(fmt::format(
                    "added token {} has the ids {} and {}", log::field(text), to_int(*known), id));
            }
        } else {
            NOTSO_CHECK(place(id, text, false));
            ids_.emplace(text, static_cast<TokenId>(id));
        }
        const bool control = hf::flag(entry, "special", false);
        source_.kinds[id] = control ? TokenKind::kControl : TokenKind::kUserDefined;
        source_.specials.push_back({.text = text,
                                    .id = static_cast<TokenId>(id),
                                    .second_pass = hf::flag(entry, "normalized", !control)});
        return {};
    }

    std::optional<TokenId> id_of(std::string_view text) const {
        const auto found = ids_.find(text);
        if (found == ids_.end()) return std::nullopt;
        return found->second;
    }

    /// The file has no such roles: a post-processor that puts one token in front names BOS, EOS
    /// goes by its name.
    void choose_bos_and_eos() {
        if (const auto bos = first_of_template()) {
            source_.bos = bos;
            source_.adds_bos = true;
        }
        constexpr std::array<std::string_view, 5> kEosNames = {
            "<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "<|endoftext|>", "</s>"};
        for (const std::string_view name : kEosNames) {
            source_.eos = id_of(name);
            if (source_.eos) return;
        }
    }

    /// The special token that begins the "single" template of a TemplateProcessing, also inside a
    /// Sequence.
    std::optional<TokenId> first_of_template() const {
        const json::value* processor = member(root_, "post_processor");
        if (processor == nullptr || !processor->is_object()) return std::nullopt;
        if (const json::value* list = member(processor->get_object(), "processors")) {
            if (!list->is_array()) return std::nullopt;
            processor = nullptr;
            for (const json::value& step : list->get_array()) {
                if (hf::type_of(step) == "TemplateProcessing") processor = &step;
            }
        }
        if (processor == nullptr || hf::type_of(*processor) != "TemplateProcessing")
            return std::nullopt;
        const json::value* single = processor->get_object().if_contains("single");
        if (single == nullptr || !single->is_array() || single->get_array().empty())
            return std::nullopt;
        json::error_code error;
        const json::value* name =
            single->get_array().front().find_pointer("/SpecialToken/id", error);
        if (name == nullptr || !name->is_string()) return std::nullopt;
        return id_of(view(name->get_string()));
    }

    const json::object& root_;
    const std::size_t expected_;
    std::unordered_map<std::string_view, TokenId> ids_;
    VocabularySource source_;
};

Result<std::shared_ptr<const Tokenizer>> load(const std::filesystem::path& path,
                                              std::size_t expected) {
    NOTSO_TRY(const std::string text, read_file(path));
    json::monotonic_resource memory;
    json::error_code error;
    json::stream_parser parser(&memory);
    const std::size_t parsed = parser.write(text.data(), text.size(), error);
    if (!error) parser.finish(error);
    if (error) {
        return corrupt(fmt::format("not valid JSON near byte {}: {}", parsed, error.message()));
    }
    const json::value document = parser.release();
    if (!document.is_object()) return corrupt("not a JSON object");
    NOTSO_TRY(const auto source, HfReader(document.get_object(), expected).read());
    return make_bpe_tokenizer(source);
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> Tokenizer::from_hf_json(const std::filesystem::path& path,
                                                                 std::size_t expected_vocab) {
    auto tokenizer = load(path, expected_vocab);
    if (tokenizer) return tokenizer;
    return fail(tokenizer.error().code, "{}: {}", path.string(), tokenizer.error().detail);
}

}  // namespace notso::ml
