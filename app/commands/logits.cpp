// notso logits: the model's raw output for given tokens, as float32 rows in a file. For comparing
// the engine with oracles; it runs the same forward pass as `serve`.
#include <charconv>
#include <cstring>

#include "app/commands/command.hpp"
#include "app/files.hpp"
#include "app/model_choice.hpp"
#include "app/row_file.hpp"
#include "ml/model/model.hpp"
#include "ml/runtime/engine.hpp"
#include "ml/runtime/kv_cache.hpp"

namespace notso::app {
namespace {

struct Options {
    std::string tokens;
    std::string out;
    std::int64_t last = 0;  // 0 = all rows
    bool step = false;
};

/// Ids below the model's vocabulary are forward()'s to check: no model is loaded yet.
Result<std::vector<ml::TokenId>> parse_tokens(std::string_view text) {
    std::vector<ml::TokenId> tokens;
    const char* at = text.data();
    const char* const end = at + text.size();
    const auto skip_space = [&] {
        while (at != end && std::strchr(" \t\r\n", *at) != nullptr) ++at;
    };
    while (true) {
        skip_space();
        std::int32_t id = 0;
        const auto [next, error] = std::from_chars(at, end, id);
        if (error != std::errc{} || id < 0)
            return fail(ErrorCode::kInvalidArgument,
                        "--tokens: entry {} is no token id; ids are whole numbers from 0 on",
                        tokens.size() + 1);
        tokens.push_back(static_cast<ml::TokenId>(id));
        at = next;
        skip_space();
        if (at == end) return tokens;
        if (*at++ != ',')
            return fail(
                ErrorCode::kInvalidArgument, "--tokens: no comma after entry {}", tokens.size());
    }
}

/// Runs the tokens in chunks of `chunk` and writes the rows from `first_row` on.
Result<> write_logits(const ml::Model& model,
                      const Settings& settings,
                      std::span<const ml::TokenId> tokens,
                      const Options& options) {
    const auto n_tokens = tokens.size();
    const std::size_t last =
        options.last == 0 ? n_tokens
                          : std::min<std::size_t>(n_tokens, static_cast<std::size_t>(options.last));
    const std::size_t first_row = n_tokens - last;
    const std::size_t chunk =
        options.step ? 1 : static_cast<std::size_t>(ml::EngineOptions{}.prefill_chunk);
    const auto n_vocab = static_cast<std::size_t>(model.config().n_vocab);
    NOTSO_TRY(const auto cache,
              ml::KvCache::create(
                  model.config(), static_cast<std::int32_t>(n_tokens), model.memory().kv_type));
    NOTSO_TRY(RowFile file, RowFile::create(options.out));
    std::vector<float> rows;
    for (std::size_t start = 0; start < n_tokens; start += chunk) {
        const std::size_t count = std::min(chunk, n_tokens - start);
        const std::size_t wanted =
            std::min(count, start + count > first_row ? start + count - first_row : 0);
        rows.resize(wanted * n_vocab);
        NOTSO_CHECK(model.forward(tokens.subspan(start, count), *cache, rows, settings.precision));
        NOTSO_CHECK(file.write(rows));
    }
    return {};
}

Result<int> run(const Settings& settings, const Options& options) {
    NOTSO_TRY(const std::filesystem::path path, choose_model(settings));
    std::string text = options.tokens;
    if (text.starts_with('@')) {
        NOTSO_TRY(text, read_input(text.substr(1)));
    }
    NOTSO_TRY(const std::vector<ml::TokenId> tokens, parse_tokens(text));
    ml::LoadOptions load;
    load.n_threads = settings.threads;
    load.context_length = static_cast<std::int32_t>(tokens.size());
    load.kv_type = settings.kv;
    NOTSO_TRY(const auto model, ml::Model::load(path, load));
    NOTSO_CHECK(write_logits(*model, settings, tokens, options));
    return kExitOk;
}

}  // namespace

CommandBody declare_logits(OptionList& options) {
    auto values = std::make_shared<Options>();
    options.required_text(
        "--tokens", values->tokens, "token ids, comma separated, or @FILE with such a list");
    options.required_text(
        "--out", values->out, "file for the rows: little-endian float32, [rows, n_vocab]");
    options.number("--last", values->last, 1, std::int64_t{1} << 31, "only the last N rows");
    options.flag("--step", values->step, "one token at a time, as in decode");
    return [values](const Settings& settings) { return run(settings, *values); };
}

}  // namespace notso::app
