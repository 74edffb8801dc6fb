// JSON-RPC 2.0 as MCP uses it: messages written, and taken apart.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "services/tools/tool.hpp"

namespace notso::services {

/// A message from a server: a response (id, no method), a request (id and method) or a
/// notification.
struct RpcMessage {
    boost::json::value id = nullptr;
    std::string method = {};
    boost::json::object params = {};
    std::optional<boost::json::object> result = {};
    std::optional<std::string> error = {};

    /// The number of the request that this answers.
    std::optional<std::int64_t> answered() const;
};

/// @errors kCorruptData: this is no such message, or nested too deeply.
Result<RpcMessage> parse_rpc(std::string_view text);

/// One line, without its end.
std::string rpc_request(std::int64_t id, std::string_view method, boost::json::object params);
std::string rpc_notification(std::string_view method, boost::json::object params);
/// What a client answers a server's request: ping gets a result, others are not offered.
std::string rpc_answer(const RpcMessage& request);

/// A request's params with its id as the token that progress is reported with.
boost::json::object with_progress_token(boost::json::object params, std::int64_t id);
/// The request that a progress notification belongs to, and how far it is.
std::optional<std::pair<std::int64_t, ToolProgress>> progress_of(const RpcMessage& message);

}  // namespace notso::services
