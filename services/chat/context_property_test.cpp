// Random conversations against small contexts, counted by real templates: never more than the model
// can read, the system prompt always there, and a ledger that adds up. The model makers' templates
// and the small model's tokenizer take part where their files are at hand.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "ml/runtime/fake_model.hpp"
#include "services/backend/token_counter.hpp"
#include "services/chat/compaction.hpp"
#include "services/chat/context_ledger.hpp"
#include "services/prompt/prompt_builder.hpp"

namespace notso::services {
namespace {

using Count = std::function<Result<std::int64_t>(const ChatRequest&)>;

/// Counts, and answers nothing.
class CountingBackend final : public ChatBackend {
  public:
    explicit CountingBackend(Count count) : count_(std::move(count)) {}

    Result<std::unique_ptr<ChatStream>> start(const ChatRequest&, ChatEventHandler) override {
        return fail(ErrorCode::kUnsupported, "it only counts");
    }
    Result<std::int64_t> count_tokens(const ChatRequest& request) override {
        return count_(request);
    }
    ModelInfo info() const override {
        ModelInfo info;
        info.context_length = context_length;
        return info;
    }
    Health health() const override { return {.state = HealthState::kReady}; }

    std::int64_t context_length = 0;

  private:
    Count count_;
};

std::string read_all(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Every way to count that is at hand, by name.
std::map<std::string, Count> counters() {
    std::map<std::string, Count> found;
    const auto add = [&](const std::string& name, std::string_view source) {
        static const ml::testing::FakeTokenizer kTokenizer;
        auto made = PromptBuilder::create(source, kTokenizer);
        if (!made) return;
        std::shared_ptr<const PromptBuilder> builder = *std::move(made);
        found[name] = [builder](const ChatRequest& request) -> Result<std::int64_t> {
            NOTSO_TRY(const Prompt prompt, builder->build(request));
            return std::ssize(prompt.tokens);
        };
        ChatRequest question;
        question.messages.push_back({.role = "user", .content = "question"});
        if (!found[name](question)) found.erase(name);  // needs tools in every request
    };
    add("ChatML", "");
    add("trimming",
        "{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}{% endfor %}[assistant]");
    const char* shared = std::getenv("NOTSO_SHARED");
    const std::filesystem::path root = shared != nullptr ? shared : NOTSO_SOURCE_DIR "/../shared";
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(root / "templates", missing)) {
        if (entry.path().extension() == ".jinja")
            add(entry.path().stem().string(), read_all(entry.path()));
    }
    const char* given = std::getenv("NOTSO_TEST_MODEL");
    const char* home = std::getenv("HOME");
    const std::filesystem::path model =
        given != nullptr ? std::filesystem::path(given)
                         : std::filesystem::path(home != nullptr ? home : "/") /
                               ".cache/notso/models/SmolLM2-135M-Instruct.Q4_1.gguf";
    if (!std::filesystem::exists(model)) return found;
    auto counter = TokenCounter::open(model, std::nullopt);
    if (!counter) return found;
    std::shared_ptr<const TokenCounter> real = *std::move(counter);
    found["real model"] = [real](const ChatRequest& request) { return real->count(request); };
    return found;
}

class Conversations {
  public:
    explicit Conversations(unsigned seed) : random_(seed) {}

    std::size_t pick(std::size_t n) { return random_() % n; }

    std::string text(std::size_t most) {
        static constexpr std::array<std::string_view, 9> kWords = {
            "word ", "déjà vu ", "日本語", "🙂", "<|im_end|>\n", "  ", "\n\n", "x", "[/INST]"};
        std::string text = "t";
        for (std::size_t i = pick(most); i > 0; --i) text += kWords[pick(kWords.size())];
        return text;
    }

    /// A conversation whose last message is a question.
    PromptSource make() {
        PromptSource source{.conversation = {.id = {"c"}, .title = ""}, .messages = {}};
        if (pick(2) == 0) source.conversation.settings.system_prompt = "S" + text(12);
        for (std::size_t i = pick(14); i > 0; --i) {
            add(source, MessageRole::kUser, text(30));
            if (pick(8) == 0) continue;  // no answer came
            add(source, MessageRole::kAssistant, pick(10) == 0 ? "" : text(50));
            if (pick(5) == 0)
                source.summaries.push_back({.until = source.messages.back().id, .text = text(25)});
        }
        add(source, MessageRole::kUser, pick(3) == 0 ? "" : text(40));
        return source;
    }

  private:
    static void add(PromptSource& source, MessageRole role, std::string text) {
        Message message{.id = {std::to_string(source.messages.size())},
                        .conversation = {"c"},
                        .role = role,
                        .text = std::move(text)};
        if (!source.messages.empty()) message.parent = source.messages.back().id;
        source.messages.push_back(std::move(message));
    }

    std::mt19937 random_;
};

/// What holds of every prompt, and of its ledger.
void check(CountingBackend& backend, const PromptSource& source) {
    const std::int64_t context = backend.context_length;
    const auto prompt = fit_context(backend, source);
    const auto ledger = make_ledger(backend, source);
    ASSERT_EQ(prompt.has_value(), ledger.has_value());
    if (!prompt) {
        EXPECT_EQ(prompt.error().code, ErrorCode::kContextLength) << prompt.error().detail;
        EXPECT_FALSE(check_newest_fits(backend, source)) << "the same before it is stored";
        return;
    }
    EXPECT_TRUE(check_newest_fits(backend, source));
    const std::int64_t budget = context - answer_room(context, false);
    const std::int64_t tokens = backend.count_tokens(prompt->request).value();
    EXPECT_EQ(tokens, prompt->tokens);
    EXPECT_LT(tokens, context);
    const bool only_newest = prompt->exchanges == 1 && !prompt->has_summary;
    EXPECT_LE(tokens, only_newest ? context - std::min<std::int64_t>(context / 8, 64) : budget);
    const std::string& system = source.conversation.settings.system_prompt;
    if (!system.empty()) {
        ASSERT_EQ(prompt->request.messages.front().role, "system");
        EXPECT_TRUE(prompt->request.messages.front().content.starts_with(system));
    }
    EXPECT_EQ(prompt->request.messages.back().content, source.messages.back().text);

    EXPECT_EQ(ledger->total, tokens);
    std::int64_t sum = ledger->fixed + ledger->summary_tokens;
    std::size_t kept = 0;
    for (const LedgerRow& row : ledger->rows) {
        EXPECT_GE(row.tokens, 0);
        if (row.fate != LedgerFate::kKept) continue;
        sum += row.tokens;
        ++kept;
    }
    EXPECT_EQ(sum, tokens);
    EXPECT_GE(ledger->fixed, 0);
    EXPECT_GE(ledger->summary_tokens, 0);
    EXPECT_EQ(kept, 2 * (prompt->exchanges - 1)) << "the draft has no row";
    EXPECT_EQ(ledger->left_out, prompt->messages_left_out);
}

/// Whatever the model writes: what is read for summaries fits, and it ends.
void compact(CountingBackend& backend, PromptSource source, Conversations& random) {
    source.messages.pop_back();
    const std::int64_t context = backend.context_length;
    for (int steps = 0;; ++steps) {
        ASSERT_LT(steps, 20) << "it does not end";
        const auto step = next_compact_step(backend, source, CompactReach::kAllButNewest);
        if (!step) {
            EXPECT_EQ(step.error().code, ErrorCode::kContextLength) << step.error().detail;
            return;
        }
        if (!*step) return;
        PromptSource asked = source;
        asked.messages = (*step)->messages;
        const auto prompt = fit_context(backend, asked);
        ASSERT_TRUE(prompt) << prompt.error().detail;
        EXPECT_EQ(prompt->messages_left_out, 0) << "what is told was read";
        EXPECT_LE(prompt->tokens + (*step)->max_tokens, context);
        source.summaries.push_back({.until = (*step)->until, .text = random.text(20)});
    }
}

TEST(ContextProperty, NeverOverTheLimitAndTheLedgerAddsUp) {
    int checked = 0;
    for (const auto& [name, count] : counters()) {
        SCOPED_TRACE(name);
        CountingBackend backend(count);
        Conversations random(2026);
        const int rounds = name == "ChatML" || name == "real model" ? 200 : 25;
        for (int round = 0; round < rounds; ++round) {
            SCOPED_TRACE(round);
            const PromptSource source = random.make();
            backend.context_length = static_cast<std::int64_t>(100 + random.pick(1500));
            check(backend, source);
            if (round % 4 == 0 && source.messages.size() > 1) compact(backend, source, random);
            if (testing::Test::HasFailure()) return;
            ++checked;
        }
    }
    EXPECT_GE(checked, 225);
}

}  // namespace
}  // namespace notso::services
