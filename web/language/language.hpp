// Language: what the page says in one language. Texts are keyed by the English ones, in the way of
// gettext, so that code and templates read as they look; catalogues are web/assets/texts/*.json.
// What the models, tools and people write is never translated.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "web/http/message.hpp"
#include "web/language/detail_texts.hpp"

namespace notso::web {

/// Immutable; all live as long as the process.
class Language {
  public:
    static const Language& english();
    /// English first.
    static std::span<const Language* const> all();
    /// By its code ("de"); null where there is none.
    static const Language* find(std::string_view code);
    /// The one that the person chose (a cookie), else the first of the browser's that there is,
    /// else English.
    static const Language& of(const Request& request);

    /// @param catalogue  JSON: {"name", "decimal", "thousands", "page": {english: translation},
    ///                   "script": {…}, "details": {…}}. A malformed one is a bug and ends the
    ///                   process.
    Language(std::string_view code, std::string_view catalogue);

    /// "de", as in <html lang>.
    std::string_view code() const { return code_; }
    /// "Deutsch": what its speakers call it.
    std::string_view name() const { return name_; }
    std::string_view decimal() const { return decimal_; }
    std::string_view thousands() const { return thousands_; }
    /// JSON object of what js/ says, keyed by the English texts; empty for English.
    std::string_view script_texts() const { return script_texts_; }

    /// The text in this language; as it is where there is no translation.
    std::string_view text(std::string_view english) const;
    /// The same with its {} filled in order. Texts that don't take what they get are a bug.
    template <class... Values>
    std::string fill(std::string_view english, const Values&... values) const {
        return fmt::vformat(text(english), fmt::make_format_args(values...));
    }

    /// The detail of an error, as far as that language knows it; see DetailTexts.
    std::string detail(std::string_view english) const;

    using Texts = std::map<std::string, std::string, std::less<>>;
    const Texts& texts() const { return texts_; }

  private:
    std::string code_;
    std::string name_;
    std::string decimal_;
    std::string thousands_;
    std::string script_texts_;
    Texts texts_;
    DetailTexts details_;
};

/// Replaces every _("…") of a page template by the text in that language, so that a template is
/// translated once, when it is parsed.
std::string translated_template(std::string_view source, const Language& language);

}  // namespace notso::web
