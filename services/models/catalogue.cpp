// See catalogue.hpp. Whatever the text is, the file name that comes out has no slash, no leading
// dot and no control character.
#include "services/models/catalogue.hpp"

#include <algorithm>
#include <array>

#include "base/log.hpp"

namespace notso::services {
namespace {

constexpr std::string_view kSuffix = ".gguf";
constexpr std::size_t kMaxText = 2048;
constexpr std::size_t kMaxFileName = 200;  // leaves room for ".part.json" within 255

constexpr auto kCatalogue = std::to_array<CatalogueEntry>({
    {"smollm3",
     "unsloth/SmolLM3-3B-GGUF/SmolLM3-3B-Q4_K_M.gguf",
     "SmolLM3 3B: thinks, calls tools"},
    {"smollm2-1.7b",
     "HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF/smollm2-1.7b-instruct-q4_k_m.gguf",
     "SmolLM2 1.7B: half the memory"},
    {"smollm2-360m",
     "HuggingFaceTB/SmolLM2-360M-Instruct-GGUF/smollm2-360m-instruct-q8_0.gguf",
     "SmolLM2 360M: quick"},
    {"smollm2-135m",
     "bartowski/SmolLM2-135M-Instruct-GGUF/SmolLM2-135M-Instruct-Q4_K_M.gguf",
     "SmolLM2 135M: the smallest"},
});

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == '+';
}

/// "model-00001-of-00003.gguf": such a file holds only some of the weights.
bool is_split(std::string_view file_name) {
    const std::string_view stem = file_name.substr(0, file_name.size() - kSuffix.size());
    constexpr std::string_view kForm = "-00001-of-00003";
    if (stem.size() <= kForm.size()) return false;
    const std::string_view end = stem.substr(stem.size() - kForm.size());
    return std::ranges::equal(end, kForm, [](char c, char form) {
        const bool digit = form >= '0' && form <= '9';
        return digit ? c >= '0' && c <= '9' : c == form;
    });
}

/// Keeps letters, digits and . _ - +; everything else becomes an underscore.
Result<std::string> safe_file_name(std::string_view text) {
    if (!text.ends_with(kSuffix) || text.size() == kSuffix.size())
        return fail(ErrorCode::kInvalidArgument,
                    "{} does not end in the name of a .gguf file",
                    log::field(text));
    if (text.size() > kMaxFileName)
        return fail(ErrorCode::kInvalidArgument,
                    "the file's name has {} bytes, {} are allowed",
                    text.size(),
                    kMaxFileName);
    std::string name(text);
    std::ranges::replace_if(name, [](char c) { return !is_name_char(c); }, '_');
    if (name.front() == '.' || name.front() == '-') name.front() = '_';
    if (is_split(name))
        return fail(ErrorCode::kUnsupported,
                    "{} is one part of a split model; take a model that is a single file",
                    name);
    return name;
}

/// The letters behind %XX; a broken escape stays as it is.
std::string percent_decoded(std::string_view text) {
    const auto digit = [](char c) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        return kDigits.find(static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c));
    };
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            const std::size_t high = digit(text[i + 1]);
            const std::size_t low = digit(text[i + 2]);
            if (high != std::string_view::npos && low != std::string_view::npos) {
                out += static_cast<char>(16 * high + low);
                i += 2;
                continue;
            }
        }
        out += text[i];
    }
    return out;
}

Result<ModelSource> from_address(std::string_view url, std::string_view hub) {
    const auto is_bad = [](char c) { return c <= ' ' || c == 0x7F || c == '\\'; };
    const std::size_t authority = url.find("://") + 3;
    const std::string_view host = url.substr(authority, url.find('/', authority) - authority);
    if (host.empty() || std::ranges::any_of(url, is_bad))
        return fail(ErrorCode::kInvalidArgument, "{} is no address", log::field(url));
    if (host.find('@') != std::string_view::npos)
        return fail(ErrorCode::kInvalidArgument,
                    "the address carries a user name or password; they would end up in files: use "
                    "one without");
    const std::string_view path = url.substr(0, url.find_first_of("?#"));
    const std::string name = percent_decoded(path.substr(path.rfind('/') + 1));
    ModelSource source;
    NOTSO_TRY(source.file_name, safe_file_name(std::string_view(name).substr(name.rfind('/') + 1)));
    source.url = url.substr(0, url.find('#'));
    constexpr std::string_view kResolve = "/resolve/";
    const std::size_t resolve = path.find(kResolve);
    if (path.starts_with(fmt::format("{}/", hub)) && resolve != std::string_view::npos)
        source.pointer_url = fmt::format(
            "{}/raw/{}", path.substr(0, resolve), path.substr(resolve + kResolve.size()));
    return source;
}

/// OWNER/REPO/FILE.gguf, where FILE may lie in folders.
Result<ModelSource> from_hub_path(std::string_view text, std::string_view hub) {
    const auto parts_are_plain = [&] {
        std::string_view rest = text;
        while (true) {
            const std::string_view part = rest.substr(0, rest.find('/'));
            if (part.empty() || part == "." || part == ".." ||
                !std::ranges::all_of(part, is_name_char))
                return false;
            if (part.size() == rest.size()) return true;
            rest.remove_prefix(part.size() + 1);
        }
    };
    if (std::ranges::count(text, '/') < 2 || !text.ends_with(kSuffix) || !parts_are_plain())
        return fail(
            ErrorCode::kInvalidArgument, "{} is not OWNER/REPO/FILE.gguf", log::field(text));
    const std::size_t repo_end = text.find('/', text.find('/') + 1);
    const std::string_view repo = text.substr(0, repo_end);
    const std::string_view file = text.substr(repo_end + 1);
    ModelSource source;
    NOTSO_TRY(source.file_name, safe_file_name(file.substr(file.rfind('/') + 1)));
    source.url = fmt::format("{}/{}/resolve/main/{}", hub, repo, file);
    source.pointer_url = fmt::format("{}/{}/raw/main/{}", hub, repo, file);
    return source;
}

}  // namespace

std::span<const CatalogueEntry> model_catalogue() { return kCatalogue; }

const CatalogueEntry* find_in_catalogue(std::string_view name) {
    if (name == "smollm2") name = "smollm2-135m";
    const auto* found = std::ranges::find(kCatalogue, name, &CatalogueEntry::name);
    return found == kCatalogue.end() ? nullptr : found;
}

Result<ModelSource> find_model_source(std::string_view what, std::string_view hub) {
    if (what.size() > kMaxText)
        return fail(ErrorCode::kInvalidArgument, "the address has more than {} bytes", kMaxText);
    if (what.starts_with("https://") || what.starts_with("http://")) return from_address(what, hub);
    for (const std::string_view host : {"hf.co/", "huggingface.co/"})
        if (what.starts_with(host)) return from_hub_path(what.substr(host.size()), hub);
    if (what.find('/') != std::string_view::npos) return from_hub_path(what, hub);
    if (const CatalogueEntry* entry = find_in_catalogue(what))
        return from_hub_path(entry->hub_path, hub);
    std::string known;
    for (const CatalogueEntry& entry : kCatalogue)
        known += fmt::format("{}{}", known.empty() ? "" : ", ", entry.name);
    return fail(ErrorCode::kNotFound,
                "no model is called {}; give one of {}, or OWNER/REPO/FILE.gguf, or an address",
                log::field(what),
                known);
}

}  // namespace notso::services
