// OptionList: the options of one command. Keeps CLI11, a large header, out of the commands.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace notso::app {

/// Adds options to a command; values are written while the command line is parsed, so they must
/// outlive it. Names are as CLI11 has them: "-p,--prompt", a bare word for an argument by place.
class OptionList {
  public:
    /// Keeps a reference.
    explicit OptionList(CLI::App& app) : app_(app) {}

    /// "--think,!--no-think" gives a flag its opposite.
    void flag(const std::string& names, bool& value, const std::string& help);
    void text(const std::string& names, std::optional<std::string>& value, const std::string& help);
    void required_text(const std::string& names, std::string& value, const std::string& help);
    /// One of `choices`.
    void choice(const std::string& name,
                std::string& value,
                const std::vector<std::string>& choices,
                const std::string& help);
    /// A whole number from `least` to `most`.
    void number(const std::string& names,
                std::int64_t& value,
                std::int64_t least,
                std::int64_t most,
                const std::string& help);
    void number(const std::string& name,
                std::optional<std::uint64_t>& value,
                const std::string& help);
    /// `check` says what is wrong with a text, or nothing.
    void real(const std::string& name,
              std::optional<double>& value,
              std::function<std::string(const std::string&)> check,
              const std::string& help);

    /// The first may not be given together with the second.
    void exclude(const std::string& name, const std::string& other);
    /// The two must be given together, and --help does not show them.
    void hidden_pair(const std::string& name, const std::string& other);

  private:
    CLI::App& app_;
};

}  // namespace notso::app
