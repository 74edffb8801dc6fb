// Statements of one template: if, for, set, macro, call, filter, with…; see parser.hpp. Blocks and
// inheritance are in parser_block.cpp.
#include "services/template/jinja/parser.hpp"

namespace notso::services::jinja {

bool Parser::skip(TokenKind kind) {
    if (!is(kind)) return false;
    advance();
    return true;
}

bool Parser::skip_name(std::string_view name) {
    if (!is_name(name)) return false;
    advance();
    return true;
}

std::string Parser::describe_current() const {
    if (is(TokenKind::kName)) return fmt::format("'{}'", current().text);
    return std::string(token_name(current().kind));
}

Result<void> Parser::expect(TokenKind kind) {
    if (skip(kind)) return {};
    return error(fmt::format("expected {}, got {}", token_name(kind), describe_current()));
}

Result<void> Parser::expect_name(std::string_view name) {
    if (skip_name(name)) return {};
    return error(fmt::format("expected '{}', got {}", name, describe_current()));
}

Result<std::string> Parser::take_name() {
    if (!is(TokenKind::kName))
        return error(fmt::format("expected a name, got {}", describe_current()));
    std::string name = std::move(tokens_[at_].text);
    advance();
    return name;
}

Result<void> Parser::check_depth(int extra) const {
    if (depth_ + extra <= max_depth_) return {};
    return std::unexpected(source_.error(current().at,
                                         fmt::format("nested deeper than {} levels", max_depth_),
                                         ErrorCode::kTooLarge));
}

bool Parser::names_since(std::size_t from, std::string_view name) const {
    return std::find(names_read_.begin() +
                         static_cast<std::ptrdiff_t>(std::min(from, names_read_.size())),
                     names_read_.end(),
                     name) != names_read_.end();
}

Result<ParsedTemplate> Parser::parse() {
    ParsedTemplate out;
    NOTSO_TRY(out.body, parse_until({}));
    if (!unknown_.empty()) return std::unexpected(unknown_.front());
    NOTSO_CHECK(collect_blocks(out.body, out));
    return out;
}

// Statements up to a tag with one of the names (left as the current token), or up to the end when
// there are none.
Result<Body> Parser::parse_until(std::initializer_list<std::string_view> end_names) {
    const Nested nested(*this);
    NOTSO_CHECK(check_depth());
    Body body;
    while (!is(TokenKind::kEnd)) {
        const Token& next = look_ahead();
        if (is(TokenKind::kBlockBegin) && next.kind == TokenKind::kName &&
            std::find(end_names.begin(), end_names.end(), next.text) != end_names.end()) {
            advance();
            return body;
        }
        NOTSO_CHECK(parse_piece(body));
    }
    if (end_names.size() == 0) return body;
    return error(fmt::format("the template ends before '{}'", *std::prev(end_names.end())));
}

// The rest of an opening tag, and its body up to one of the closing names.
Result<Body> Parser::parse_body(std::initializer_list<std::string_view> end_names) {
    skip(TokenKind::kColon);
    NOTSO_CHECK(expect(TokenKind::kBlockEnd));
    return parse_until(end_names);
}

// A body that is a scope of its own: behind it the closing tag's name is taken.
Result<Body> Parser::parse_scope(std::string_view end_name) {
    const Restored hard(soft_, false);
    NOTSO_TRY(auto body, parse_body({end_name}));
    advance();
    return body;
}

Result<void> Parser::parse_piece(Body& body) {
    const auto at = current().at;
    if (is(TokenKind::kData)) {
        body.push_back({at, TextStmt{std::move(tokens_[at_].text)}});
        advance();
        return {};
    }
    if (skip(TokenKind::kVariableBegin)) {
        NOTSO_TRY(auto value, parse_tuple({}));
        NOTSO_CHECK(expect(TokenKind::kVariableEnd));
        PrintStmt print;
        print.values.push_back(std::move(value));
        body.push_back({at, std::move(print)});
        return {};
    }
    NOTSO_CHECK(expect(TokenKind::kBlockBegin));
    NOTSO_TRY(auto statement, parse_statement());
    body.push_back(std::move(statement));
    return expect(TokenKind::kBlockEnd);
}

Result<Stmt> Parser::parse_statement() {
    using Handler = Result<Stmt> (Parser::*)(std::uint32_t);
    struct Row {
        std::string_view name;
        Handler handler;
    };
    static constexpr Row kRows[] = {
        {"for", &Parser::parse_for},
        {"if", &Parser::parse_if},
        {"set", &Parser::parse_set},
        {"macro", &Parser::parse_macro},
        {"call", &Parser::parse_call_block},
        {"filter", &Parser::parse_filter_block},
        {"with", &Parser::parse_with},
        {"autoescape", &Parser::parse_autoescape},
        {"print", &Parser::parse_print},
        {"generation", &Parser::parse_generation},
        {"block", &Parser::parse_block},
        {"extends", &Parser::parse_extends},
        {"include", &Parser::parse_include},
        {"import", &Parser::parse_import},
        {"from", &Parser::parse_from},
        {"break", &Parser::parse_loop_control},
        {"continue", &Parser::parse_loop_control},
    };
    if (!is(TokenKind::kName)) return error("a tag begins with its name");
    const auto row = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& candidate) {
        return candidate.name == current().text;
    });
    if (row == std::end(kRows)) return error(fmt::format("unknown tag '{}'", current().text));
    const auto at = current().at;
    if (row->name != "break" && row->name != "continue") advance();
    return (this->*row->handler)(at);
}

Result<Stmt> Parser::parse_loop_control(std::uint32_t at) {
    NOTSO_TRY(const auto name, take_name());
    if (loops_ == 0) return error_at(at, fmt::format("'{}' outside of a loop", name));
    if (name == "break") return Stmt{at, BreakStmt{}};
    return Stmt{at, ContinueStmt{}};
}

Result<Stmt> Parser::parse_print(std::uint32_t at) {
    PrintStmt print;
    while (!is(TokenKind::kBlockEnd)) {
        if (!print.values.empty()) NOTSO_CHECK(expect(TokenKind::kComma));
        NOTSO_TRY(auto value, parse_expression());
        print.values.push_back(std::move(value));
    }
    return Stmt{at, std::move(print)};
}

Result<Stmt> Parser::parse_if(std::uint32_t at) {
    const Restored soft(soft_, true);
    IfStmt statement;
    while (true) {
        NOTSO_TRY(auto condition, parse_tuple({.with_ternary = false}));
        NOTSO_TRY(auto body, parse_body({"elif", "else", "endif"}));
        statement.branches.emplace_back(std::move(condition), std::move(body));
        NOTSO_TRY(const auto word, take_name());
        if (word == "endif") break;
        if (word == "elif") continue;
        NOTSO_TRY(statement.otherwise, parse_body({"endif"}));
        advance();
        break;
    }
    return Stmt{at, std::move(statement)};
}

Result<Stmt> Parser::parse_for(std::uint32_t at) {
    const Restored hard(soft_, false);
    const Restored nesting(for_nesting_, for_nesting_ + 1);
    ForStmt loop{};
    NOTSO_TRY(loop.target, parse_target(false, "in"));
    NOTSO_CHECK(expect_name("in"));
    NOTSO_TRY(loop.iterable, parse_tuple({.with_ternary = false, .end_name = "recursive"}));
    if (skip_name("if")) {
        NOTSO_TRY(loop.condition, parse_expression());
    }
    loop.recursive = skip_name("recursive");
    const std::size_t names_before = names_read_.size();
    const Restored scoped(scoped_block_, false);
    {
        const Restored loops(loops_, loops_ + 1);
        NOTSO_TRY(loop.body, parse_body({"endfor", "else"}));
    }
    loop.uses_loop = loop.recursive || scoped_block_ || names_since(names_before, "loop");
    NOTSO_TRY(const auto word, take_name());
    if (word == "else") {
        NOTSO_TRY(loop.otherwise, parse_body({"endfor"}));
        advance();
    }
    return Stmt{at, std::move(loop)};
}

Result<Target> Parser::parse_target_item(bool with_namespace) {
    Target target;
    target.at = current().at;
    if (skip(TokenKind::kLeftParen)) {
        NOTSO_TRY(target, parse_target(with_namespace, {}));
        NOTSO_CHECK(expect(TokenKind::kRightParen));
        return target;
    }
    if (!is(TokenKind::kName)) return error(fmt::format("can't assign to {}", describe_current()));
    NOTSO_TRY(target.name, take_name());
    constexpr std::string_view kConstants[] = {"true", "false", "none", "True", "False", "None"};
    if (std::find(std::begin(kConstants), std::end(kConstants), target.name) !=
        std::end(kConstants)) {
        return error_at(target.at, fmt::format("can't assign to '{}'", target.name));
    }
    if (with_namespace && skip(TokenKind::kDot)) {
        NOTSO_TRY(target.attribute, take_name());
        names_read_.push_back(target.name);
    } else if (target.name == "loop" && for_nesting_ > 0) {
        return error_at(target.at, "can't assign to 'loop' inside of a loop");
    }
    return target;
}

// Names, dotted names where a namespace may stand, and tuples of them, up to end_name or the end of
// the tag.
Result<Target> Parser::parse_target(bool with_namespace, std::string_view end_name) {
    const Nested nested(*this);
    NOTSO_CHECK(check_depth());
    Target tuple;
    tuple.at = current().at;
    const TupleRules rules{.end_name = end_name};
    while (true) {
        if (!tuple.items.empty()) NOTSO_CHECK(expect(TokenKind::kComma));
        if (!tuple.items.empty() && at_tuple_end(rules)) break;
        NOTSO_TRY(auto item, parse_target_item(with_namespace));
        tuple.items.push_back(std::move(item));
        if (!is(TokenKind::kComma)) break;
        tuple.is_tuple = true;
    }
    if (tuple.is_tuple) return tuple;
    return std::move(tuple.items.front());
}

Result<std::string> Parser::parse_target_name() {
    const auto at = current().at;
    NOTSO_TRY(auto target, parse_target_item(false));
    if (target.is_tuple) return error_at(at, "expected a name");
    return std::move(target.name);
}

Result<Stmt> Parser::parse_set(std::uint32_t at) {
    NOTSO_TRY(auto target, parse_target(true, {}));
    if (skip(TokenKind::kAssign)) {
        NOTSO_TRY(auto value, parse_tuple({}));
        return Stmt{at, SetStmt{std::move(target), std::move(value)}};
    }
    const Restored hard(soft_, false);
    SetBlockStmt statement;
    statement.target = std::move(target);
    if (is(TokenKind::kPipe)) {
        NOTSO_TRY(statement.filter, parse_filter_chain());
    }
    NOTSO_TRY(statement.body, parse_scope("endset"));
    return Stmt{at, std::move(statement)};
}

}  // namespace notso::services::jinja
