// Settings of the program and where they come from: flag > environment > notso.toml > default.
// Every setting is one row of a table (settings_table.cpp), read by the same parser from every
// source.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ml/kernels/kv_type.hpp"
#include "ml/kernels/precision.hpp"
#include "services/chat/quota.hpp"
#include "services/net/url.hpp"

namespace notso::app {

enum class BackendKind { kLocal, kRemote, kStub };
/// As the setting names them, by kind.
inline constexpr std::array<std::string_view, 3> kBackendNames = {"local", "remote", "stub"};

/// Resolved settings: every field has a value.
struct Settings {
    // Model
    std::optional<std::string> model = {};  ///< Path or installed name.
    std::optional<std::filesystem::path> tokenizer_json =
        {};  ///< Replaces the model file's own tokenizer.
    std::filesystem::path models_dir;
    // Engine
    BackendKind backend = BackendKind::kLocal;
    std::int32_t threads = 0;          ///< 0 = physical cores this process may use.
    std::int32_t context = 0;          ///< Tokens; 0 = min(model, 8192, what memory allows).
    ml::KvType kv = ml::KvType::kF16;  ///< How the cache stores keys and values.
    std::int64_t kv_memory_mb = 0;  ///< For those of all conversations; 0 = one to four contexts.
    std::int32_t max_draft = 15;    ///< Most tokens guessed ahead.
    ml::Precision precision = ml::Precision::kExact;  ///< Of new prompt text.
    // Downloads
    std::string hub = "https://huggingface.co";  ///< Scheme and host, no slash at the end.
    // Remote backend
    std::optional<services::HttpUrl> remote_url = {};
    std::string remote_model = {};  ///< Empty: the first that the server lists.
    std::string remote_key = {};    ///< Never logged.
    // Server
    std::filesystem::path data_dir;
    std::string host = "127.0.0.1";
    std::uint16_t port = 3000;  ///< 0 = any free port.
    std::string api_key = {};
    std::vector<std::string> allowed_hosts = {};
    std::string public_url = {};
    std::vector<std::string> trusted_proxies = {};
    /// Each browser has its own conversations; absent: where others can reach the server.
    std::optional<bool> spaces = {};
    /// Of each browser's space and each account.
    services::Quota quota = {.conversations = 10'000, .bytes = std::int64_t{1} << 30, .running = 4};
    double idle_unload_minutes =
        0;                        ///< A model that nobody used for so long is unloaded; 0 = never.
    std::int32_t max_models = 4;  ///< In memory at the same time.
    std::int64_t memory_limit_mib = 0;  ///< For all models together; 0 = the machine's memory.
    /// Titles, follow-ups, reading ahead; absent: on for the local backend only.
    std::optional<bool> background = {};
    bool continue_unfinished = true;  ///< Answers that a crash or a stop of the server cut go on.
    std::optional<std::vector<std::string>> tools = {};  ///< Names; absent: the usual ones.
    std::int64_t thinking_budget = 0;  ///< Most tokens of thoughts in chats; 0 = no limit.
    // General
    std::optional<std::string> log = {};  ///< Absent: info for serve, off for the other commands.
};

enum class SettingGroup { kModel, kEngine, kRemote, kDownload, kChats, kData, kServer, kGeneral };

/// Values of one setting from one place; `source` is what messages call it ("--port", "PORT",
/// "notso.toml:3").
struct SettingValue {
    std::vector<std::string> values;
    std::string source;
};

/// One row of the table.
struct SettingRow {
    const char* key;                       ///< Name in notso.toml.
    const char* flag;                      ///< As CLI11 declares it, e.g. "-m,--model".
    std::vector<const char*> environment;  ///< The first that is set wins.
    SettingGroup group;
    bool list;  ///< Takes several values (comma separated in the environment).
    const char* help;
    Result<> (*set)(Settings& settings, const SettingValue& value);
};

/// The parts of "a,b,c"; empty ones are left out.
std::vector<std::string> split_list(std::string_view text);

/// Every setting of the program.
std::span<const SettingRow> setting_table();

/// By key.
using SettingValues = std::map<std::string, SettingValue, std::less<>>;

/// Looks up an environment variable; tests bring their own.
using Environment = std::function<std::optional<std::string>(const char* name)>;
Environment process_environment();

/// Reads a notso.toml. @errors kNotFound, kInvalidArgument with file:line (syntax, unknown key,
/// wrong type).
Result<SettingValues> read_settings_file(const std::filesystem::path& path);

/// Where the sources are.
struct SettingSources {
    SettingValues flags = {};
    Environment environment;
    std::optional<std::filesystem::path> file = {};  ///< Absent: ./notso.toml where there is one.
};

/// @errors kInvalidArgument naming the source, the value and what is allowed.
Result<Settings> resolve_settings(const SettingSources& sources);

}  // namespace notso::app
