// AttachmentDesk: files on their way from people to the store: named, read, checked, kept. On a
// thread of its own, one after the other, since reading a PDF takes a while. Asked from the io
// thread; the store stays where it is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "base/serial_worker.hpp"
#include "services/archive/store_gate.hpp"
#include "services/chat/grace_timer.hpp"
#include "services/chat/quota.hpp"
#include "services/chat/store_client.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {

/// A file that somebody sends.
struct NewAttachment {
    ConversationKey composer;    ///< Where it will lie; AttachmentStore says more.
    std::string name;            ///< As it was sent: hostile.
    std::filesystem::path path;  ///< What has its bytes,
    std::uint64_t begin = 0;     ///< from here
    std::uint64_t end = 0;       ///< to here.
};

struct AttachmentDeskDeps {
    SessionStore& store;  ///< Used on `database` only.
    Executor& database;
    Executor& io;
    std::filesystem::path folder;  ///< For files on their way; made when it is needed.
    Quota quota = {};
    std::int64_t sweep_ms = 3'600'000;  ///< How often what nobody sent is looked for.
};

/// Reads it, checks it, stores it. @errors name the file: kTooLarge, kUnsupported and others of
/// text_of_file(); kPermissionDenied (a quota is used up); kInvalidArgument: the composer has
/// kMaxAttachments; the store's.
/// @param scratch  A name that nothing has, for the time of the call.
Result<AttachedFile> take_attachment(StoreGate& gate,
                                     const NewAttachment& file,
                                     const Quota& quota,
                                     const std::filesystem::path& scratch);

class AttachmentDesk {
  public:
    template <class T>
    using Done = std::move_only_function<void(Result<T>)>;

    /// Removes what a process left that died while it took files, and from then on what lies in
    /// composers for more than a day, or was begun more than an hour ago.
    explicit AttachmentDesk(AttachmentDeskDeps deps);

    /// take_attachment(). `done`, as all of these, runs on io, and not after stop().
    void add(NewAttachment file, Done<AttachedFile> done);
    void composer_files(ConversationKey composer, Done<std::vector<AttachedFile>> done);
    void find(ConversationKey key, AttachmentId id, Done<AttachedFile> done);
    /// Bytes of a file from `offset` on, a piece; empty at its end.
    void read(AttachedFile file, std::int64_t offset, Done<std::string> done);
    void remove(ConversationKey composer, AttachmentId id, Done<void> done);

    /// A name in the folder that nobody uses. @errors kIo: the folder can't be made.
    Result<std::filesystem::path> temporary_file() const;
    /// For work on files that came.
    Executor& worker() { return worker_; }
    /// Waits for what runs. The database must have stopped, or it may take long.
    void stop() { worker_.stop(); }

  private:
    void sweep(UnixMs begun_before);
    void sweep_later();

    AttachmentDeskDeps deps_;
    StoreClient store_;
    ExecutorGate gate_;
    std::unique_ptr<GraceTimer> timer_;
    std::shared_ptr<const int> alive_ = std::make_shared<const int>(0);
    SerialWorker worker_{"notso-files"};
};

}  // namespace notso::services
