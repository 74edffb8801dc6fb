// TerminalSession: the chat service as one person at one terminal uses it: a conversation that
// lives in memory, asked and answered on the calling thread. What an answer is, how it goes on,
// what fits in the context and who may call tools is the service's, as for the page.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/interrupts.hpp"
#include "base/result.hpp"
#include "base/serial_worker.hpp"
#include "services/archive/export.hpp"
#include "services/chat/chat_service.hpp"
#include "services/session/memory_store.hpp"

namespace notso::app {

/// Hears what happens in an answer, in order, on the thread that waits for it.
class AnswerListener {
  public:
    virtual ~AnswerListener() = default;
    virtual void on_status(const services::TurnStatus& status) = 0;
    virtual void on_thinking(const std::string& piece) = 0;
    virtual void on_text(const std::string& piece) = 0;
    /// What stood there is replaced: see feed_event::Rewritten.
    virtual void on_rewritten(const std::string& text) = 0;
    /// The calls of tools of this answer, all of them, as they are now.
    virtual void on_tools(const std::vector<services::ToolUse>& uses) = 0;
};

/// How a conversation begins.
struct SessionStart {
    services::ChatSettings settings = {};
    bool thinking = false;
    std::string model = {};  ///< Empty: the default one.
};

class TerminalSession {
  public:
    struct Deps {
        services::ChatBackend& backend;
        services::ToolBox* tools = nullptr;
        Interrupts& interrupts;
        std::int64_t thinking_budget = 0;  ///< As Settings has it.
    };

    explicit TerminalSession(const Deps& deps);
    ~TerminalSession();
    TerminalSession(const TerminalSession&) = delete;
    TerminalSession& operator=(const TerminalSession&) = delete;

    /// Begins a conversation; nothing is left of the one before.
    Result<> begin(const SessionStart& start);
    Result<services::ConversationView> view();
    /// The model that answers now. @errors as ChatBackend::find_model().
    Result<services::ModelInfo> model();

    /// Sends a message with what lies in the composer. @errors as ChatService::send().
    Result<services::SentMessage> send(std::string text);
    /// Another answer to the last question, and the rest of a cut one.
    /// @errors kInvalidArgument: there is no answer; as ChatService's.
    Result<services::SentMessage> regenerate();
    Result<services::SentMessage> resume();
    /// Waits for the end of an answer; a signal stops it, SIGQUIT ends its thoughts. @return The
    /// answer as it is kept.
    services::Message follow(const services::SentMessage& sent, AnswerListener& listener);
    /// A person decides about a call that asks. To be called by a listener.
    void decide(const std::string& use, services::ToolDecision decision);
    /// Stops what runs, as a signal does. From a listener.
    void stop();
    /// A signal came while the last answer or summary was written.
    bool interrupted() const { return interrupted_; }

    /// As ChatService::compact(); a signal ends it. @return What the model keeps in mind instead.
    Result<std::string> compact();
    Result<> set_thinking(bool on);
    Result<> set_settings(services::ChatSettings settings);
    /// Loads it first where it is not in memory; a signal ends that.
    Result<> set_model(const std::string& id);

    /// Puts a text or PDF file into the composer. @errors name the file.
    Result<services::AttachedFile> attach(const std::filesystem::path& path);
    Result<std::vector<services::AttachedFile>> attached();
    Result<> detach_all();
    /// Writes the conversation into a new file. @errors kAlreadyExists, kIo.
    Result<> export_to(const std::filesystem::path& path, services::ArchiveFormat format);

  private:
    class StopOnSignal;

    template <class T, class Start>
    Result<T> wait(Start start);
    void answer_now();
    void tell(const services::FeedEventBody& event, AnswerListener& listener, StopOnSignal& stops);

    services::ChatBackend& backend_;
    Interrupts& interrupts_;
    RunLoop loop_;  // the io thread and the database's
    SerialWorker compute_{"notso-compute"};
    services::MemoryStore store_;
    services::ConversationKey key_;
    bool interrupted_ = false;
    std::unique_ptr<services::ChatService> chat_;  // first to go
};

}  // namespace notso::app
