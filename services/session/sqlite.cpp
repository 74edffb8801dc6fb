#include "services/session/sqlite.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <utility>

#include "base/log.hpp"

namespace notso::services::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 2000;

struct Meaning {
    int primary;
    ErrorCode code;
    std::string_view what_to_do;
};

constexpr Meaning kMeanings[] = {
    {SQLITE_FULL, ErrorCode::kIo, "the disk is full: free some space and try again"},
    {SQLITE_IOERR, ErrorCode::kIo, "the disk failed: check it and its free space"},
    {SQLITE_CANTOPEN,
     ErrorCode::kIo,
     "the file can't be opened: check the directory and its permissions"},
    {SQLITE_READONLY,
     ErrorCode::kPermissionDenied,
     "it is read-only: make it writable, or choose another --data-dir"},
    {SQLITE_PERM, ErrorCode::kPermissionDenied, "access denied: check the file's permissions"},
    {SQLITE_AUTH, ErrorCode::kPermissionDenied, "access denied: check the file's permissions"},
    {SQLITE_BUSY,
     ErrorCode::kBusy,
     "another program has locked it: close that program and try again"},
    {SQLITE_LOCKED, ErrorCode::kBusy, "it is locked: try again"},
    {SQLITE_CORRUPT,
     ErrorCode::kCorruptData,
     "it is damaged: move it away, or put a backup in its place"},
    {SQLITE_NOTADB,
     ErrorCode::kCorruptData,
     "it is no database: move it away, or choose another --data-dir"},
    {SQLITE_NOMEM, ErrorCode::kOutOfMemory, "not enough memory"},
    {SQLITE_TOOBIG, ErrorCode::kTooLarge, "a text is larger than the database allows"},
};

}  // namespace

std::string_view library_version() { return sqlite3_libversion(); }

int library_version_number() { return sqlite3_libversion_number(); }

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Database::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

void Statement::note(int code) {
    if (bind_error_ == SQLITE_OK) bind_error_ = code;
}

Statement& Statement::bind(int index, std::string_view text) {
    const char* data = text.data() != nullptr ? text.data() : "";  // null would bind NULL
    note(sqlite3_bind_text64(
        statement_.get(), index, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
    return *this;
}

Statement& Statement::bind(int index, std::int64_t value) {
    note(sqlite3_bind_int64(statement_.get(), index, value));
    return *this;
}

Statement& Statement::bind(int index, double value) {
    note(sqlite3_bind_double(statement_.get(), index, value));
    return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
    const char* data = bytes.data() != nullptr ? bytes.data() : "";
    note(sqlite3_bind_blob64(statement_.get(), index, data, bytes.size(), SQLITE_TRANSIENT));
    return *this;
}

Statement& Statement::bind_null(int index) {
    note(sqlite3_bind_null(statement_.get(), index));
    return *this;
}

Result<bool> Statement::step() {
    if (bind_error_ != SQLITE_OK) return std::unexpected(database_->error(bind_error_));
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    Error error = database_->error(code);
    sqlite3_reset(statement_.get());
    return std::unexpected(std::move(error));
}

Result<> Statement::run() {
    bool more = true;
    while (more) {
        NOTSO_TRY(more, step());
    }
    sqlite3_reset(statement_.get());
    sqlite3_clear_bindings(statement_.get());
    return {};
}

std::string Statement::text(int column) const {
    const void* data = sqlite3_column_text(statement_.get(), column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
    return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

std::string Statement::blob(int column) const {
    const void* data = sqlite3_column_blob(statement_.get(), column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
    return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

bool Statement::is_null(int column) const {
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& path) {
    // Made here and not by SQLite, so that only the owner can read it; the -wal and -shm files take
    // the same mode.
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) ::close(fd);
    sqlite3* raw = nullptr;
    const int code =
        sqlite3_open_v2(path.c_str(),
                        &raw,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        nullptr);
    std::unique_ptr<Database> database(new Database(raw, path.string()));
    if (code != SQLITE_OK) return std::unexpected(database->error(code));
    sqlite3_extended_result_codes(raw, 1);
    sqlite3_busy_timeout(raw, kBusyTimeoutMs);
    if (sqlite3_db_readonly(raw, "main") == 1)
        return std::unexpected(database->error(SQLITE_READONLY));
    return database;
}

Error Database::error(int code) const {
    const char* message = connection_ ? sqlite3_errmsg(connection_.get()) : sqlite3_errstr(code);
    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY) {
        return {ErrorCode::kAlreadyExists, "it is there already"};
    }
    if (code == SQLITE_CONSTRAINT_FOREIGNKEY) {
        return {ErrorCode::kNotFound, "the conversation was deleted"};
    }
    for (const Meaning& meaning : kMeanings) {
        if (meaning.primary != (code & 0xFF)) continue;
        return {meaning.code,
                fmt::format("database {}: {} ({})", path_, meaning.what_to_do, message)};
    }
    return {ErrorCode::kInternal, fmt::format("database {}: {} (code {})", path_, message, code)};
}

Result<> Database::execute(const std::string& sql) {
    const int code = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return std::unexpected(error(code));
    return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v2(
        connection_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
    if (code != SQLITE_OK) return std::unexpected(error(code));
    return Statement(*this, statement);
}

Result<std::int64_t> Database::query_integer(std::string_view sql) {
    NOTSO_TRY(Statement statement, prepare(sql));
    NOTSO_TRY(const bool row, statement.step());
    return row ? statement.integer(0) : 0;
}

Result<std::string> Database::query_text(std::string_view sql) {
    NOTSO_TRY(Statement statement, prepare(sql));
    NOTSO_TRY(const bool row, statement.step());
    return row ? statement.text(0) : std::string();
}

std::int64_t Database::changes() const { return sqlite3_changes64(connection_.get()); }

bool Database::in_transaction() const { return sqlite3_get_autocommit(connection_.get()) == 0; }

Result<Transaction> Transaction::begin(Database& database) {
    NOTSO_CHECK(database.execute("BEGIN IMMEDIATE"));
    return Transaction(database);
}

Transaction::~Transaction() {
    // A failure such as a full disk may have rolled back already.
    if (database_ == nullptr || !database_->in_transaction()) return;
    const Result<> undone = database_->execute("ROLLBACK");
    if (!undone) log::error("rolling back failed: {}", undone.error().detail);
}

Result<> Transaction::commit() {
    NOTSO_CHECK(database_->execute("COMMIT"));
    database_ = nullptr;
    return {};
}

}  // namespace notso::services::sqlite
