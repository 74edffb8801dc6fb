#include "services/tools/time/time_zone.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/log.hpp"

namespace notso::services {
namespace {

constexpr std::size_t kMostFileBytes = 1 << 20;
constexpr std::size_t kMostNameBytes = 64;
constexpr std::size_t kHeaderBytes = 44;
constexpr std::int32_t kMostOffset = 26 * 3600;

/// Parts of letters, digits, '_', '+', '-', between single slashes: nothing that leaves a folder.
bool is_zone_name(std::string_view name) {
    if (name.empty() || name.size() > kMostNameBytes) return false;
    char before = '/';
    for (const char c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-';
        if (!plain && (c != '/' || before == '/')) return false;
        before = c;
    }
    return before != '/';
}

/// "UTC", "Z", "UTC+2", "+05:30", "GMT-3:30"; nothing for other names.
std::optional<std::int32_t> fixed_offset(std::string_view name) {
    const bool named = name.starts_with("UTC") || name.starts_with("GMT");
    if (named) name.remove_prefix(3);
    if (name.empty() && named) return 0;
    if (name == "Z") return 0;
    if (name.size() < 2 || (name.front() != '+' && name.front() != '-')) return std::nullopt;
    const int sign = name.front() == '-' ? -1 : 1;
    name.remove_prefix(1);
    const auto colon = name.find(':');
    const std::string_view hours = name.substr(0, colon);
    const std::string_view minutes = colon == std::string_view::npos ? "0" : name.substr(colon + 1);
    const auto number = [](std::string_view text, int most) -> std::optional<int> {
        int value = 0;
        const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
        return whole && text.size() <= 2 && value >= 0 && value <= most ? std::optional(value)
                                                                        : std::nullopt;
    };
    const auto h = number(hours, 14);
    const auto m = number(minutes, 59);
    if (!h || !m) return std::nullopt;
    return sign * (*h * 3600 + *m * 60);
}

}  // namespace

/// The numbers of a TZif file, big-endian; reading past the end gives zeros and is noticed.
class TzifReader {
  public:
    explicit TzifReader(std::string_view bytes) : rest_(bytes) {}

    std::string_view take(std::size_t count) {
        if (count > rest_.size()) {
            short_ = true;
            rest_ = {};
            return {};
        }
        const std::string_view out = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return out;
    }
    std::int64_t number(std::size_t bytes) {
        std::uint64_t value = 0;
        const std::string_view text = take(bytes);
        for (const char c : text) value = value << 8 | static_cast<unsigned char>(c);
        if (bytes == 4) return static_cast<std::int32_t>(value);
        return static_cast<std::int64_t>(value);
    }
    std::string_view rest() const { return rest_; }
    std::size_t left() const { return rest_.size(); }
    bool is_short() const { return short_; }

  private:
    std::string_view rest_;
    bool short_ = false;
};

namespace {

/// Counts of a block's tables.
struct TzifHeader {
    char version = 0;
    std::size_t n_utc = 0, n_standard = 0, n_leap = 0, n_changes = 0, n_kinds = 0, n_chars = 0;

    std::size_t bytes(std::size_t time_bytes) const {
        return n_changes * (time_bytes + 1) + n_kinds * 6 + n_chars + n_leap * (time_bytes + 4) +
               n_standard + n_utc;
    }
};

/// @errors kCorruptData. Counts are below the size of a file that is read, so products are small.
Result<TzifHeader> read_header(TzifReader& reader) {
    if (reader.left() < kHeaderBytes || reader.take(4) != "TZif")
        return fail(ErrorCode::kCorruptData, "a time zone file does not begin as one");
    TzifHeader header;
    header.version = reader.take(1).front();
    reader.take(15);
    bool sane = true;
    for (std::size_t* count : {&header.n_utc,
                               &header.n_standard,
                               &header.n_leap,
                               &header.n_changes,
                               &header.n_kinds,
                               &header.n_chars}) {
        const std::int64_t value = reader.number(4);
        sane = sane && value >= 0 && value <= static_cast<std::int64_t>(kMostFileBytes);
        *count = sane ? static_cast<std::size_t>(value) : 0;
    }
    if (!sane) return fail(ErrorCode::kCorruptData, "a time zone file has impossible counts");
    return header;
}

}  // namespace

Result<> TimeZone::read_tables(TzifReader& reader) {
    NOTSO_TRY(TzifHeader header, read_header(reader));
    std::size_t time_bytes = 4;
    if (header.version >= '2') {  // the same again follows, with 64-bit times
        reader.take(header.bytes(time_bytes));
        NOTSO_TRY(header, read_header(reader));
        time_bytes = 8;
    }
    if (header.bytes(time_bytes) > reader.left())
        return fail(ErrorCode::kCorruptData, "the time zone file of {} is cut", name_);
    for (std::size_t i = 0; i < header.n_changes; ++i)
        changes_.push_back(reader.number(time_bytes));
    for (const char kind : reader.take(header.n_changes))
        kinds_.push_back(static_cast<std::uint8_t>(kind));
    std::vector<std::size_t> names;
    for (std::size_t i = 0; i < header.n_kinds; ++i) {
        offsets_.push_back(
            {.seconds = static_cast<std::int32_t>(reader.number(4)), .abbreviation = {}});
        reader.take(1);
        names.push_back(static_cast<std::size_t>(reader.number(1)));
    }
    const std::string_view chars = reader.take(header.n_chars);
    bool good = !offsets_.empty() && std::ranges::is_sorted(changes_) && !reader.is_short();
    for (const std::uint8_t kind : kinds_) good = good && kind < offsets_.size();
    for (std::size_t i = 0; good && i < offsets_.size(); ++i) {
        good = names[i] < chars.size() && std::abs(offsets_[i].seconds) <= kMostOffset;
        if (good)
            offsets_[i].abbreviation =
                chars.substr(names[i], chars.find('\0', names[i]) - names[i]);
    }
    if (!good) return fail(ErrorCode::kCorruptData, "the time zone file of {} is damaged", name_);
    reader.take(header.n_leap * (time_bytes + 4) + header.n_standard + header.n_utc);
    return {};
}

Result<TimeZone> TimeZone::parse(std::string_view bytes, std::string name) {
    TimeZone zone(std::move(name));
    TzifReader reader(bytes);
    NOTSO_CHECK(zone.read_tables(reader));
    std::string_view footer = reader.rest();
    if (footer.starts_with('\n') && footer.size() > 2) {
        footer.remove_prefix(1);
        NOTSO_TRY(zone.rule_, TimeRule::parse(footer.substr(0, footer.find('\n'))));
    }
    return zone;
}

Result<TimeZone> TimeZone::load(std::string_view name, const std::filesystem::path& folder) {
    if (const auto offset = fixed_offset(name)) {
        TimeZone zone{std::string(name)};
        zone.offsets_.push_back({.seconds = *offset, .abbreviation = std::string(name)});
        return zone;
    }
    if (!is_zone_name(name)) {
        return fail(ErrorCode::kInvalidArgument,
                    "{} is no time zone; use an IANA name such as Europe/Berlin, or UTC+2",
                    log::field(name.substr(0, kMostNameBytes)));
    }
    std::error_code error;
    const std::filesystem::path path = folder / name;
    const bool there = std::filesystem::is_regular_file(path, error);
    const std::uintmax_t size = there ? std::filesystem::file_size(path, error) : 0;
    if (!there || error || size > kMostFileBytes) {
        return fail(ErrorCode::kNotFound,
                    "no time zone is named {}; use an IANA name such as Europe/Berlin, or UTC+2",
                    name);
    }
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    return parse(bytes, std::string(name));
}

ZoneOffset TimeZone::at(std::int64_t utc_s) const {
    const auto after = std::ranges::upper_bound(changes_, utc_s);
    if (after == changes_.end() && rule_) return rule_->at(utc_s);
    if (after == changes_.begin()) return offsets_.front();
    return offsets_[kinds_[static_cast<std::size_t>(after - changes_.begin()) - 1]];
}

std::int64_t TimeZone::to_utc(std::int64_t local_s) const {
    constexpr std::int64_t kDay = 86400;
    const std::int64_t before = at(local_s - kDay).seconds;
    const std::int64_t after = at(local_s + kDay).seconds;
    if (at(local_s - before).seconds == before) return local_s - before;
    if (at(local_s - after).seconds == after) return local_s - after;
    return local_s - before;  // skipped by the clock
}

std::string TimeZone::local_name() {
    const char* variable = std::getenv("TZ");
    std::string name = variable != nullptr ? variable : "";
    if (name.empty()) {
        constexpr std::string_view kFolder = "zoneinfo/";
        std::error_code error;
        const std::string target = std::filesystem::read_symlink("/etc/localtime", error).string();
        const std::size_t at = target.find(kFolder);
        if (at != std::string::npos) name = target.substr(at + kFolder.size());
    }
    return load(name) ? name : "UTC";
}

}  // namespace notso::services
