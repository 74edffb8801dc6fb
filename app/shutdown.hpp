// Orderly shutdown of the server: first signal, grace, second signal, and a watchdog for what hangs
// all the same.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "base/clock.hpp"
#include "services/chat/chat_service.hpp"
#include "web/http/server.hpp"

namespace notso::app {

/// Lives on the io thread. Watches SIGINT and SIGTERM from construction on.
class Shutdown {
  public:
    Shutdown(boost::asio::io_context& io, services::ChatService& chat, web::Server& server);

  private:
    void wait_for_signal();
    void begin();
    void hurry();
    /// Stops the io_context once the answers are stored and the connections are done, or the grace
    /// is over.
    void check();

    boost::asio::io_context& io_;
    services::ChatService& chat_;
    web::Server& server_;
    boost::asio::signal_set signals_;
    boost::asio::steady_timer timer_;
    SteadyClock::time_point deadline_{};
    bool begun_ = false;
    bool answers_stored_ = false;
};

/// Ends the process when it is still there after `limit`: destructors may wait for a thread that
/// can't be hurried.
void end_process_after(std::chrono::milliseconds limit);

}  // namespace notso::app
