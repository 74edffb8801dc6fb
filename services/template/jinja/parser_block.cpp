// Statements with a body that is called or composed: macros, call blocks, with, blocks, inheritance
// and imports; see parser.hpp.
#include "services/template/jinja/parser.hpp"

namespace notso::services::jinja {

Result<void> Parser::parse_signature(MacroStmt& macro) {
    NOTSO_CHECK(expect(TokenKind::kLeftParen));
    while (!is(TokenKind::kRightParen)) {
        if (!macro.parameters.empty()) NOTSO_CHECK(expect(TokenKind::kComma));
        NOTSO_TRY(auto name, parse_target_name());
        if (std::find(macro.parameters.begin(), macro.parameters.end(), name) !=
            macro.parameters.end()) {
            return error(fmt::format("the parameter '{}' stands there twice", name));
        }
        macro.parameters.push_back(std::move(name));
        if (skip(TokenKind::kAssign)) {
            NOTSO_TRY(auto value, parse_expression());
            macro.defaults.push_back(std::move(value));
        } else if (!macro.defaults.empty()) {
            return error("a parameter without a default follows one with a default");
        }
    }
    advance();
    return {};
}

// The body of a macro or call block. Its special names exist when the body reads them.
Result<void> Parser::finish_macro(MacroStmt& macro, std::string_view end_name) {
    const Restored loops(loops_, 0);
    const std::size_t names_before = names_read_.size();
    NOTSO_TRY(macro.body, parse_scope(end_name));
    macro.uses_caller = names_since(names_before, "caller");
    macro.uses_varargs = names_since(names_before, "varargs");
    macro.uses_kwargs = names_since(names_before, "kwargs");
    return {};
}

Result<Stmt> Parser::parse_macro(std::uint32_t at) {
    MacroStmt macro{};
    NOTSO_TRY(macro.name, parse_target_name());
    NOTSO_CHECK(parse_signature(macro));
    NOTSO_CHECK(finish_macro(macro, "endmacro"));
    return Stmt{at, std::move(macro)};
}

Result<Stmt> Parser::parse_call_block(std::uint32_t at) {
    CallBlockStmt statement;
    statement.caller = std::make_unique<MacroStmt>();
    if (is(TokenKind::kLeftParen)) NOTSO_CHECK(parse_signature(*statement.caller));
    NOTSO_TRY(statement.call, parse_expression());
    if (!std::holds_alternative<CallExpr>(statement.call->node))
        return error_at(at, "expected a call");
    NOTSO_CHECK(finish_macro(*statement.caller, "endcall"));
    return Stmt{at, std::move(statement)};
}

Result<Stmt> Parser::parse_filter_block(std::uint32_t at) {
    const Restored hard(soft_, false);
    FilterBlockStmt statement;
    NOTSO_TRY(statement.filter, parse_filter_chain());
    NOTSO_TRY(statement.body, parse_scope("endfilter"));
    return Stmt{at, std::move(statement)};
}

Result<Stmt> Parser::parse_with(std::uint32_t at) {
    WithStmt statement;
    while (!is(TokenKind::kBlockEnd)) {
        if (!statement.values.empty()) NOTSO_CHECK(expect(TokenKind::kComma));
        NOTSO_TRY(auto target, parse_target_item(false));
        NOTSO_CHECK(expect(TokenKind::kAssign));
        NOTSO_TRY(auto value, parse_expression());
        statement.values.emplace_back(std::move(target), std::move(value));
    }
    NOTSO_TRY(statement.body, parse_scope("endwith"));
    return Stmt{at, std::move(statement)};
}

Result<Stmt> Parser::parse_autoescape(std::uint32_t at) {
    AutoEscapeStmt statement;
    NOTSO_TRY(statement.enabled, parse_expression());
    NOTSO_TRY(statement.body, parse_scope("endautoescape"));
    return Stmt{at, std::move(statement)};
}

Result<Stmt> Parser::parse_generation(std::uint32_t at) {
    ScopeStmt statement;
    const Restored loops(loops_, 0);
    NOTSO_TRY(statement.body, parse_scope("endgeneration"));
    return Stmt{at, std::move(statement)};
}

Result<Stmt> Parser::parse_block(std::uint32_t at) {
    BlockStmt block{};
    NOTSO_TRY(block.name, take_name());
    block.scoped = skip_name("scoped");
    block.required = skip_name("required");
    if (is(TokenKind::kSub)) return error("a block's name has no hyphens: use an underscore");
    // A block sees the template's variables, not those around it: what it reads is no concern of
    // loops or macros.
    const Restored names(names_read_, std::vector<std::string>{});
    const Restored loops(loops_, 0);
    NOTSO_TRY(block.body, parse_scope("endblock"));
    if (is(TokenKind::kName)) NOTSO_CHECK(expect_name(block.name));
    for (const Stmt& statement : block.body) {
        const auto* text = std::get_if<TextStmt>(&statement.node);
        const bool blank =
            text != nullptr && text->text.find_first_not_of(" \t\n\r\f\v") == std::string::npos;
        if (block.required && !blank)
            return error_at(statement.at, "a required block has only white space in it");
    }
    scoped_block_ = scoped_block_ || block.scoped;
    return Stmt{at, std::move(block)};
}

Result<Stmt> Parser::parse_extends(std::uint32_t at) {
    NOTSO_TRY(auto parent, parse_expression());
    return Stmt{at, ExtendsStmt{std::move(parent)}};
}

Result<bool> Parser::parse_context_choice(bool default_choice) {
    const bool chosen = (is_name("with") || is_name("without")) &&
                        look_ahead().kind == TokenKind::kName && look_ahead().text == "context";
    if (!chosen) return default_choice;
    const bool with = is_name("with");
    advance();
    advance();
    return with;
}

Result<Stmt> Parser::parse_include(std::uint32_t at) {
    IncludeStmt statement{};
    NOTSO_TRY(statement.source, parse_expression());
    if (is_name("ignore") && look_ahead().kind == TokenKind::kName &&
        look_ahead().text == "missing") {
        advance();
        advance();
        statement.ignore_missing = true;
    }
    NOTSO_TRY(statement.with_context, parse_context_choice(true));
    return Stmt{at, std::move(statement)};
}

Result<Stmt> Parser::parse_import(std::uint32_t at) {
    ImportStmt statement{};
    NOTSO_TRY(statement.source, parse_expression());
    NOTSO_CHECK(expect_name("as"));
    NOTSO_TRY(statement.target, parse_target_name());
    NOTSO_TRY(statement.with_context, parse_context_choice(false));
    return Stmt{at, std::move(statement)};
}

Result<Stmt> Parser::parse_from(std::uint32_t at) {
    ImportStmt statement{};
    NOTSO_TRY(statement.source, parse_expression());
    NOTSO_CHECK(expect_name("import"));
    do {
        const bool context_follows =
            (is_name("with") || is_name("without")) && look_ahead().text == "context";
        if (context_follows) break;
        const auto name_at = current().at;
        NOTSO_TRY(auto name, parse_target_name());
        if (name.starts_with('_'))
            return error_at(name_at, "names with a leading underscore can't be imported");
        std::string alias = name;
        if (skip_name("as")) {
            NOTSO_TRY(alias, parse_target_name());
        }
        statement.names.emplace_back(std::move(name), std::move(alias));
    } while (skip(TokenKind::kComma));
    NOTSO_TRY(statement.with_context, parse_context_choice(false));
    return Stmt{at, std::move(statement)};
}

std::vector<const Body*> Parser::child_bodies(const Stmt& stmt) {
    std::vector<const Body*> out;
    if (const auto* node = std::get_if<IfStmt>(&stmt.node)) {
        for (const auto& branch : node->branches) out.push_back(&branch.second);
        out.push_back(&node->otherwise);
    }
    if (const auto* node = std::get_if<ForStmt>(&stmt.node)) out = {&node->body, &node->otherwise};
    if (const auto* node = std::get_if<SetBlockStmt>(&stmt.node)) out = {&node->body};
    if (const auto* node = std::get_if<MacroStmt>(&stmt.node)) out = {&node->body};
    if (const auto* node = std::get_if<CallBlockStmt>(&stmt.node)) out = {&node->caller->body};
    if (const auto* node = std::get_if<FilterBlockStmt>(&stmt.node)) out = {&node->body};
    if (const auto* node = std::get_if<WithStmt>(&stmt.node)) out = {&node->body};
    if (const auto* node = std::get_if<AutoEscapeStmt>(&stmt.node)) out = {&node->body};
    if (const auto* node = std::get_if<ScopeStmt>(&stmt.node)) out = {&node->body};
    if (const auto* node = std::get_if<BlockStmt>(&stmt.node)) out = {&node->body};
    return out;
}

// Registers every block of the template by its name, also those inside other statements.
Result<void> Parser::collect_blocks(const Body& body, ParsedTemplate& out) {
    for (const Stmt& statement : body) {
        if (const auto* block = std::get_if<BlockStmt>(&statement.node)) {
            if (!out.blocks.emplace(block->name, block).second) {
                return error_at(statement.at,
                                fmt::format("the block '{}' stands there twice", block->name));
            }
        }
        for (const Body* child : child_bodies(statement)) NOTSO_CHECK(collect_blocks(*child, out));
    }
    return {};
}

}  // namespace notso::services::jinja
