#include "services/tools/notes.hpp"

#include "services/tools/built_in.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostNotes = 100;

constexpr std::string_view kNotesSchema = R"({
  "properties": {
    "action": {"type": "string", "enum": ["add", "list", "delete"]},
    "text": {"type": "string", "maxLength": 2000, "description": "The note, for add"},
    "number": {"type": "integer", "minimum": 1, "description": "Which note, for delete"}
  },
  "required": ["action"]
})";

Result<std::string> add_note(NoteBook& notes, std::string text) {
    if (text.empty()) return fail(ErrorCode::kInvalidArgument, "add needs a text");
    NOTSO_TRY(const std::vector<Note> all, notes.list());
    if (all.size() >= kMostNotes) {
        return fail(ErrorCode::kTooLarge,
                    "there are {} notes, and no more fit; delete some first",
                    all.size());
    }
    NOTSO_TRY(const Note note, notes.add(std::move(text)));
    return fmt::format("Note {} was added.", note.number);
}

Result<std::string> list_notes(NoteBook& notes) {
    NOTSO_TRY(const std::vector<Note> all, notes.list());
    std::string out;
    for (const Note& note : all)
        out += fmt::format("{}{}. {}", out.empty() ? "" : "\n", note.number, note.text);
    return out.empty() ? "There are no notes." : out;
}

Result<std::string> use_notes(const json::object& arguments, const ToolContext& context) {
    if (!context.notes)
        return fail(ErrorCode::kUnavailable, "no notes can be kept here; do without");
    const std::string action = text_argument(arguments, "action");
    if (action == "add") return add_note(*context.notes, text_argument(arguments, "text"));
    if (action == "list") return list_notes(*context.notes);
    const std::int64_t number = whole_argument(arguments, "number", 0);
    if (number == 0) return fail(ErrorCode::kInvalidArgument, "delete needs the note's number");
    NOTSO_CHECK(context.notes->remove(number));
    return fmt::format("Note {} was deleted.", number);
}

}  // namespace

ToolPtr make_notes() {
    ToolInfo info;
    info.name = "notes";
    info.title = "Notes";
    info.description =
        "Keeps short notes for this conversation: add one, list them, delete one by its number. "
        "Use it to remember what the person asks you to remember.";
    return make_built_in(std::move(info), kNotesSchema, use_notes);
}

}  // namespace notso::services
