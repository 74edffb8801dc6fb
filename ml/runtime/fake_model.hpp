// For tests: a model without weights. It answers by a function of the tokens so far, counts what it
// was asked to read, and can be slow, blocked, failing or throwing. Its vocabulary: the 256 bytes,
// then a few control tokens.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ml/model/chunk.hpp"
#include "ml/runtime/kv_cache.hpp"

namespace notso::ml::testing {

/// Ids of FakeTokenizer's control tokens.
inline constexpr TokenId kImStart{256};
inline constexpr TokenId kImEnd{257};
inline constexpr TokenId kThink{258};
inline constexpr TokenId kThinkEnd{259};
inline constexpr TokenId kToolCall{260};
inline constexpr TokenId kToolCallEnd{261};
inline constexpr TokenId kCode{262};
inline constexpr TokenId kCodeEnd{263};

/// One token per byte, plus control tokens.
class FakeTokenizer final : public Tokenizer {
  public:
    explicit FakeTokenizer(bool with_think = true) : n_control_(with_think ? 8 : 2) {
        for (std::size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<char>(i);
    }

    std::vector<TokenId> encode(std::string_view text,
                                const EncodeOptions& options = {}) const override {
        std::vector<TokenId> ids;
        for (std::size_t at = 0; at < text.size();) {
            const auto control = options.special == SpecialTokens::kParse
                                     ? control_at(text, at, options)
                                     : std::nullopt;
            ids.push_back(control.value_or(TokenId{static_cast<unsigned char>(text[at])}));
            at += control ? token_bytes(*control).size() : 1;
        }
        return ids;
    }

    std::string_view token_bytes(TokenId id) const override {
        const std::size_t i = to_index(id);
        if (i < bytes_.size()) return {&bytes_[i], 1};
        return i < vocab_size() ? kNames[i - bytes_.size()] : std::string_view();
    }

    std::string decode(std::span<const TokenId> ids, bool with_control = true) const override {
        std::string text;
        for (const TokenId id : ids) {
            if (with_control || !is_control(id)) text += token_bytes(id);
        }
        return text;
    }

    std::optional<TokenId> find(std::string_view text) const override {
        for (std::size_t i = 0; i < n_control_; ++i) {
            if (kNames[i] == text) return TokenId{static_cast<std::int32_t>(bytes_.size() + i)};
        }
        if (text.size() == 1) return TokenId{static_cast<unsigned char>(text[0])};
        return std::nullopt;
    }

    bool is_control(TokenId id) const override {
        return to_index(id) >= bytes_.size() && to_index(id) < vocab_size();
    }
    std::size_t vocab_size() const override { return bytes_.size() + n_control_; }
    std::optional<TokenId> bos() const override { return kImStart; }
    std::optional<TokenId> eos() const override { return kImEnd; }
    bool adds_bos() const override { return adds_bos_value; }
    std::span<const TokenId> end_tokens() const override { return std::span(&kImEnd, 1); }

    bool adds_bos_value = false;

  private:
    static constexpr std::array<std::string_view, 8> kNames = {"<|im_start|>",
                                                               "<|im_end|>",
                                                               "<think>",
                                                               "</think>",
                                                               "<tool_call>",
                                                               "</tool_call>",
                                                               "<code>",
                                                               "</code>"};

    std::optional<TokenId> control_at(std::string_view text,
                                      std::size_t at,
                                      const EncodeOptions& options) const {
        if (std::ranges::binary_search(options.literal_offsets, at)) return std::nullopt;
        for (std::size_t i = 0; i < n_control_; ++i) {
            if (text.substr(at).starts_with(kNames[i]))
                return TokenId{static_cast<std::int32_t>(bytes_.size() + i)};
        }
        return std::nullopt;
    }

    std::size_t n_control_;
    std::array<char, 256> bytes_{};
};

class FakeModel final : public Model {
  public:
    /// The next token, given all tokens so far and how many of them were the prompt.
    using Next = std::function<TokenId(std::span<const TokenId> tokens, std::size_t prompt_size)>;

    explicit FakeModel(Next next, bool with_think = true)
        : next_(std::move(next)), tokenizer_(with_think) {
        config_.architecture = "fake";
        config_.name = "Fake";
        config_.n_layers = config_.n_kv_heads = config_.n_heads = 1;
        config_.head_dim = 2;
        config_.n_vocab = static_cast<std::int32_t>(tokenizer_.vocab_size());
        config_.context_length = 4096;
        plan_.kv_bytes_per_token = 8;
        plan_.context_length = 1024;
    }

    /// A model that answers with the given tokens, then ends its turn.
    static std::shared_ptr<FakeModel> scripted(std::vector<TokenId> answer,
                                               bool with_think = true) {
        return std::make_shared<FakeModel>(
            [answer = std::move(answer)](std::span<const TokenId> tokens, std::size_t prompt_size) {
                const std::size_t i = tokens.size() - prompt_size;
                return i < answer.size() ? answer[i] : kImEnd;
            },
            with_think);
    }

    const ModelConfig& config() const override { return config_; }
    const Tokenizer& tokenizer() const override { return tokenizer_; }
    std::string_view chat_template() const override { return chat_template_text; }
    const std::filesystem::path& path() const override { return path_; }
    const MemoryPlan& memory() const override { return plan_; }

    using Model::forward;
    Result<> forward(std::span<const Segment> segments,
                     const BetweenLayers& between) const override {
        NOTSO_CHECK(check_caches_differ(segments));
        std::size_t n_tokens = 0;
        for (const Segment& segment : segments) n_tokens += segment.tokens.size();
        if (before_forward) before_forward(n_tokens);
        n_quiet_ += is_quiet_;
        note_read(n_tokens);
        if (!fail_with.empty()) return fail(ErrorCode::kInternal, "{}", fail_with);
        n_between_ += is_between_;
        for (std::int32_t layer = 0; between && layer < n_pauses; ++layer) {
            std::this_thread::sleep_for(pause);
            is_between_ = true;
            const bool goes_on = between();
            is_between_ = false;
            if (goes_on) continue;
            return fail(ErrorCode::kCancelled, "ended between two layers");
        }
        for (const Segment& segment : segments) {
            if (std::ssize(segment.tokens) > segment.cache.capacity() - segment.cache.size())
                return fail(ErrorCode::kContextLength, "the cache is full");
        }
        for (const Segment& segment : segments) read(segment);
        return {};
    }

    void be_quiet(bool quiet) const noexcept override { is_quiet_ = quiet; }
    /// On two threads, as in a real model.
    void run_tasks(std::int32_t n_tasks,
                   const std::function<void(std::int32_t)>& task) const override {
        if (n_tasks == 1) return task(0);
        const std::int32_t half = n_tasks / 2;
        const std::jthread other([&] { Model::run_tasks(half, task); });
        for (std::int32_t i = half; i < n_tasks; ++i) task(i);
    }
    /// Forward passes that were quiet.
    std::size_t n_quiet() const { return n_quiet_; }

    /// Sizes of all forward passes so far, all sequences of each together.
    std::vector<std::size_t> reads() const {
        const std::lock_guard lock(mutex_);
        return reads_;
    }
    /// Passes that ran between two layers of another so far.
    std::int32_t passes_between_layers() const { return n_between_; }
    /// Tokens that were read in Precision::kFast so far.
    std::int32_t fast_tokens() const { return n_fast_; }
    ModelConfig& mutable_config() { return config_; }
    MemoryPlan& mutable_plan() { return plan_; }
    FakeTokenizer& mutable_tokenizer() { return tokenizer_; }

    /// Gets the tokens of all sequences; may block or throw.
    std::function<void(std::size_t n_tokens)> before_forward;
    std::string fail_with;
    std::int32_t n_pauses = 1;           ///< "Layers" of a pass.
    std::chrono::milliseconds pause{0};  ///< Time of each.
    std::string chat_template_text;

  private:
    /// A token of a text; it stands in the cache instead of keys and values, so that whatever
    /// happens to pages shows.
    struct Held {
        std::int32_t token;  ///< In the key's row.
        std::int32_t stamp;  ///< In the value's row: no two writes have the same.
    };
    struct Answer {
        std::size_t prompt_size = 0;
        std::int32_t first_stamp = 0;  ///< Of what was written since its prompt began.
        std::int32_t last_stamp = 0;
    };

    static std::vector<TokenId> text_in(KvCache& cache) {
        std::vector<TokenId> text;
        for (std::int32_t pos = 0; pos < cache.size(); ++pos)
            text.push_back(TokenId{held(cache, pos).token});
        return text;
    }
    /// Where its token is kept: any place among the keys that is its own.
    static std::byte* token_in(KvCache& cache, std::int32_t pos) {
        return cache.keys(0, 0, pos) + pos % kPageTokens * std::int32_t{sizeof(TokenId)};
    }
    static Held held(KvCache& cache, std::int32_t pos) {
        Held held{};
        std::memcpy(&held.token, token_in(cache, pos), sizeof held.token);
        std::memcpy(&held.stamp, cache.value(0, 0, pos), sizeof held.stamp);
        return held;
    }

    void read(const Segment& segment) const {
        KvCache& cache = segment.cache;
        const auto rows = segment.logits.size() / static_cast<std::size_t>(config_.n_vocab);
        Answer& answer = answers_[&cache];
        const std::int32_t before = cache.size() > 0 ? held(cache, cache.size() - 1).stamp : 0;
        const bool goes_on = before != 0 && before >= answer.first_stamp &&
                             before <= answer.last_stamp;  // guesses may have been cut off
        const bool is_prompt = !goes_on || (segment.tokens.size() > 1 && rows <= 1);
        if (is_prompt) answer.first_stamp = last_stamp_ + 1;
        if (segment.precision == Precision::kFast)
            n_fast_ += static_cast<std::int32_t>(segment.tokens.size());
        for (std::size_t i = 0; i < segment.tokens.size(); ++i) {
            const Held now{to_int(segment.tokens[i]), ++last_stamp_};
            std::memcpy(token_in(cache, cache.size()), &now.token, sizeof now.token);
            std::memcpy(cache.value(0, 0, cache.size()), &now.stamp, sizeof now.stamp);
            cache.advance(1);
            if (is_prompt) answer.prompt_size = static_cast<std::size_t>(cache.size());
            const std::size_t first_row = segment.tokens.size() - rows;
            if (i >= first_row) write_logits(segment, i - first_row, answer.prompt_size);
        }
        answer.last_stamp = last_stamp_;
    }

    void write_logits(const Segment& segment, std::size_t row, std::size_t prompt_size) const {
        const auto n_vocab = static_cast<std::size_t>(config_.n_vocab);
        const std::span<float> logits = segment.logits.subspan(row * n_vocab, n_vocab);
        std::ranges::fill(logits, 0.0F);
        logits[to_index(next_(text_in(segment.cache), prompt_size))] = 20.0F;
    }

    void note_read(std::size_t n_tokens) const {
        const std::lock_guard lock(mutex_);
        reads_.push_back(n_tokens);
    }

    Next next_;
    FakeTokenizer tokenizer_;
    ModelConfig config_;
    MemoryPlan plan_;
    std::filesystem::path path_ = "fake.gguf";
    mutable std::map<const KvCache*, Answer> answers_;
    mutable std::int32_t last_stamp_ = 0;
    mutable std::mutex mutex_;
    mutable std::vector<std::size_t> reads_;
    mutable std::atomic<std::int32_t> n_fast_ = 0;
    mutable bool is_quiet_ = false;
    mutable std::atomic<std::size_t> n_quiet_ = 0;
    mutable std::atomic<std::int32_t> n_between_ = 0;
    mutable bool is_between_ = false;
};

}  // namespace notso::ml::testing
