#include "app/commands/option_list.hpp"

#include <CLI/CLI.hpp>

namespace notso::app {

// An empty type name: CLI11 would otherwise write TEXT or INT behind each option in --help.

void OptionList::flag(const std::string& names, bool& value, const std::string& help) {
    app_.add_flag(names, value, help);
}

void OptionList::text(const std::string& names,
                      std::optional<std::string>& value,
                      const std::string& help) {
    app_.add_option(names, value, help)->type_name("");
}

void OptionList::required_text(const std::string& names,
                               std::string& value,
                               const std::string& help) {
    app_.add_option(names, value, help)->required()->type_name("");
}

void OptionList::choice(const std::string& name,
                        std::string& value,
                        const std::vector<std::string>& choices,
                        const std::string& help) {
    app_.add_option(name, value, help)->check(CLI::IsMember(choices))->type_name("");
}

void OptionList::number(const std::string& names,
                        std::int64_t& value,
                        std::int64_t least,
                        std::int64_t most,
                        const std::string& help) {
    app_.add_option(names, value, help)->check(CLI::Range(least, most))->type_name("");
}

void OptionList::number(const std::string& name,
                        std::optional<std::uint64_t>& value,
                        const std::string& help) {
    app_.add_option(name, value, help)->type_name("");
}

void OptionList::real(const std::string& name,
                      std::optional<double>& value,
                      std::function<std::string(const std::string&)> check,
                      const std::string& help) {
    app_.add_option(name, value, help)->check(std::move(check))->type_name("");
}

void OptionList::exclude(const std::string& name, const std::string& other) {
    app_.get_option(name)->excludes(app_.get_option(other));
}

void OptionList::hidden_pair(const std::string& name, const std::string& other) {
    CLI::Option* one = app_.get_option(name)->group("");
    CLI::Option* two = app_.get_option(other)->group("");
    one->needs(two);
    two->needs(one);
}

}  // namespace notso::app
