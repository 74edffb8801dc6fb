#include "services/archive/archive_desk.hpp"

#include <memory>
#include <system_error>
#include <utility>

#include "base/random.hpp"

namespace notso::services {
namespace {

namespace fs = std::filesystem;

Result<std::string> back_up(StoreGate& gate, const fs::path& path) {
    NOTSO_TRY(auto backup, gate.run([&](SessionStore& store) { return store.begin_backup(path); }));
    Result<bool> more = true;
    while (more && *more) more = gate.run([&](SessionStore&) { return backup->step(); });
    // It belongs to the store's thread, which also has to be the one that ends it.
    NOTSO_CHECK(gate.run([&](SessionStore&) -> Result<> {
        backup.reset();
        return {};
    }));
    if (!more) return std::unexpected(more.error());
    std::error_code error;
    return fmt::format("{} written ({} bytes)", path.string(), fs::file_size(path, error));
}

}  // namespace

Result<std::string> carry_out(StoreGate& gate, const ArchiveOrder& order) {
    switch (order.action) {
        case ArchiveAction::kImport: {
            NOTSO_TRY(const ImportReport report,
                      import_file(gate, {order.owner, order.quota}, order.path, order.part));
            return to_text(report);
        }
        case ArchiveAction::kExport: {
            if (order.only) {
                NOTSO_CHECK(export_conversation(gate, {order.owner, *order.only}, order.path));
                return fmt::format("1 conversation written to {}", order.path.string());
            }
            NOTSO_TRY(const std::int64_t count,
                      export_file(gate, order.owner, order.path, order.format));
            return fmt::format("{} conversation{} written to {}",
                               count,
                               count == 1 ? "" : "s",
                               order.path.string());
        }
        case ArchiveAction::kBackup:
            return back_up(gate, order.path);
    }
    return fail(ErrorCode::kInternal, "an order for nothing");
}

ArchiveDesk::ArchiveDesk(SessionStore& store, Executor& database, Executor& io, fs::path folder)
    : store_(store),
      database_(database),
      gate_(store, database),
      io_(io),
      folder_(std::move(folder)) {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);  // of a process that died
}

void ArchiveDesk::carry_out(ArchiveOrder order, Done done) {
    order.quota = quota_;
    worker_.post([this, order = std::move(order), done = std::move(done)]() mutable {
        auto result = services::carry_out(gate_, order);
        io_.post([result = std::move(result), done = std::move(done)]() mutable {
            done(std::move(result));
        });
    });
}

void ArchiveDesk::load(ConversationKey key,
                       std::move_only_function<void(Result<WholeConversation>)> done) {
    database_.post([this, key = std::move(key), done = std::move(done)]() mutable {
        auto whole = load_whole(store_, key);
        io_.post([whole = std::move(whole), done = std::move(done)]() mutable {
            done(std::move(whole));
        });
    });
}

Result<fs::path> ArchiveDesk::temporary_file() const {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (!error) fs::permissions(folder_, fs::perms::owner_all, error);
    if (error)
        return fail(ErrorCode::kIo, "{} can't be made: {}", folder_.string(), error.message());
    return folder_ / random_id();
}

}  // namespace notso::services
