// A small RAII wrapper over SQLite's C API: connection, statement, transaction. Errors say what to
// do about them. Not thread-safe; no exceptions; knows nothing of conversations.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace notso::services::sqlite {

class Database;

/// A prepared statement, finalised with the object. Parameters and columns count from 1 and from 0,
/// as in SQLite.
class Statement {
  public:
    Statement(Database& database, sqlite3_stmt* statement)
        : database_(&database), statement_(statement) {}

    /// Bytes are copied and kept exactly, NUL included. A failed bind shows in step().
    Statement& bind(int index, std::string_view text);
    Statement& bind(int index, std::int64_t value);
    Statement& bind(int index, double value);
    Statement& bind_blob(int index, std::string_view bytes);
    Statement& bind_null(int index);

    /// True when there is a row to read.
    Result<bool> step();
    /// For statements without rows: steps to the end and makes the statement ready for the next
    /// binding.
    Result<> run();

    std::string text(int column) const;
    std::string blob(int column) const;
    std::int64_t integer(int column) const;
    double real(int column) const;
    bool is_null(int column) const;

  private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    void note(int code);

    Database* database_;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
    int bind_error_ = 0;
};

/// Every row of a statement, made into something by `read(const Statement&)`.
template <class T, class Read>
Result<std::vector<T>> read_all(Statement& statement, Read read) {
    std::vector<T> rows;
    while (true) {
        NOTSO_TRY(const bool row, statement.step());
        if (!row) return rows;
        rows.push_back(read(statement));
    }
}

/// One connection. Every thread but its owner stays away from it.
class Database {
  public:
    /// Opens or creates the file, readable by its owner only.
    static Result<std::unique_ptr<Database>> open(const std::filesystem::path& path);

    /// Runs statements whose rows nobody wants.
    Result<> execute(const std::string& sql);
    Result<Statement> prepare(std::string_view sql);
    /// The only column of the only row.
    Result<std::int64_t> query_integer(std::string_view sql);
    Result<std::string> query_text(std::string_view sql);
    /// Rows that the last INSERT, UPDATE or DELETE touched.
    std::int64_t changes() const;
    bool in_transaction() const;
    /// For other parts of this adapter.
    sqlite3* handle() const { return connection_.get(); }
    const std::string& path() const { return path_; }

    /// What an SQLite result code means here, with the connection's own message.
    Error error(int code) const;

  private:
    struct Close {
        void operator()(sqlite3* connection) const;
    };
    Database(sqlite3* connection, std::string path)
        : connection_(connection), path_(std::move(path)) {}

    std::unique_ptr<sqlite3, Close> connection_;
    std::string path_;
};

/// Rolls back unless committed.
class Transaction {
  public:
    static Result<Transaction> begin(Database& database);
    Transaction(Transaction&& other) noexcept
        : database_(std::exchange(other.database_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Result<> commit();

  private:
    explicit Transaction(Database& database) : database_(&database) {}
    Database* database_;
};

/// Version of the library that runs, e.g. "3.40.1".
std::string_view library_version();
/// The same as a number to compare, e.g. 3040001.
int library_version_number();

}  // namespace notso::services::sqlite
