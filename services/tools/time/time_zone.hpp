// TimeZone: the offsets of one place, read from the system's compiled tz database (TZif, RFC 8536).
// Names come from models and people: they are checked before they become a path, and files are read
// as hostile ones.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "services/tools/time/time_rule.hpp"

namespace notso::services {

class TimeZone {
  public:
    /// @param name    "Europe/Berlin", "UTC", or a fixed offset: "UTC+2", "+05:30".
    /// @param folder  Where the database is.
    /// @errors kInvalidArgument: this is no name. kNotFound. kCorruptData.
    static Result<TimeZone> load(std::string_view name,
                                 const std::filesystem::path& folder = "/usr/share/zoneinfo");
    /// Reads the content of a TZif file. @errors kCorruptData.
    static Result<TimeZone> parse(std::string_view bytes, std::string name);

    /// Of this machine: TZ, else what /etc/localtime points to, else "UTC". Its name can be loaded.
    static std::string local_name();

    const std::string& name() const { return name_; }
    /// What is added to UTC at a moment (seconds since 1970).
    ZoneOffset at(std::int64_t utc_s) const;
    /// The moment of a local time (seconds since 1970 as if it were UTC). Of two, the earlier; one
    /// that a clock skips is as much later as the clock moves.
    std::int64_t to_utc(std::int64_t local_s) const;

  private:
    explicit TimeZone(std::string name) : name_(std::move(name)) {}
    Result<> read_tables(class TzifReader& reader);

    std::string name_;
    std::vector<std::int64_t> changes_;  // ascending
    std::vector<std::uint8_t> kinds_;    // after each change; below offsets_.size()
    std::vector<ZoneOffset> offsets_;    // at least one
    std::optional<TimeRule> rule_ = {};  // after the last change
};

}  // namespace notso::services
