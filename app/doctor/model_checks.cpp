// The model's self-test. Everything goes through Model::forward, as the engine's own steps do.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "app/doctor/check.hpp"
#include "app/doctor/machine_checks.hpp"
#include "app/doctor/passage.hpp"
#include "app/model_choice.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"
#include "ml/device/device_manager.hpp"
#include "ml/gguf/file.hpp"
#include "ml/model/model.hpp"
#include "ml/model/work.hpp"
#include "ml/runtime/kv_cache.hpp"
#include "ml/runtime/machine_probe.hpp"
#include "ml/runtime/perplexity.hpp"
#include "services/prompt/prompt_builder.hpp"

namespace notso::app::doctor {
namespace {

using ml::TokenId;

constexpr std::size_t kIdentityTokens = 40;
constexpr std::int32_t kAnswerTokens = 40;
constexpr std::int32_t kSpeedTokens = 64;
constexpr auto kSpeedTime = std::chrono::seconds(3);
constexpr auto kProbeTime = std::chrono::milliseconds(600);
constexpr std::uint64_t kProbeBytes = 512ULL << 20;
constexpr double kLowShare = 0.3;

/// A failed step as a check that says so.
Check broken(std::string name, const Error& error) {
    return {.name = std::move(name),
            .verdict = Verdict::kBroken,
            .detail = error.detail,
            .advice = "fetch the model file again; when it still fails, please report it"};
}

std::vector<TokenId> passage_tokens(const ml::Model& model) {
    std::vector<TokenId> tokens = ml::text_tokens(model.tokenizer(), passage());
    const auto room = static_cast<std::size_t>(model.config().context_length);
    if (tokens.size() > room) tokens.resize(room);
    return tokens;
}

Check check_passage(const ml::Model& model) {
    const auto score = ml::score_text(model, passage_tokens(model), 0);
    if (!score) return broken("passage", score.error());
    const double nats = score->nats_per_token();
    const ExpectedNats expected = expected_nats(model.config());
    Check check{.name = "passage"};
    check.detail = fmt::format("{:.3f} nats per token on a built-in text; {} {:.2f} to {:.2f}",
                               nats,
                               expected.known ? "this model has" : "models that know English have",
                               expected.low,
                               expected.high);
    check.facts = {{"nats_per_token", std::isfinite(nats) ? boost::json::value(nats) : nullptr},
                   {"expected_low", expected.low},
                   {"expected_high", expected.high},
                   {"known_model", expected.known}};
    if (nats >= expected.low && nats <= expected.high) return check;
    // A model for another language is not broken; one that is known and differs is, and one that
    // does no better than guessing.
    const double guessing = std::log(static_cast<double>(model.config().n_vocab));
    const bool hopeless = !(nats < std::min(2 * expected.high, guessing));
    check.verdict = expected.known || hopeless ? Verdict::kBroken : Verdict::kWarning;
    check.advice =
        "the file is damaged, was converted wrongly, or is no model of English text: "
        "fetch it again and compare its SHA-256";
    return check;
}

TokenId likeliest(std::span<const float> logits) {
    return TokenId{static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin())};
}

/// Greedy continuation of `prompt`, up to an end token. Text only.
Result<std::string> answer(const ml::Model& model, std::span<const TokenId> prompt) {
    const auto ends = model.tokenizer().end_tokens();
    const auto size = static_cast<std::int32_t>(prompt.size()) + kAnswerTokens;
    NOTSO_TRY(const auto cache, ml::KvCache::create(model.config(), size, ml::KvType::kF16));
    std::vector<float> logits(static_cast<std::size_t>(model.config().n_vocab));
    std::vector<TokenId> ids;
    NOTSO_CHECK(model.forward(prompt, *cache, logits));
    while (std::ssize(ids) < kAnswerTokens) {
        const TokenId next = likeliest(logits);
        if (std::ranges::find(ends, next) != ends.end()) break;
        ids.push_back(next);
        NOTSO_CHECK(model.forward(std::span(&next, 1), *cache, logits));
    }
    return repair_utf8(model.tokenizer().decode(ids, false));
}

Check check_fact(const ml::Model& model) {
    const auto text = [&]() -> Result<std::string> {
        NOTSO_TRY(const auto prompts,
                  services::PromptBuilder::create(model.chat_template(), model.tokenizer()));
        services::ChatRequest request;
        request.messages.push_back({.role = "user", .content = "What is the capital of France?"});
        NOTSO_TRY(const services::Prompt prompt, prompts->build(request));
        return answer(model, prompt.tokens);
    }();
    if (!text) return broken("fact", text.error());
    Check check{.name = "fact"};
    check.detail = fmt::format("asked for the capital of France, it says {}", log::field(*text));
    check.facts = {{"answer", *text}};
    if (text->find("Paris") != std::string::npos) return check;
    check.verdict = Verdict::kWarning;
    check.advice = model.chat_template().empty()
                       ? "the file has no chat template: use an instruct model for chats"
                       : "use a larger model, or fetch this one again";
    return check;
}

/// Logits of the last token, all tokens read at once or one by one.
Result<std::vector<float>> last_logits(const ml::Model& model,
                                       std::span<const TokenId> tokens,
                                       std::size_t chunk) {
    NOTSO_TRY(const auto cache,
              ml::KvCache::create(
                  model.config(), static_cast<std::int32_t>(tokens.size()), ml::KvType::kF16));
    std::vector<float> logits(static_cast<std::size_t>(model.config().n_vocab));
    for (std::size_t at = 0; at < tokens.size(); at += chunk)
        NOTSO_CHECK(
            model.forward(tokens.subspan(at, std::min(chunk, tokens.size() - at)), *cache, logits));
    return logits;
}

Check check_identity(const ml::Model& model) {
    std::vector<TokenId> tokens = passage_tokens(model);
    tokens.resize(std::min(tokens.size(), kIdentityTokens));
    const auto together = last_logits(model, tokens, tokens.size());
    if (!together) return broken("determinism", together.error());
    const auto single = last_logits(model, tokens, 1);
    if (!single) return broken("determinism", single.error());
    Check check{.name = "determinism"};
    const auto same_bits = [](float a, float b) {
        return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
    };
    if (std::ranges::equal(*together, *single, same_bits)) {
        check.detail =
            fmt::format("{} tokens read at once or one by one: the same bits", tokens.size());
        return check;
    }
    check.verdict = Verdict::kBroken;
    check.detail = "the same tokens read at once and one by one give different results";
    check.advice =
        "the machine's memory or processor may be faulty; please report it with the "
        "output of notso doctor --json";
    return check;
}

/// Tokens per second of decode, for a moment.
Result<double> decode_rate(const ml::Model& model) {
    NOTSO_TRY(const auto cache,
              ml::KvCache::create(model.config(),
                                  std::min(kSpeedTokens, model.config().context_length),
                                  ml::KvType::kF16));
    std::vector<float> logits(static_cast<std::size_t>(model.config().n_vocab));
    TokenId token = passage_tokens(model).front();
    double best = 0;  // of groups of eight, as the probe takes the best of its rounds
    const auto begin = SteadyClock::now();
    while (cache->size() + 8 <= cache->capacity() && SteadyClock::now() - begin < kSpeedTime) {
        const auto start = SteadyClock::now();
        for (int i = 0; i < 8; ++i) {
            NOTSO_CHECK(model.forward(std::span(&token, 1), *cache, logits));
            token = likeliest(logits);
        }
        best = std::max(best, 8 / seconds_since(start));
    }
    return best;
}

Check check_speed(const ml::Model& model, const ml::gguf::File& file, const Settings& settings) {
    const auto device = ml::DeviceManager::create();
    if (!device) return broken("speed", device.error());
    const std::int32_t threads = ml::choose_threads(settings.threads, device->cores());
    const std::uint64_t room = device->memory().available_bytes / 4;
    const auto probe =
        ml::ReadProbe::create(device->kernels(), threads, std::min(kProbeBytes, room));
    if (!probe) return broken("speed", probe.error());
    const double limit = probe->rate(kProbeTime);
    const auto rate = decode_rate(model);
    if (!rate) return broken("speed", rate.error());
    const std::uint64_t bytes = ml::work_of(file, model.config()).bytes_per_token;
    const double share = *rate * static_cast<double>(bytes) / limit;
    Check check{.name = "speed"};
    check.detail = fmt::format(
        "{:.1f} tokens per second: {:.0f} % of what {} threads read from memory ({:.1f} GB/s)",
        *rate,
        share * 100,
        threads,
        limit / 1e9);
    check.facts = {{"tokens_per_second", *rate},
                   {"read_bytes_per_second", limit},
                   {"bytes_per_token", bytes},
                   {"share_of_read_rate", share},
                   {"threads", threads}};
    if (share < kLowShare) {
        check.verdict = Verdict::kWarning;
        check.advice =
            "other programs may use the processor now: run this again on a quiet machine";
    }
    return check;
}

struct Subject {
    std::shared_ptr<const ml::gguf::File> file;
    std::shared_ptr<const ml::Model> model;
};

Result<Subject> load(const Settings& settings) {
    NOTSO_TRY(const std::filesystem::path path, choose_model(settings));
    NOTSO_TRY(auto file, ml::gguf::File::open(path));
    ml::LoadOptions options;
    options.n_threads = settings.threads;
    options.tokenizer_json = settings.tokenizer_json;
    NOTSO_TRY(auto model, ml::Model::load(path, options));
    return Subject{std::move(file), std::move(model)};
}

}  // namespace

std::vector<Check> check_model(const Settings& settings) {
    const auto start = SteadyClock::now();
    const auto subject = load(settings);
    if (!subject) {
        Check check = broken("model", subject.error());
        check.advice = "`notso inspect` tells what is in the file and what would run";
        return {check};
    }
    const ml::ModelConfig& config = subject->model->config();
    Check loaded{.name = "model"};
    loaded.detail = fmt::format("{} ({}, {}), loaded in {:.2f} s",
                                log::field(config.name),
                                config.architecture,
                                config.file_type,
                                seconds_since(start));
    loaded.facts = {{"path", subject->model->path().string()},
                    {"architecture", config.architecture},
                    {"file_type", config.file_type},
                    {"load_seconds", seconds_since(start)}};
    return {std::move(loaded),
            check_model_pages(ml::read_huge_bytes(), subject->model->memory().weight_bytes),
            check_passage(*subject->model),
            check_fact(*subject->model),
            check_identity(*subject->model),
            check_speed(*subject->model, *subject->file, settings)};
}

}  // namespace notso::app::doctor
