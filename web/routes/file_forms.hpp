// Forms that bring files along, and the composer that they lie in until they are sent.
#pragma once

#include <string>
#include <vector>

#include "web/routes/chat_forms.hpp"
#include "web/routes/pages.hpp"

namespace notso::web {

/// A form, and what became of the files that came with it: each that was taken lies in the composer
/// and is a field "file-{id}", as those are that lay there before.
struct FilledForm {
    Form fields;
    Result<> files;  ///< What is wrong with the first that was refused; the others lie there.
};

/// @errors kInvalidArgument: no form.
Awaitable<Result<FilledForm>> form_with_files(Exchange& exchange, const Pages& pages);

/// The files that a form names, in the order of their values (numbers).
std::vector<services::AttachmentUse> files_of(const Form& form);

/// POST, with files or without.
Route file_form_route(const SharedPages& pages, std::string pattern, Action action);

/// What lies in a composer; nothing where that is not known.
Awaitable<> add_composer_files(PageFrame& frame,
                               const Pages& pages,
                               const services::ConversationKey& composer);
/// The same as the page shows it.
Awaitable<std::string> composer_files_html(Exchange& exchange, const Pages& pages);

/// The page of the request's conversation, or of the next one, with a text in its composer.
Awaitable<> show_composer(Exchange& exchange, const Pages& pages, std::string text);

}  // namespace notso::web
