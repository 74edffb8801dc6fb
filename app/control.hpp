// Control: how commands such as `notso backup` reach the server that holds the data directory: a
// socket in it, which only its owner can open. One line of JSON there, one back.
#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "services/archive/archive_desk.hpp"

namespace notso::app {

/// Lives on the io thread, in a data directory that this process holds.
class ControlServer {
  public:
    /// @errors kIo: the socket can't be made; commands then can't reach this server.
    static Result<std::unique_ptr<ControlServer>> listen(
        boost::asio::io_context& io,
        const std::filesystem::path& data_directory,
        services::ArchiveDesk& desk);
    virtual ~ControlServer() = default;
};

/// Has the server of a data directory carry out an order; waits for it, however long it takes.
/// @return What it did. @errors The server's; kUnavailable: no server listens there.
Result<std::string> ask_server(const std::filesystem::path& data_directory,
                               const services::ArchiveOrder& order);

}  // namespace notso::app
