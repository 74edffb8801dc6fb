// Numbers, durations and times as people read them on the page, in their language. Examples are
// English.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "web/language/language.hpp"

namespace notso::web {

/// "1,920"
std::string format_count(const Language& language, std::int64_t value);
/// "1 token", "2 tokens": the count and its noun, given in English; the plural has an s.
std::string format_counted(const Language& language, std::int64_t value, std::string_view noun);
/// "40 ms" below a tenth of a second, "0.4 s" below ten seconds, "12 s" below a minute, "2 min 5 s"
/// above.
std::string format_duration(const Language& language, double ms);
/// "1.9 GB", "98 MB", "4 kB": in powers of ten, as disks are sold.
std::string format_size(const Language& language, std::uint64_t bytes);
/// "15.8 tokens/s"; empty when the rate is not known.
std::string format_rate(const Language& language, double tokens_per_second);
/// The detail of an error for people: in their language where it is known (Language::detail), with
/// a capital and a full stop. Nothing for nothing.
std::string format_sentence(const Language& language, std::string_view detail);
/// Words of a text: runs of anything between white space.
std::int64_t count_words(std::string_view text);
/// "Today", "Yesterday", "Last 7 days", "Earlier": the heading that a conversation stands under, in
/// local time.
std::string_view day_label(const Language& language, UnixMs at, UnixMs now);
/// A moment as pages show it; empty for one that nobody wrote down.
struct Moment {
    std::string iso;    ///< "2026-11-26T16:22:19Z", for machines.
    std::string exact;  ///< "2026-11-26 16:22:19", in local time.
    std::string brief;  ///< "16:22" of today, "2026-11-26 16:22" of any other day.
};
Moment format_moment(UnixMs at, UnixMs now);
/// For a URL's query: everything but letters, digits and - . _ ~ as %XX.
std::string percent_encode(std::string_view text);

}  // namespace notso::web
