// ArchiveDesk: import, export and backup of a running server, on a thread of their own, one after
// the other. Asked from the io thread; the store stays where it is.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/executor.hpp"
#include "base/serial_worker.hpp"
#include "services/archive/export.hpp"
#include "services/archive/import.hpp"
#include "services/archive/store_gate.hpp"
#include "services/chat/quota.hpp"

namespace notso::services {

enum class ArchiveAction { kImport, kExport, kBackup };

struct ArchiveOrder {
    ArchiveAction action = ArchiveAction::kExport;
    std::filesystem::path path;
    OwnerId owner = local_owner();                ///< Of an import or an export: whose.
    ArchiveFormat format = ArchiveFormat::kJson;  ///< Of an export.
    std::optional<ConversationId> only = {};      ///< Of an export as JSON: this one alone.
    FilePart part = {};                           ///< Of an import.
    Quota quota = {};                             ///< Of an import: what the owner may have.
};

/// Does it, and says what was done in one or more lines for people.
Result<std::string> carry_out(StoreGate& gate, const ArchiveOrder& order);

class ArchiveDesk {
  public:
    using Done = std::move_only_function<void(Result<std::string>)>;

    /// @param folder  For files that only live for a moment; made when it is needed, emptied now.
    ArchiveDesk(SessionStore& store,
                Executor& database,
                Executor& io,
                std::filesystem::path folder);

    /// `done` runs on io. Nothing of it runs after stop().
    void carry_out(ArchiveOrder order, Done done);
    /// All there is of one conversation; does not wait for what is being carried out.
    void load(ConversationKey key, std::move_only_function<void(Result<WholeConversation>)> done);
    /// A name in the folder that nobody uses. @errors kIo, kPermissionDenied: the folder can't be
    /// made.
    Result<std::filesystem::path> temporary_file() const;
    /// What owners may have after an import; set before anything is asked for.
    void limit_imports(const Quota& quota) { quota_ = quota; }
    /// Waits for what runs. The database must have stopped, or it may take long.
    void stop() { worker_.stop(); }

  private:
    SessionStore& store_;
    Executor& database_;
    ExecutorGate gate_;
    Executor& io_;
    std::filesystem::path folder_;
    Quota quota_;
    SerialWorker worker_{"notso-archive"};
};

}  // namespace notso::services
