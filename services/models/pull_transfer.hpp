// PullTransfer: one request for (the rest of) a model's file, written to its part as it arrives.
// Says whether trying again may help; the trying is pull.cpp's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "services/models/part_file.hpp"
#include "services/models/pull.hpp"
#include "services/net/http_client.hpp"

namespace notso::services {

enum class TransferEnd {
    kWhole,        ///< All bytes are there.
    kInterrupted,  ///< Fewer came than were promised: going on may work.
    kFromStart,    ///< What is there belongs to another version; the part is empty now.
    kFailed,       ///< No use in trying again.
};

struct TransferResult {
    TransferEnd end;
    Error why = {};  ///< For all but kWhole.
};

class PullTransfer {
  public:
    /// @param expected_size  Bytes that the file must have; 0 = what the server says.
    /// @param trusted        The whole file's hash is known: bytes may be continued without an
    /// ETag.
    PullTransfer(PartFile& part,
                 const PullRequest& request,
                 const PullHooks& hooks,
                 const PullOptions& options);

    /// Blocks. Continues what is in the part where that is certain to be the same file.
    TransferResult run(std::uint64_t expected_size, bool trusted);

  private:
    bool can_continue(std::uint64_t expected_size, bool trusted) const;
    HttpFlow on_head(const HttpHead& head);
    HttpFlow on_data(std::span<const char> bytes);
    Result<> begin_whole(const HttpHead& head);
    Result<> check_rest(const HttpHead& head);
    Result<> look();
    HttpFlow end(TransferEnd how, Error why);
    TransferResult outcome(const Result<HttpReply>& reply) const;

    PartFile& part_;
    const PullRequest& request_;
    const PullHooks& hooks_;
    const PullOptions& options_;
    std::uint64_t expected_size_ = 0;
    std::uint64_t next_look_ = 1;  // look at the start once so many bytes are there; 0 = seen all
    std::optional<TransferResult> ended_;  // why a handler stopped the request
};

}  // namespace notso::services
