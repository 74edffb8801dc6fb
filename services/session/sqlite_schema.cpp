#include "services/session/sqlite_schema.hpp"

#include <iterator>

namespace notso::services {
namespace {

// Step n leads from version n to n + 1. A step that has been released never changes.
const char* const kSteps[] = {
    R"sql(
CREATE TABLE conversation (
    seq           INTEGER PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    title         TEXT NOT NULL,
    thinking      INTEGER NOT NULL CHECK (thinking IN (0, 1)),
    temperature   REAL,
    system_prompt TEXT NOT NULL,
    date          TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX conversation_by_use ON conversation (updated_at DESC, seq DESC);

CREATE TABLE message (
    seq               INTEGER PRIMARY KEY,
    id                TEXT NOT NULL UNIQUE,
    conversation      TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    parent            TEXT,
    role              TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    state             TEXT NOT NULL
        CHECK (state IN ('complete', 'running', 'stopped', 'interrupted', 'length', 'failed')),
    text              TEXT NOT NULL,
    thinking          TEXT NOT NULL,
    error             TEXT NOT NULL,
    prompt_tokens     INTEGER NOT NULL,
    cached_tokens     INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    reasoning_tokens  INTEGER NOT NULL,
    first_token_ms    REAL NOT NULL,
    tokens_per_second REAL NOT NULL,
    thinking_ms       REAL NOT NULL,
    client_id         TEXT,
    created_at        INTEGER NOT NULL
) STRICT;
CREATE INDEX message_in_order ON message (conversation, seq);
CREATE UNIQUE INDEX message_once ON message (conversation, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX message_running ON message (seq) WHERE state = 'running';

-- What running answers have said since their row was written: few rows, so it needs no index.
CREATE TABLE answer_piece (
    seq      INTEGER PRIMARY KEY,
    message  INTEGER NOT NULL REFERENCES message (seq) ON DELETE CASCADE,
    thinking TEXT NOT NULL,
    text     TEXT NOT NULL
) STRICT;
)sql",
    R"sql(
ALTER TABLE conversation ADD COLUMN model TEXT NOT NULL DEFAULT '';
)sql",
    R"sql(
ALTER TABLE message ADD COLUMN draft_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN accepted_tokens INTEGER NOT NULL DEFAULT 0;
)sql",
    R"sql(
ALTER TABLE conversation ADD COLUMN leaf TEXT NOT NULL DEFAULT '';
CREATE INDEX message_by_parent ON message (conversation, parent);
)sql",
    R"sql(
ALTER TABLE message ADD COLUMN thinking_end INTEGER NOT NULL DEFAULT 0;
)sql",
    R"sql(
CREATE TABLE tool_use (
    seq         INTEGER PRIMARY KEY,
    message     INTEGER NOT NULL REFERENCES message (seq) ON DELETE CASCADE,
    id          TEXT NOT NULL,
    name        TEXT NOT NULL,
    arguments   TEXT NOT NULL,
    state       TEXT NOT NULL
        CHECK (state IN ('asking', 'running', 'done', 'failed', 'denied', 'interrupted')),
    output      TEXT NOT NULL,
    round       INTEGER NOT NULL,
    text_offset INTEGER NOT NULL,
    sends_to    TEXT NOT NULL,
    UNIQUE (message, id)
) STRICT;
CREATE TABLE allowed_tool (
    name TEXT PRIMARY KEY
) STRICT;
CREATE TABLE note (
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    number       INTEGER NOT NULL,
    text         TEXT NOT NULL,
    gone         INTEGER NOT NULL DEFAULT 0 CHECK (gone IN (0, 1)),
    PRIMARY KEY (conversation, number)
) STRICT;
)sql",
    // Every run of three characters of messages that are finished; the texts stay in message.
    R"sql(
CREATE VIRTUAL TABLE message_index USING fts5 (
    text, content = 'message', content_rowid = 'seq', tokenize = 'trigram'
);
INSERT INTO message_index (rowid, text) SELECT seq, text FROM message WHERE state <> 'running';
CREATE TRIGGER message_added AFTER INSERT ON message WHEN new.state <> 'running' BEGIN
    INSERT INTO message_index (rowid, text) VALUES (new.seq, new.text);
END;
CREATE TRIGGER message_removed AFTER DELETE ON message WHEN old.state <> 'running' BEGIN
    INSERT INTO message_index (message_index, rowid, text) VALUES ('delete', old.seq, old.text);
END;
CREATE TRIGGER message_unfinished AFTER UPDATE OF state, text ON message
WHEN old.state <> 'running' BEGIN
    INSERT INTO message_index (message_index, rowid, text) VALUES ('delete', old.seq, old.text);
    INSERT INTO message_index (rowid, text)
        SELECT new.seq, new.text WHERE new.state <> 'running';
END;
CREATE TRIGGER message_finished AFTER UPDATE OF state, text ON message
WHEN old.state = 'running' AND new.state <> 'running' BEGIN
    INSERT INTO message_index (rowid, text) VALUES (new.seq, new.text);
END;
)sql",
    R"sql(
ALTER TABLE conversation ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1));
ALTER TABLE conversation ADD COLUMN trashed_at INTEGER NOT NULL DEFAULT 0;
DROP INDEX conversation_by_use;
CREATE INDEX conversation_by_place ON conversation (pinned DESC, updated_at DESC, seq DESC);
)sql",
    // What was there before belongs to the person at this machine.
    R"sql(
ALTER TABLE conversation ADD COLUMN owner TEXT NOT NULL DEFAULT 'local' CHECK (owner <> '');
DROP INDEX conversation_by_place;
CREATE INDEX conversation_by_place
    ON conversation (owner, pinned DESC, updated_at DESC, seq DESC);
ALTER TABLE allowed_tool RENAME TO allowed_tool_of_all;
CREATE TABLE allowed_tool (
    owner TEXT NOT NULL,
    name  TEXT NOT NULL,
    PRIMARY KEY (owner, name)
) STRICT;
INSERT INTO allowed_tool SELECT 'local', name FROM allowed_tool_of_all;
DROP TABLE allowed_tool_of_all;
)sql",
    // Passwords and tokens as hashes.
    R"sql(
CREATE TABLE account (
    name       TEXT PRIMARY KEY,
    owner      TEXT NOT NULL UNIQUE,
    password   TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE login (
    token      TEXT PRIMARY KEY,
    account    TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX login_of_account ON login (account);
)sql",
    // How much text a conversation has, so that nobody has to count it for a quota.
    R"sql(
ALTER TABLE conversation ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE conversation SET bytes = coalesce(
    (SELECT sum(length(CAST(message.text AS BLOB)) + length(CAST(message.thinking AS BLOB)))
     FROM message WHERE message.conversation = conversation.id), 0);
CREATE INDEX conversation_by_size ON conversation (owner, bytes);
CREATE TRIGGER message_weighed AFTER INSERT ON message BEGIN
    UPDATE conversation SET bytes = bytes + length(CAST(new.text AS BLOB))
        + length(CAST(new.thinking AS BLOB)) WHERE id = new.conversation;
END;
CREATE TRIGGER message_weighed_again AFTER UPDATE OF text, thinking ON message BEGIN
    UPDATE conversation SET bytes = bytes + length(CAST(new.text AS BLOB))
        + length(CAST(new.thinking AS BLOB)) - length(CAST(old.text AS BLOB))
        - length(CAST(old.thinking AS BLOB)) WHERE id = new.conversation;
END;
CREATE TRIGGER message_weighs_nothing AFTER DELETE ON message BEGIN
    UPDATE conversation SET bytes = bytes - length(CAST(old.text AS BLOB))
        - length(CAST(old.thinking AS BLOB)) WHERE id = old.conversation;
END;
)sql",
    // How long a conversation may think, where it says so itself.
    R"sql(
ALTER TABLE conversation ADD COLUMN thinking_budget INTEGER;
)sql",
    // Token ids are 32-bit numbers, little end first.
    R"sql(
ALTER TABLE answer_piece ADD COLUMN tokens BLOB NOT NULL DEFAULT x'';
CREATE TABLE answer_journal (
    message          INTEGER PRIMARY KEY REFERENCES message (seq) ON DELETE CASCADE,
    model            TEXT NOT NULL,
    thinking         INTEGER NOT NULL CHECK (thinking IN (0, 1)),
    seed             INTEGER NOT NULL,
    runs             INTEGER NOT NULL,
    crashes          INTEGER NOT NULL,
    round            INTEGER NOT NULL,
    text_begin       INTEGER NOT NULL,
    thinking_begin   INTEGER NOT NULL,
    tokens_before    INTEGER NOT NULL,
    reasoning_before INTEGER NOT NULL,
    tokens           BLOB NOT NULL
) STRICT;
)sql",
    R"sql(
CREATE TABLE waiting_message (
    seq          INTEGER PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    client_id    TEXT NOT NULL,
    text         TEXT NOT NULL,
    thinking     INTEGER CHECK (thinking IN (0, 1)),
    created_at   INTEGER NOT NULL,
    UNIQUE (conversation, client_id)
) STRICT;
)sql",
    R"sql(
CREATE TABLE summary (
    message       INTEGER PRIMARY KEY REFERENCES message (seq) ON DELETE CASCADE,
    text          TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;
)sql",
    R"sql(
ALTER TABLE conversation ADD COLUMN archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1));
CREATE INDEX conversation_archived
    ON conversation (owner, updated_at DESC, seq DESC) WHERE archived = 1;
)sql",
    R"sql(
ALTER TABLE message ADD COLUMN model TEXT NOT NULL DEFAULT '';
)sql",
    // Settings: of conversations, of answers that may go on, of owners and their presets.
    R"sql(
ALTER TABLE conversation ADD COLUMN top_p REAL;
ALTER TABLE conversation ADD COLUMN top_k INTEGER;
ALTER TABLE conversation ADD COLUMN min_p REAL;
ALTER TABLE conversation ADD COLUMN repeat_penalty REAL;
ALTER TABLE conversation ADD COLUMN max_tokens INTEGER;
ALTER TABLE conversation ADD COLUMN context_size INTEGER;
ALTER TABLE answer_journal ADD COLUMN system_prompt TEXT;
ALTER TABLE answer_journal ADD COLUMN temperature REAL;
ALTER TABLE answer_journal ADD COLUMN top_p REAL;
ALTER TABLE answer_journal ADD COLUMN top_k INTEGER;
ALTER TABLE answer_journal ADD COLUMN min_p REAL;
ALTER TABLE answer_journal ADD COLUMN repeat_penalty REAL;
ALTER TABLE answer_journal ADD COLUMN max_tokens INTEGER;
ALTER TABLE answer_journal ADD COLUMN thinking_budget INTEGER;
ALTER TABLE answer_journal ADD COLUMN context_size INTEGER;
CREATE TABLE owner_settings (
    owner           TEXT PRIMARY KEY CHECK (owner <> ''),
    theme           TEXT NOT NULL CHECK (theme IN ('system', 'light', 'dark')),
    default_preset  TEXT NOT NULL,
    system_prompt   TEXT NOT NULL,
    temperature     REAL,
    top_p           REAL,
    top_k           INTEGER,
    min_p           REAL,
    repeat_penalty  REAL,
    max_tokens      INTEGER,
    thinking_budget INTEGER,
    context_size    INTEGER
) STRICT;
CREATE TABLE preset (
    owner           TEXT NOT NULL REFERENCES owner_settings (owner) ON DELETE CASCADE,
    name            TEXT NOT NULL,
    system_prompt   TEXT NOT NULL,
    temperature     REAL,
    top_p           REAL,
    top_k           INTEGER,
    min_p           REAL,
    repeat_penalty  REAL,
    max_tokens      INTEGER,
    thinking_budget INTEGER,
    context_size    INTEGER,
    PRIMARY KEY (owner, name)
) STRICT;
)sql",
    // Files: their bytes, and what the model reads of them where that is something else. A file
    // that no message uses any more goes; one that never had one lies in a composer.
    R"sql(
CREATE TABLE attachment (
    seq          INTEGER PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    owner        TEXT NOT NULL CHECK (owner <> ''),
    conversation TEXT REFERENCES conversation (id) ON DELETE CASCADE,
    state        TEXT NOT NULL CHECK (state IN ('coming', 'composer', 'waiting', 'message')),
    name         TEXT NOT NULL,
    media_type   TEXT NOT NULL,
    bytes        INTEGER NOT NULL,
    sha256       TEXT NOT NULL,
    text_bytes   INTEGER NOT NULL,
    text_is_file INTEGER NOT NULL CHECK (text_is_file IN (0, 1)),
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX attachment_of_owner ON attachment (owner, conversation);
CREATE INDEX attachment_of_conversation ON attachment (conversation);
CREATE INDEX attachment_unsent ON attachment (created_at) WHERE state IN ('coming', 'composer');
CREATE TABLE attachment_piece (
    seq        INTEGER PRIMARY KEY,
    attachment INTEGER NOT NULL REFERENCES attachment (seq) ON DELETE CASCADE,
    part       TEXT NOT NULL CHECK (part IN ('file', 'text')),
    start      INTEGER NOT NULL,
    bytes      BLOB NOT NULL,
    UNIQUE (attachment, part, start)
) STRICT;
CREATE TABLE message_attachment (
    message      INTEGER NOT NULL REFERENCES message (seq) ON DELETE CASCADE,
    place        INTEGER NOT NULL,
    attachment   INTEGER NOT NULL REFERENCES attachment (seq) ON DELETE CASCADE,
    prompt_bytes INTEGER,
    PRIMARY KEY (message, place)
) STRICT;
CREATE INDEX message_of_attachment ON message_attachment (attachment);
CREATE TRIGGER attachment_unused AFTER DELETE ON message_attachment BEGIN
    DELETE FROM attachment WHERE seq = old.attachment AND NOT EXISTS
        (SELECT 1 FROM message_attachment WHERE attachment = old.attachment);
END;
CREATE TABLE waiting_attachment (
    waiting      INTEGER NOT NULL REFERENCES waiting_message (seq) ON DELETE CASCADE,
    place        INTEGER NOT NULL,
    attachment   INTEGER NOT NULL REFERENCES attachment (seq) ON DELETE CASCADE,
    prompt_bytes INTEGER,
    PRIMARY KEY (waiting, place)
) STRICT;
CREATE INDEX waiting_of_attachment ON waiting_attachment (attachment);
CREATE TRIGGER attachment_back AFTER DELETE ON waiting_attachment BEGIN
    UPDATE attachment SET state = 'composer' WHERE seq = old.attachment AND state = 'waiting';
END;
)sql",
    // Answers that leave half of the processor to others.
    R"sql(
ALTER TABLE owner_settings ADD COLUMN quiet INTEGER NOT NULL DEFAULT 0 CHECK (quiet IN (0, 1));
)sql",
};

}  // namespace

std::int64_t newest_schema_version() { return std::ssize(kSteps); }

Result<> migrate(sqlite::Database& database) {
    NOTSO_TRY(std::int64_t version, database.query_integer("PRAGMA user_version"));
    if (version > newest_schema_version() || version < 0) {
        return fail(ErrorCode::kUnsupported,
                    "database {} has layout {}, made by a newer notso; this one knows up to {}: "
                    "update notso, or "
                    "choose another --data-dir",
                    database.path(),
                    version,
                    newest_schema_version());
    }
    NOTSO_TRY(const std::int64_t n_tables,
              database.query_integer("SELECT count(*) FROM sqlite_schema"));
    if (version == 0 && n_tables > 0) {
        return fail(ErrorCode::kCorruptData,
                    "database {} belongs to another program: choose another --data-dir",
                    database.path());
    }
    for (; version < newest_schema_version(); ++version) {
        NOTSO_TRY(sqlite::Transaction transaction, sqlite::Transaction::begin(database));
        NOTSO_CHECK(database.execute(kSteps[version]));
        NOTSO_CHECK(database.execute(fmt::format("PRAGMA user_version = {}", version + 1)));
        NOTSO_CHECK(transaction.commit());
    }
    return {};
}

}  // namespace notso::services
