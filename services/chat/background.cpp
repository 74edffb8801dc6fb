#include "services/chat/background.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"
#include "services/chat/prompt_source.hpp"
#include "services/chat/side_texts.hpp"
#include "services/chat/title.hpp"

namespace notso::services {
namespace {

constexpr std::int64_t kTitleTokens = 24;
constexpr std::int64_t kFollowUpTokens = 96;

/// The conversation and one more thing that the person could have said.
PromptSource fork(const PromptSource& source, std::string_view instruction) {
    PromptSource forked = source;
    forked.messages.push_back({.id = {random_id()},
                               .conversation = source.conversation.id,
                               .role = MessageRole::kUser,
                               .text = std::string(instruction)});
    return forked;
}

/// Only the title that was made from the first message: never one that a person gave.
bool has_first_title(const PromptSource& source) {
    const auto& messages = source.messages;
    const auto questions = std::ranges::count(messages, MessageRole::kUser, &Message::role);
    return questions == 1 && messages.front().role == MessageRole::kUser &&
           source.conversation.title == make_title(messages.front().text);
}

Result<bool> replace_title(SessionStore& store,
                           const ConversationKey& key,
                           const std::string& old_title,
                           const std::string& title) {
    NOTSO_TRY(Conversation conversation, store.conversation(key));
    if (conversation.title != old_title) return false;  // renamed meanwhile
    conversation.title = title;
    NOTSO_CHECK(store.update_conversation(conversation));
    return true;
}

}  // namespace

void Background::begin(const ConversationKey& key, const MessageId& answer, std::uint64_t user) {
    if (stopped_ || jobs_.size() >= kMaxJobs) return;
    Job& job = jobs_[key];
    job.answer = answer;
    job.source.user = user;
    job.deadline = std::make_unique<GraceTimer>(
        deps_.limit, deps_.io, [this, alive = std::weak_ptr(alive_), key, answer] {
            if (!alive.expired() && find(key, answer) != nullptr) end(key);
        });
    deps_.store.call(
        alive_,
        [key](SessionStore& store) { return load_source(store, key); },
        [this, key, answer](Result<PromptSource> source) {
            on_loaded(key, answer, std::move(source));
        });
}

/// The job of that answer; null when it was given up, even if another one runs now.
Background::Job* Background::find(const ConversationKey& key, const MessageId& answer) {
    const auto job = jobs_.find(key);
    return job == jobs_.end() || job->second.answer != answer ? nullptr : &job->second;
}

void Background::on_loaded(const ConversationKey& key,
                           const MessageId& answer,
                           Result<PromptSource> source) {
    Job* job = find(key, answer);
    if (job == nullptr) return;
    if (!source || source->messages.empty() || source->messages.back().id != answer)
        return end(key);
    const std::uint64_t user = job->source.user;
    job->source = *std::move(source);
    job->source.user = user;
    if (deps_.tools) job->source.tools = deps_.tools(job->source.conversation.model);
    advance(key);
}

void Background::advance(const ConversationKey& key) {
    Job& job = jobs_.at(key);
    while (job.next != Step::kEnd) {
        const Step step =
            std::exchange(job.next, static_cast<Step>(static_cast<int>(job.next) + 1));
        if (begin_step(key, job, step)) return;
    }
    end(key);
}

/// False when there is nothing to do in it.
bool Background::begin_step(const ConversationKey& key, Job& job, Step step) {
    // Instructions are answered without thinking. Where the conversation thinks, its prompts begin
    // differently, so that suggestions would cost a reading of everything.
    if (step == Step::kFollowUps && job.source.conversation.thinking) return false;
    // A server far away would write a whole answer.
    if (step == Step::kReadAhead && !deps_.backend.info().remote_host.empty()) return false;
    if (step == Step::kTitle && !has_first_title(job.source)) return false;
    ask(key, job, step);
    return true;
}

void Background::ask(const ConversationKey& key, Job& job, Step step) {
    job.request = SideRequest::create(
        {deps_.backend, deps_.io, deps_.compute},
        [this, key, step](const SideText& written) { on_text(key, step, written); });
    PromptSource source = job.source;
    SideOptions options;
    if (step == Step::kReadAhead) {
        source.thinking = source.conversation.thinking;
        options.read_only = true;
    } else if (step == Step::kTitle) {
        source = fork(source, kTitleInstruction);
        options.max_tokens = kTitleTokens;
    } else {
        const ModelInfo model = deps_.backend.info();
        const bool held = model.remote_host.empty() && !model.scripted;
        if (held) options.form.gbnf = follow_up_grammar(source.messages);
        source = fork(source, held ? kFollowUpInstruction : kFreeFollowUpInstruction);
        options.max_tokens = kFollowUpTokens;
    }
    job.request->begin(std::move(source), options);
}

void Background::on_text(const ConversationKey& key, Step step, const SideText& written) {
    const Job& job = jobs_.at(key);
    if (written.failed) return end(key);  // no room for background work now
    const auto& messages = job.source.messages;
    if (step == Step::kTitle && written.whole) {
        if (auto title = clean_title(written.text, messages)) keep_title(key, *std::move(title));
    } else if (step == Step::kFollowUps) {
        keep_follow_ups(key, clean_follow_ups(written.text, written.whole, messages));
    }
    advance(key);
}

void Background::keep_title(const ConversationKey& key, std::string title) {
    deps_.store.call(
        alive_,
        [key, old_title = jobs_.at(key).source.conversation.title, title = std::move(title)](
            SessionStore& store) { return replace_title(store, key, old_title, title); },
        [](Result<bool> kept) {
            const bool gone = !kept && kept.error().code == ErrorCode::kNotFound;
            if (!kept && !gone) log::warn("a title could not be saved: {}", kept.error().detail);
        });
}

void Background::keep_follow_ups(const ConversationKey& key, std::vector<std::string> questions) {
    if (questions.empty()) return;
    suggestions_.push_back({key, std::move(questions)});
    if (suggestions_.size() > kMaxSuggestions) suggestions_.pop_front();
}

/// Who waits goes on. What they ask the store for comes after what was written here.
void Background::end(const ConversationKey& key) {
    auto job = jobs_.extract(key);
    if (job.empty()) return;
    for (auto& done : job.mapped().waiting) done();
}

void Background::abandon(const ConversationKey& key) {
    std::erase_if(suggestions_,
                  [&](const Suggestions& entry) { return entry.conversation == key; });
    end(key);
}

void Background::stop() {
    stopped_ = true;
    while (!jobs_.empty()) end(ConversationKey(jobs_.begin()->first));
}

std::vector<std::string> Background::follow_ups(const ConversationKey& key) const {
    const auto found = std::ranges::find(suggestions_, key, &Suggestions::conversation);
    return found == suggestions_.end() ? std::vector<std::string>() : found->questions;
}

void Background::when_settled(const ConversationKey& key, std::move_only_function<void()> done) {
    const auto job = jobs_.find(key);
    if (job == jobs_.end()) return done();
    job->second.waiting.push_back(std::move(done));
}

}  // namespace notso::services
