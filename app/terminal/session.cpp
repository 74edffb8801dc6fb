#include "app/terminal/session.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "app/answer.hpp"
#include "base/random.hpp"
#include "services/attachments/attachment_desk.hpp"
#include "services/tools/time/time_zone.hpp"

namespace notso::app {
namespace {

namespace fs = std::filesystem;
namespace feed_event = services::feed_event;
using services::Completion;
using services::Conversation;
using services::ConversationView;
using services::SentMessage;

/// The newest answer. @errors kInvalidArgument: there is none.
Result<services::Message> last_answer(const ConversationView& view) {
    if (!view.messages.empty()) {
        const services::Message& last = view.messages.back();
        if (last.role == services::MessageRole::kAssistant && last.parent) return last;
    }
    return fail(ErrorCode::kInvalidArgument, "There is no answer yet.");
}

}  // namespace

/// While it lives, a signal stops what is being written, and SIGQUIT ends its thoughts.
class TerminalSession::StopOnSignal {
  public:
    explicit StopOnSignal(TerminalSession& session) : session_(session) {
        session_.interrupted_ = false;
        watch();
        if (session_.interrupts_.take()) session_.stop();  // it came just before
    }
    ~StopOnSignal() { unwatch(); }
    StopOnSignal(const StopOnSignal&) = delete;
    StopOnSignal& operator=(const StopOnSignal&) = delete;

    void watch() {
        session_.interrupts_.handle(
            [&session = session_] { session.loop_.post([&session] { session.stop(); }); },
            [&session = session_] { session.loop_.post([&session] { session.answer_now(); }); });
    }
    void unwatch() { session_.interrupts_.handle({}); }

  private:
    TerminalSession& session_;
};

TerminalSession::TerminalSession(const Deps& deps)
    : backend_(deps.backend),
      interrupts_(deps.interrupts),
      key_(services::local_owner(), {}),
      chat_(services::ChatService::create(
          {.backend = deps.backend,
           .store = store_,
           .io = loop_,
           .database = loop_,
           .compute = compute_,
           .tools = {.box = deps.tools, .time_zone = services::TimeZone::local_name()},
           .thinking_budget = deps.thinking_budget})) {}

TerminalSession::~TerminalSession() {
    chat_.reset();
    compute_.stop();
}

template <class T, class Start>
Result<T> TerminalSession::wait(Start start) {
    std::optional<Result<T>> result;
    start(Completion<T>([&result](Result<T> value) { result.emplace(std::move(value)); }));
    loop_.run_until([&result] { return result.has_value(); });
    return *std::move(result);
}

Result<> TerminalSession::begin(const SessionStart& start) {
    if (!key_.id.value.empty()) {
        NOTSO_CHECK(wait<void>([&](auto done) { chat_->erase(key_, std::move(done)); }));
    }
    NOTSO_TRY(const Conversation made, wait<Conversation>([&](auto done) {
                  chat_->create_conversation(services::local_owner(), std::move(done));
              }));
    key_ = made.key();
    NOTSO_CHECK(set_settings(start.settings));
    NOTSO_CHECK(wait<Conversation>(
        [&](auto done) { chat_->set_model(key_, start.model, std::move(done)); }));
    return set_thinking(start.thinking);
}

Result<ConversationView> TerminalSession::view() {
    return wait<ConversationView>([&](auto done) { chat_->open(key_, std::move(done)); });
}

Result<services::ModelInfo> TerminalSession::model() {
    NOTSO_TRY(const ConversationView now, view());
    return backend_.find_model(now.conversation.model);
}

Result<SentMessage> TerminalSession::send(std::string text) {
    services::SendRequest request{.conversation = key_, .text = std::move(text)};
    NOTSO_TRY(const auto files, attached());
    for (const services::AttachedFile& file : files) request.files.push_back({.id = file.id});
    return wait<SentMessage>([&](auto done) { chat_->send(std::move(request), std::move(done)); });
}

Result<SentMessage> TerminalSession::regenerate() {
    NOTSO_TRY(const ConversationView now, view());
    NOTSO_TRY(const services::Message answer, last_answer(now));
    return wait<SentMessage>([&](auto done) {
        chat_->regenerate({.conversation = key_, .question = *answer.parent, .answer = answer.id},
                          std::move(done));
    });
}

Result<SentMessage> TerminalSession::resume() {
    NOTSO_TRY(const ConversationView now, view());
    NOTSO_TRY(const services::Message answer, last_answer(now));
    return wait<SentMessage>([&](auto done) {
        chat_->continue_answer({.conversation = key_, .answer = answer.id}, std::move(done));
    });
}

services::Message TerminalSession::follow(const SentMessage& sent, AnswerListener& listener) {
    StopOnSignal stops(*this);
    const services::TurnFeed& feed = *sent.feed;
    std::uint64_t told = feed.snapshot().seq;  // before it, an answer that goes on is told again
    loop_.run_until([&] {
        const auto events = feed.since(told);
        told = feed.snapshot().seq;
        for (const services::FeedEvent& event : events.value_or(std::vector<services::FeedEvent>()))
            tell(event.body, listener, stops);
        return feed.ended() && told == feed.snapshot().seq;
    });
    return *feed.snapshot().ended;
}

void TerminalSession::tell(const services::FeedEventBody& event,
                           AnswerListener& listener,
                           StopOnSignal& stops) {
    if (const auto* status = std::get_if<feed_event::Status>(&event)) {
        listener.on_status(status->status);
    } else if (const auto* thought = std::get_if<feed_event::ThinkingText>(&event)) {
        listener.on_thinking(thought->text);
    } else if (const auto* text = std::get_if<feed_event::Text>(&event)) {
        listener.on_text(text->text);
    } else if (const auto* rewritten = std::get_if<feed_event::Rewritten>(&event)) {
        listener.on_rewritten(rewritten->text);
    } else if (const auto* tools = std::get_if<feed_event::ToolUses>(&event)) {
        stops.unwatch();  // it may ask a person, and a signal belongs to the question then
        listener.on_tools(tools->uses);
        stops.watch();
    }
}

void TerminalSession::decide(const std::string& use, services::ToolDecision decision) {
    chat_->decide_tool({.conversation = key_, .use = use, .decision = decision}, [](Result<>) {});
}

void TerminalSession::stop() {
    interrupted_ = true;
    chat_->stop(key_, [](Result<>) {});
}

/// A model that can't be asked goes on thinking.
void TerminalSession::answer_now() {
    chat_->answer_now(key_, [](Result<>) {});
}

Result<std::string> TerminalSession::compact() {
    const StopOnSignal stops(*this);
    NOTSO_CHECK(
        wait<void>([&](auto done) { chat_->compact({.conversation = key_}, std::move(done)); }));
    NOTSO_TRY(auto ledger, wait<services::ContextLedger>([&](auto done) {
                  chat_->context(key_, std::move(done));
              }));
    return std::move(ledger.summary);
}

Result<> TerminalSession::set_thinking(bool on) {
    NOTSO_CHECK(
        wait<Conversation>([&](auto done) { chat_->set_thinking(key_, on, std::move(done)); }));
    return {};
}

Result<> TerminalSession::set_settings(services::ChatSettings settings) {
    NOTSO_CHECK(wait<Conversation>(
        [&](auto done) { chat_->set_settings(key_, std::move(settings), std::move(done)); }));
    return {};
}

Result<> TerminalSession::set_model(const std::string& id) {
    // Nothing is written; but what can't be loaded is known before it is chosen.
    const services::ChatRequest first{
        .messages = {{.role = "user", .content = "Hello"}}, .model = id, .read_only = true};
    const auto models = backend_.models();
    const auto entry = std::ranges::find(
        models, id, [](const services::ModelEntry& model) { return model.info.id; });
    if (entry != models.end() && entry->place != services::ModelPlace::kReady) {
        NOTSO_TRY(const Answer loaded, follow_answer(backend_, first, interrupts_, {}));
        if (loaded.end.error) return std::unexpected(*loaded.end.error);
        if (loaded.end.finish == services::ChatFinish::kCancelled)
            return fail(ErrorCode::kCancelled, "stopped: the model is the one before");
    }
    NOTSO_CHECK(
        wait<Conversation>([&](auto done) { chat_->set_model(key_, id, std::move(done)); }));
    return {};
}

Result<services::AttachedFile> TerminalSession::attach(const fs::path& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error))
        return fail(ErrorCode::kNotFound, "{} is not there, or no file", path.string());
    const std::uint64_t size = fs::file_size(path, error);
    if (error) return fail(ErrorCode::kIo, "{}: {}", path.string(), error.message());
    services::DirectGate gate(store_);
    const fs::path scratch = fs::temp_directory_path(error) / ("notso-" + random_id());
    return services::take_attachment(
        gate,
        {.composer = key_, .name = path.filename().string(), .path = path, .end = size},
        {},
        scratch);
}

Result<std::vector<services::AttachedFile>> TerminalSession::attached() {
    return store_.composer_files(key_);
}

Result<> TerminalSession::detach_all() {
    NOTSO_TRY(const auto files, attached());
    for (const services::AttachedFile& file : files)
        NOTSO_CHECK(store_.remove_attachment(key_, file.id));
    return {};
}

Result<> TerminalSession::export_to(const fs::path& path, services::ArchiveFormat format) {
    services::DirectGate gate(store_);
    NOTSO_CHECK(services::export_file(gate, services::local_owner(), path, format));
    return {};
}

}  // namespace notso::app
