// Recursive-descent parser: tokens to syntax tree, with Jinja's grammar and precedences.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "services/template/jinja/ast.hpp"
#include "services/template/jinja/lexer.hpp"

namespace notso::services::jinja {

/// A parsed template. The blocks point into the body.
struct ParsedTemplate {
    Body body;
    std::map<std::string, const BlockStmt*, std::less<>> blocks;
};

/// Whether filters and tests of a name exist.
struct KnownNames {
    bool (*filter)(std::string_view name);
    bool (*test)(std::string_view name);
};

class Parser {
  public:
    Parser(const SourceText& source, std::vector<Token> tokens, int max_depth, KnownNames known)
        : source_(source), tokens_(std::move(tokens)), max_depth_(max_depth), known_(known) {}

    /// @errors kInvalidArgument with line and column.
    Result<ParsedTemplate> parse();

  private:
    template <class T>
    static ExprPtr make(std::uint32_t at, T node) {
        return std::make_unique<Expr>(Expr{at, std::move(node)});
    }

    // Expressions (parser_expr.cpp), from the loosest binding to the tightest.
    Result<ExprPtr> parse_expression(bool with_ternary = true);
    Result<ExprPtr> parse_ternary();
    Result<ExprPtr> parse_logic(bool is_and);
    Result<ExprPtr> parse_not();
    Result<ExprPtr> parse_compare();
    bool take_comparison(Comparison& comparison);
    Result<ExprPtr> parse_arithmetic(int level);
    Result<ExprPtr> parse_concat();
    Result<ExprPtr> parse_unary(bool with_filter = true);
    Result<ExprPtr> parse_signed(bool with_filter);
    Result<ExprPtr> parse_primary();
    Result<ExprPtr> parse_name();
    Result<ExprPtr> parse_strings();
    Result<ExprPtr> parse_list();
    Result<ExprPtr> parse_dict();
    struct TupleRules {
        bool with_ternary = true;
        bool parenthesized = false;
        std::string_view end_name = {};  ///< A word that ends the tuple ("recursive").
    };
    Result<ExprPtr> parse_tuple(TupleRules rules);
    bool at_tuple_end(const TupleRules& rules) const;
    // Postfix forms (parser_postfix.cpp).
    Result<ExprPtr> parse_postfix(ExprPtr node, bool with_filter);
    Result<ExprPtr> parse_attribute(ExprPtr base);
    Result<ExprPtr> parse_subscript(ExprPtr base);
    Result<ExprPtr> parse_slice(ExprPtr base, ExprPtr start, std::uint32_t at);
    Result<ExprPtr> parse_call(ExprPtr callee);
    Result<ExprPtr> parse_filter(ExprPtr base);
    Result<ExprPtr> parse_filter_chain();
    Result<ExprPtr> parse_test(ExprPtr base);
    Result<Arguments> parse_arguments();
    Result<void> parse_argument(Arguments& arguments);
    Result<std::string> parse_dotted_name();

    // Statements (parser_stmt.cpp, parser_block.cpp).
    Result<Body> parse_until(std::initializer_list<std::string_view> end_names);
    Result<Body> parse_body(std::initializer_list<std::string_view> end_names);
    Result<Body> parse_scope(std::string_view end_name);
    Result<void> parse_piece(Body& body);
    Result<Stmt> parse_statement();
    Result<Stmt> parse_for(std::uint32_t at);
    Result<Stmt> parse_if(std::uint32_t at);
    Result<Stmt> parse_set(std::uint32_t at);
    Result<Stmt> parse_macro(std::uint32_t at);
    Result<Stmt> parse_call_block(std::uint32_t at);
    Result<Stmt> parse_filter_block(std::uint32_t at);
    Result<Stmt> parse_with(std::uint32_t at);
    Result<Stmt> parse_autoescape(std::uint32_t at);
    Result<Stmt> parse_generation(std::uint32_t at);
    Result<Stmt> parse_print(std::uint32_t at);
    Result<Stmt> parse_loop_control(std::uint32_t at);
    Result<Stmt> parse_block(std::uint32_t at);
    Result<Stmt> parse_extends(std::uint32_t at);
    Result<Stmt> parse_include(std::uint32_t at);
    Result<Stmt> parse_import(std::uint32_t at);
    Result<Stmt> parse_from(std::uint32_t at);
    Result<bool> parse_context_choice(bool default_choice);
    Result<void> parse_signature(MacroStmt& macro);
    Result<void> finish_macro(MacroStmt& macro, std::string_view end_name);
    Result<Target> parse_target(bool with_namespace, std::string_view end_name);
    Result<Target> parse_target_item(bool with_namespace);
    Result<std::string> parse_target_name();
    Result<void> collect_blocks(const Body& body, ParsedTemplate& out);
    static std::vector<const Body*> child_bodies(const Stmt& stmt);

    // Tokens.
    const Token& current() const { return tokens_[at_]; }
    const Token& look_ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
    bool is(TokenKind kind) const { return current().kind == kind; }
    bool is_name(std::string_view name) const {
        return is(TokenKind::kName) && current().text == name;
    }
    void advance() { at_ = std::min(at_ + 1, tokens_.size() - 1); }
    bool skip(TokenKind kind);
    bool skip_name(std::string_view name);
    Result<void> expect(TokenKind kind);
    Result<void> expect_name(std::string_view name);
    Result<std::string> take_name();
    std::string describe_current() const;
    std::unexpected<Error> error(std::string_view message) const {
        return error_at(current().at, message);
    }
    std::unexpected<Error> error_at(std::uint32_t at, std::string_view message) const {
        return std::unexpected(source_.error(at, message));
    }
    Result<void> check_depth(int extra = 0) const;

    // An unknown filter or test is an error at once, but inside if only when it runs.
    void note_unknown(std::uint32_t at, std::string_view message) {
        if (!soft_) unknown_.push_back(source_.error(at, message));
    }
    // Whether names[from…] holds a name that was read.
    bool names_since(std::size_t from, std::string_view name) const;

    const SourceText& source_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    int max_depth_;
    int depth_ = 0;
    KnownNames known_;
    bool soft_ = false;  // inside if
    std::vector<Error> unknown_;
    int loops_ = 0;        // loops around the current place that break may leave
    int for_nesting_ = 0;  // for statements around it
    bool scoped_block_ = false;
    std::vector<std::string> names_read_;

    friend class Nested;
};

/// Counts nesting while it lives.
class Nested {
  public:
    explicit Nested(Parser& parser) : parser_(parser) { ++parser_.depth_; }
    ~Nested() { --parser_.depth_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

  private:
    Parser& parser_;
};

/// Sets a variable and restores it at the end of the scope.
template <class T>
class Restored {
  public:
    Restored(T& variable, T value)
        : variable_(variable), saved_(std::exchange(variable, std::move(value))) {}
    ~Restored() { variable_ = std::move(saved_); }
    Restored(const Restored&) = delete;
    Restored& operator=(const Restored&) = delete;

  private:
    T& variable_;
    T saved_;
};

}  // namespace notso::services::jinja
