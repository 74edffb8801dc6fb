// The table of settings: name, flag, environment, and how a value is checked. To add a setting, add
// a field to Settings and a row here; those about who owns what are in settings_owners.cpp.
#include <algorithm>
#include <charconv>
#include <limits>

#include "app/setting_values.hpp"
#include "app/settings.hpp"
#include "app/tools.hpp"
#include "base/log.hpp"
#include "services/session/session_store.hpp"

namespace notso::app {
namespace {

Result<> set_model(Settings& settings, const SettingValue& value) {
    NOTSO_TRY(settings.model, one(value));
    return {};
}

Result<> set_tokenizer(Settings& settings, const SettingValue& value) {
    NOTSO_TRY(settings.tokenizer_json, one(value));
    return {};
}

Result<> set_backend(Settings& settings, const SettingValue& value) {
    NOTSO_TRY(const std::string text, one(value));
    const auto* found = std::ranges::find(kBackendNames, text);
    if (found == kBackendNames.end()) return bad_value(value, "one of local, remote, stub");
    settings.backend = static_cast<BackendKind>(found - kBackendNames.begin());
    return {};
}

/// Messages never repeat the address: a password may be in it.
Result<> set_remote_url(Settings& settings, const SettingValue& value) {
    NOTSO_TRY(const std::string text, one(value));
    auto url = services::parse_http_url(text);
    if (!url) return fail(url.error().code, "{}: {}", value.source, url.error().detail);
    if (!url->query.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "{}: the address must not have a query (?...)",
                    value.source);
    }
    settings.remote_url = *std::move(url);
    return {};
}

template <class T>
Result<> set_number(T& field,
                    const SettingValue& value,
                    std::int64_t lowest,
                    std::int64_t highest) {
    NOTSO_TRY(const std::int64_t number, whole_number(value, lowest, highest));
    field = static_cast<T>(number);
    return {};
}

Result<> set_port(Settings& settings, const SettingValue& value) {
    return set_number(settings.port, value, 0, std::numeric_limits<std::uint16_t>::max());
}

Result<> set_threads(Settings& settings, const SettingValue& value) {
    return set_number(settings.threads, value, 0, 1024);
}

Result<> set_context(Settings& settings, const SettingValue& value) {
    return set_number(settings.context, value, 0, 1 << 24);
}

Result<> set_kv(Settings& settings, const SettingValue& value) {
    NOTSO_TRY(const std::string text, one(value));
    const auto* found = std::ranges::find(ml::kKvTraits, text, &ml::KvTraits::name);
    if (found == std::end(ml::kKvTraits)) return bad_value(value, "one of f16, f32, q8_0");
    settings.kv = static_cast<ml::KvType>(found - std::begin(ml::kKvTraits));
    return {};
}

Result<> set_kv_memory(Settings& settings, const SettingValue& value) {
    return set_number(settings.kv_memory_mb, value, 0, 1 << 24);
}

Result<> set_draft(Settings& settings, const SettingValue& value) {
    return set_number(settings.max_draft, value, 0, 63);
}

Result<> set_precision(Settings& settings, const SettingValue& value) {
    NOTSO_TRY(const bool is_exact, is_first(value, "exact", "fast"));
    settings.precision = is_exact ? ml::Precision::kExact : ml::Precision::kFast;
    return {};
}

Result<> set_thinking_budget(Settings& settings, const SettingValue& value) {
    return set_number(settings.thinking_budget, value, 0, services::kMaxThinkingBudget);
}

Result<> set_background(Settings& settings, const SettingValue& value) {
    return set_switch(settings.background, value);
}

Result<> set_unfinished(Settings& settings, const SettingValue& value) {
    NOTSO_TRY(settings.continue_unfinished, is_first(value, "continue", "mark"));
    return {};
}

Result<> set_hub(Settings& settings, const SettingValue& value) {
    NOTSO_TRY(std::string text, one(value));
    while (text.ends_with('/')) text.pop_back();
    const auto slashes = text.find("://");
    const std::string scheme = text.substr(0, slashes);
    if ((scheme != "https" && scheme != "http") || slashes + 3 >= text.size())
        return bad_value(value, "an address such as https://huggingface.co");
    settings.hub = std::move(text);
    return {};
}

Result<> set_idle_unload(Settings& settings, const SettingValue& value) {
    constexpr double kMostMinutes = 1e6;
    NOTSO_TRY(const std::string text, one(value));
    double minutes = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), minutes);
    if (error != std::errc{} || end != text.data() + text.size() ||
        !(minutes >= 0 && minutes <= kMostMinutes))
        return bad_value(value, "a number of minutes, 0 or more");
    settings.idle_unload_minutes = minutes;
    return {};
}

Result<> set_max_models(Settings& settings, const SettingValue& value) {
    return set_number(settings.max_models, value, 1, 64);
}

Result<> set_memory_limit(Settings& settings, const SettingValue& value) {
    return set_number(settings.memory_limit_mib, value, 0, std::int64_t{1} << 32);
}

Result<> set_log(Settings& settings, const SettingValue& value) {
    NOTSO_TRY(const std::string text, one(value));
    if (const auto configured = log::configure(text); !configured)
        return fail(ErrorCode::kInvalidArgument, "{}: {}", value.source, configured.error().detail);
    settings.log = text;
    return {};
}

const std::vector<SettingRow> kRows = {
    {"model",
     "-m,--model",
     {"NOTSO_MODEL", "MODEL_PATH"},
     SettingGroup::kModel,
     false,
     "path of a GGUF file, or the name of an installed model",
     set_model},
    {"tokenizer",
     "--tokenizer",
     {"NOTSO_TOKENIZER", "TOKENIZER_PATH"},
     SettingGroup::kModel,
     false,
     "a Hugging Face tokenizer.json that replaces the model's own tokenizer",
     set_tokenizer},
    {"models_dir",
     "--models-dir",
     {"NOTSO_MODELS_DIR"},
     SettingGroup::kModel,
     false,
     "folder of installed models",
     [](Settings& settings, const SettingValue& value) {
         return set_path(settings.models_dir, value);
     }},
    {"backend",
     "--backend",
     {"NOTSO_BACKEND"},
     SettingGroup::kEngine,
     false,
     "who answers: local, remote (another server), or stub (scripted answers, no model)",
     set_backend},
    {"threads",
     "-t,--threads",
     {"NOTSO_THREADS"},
     SettingGroup::kEngine,
     false,
     "compute threads; 0 = physical cores",
     set_threads},
    {"ctx",
     "-c,--ctx",
     {"NOTSO_CTX"},
     SettingGroup::kEngine,
     false,
     "context length in tokens; 0 = min(model, 8192, what memory allows)",
     set_context},
    {"kv",
     "--kv",
     {"NOTSO_KV"},
     SettingGroup::kEngine,
     false,
     "how keys and values are stored: f16, f32 or q8_0",
     set_kv},
    {"kv_memory",
     "--kv-memory",
     {"NOTSO_KV_MEMORY"},
     SettingGroup::kEngine,
     false,
     "memory for keys and values of all conversations in MB; 0 = for one whole context, a server "
     "up to four",
     set_kv_memory},
    {"draft",
     "--draft",
     {"NOTSO_DRAFT"},
     SettingGroup::kEngine,
     false,
     "most tokens guessed ahead from the text, which changes the speed only; 0 = none",
     set_draft},
    {"precision",
     "--precision",
     {"NOTSO_PRECISION"},
     SettingGroup::kEngine,
     false,
     "how new prompt text is read: exact, or fast (less exact, in about two thirds of the time)",
     set_precision},
    {"hub",
     "--hub",
     {"NOTSO_HUB"},
     SettingGroup::kDownload,
     false,
     "where models are fetched from",
     set_hub},
    {"thinking_budget",
     "--thinking-budget",
     {"NOTSO_THINKING_BUDGET"},
     SettingGroup::kChats,
     false,
     "most tokens of thoughts of an answer in chats that have no limit of their own; 0 = no limit",
     set_thinking_budget},
    {"background",
     "--background",
     {"NOTSO_BACKGROUND"},
     SettingGroup::kServer,
     false,
     "after an answer, make a title and follow-up questions and read ahead: on or off; default: on "
     "for a local model",
     set_background},
    {"unfinished",
     "--unfinished",
     {"NOTSO_UNFINISHED"},
     SettingGroup::kServer,
     false,
     "answers that a crash or a stop of the server cut: continue them at the next start, or mark "
     "them as interrupted",
     set_unfinished},
    {"tools",
     "--tools",
     {"NOTSO_TOOLS"},
     SettingGroup::kChats,
     true,
     "tools that models may use, by name, or none; see `notso tool`",
     set_tools},
    {"remote_url",
     "--remote-url",
     {"NOTSO_REMOTE_URL"},
     SettingGroup::kRemote,
     false,
     "address of an OpenAI-compatible server, usually ending in /v1",
     set_remote_url},
    {"remote_model",
     "--remote-model",
     {"NOTSO_REMOTE_MODEL"},
     SettingGroup::kRemote,
     false,
     "its model; default: the first that it lists",
     [](Settings& settings, const SettingValue& value) {
         return set_string(settings.remote_model, value);
     }},
    {"remote_key",
     "--remote-key",
     {"NOTSO_REMOTE_KEY"},
     SettingGroup::kRemote,
     false,
     "key that it wants; better given in the environment, where other users don't see it",
     [](Settings& settings, const SettingValue& value) {
         return set_string(settings.remote_key, value);
     }},
    {"data_dir",
     "--data-dir",
     {"NOTSO_DATA_DIR"},
     SettingGroup::kData,
     false,
     "folder of conversations",
     [](Settings& settings, const SettingValue& value) {
         return set_path(settings.data_dir, value);
     }},
    {"host",
     "--host",
     {"NOTSO_HOST"},
     SettingGroup::kServer,
     false,
     "address to listen on",
     [](Settings& settings, const SettingValue& value) {
         return set_string(settings.host, value);
     }},
    {"port",
     "--port",
     {"NOTSO_PORT", "PORT"},
     SettingGroup::kServer,
     false,
     "port to listen on; 0 = any free one",
     set_port},
    {"api_key",
     "--api-key",
     {"NOTSO_API_KEY"},
     SettingGroup::kServer,
     false,
     "key that clients must send; required on anything but loopback",
     [](Settings& settings, const SettingValue& value) {
         return set_string(settings.api_key, value);
     }},
    {"allowed_hosts",
     "--allowed-host",
     {"NOTSO_ALLOWED_HOSTS"},
     SettingGroup::kServer,
     true,
     "further host names that requests may carry (repeatable)",
     [](Settings& settings, const SettingValue& value) -> Result<> {
         settings.allowed_hosts = value.values;
         return {};
     }},
    {"public_url",
     "--public-url",
     {"NOTSO_PUBLIC_URL"},
     SettingGroup::kServer,
     false,
     "address under which people reach the server",
     [](Settings& settings, const SettingValue& value) {
         return set_string(settings.public_url, value);
     }},
    {"trusted_proxies",
     "--trusted-proxy",
     {"NOTSO_TRUSTED_PROXIES"},
     SettingGroup::kServer,
     true,
     "addresses of proxies whose forwarding headers count (repeatable)",
     [](Settings& settings, const SettingValue& value) -> Result<> {
         settings.trusted_proxies = value.values;
         return {};
     }},
    {"idle_unload",
     "--idle-unload",
     {"NOTSO_IDLE_UNLOAD"},
     SettingGroup::kServer,
     false,
     "minutes after which a model that nobody uses is unloaded; 0 = never",
     set_idle_unload},
    {"max_models",
     "--max-models",
     {"NOTSO_MAX_MODELS"},
     SettingGroup::kServer,
     false,
     "models in memory at the same time, at most",
     set_max_models},
    {"memory_limit",
     "--memory-limit",
     {"NOTSO_MEMORY_LIMIT"},
     SettingGroup::kServer,
     false,
     "MiB of memory for all models together; 0 = the machine's",
     set_memory_limit},
    {"log",
     "--log",
     {"NOTSO_LOG", "RUST_LOG"},
     SettingGroup::kGeneral,
     false,
     "log level: trace, debug, info, warn, error, off",
     set_log},
};

}  // namespace

std::span<const SettingRow> setting_table() {
    static const std::vector<SettingRow> kTable = [] {
        std::vector<SettingRow> all = kRows;
        const std::vector<SettingRow> more = owner_setting_rows();
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }();
    return kTable;
}

}  // namespace notso::app
