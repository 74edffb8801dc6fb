// JsonReader: the members of a JSON object that somebody else wrote, each with its type checked.
// Errors name the member as a path.
#pragma once

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace notso::services {

class JsonReader {
  public:
    /// Refers to the object.
    JsonReader(const boost::json::object& object, std::string path)
        : object_(&object), path_(std::move(path)) {}

    /// It is there, and not null.
    bool has(std::string_view name) const;
    Result<std::string> text(std::string_view name) const;
    Result<std::int64_t> integer(std::string_view name) const;
    /// A number that is written as a text.
    Result<double> exact(std::string_view name) const;
    Result<bool> flag(std::string_view name) const;
    Result<JsonReader> object(std::string_view name) const;
    Result<std::vector<JsonReader>> objects(std::string_view name) const;

    /// The enumerator that a text names.
    template <class Enum, std::size_t kCount>
    Result<Enum> name(std::string_view name,
                      const std::array<std::string_view, kCount>& names) const {
        NOTSO_TRY(const std::string value, text(name));
        const auto found = std::ranges::find(names, value);
        if (found == names.end()) return wrong(name, "is none of the known values");
        return static_cast<Enum>(found - names.begin());
    }

    /// Null where it is not there.
    const boost::json::value* find(std::string_view name) const {
        return object_->if_contains(name);
    }
    std::unexpected<Error> wrong(std::string_view name, std::string_view what) const;

  private:
    const boost::json::object* object_;
    std::string path_;  // with a dot at its end, or empty
};

}  // namespace notso::services
