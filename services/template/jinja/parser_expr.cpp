// Expressions from the ternary down to literals; see parser.hpp.
#include "services/template/jinja/parser.hpp"

namespace notso::services::jinja {

Result<ExprPtr> Parser::parse_expression(bool with_ternary) {
    const Nested nested(*this);
    NOTSO_CHECK(check_depth());
    return with_ternary ? parse_ternary() : parse_logic(false);
}

Result<ExprPtr> Parser::parse_ternary() {
    const auto at = current().at;
    const std::size_t unknown_before = unknown_.size();
    NOTSO_TRY(auto node, parse_logic(false));
    int links = 0;
    while (skip_name("if")) {
        NOTSO_CHECK(check_depth(++links));
        unknown_.resize(unknown_before);
        const Restored soft(soft_, true);
        NOTSO_TRY(auto condition, parse_logic(false));
        ExprPtr otherwise;
        if (skip_name("else")) {
            NOTSO_TRY(otherwise, parse_expression());
        }
        node = make(at, TernaryExpr{std::move(condition), std::move(node), std::move(otherwise)});
    }
    return node;
}

Result<ExprPtr> Parser::parse_logic(bool is_and) {
    const auto at = current().at;
    const std::string_view word = is_and ? "and" : "or";
    NOTSO_TRY(auto first, is_and ? parse_not() : parse_logic(true));
    if (!is_name(word)) return first;
    std::vector<ExprPtr> operands;
    operands.push_back(std::move(first));
    while (skip_name(word)) {
        NOTSO_TRY(auto operand, is_and ? parse_not() : parse_logic(true));
        operands.push_back(std::move(operand));
    }
    return make(at, LogicExpr{std::move(operands), is_and});
}

Result<ExprPtr> Parser::parse_not() {
    const auto at = current().at;
    if (!skip_name("not")) return parse_compare();
    const Nested nested(*this);
    NOTSO_CHECK(check_depth());
    NOTSO_TRY(auto operand, parse_not());
    return make(at, NotExpr{std::move(operand)});
}

bool Parser::take_comparison(Comparison& comparison) {
    switch (current().kind) {
        case TokenKind::kEq:
            comparison = Comparison::kEq;
            break;
        case TokenKind::kNe:
            comparison = Comparison::kNe;
            break;
        case TokenKind::kLt:
            comparison = Comparison::kLt;
            break;
        case TokenKind::kLe:
            comparison = Comparison::kLe;
            break;
        case TokenKind::kGt:
            comparison = Comparison::kGt;
            break;
        case TokenKind::kGe:
            comparison = Comparison::kGe;
            break;
        default:
            if (is_name("in")) {
                comparison = Comparison::kIn;
                break;
            }
            if (!is_name("not") || look_ahead().kind != TokenKind::kName ||
                look_ahead().text != "in")
                return false;
            comparison = Comparison::kNotIn;
            advance();
    }
    advance();
    return true;
}

Result<ExprPtr> Parser::parse_compare() {
    const auto at = current().at;
    NOTSO_TRY(auto first, parse_arithmetic(0));
    std::vector<std::pair<Comparison, ExprPtr>> rest;
    for (Comparison comparison{}; take_comparison(comparison);) {
        NOTSO_TRY(auto operand, parse_arithmetic(0));
        rest.emplace_back(comparison, std::move(operand));
    }
    if (rest.empty()) return first;
    return make(at, CompareExpr{std::move(first), std::move(rest)});
}

// Level 0: + and -; level 1: * / // %; level 2: **. Concatenation binds between 0 and 1.
Result<ExprPtr> Parser::parse_arithmetic(int level) {
    struct Row {
        TokenKind token;
        Operator op;
        int level;
    };
    static constexpr Row kRows[] = {
        {TokenKind::kAdd, Operator::kAdd, 0},
        {TokenKind::kSub, Operator::kSub, 0},
        {TokenKind::kMul, Operator::kMul, 1},
        {TokenKind::kDiv, Operator::kDiv, 1},
        {TokenKind::kMod, Operator::kMod, 1},
        {TokenKind::kFloorDiv, Operator::kFloorDiv, 1},
        {TokenKind::kPow, Operator::kPow, 2},
    };
    const auto operand = [&] {
        return level == 0 ? parse_concat() : level == 1 ? parse_arithmetic(2) : parse_unary();
    };
    const auto at = current().at;
    NOTSO_TRY(auto first, operand());
    std::vector<std::pair<Operator, ExprPtr>> rest;
    while (true) {
        const auto row =
            std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& candidate) {
                return candidate.level == level && candidate.token == current().kind;
            });
        if (row == std::end(kRows)) break;
        advance();
        NOTSO_TRY(auto next, operand());
        rest.emplace_back(row->op, std::move(next));
    }
    if (rest.empty()) return first;
    return make(at, ArithmeticExpr{std::move(first), std::move(rest)});
}

Result<ExprPtr> Parser::parse_concat() {
    const auto at = current().at;
    NOTSO_TRY(auto first, parse_arithmetic(1));
    if (!is(TokenKind::kTilde)) return first;
    std::vector<ExprPtr> parts;
    parts.push_back(std::move(first));
    while (skip(TokenKind::kTilde)) {
        NOTSO_TRY(auto part, parse_arithmetic(1));
        parts.push_back(std::move(part));
    }
    return make(at, ConcatExpr{std::move(parts)});
}

Result<ExprPtr> Parser::parse_unary(bool with_filter) {
    const bool has_sign = is(TokenKind::kSub) || is(TokenKind::kAdd);
    NOTSO_TRY(auto node, has_sign ? parse_signed(with_filter) : parse_primary());
    return parse_postfix(std::move(node), with_filter);
}

Result<ExprPtr> Parser::parse_signed(bool) {
    const Nested nested(*this);
    NOTSO_CHECK(check_depth());
    const auto at = current().at;
    const bool negative = is(TokenKind::kSub);
    advance();
    NOTSO_TRY(auto operand, parse_unary(false));
    return make(at, SignExpr{std::move(operand), negative});
}

Result<ExprPtr> Parser::parse_primary() {
    const auto at = current().at;
    switch (current().kind) {
        case TokenKind::kName:
            return parse_name();
        case TokenKind::kString:
            return parse_strings();
        case TokenKind::kInteger: {
            auto node = make(at, LiteralExpr{Value::integer(current().integer)});
            advance();
            return node;
        }
        case TokenKind::kFloat: {
            auto node = make(at, LiteralExpr{Value::real(current().real)});
            advance();
            return node;
        }
        case TokenKind::kLeftParen: {
            advance();
            NOTSO_TRY(auto node, parse_tuple({.parenthesized = true}));
            NOTSO_CHECK(expect(TokenKind::kRightParen));
            return node;
        }
        case TokenKind::kLeftBracket:
            return parse_list();
        case TokenKind::kLeftBrace:
            return parse_dict();
        default:
            return error(fmt::format("unexpected {}", describe_current()));
    }
}

Result<ExprPtr> Parser::parse_name() {
    const auto at = current().at;
    NOTSO_TRY(auto name, take_name());
    if (name == "true" || name == "True") return make(at, LiteralExpr{Value::boolean(true)});
    if (name == "false" || name == "False") return make(at, LiteralExpr{Value::boolean(false)});
    if (name == "none" || name == "None") return make(at, LiteralExpr{Value::none()});
    names_read_.push_back(name);
    return make(at, NameExpr{std::move(name)});
}

Result<ExprPtr> Parser::parse_strings() {
    const auto at = current().at;
    std::string text;
    for (; is(TokenKind::kString); advance()) text += current().text;
    return make(at, LiteralExpr{Value::string(std::move(text))});
}

Result<ExprPtr> Parser::parse_list() {
    const auto at = current().at;
    NOTSO_CHECK(expect(TokenKind::kLeftBracket));
    std::vector<ExprPtr> items;
    while (!is(TokenKind::kRightBracket)) {
        if (!items.empty()) NOTSO_CHECK(expect(TokenKind::kComma));
        if (is(TokenKind::kRightBracket)) break;
        NOTSO_TRY(auto item, parse_expression());
        items.push_back(std::move(item));
    }
    advance();
    return make(at, ListExpr{std::move(items), true});
}

Result<ExprPtr> Parser::parse_dict() {
    const auto at = current().at;
    NOTSO_CHECK(expect(TokenKind::kLeftBrace));
    std::vector<std::pair<ExprPtr, ExprPtr>> items;
    while (!is(TokenKind::kRightBrace)) {
        if (!items.empty()) NOTSO_CHECK(expect(TokenKind::kComma));
        if (is(TokenKind::kRightBrace)) break;
        NOTSO_TRY(auto key, parse_expression());
        NOTSO_CHECK(expect(TokenKind::kColon));
        NOTSO_TRY(auto value, parse_expression());
        items.emplace_back(std::move(key), std::move(value));
    }
    advance();
    return make(at, DictExpr{std::move(items)});
}

bool Parser::at_tuple_end(const TupleRules& rules) const {
    if (is(TokenKind::kVariableEnd) || is(TokenKind::kBlockEnd) || is(TokenKind::kRightParen))
        return true;
    return !rules.end_name.empty() && is_name(rules.end_name);
}

// One expression, or several with commas: then a tuple.
Result<ExprPtr> Parser::parse_tuple(TupleRules rules) {
    const auto at = current().at;
    std::vector<ExprPtr> items;
    bool is_tuple = false;
    while (true) {
        if (!items.empty()) NOTSO_CHECK(expect(TokenKind::kComma));
        if (at_tuple_end(rules)) break;
        NOTSO_TRY(auto item, parse_expression(rules.with_ternary));
        items.push_back(std::move(item));
        if (!is(TokenKind::kComma)) break;
        is_tuple = true;
    }
    if (!is_tuple && !items.empty()) return std::move(items.front());
    if (!is_tuple && !rules.parenthesized) {
        return error(fmt::format("expected an expression, got {}", describe_current()));
    }
    return make(at, ListExpr{std::move(items), false});
}

}  // namespace notso::services::jinja
