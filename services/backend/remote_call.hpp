// RemoteCall: one answer from a remote server, from the first attempt to its End. Runs on the
// thread that calls it.
#pragma once

#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/backend/remote.hpp"
#include "services/backend/remote_answer.hpp"
#include "services/backend/remote_watch.hpp"
#include "services/net/http_client.hpp"

namespace notso::services {

/// What all calls of one backend share.
struct RemoteServer {
    explicit RemoteServer(RemoteOptions given) : options(std::move(given)), watch(options) {}

    const RemoteOptions options;
    /// The server refused the field chat_template_kwargs: requests go without it from then on.
    std::atomic<bool> strict = false;
    RemoteWatch watch;  // uses options
};

/// A request, ready to be sent (see remote_request.hpp).
struct RemoteJob {
    std::string path;
    boost::json::object body;
    boost::json::object variables;
    std::vector<OfferedTool> tools = {};
};

class RemoteCall {
  public:
    /// Everything referred to must outlive the call.
    RemoteCall(RemoteServer& server,
               const RemoteJob& job,
               ChatEventHandler& handler,
               std::stop_token stop);

    /// Sends, follows, and sends again where that may help and nothing was shown yet. Every event
    /// but End goes to the handler; End is returned.
    chat_event::End run();

  private:
    /// One attempt: its end, or why another one may help.
    struct Attempt {
        chat_event::End end;
        bool again = false;
        std::optional<std::chrono::milliseconds> wait = {};  ///< What the server asked for.
    };

    Attempt attempt();
    Attempt conclude(RemoteAnswer& answer, const Result<HttpReply>& reply);
    Attempt refuse(const HttpHead& head, const std::string& body);
    Attempt failed(Error error, bool again = false) const;
    HttpRequest make_request(const std::string& model) const;
    bool wait(std::chrono::milliseconds duration) const;

    RemoteServer& server_;
    const RemoteJob& job_;
    ChatEventHandler& handler_;
    const std::stop_token stop_;
    bool sent_variables_ = false;
};

}  // namespace notso::services
