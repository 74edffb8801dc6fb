// What follows a value: attributes, subscripts, calls, filters and tests; see parser.hpp.
#include "services/template/jinja/parser.hpp"

namespace notso::services::jinja {

Result<ExprPtr> Parser::parse_postfix(ExprPtr node, bool with_filter) {
    bool filtered = false;  // behind a filter or test only further ones and calls may follow
    for (int links = 1;; ++links) {
        NOTSO_CHECK(check_depth(links));
        if (is(TokenKind::kLeftParen)) {
            NOTSO_TRY(node, parse_call(std::move(node)));
        } else if (!filtered && is(TokenKind::kDot)) {
            NOTSO_TRY(node, parse_attribute(std::move(node)));
        } else if (!filtered && is(TokenKind::kLeftBracket)) {
            NOTSO_TRY(node, parse_subscript(std::move(node)));
        } else if (with_filter && is(TokenKind::kPipe)) {
            NOTSO_TRY(node, parse_filter(std::move(node)));
            filtered = true;
        } else if (with_filter && is_name("is")) {
            NOTSO_TRY(node, parse_test(std::move(node)));
            filtered = true;
        } else {
            return node;
        }
    }
}

Result<ExprPtr> Parser::parse_attribute(ExprPtr base) {
    const auto at = current().at;
    NOTSO_CHECK(expect(TokenKind::kDot));
    if (is(TokenKind::kInteger)) {
        auto key = make(current().at, LiteralExpr{Value::integer(current().integer)});
        advance();
        return make(at, ItemExpr{std::move(base), std::move(key)});
    }
    if (!is(TokenKind::kName)) return error("expected a name or number after '.'");
    NOTSO_TRY(auto name, take_name());
    return make(at, AttributeExpr{std::move(base), std::move(name)});
}

Result<ExprPtr> Parser::parse_subscript(ExprPtr base) {
    const auto at = current().at;
    NOTSO_CHECK(expect(TokenKind::kLeftBracket));
    if (is(TokenKind::kColon)) return parse_slice(std::move(base), nullptr, at);
    std::vector<ExprPtr> keys;
    while (!is(TokenKind::kRightBracket)) {
        if (!keys.empty()) NOTSO_CHECK(expect(TokenKind::kComma));
        NOTSO_TRY(auto key, parse_expression());
        if (keys.empty() && is(TokenKind::kColon))
            return parse_slice(std::move(base), std::move(key), at);
        keys.push_back(std::move(key));
    }
    advance();
    if (keys.size() == 1) return make(at, ItemExpr{std::move(base), std::move(keys.front())});
    return make(at, ItemExpr{std::move(base), make(at, ListExpr{std::move(keys), false})});
}

// At the first colon of [start:stop:step].
Result<ExprPtr> Parser::parse_slice(ExprPtr base, ExprPtr start, std::uint32_t at) {
    NOTSO_CHECK(expect(TokenKind::kColon));
    SliceExpr slice{std::move(base), std::move(start), nullptr, nullptr};
    if (!is(TokenKind::kColon) && !is(TokenKind::kRightBracket)) {
        NOTSO_TRY(slice.stop, parse_expression());
    }
    if (skip(TokenKind::kColon) && !is(TokenKind::kRightBracket)) {
        NOTSO_TRY(slice.step, parse_expression());
    }
    NOTSO_CHECK(expect(TokenKind::kRightBracket));
    return make(at, std::move(slice));
}

Result<ExprPtr> Parser::parse_call(ExprPtr callee) {
    const auto at = current().at;
    NOTSO_TRY(auto arguments, parse_arguments());
    return make(at, CallExpr{std::move(callee), std::move(arguments)});
}

Result<Arguments> Parser::parse_arguments() {
    NOTSO_CHECK(expect(TokenKind::kLeftParen));
    Arguments arguments;
    bool first = true;
    while (!is(TokenKind::kRightParen)) {
        if (!std::exchange(first, false)) NOTSO_CHECK(expect(TokenKind::kComma));
        if (is(TokenKind::kRightParen)) break;
        NOTSO_CHECK(parse_argument(arguments));
    }
    advance();
    return arguments;
}

Result<void> Parser::parse_argument(Arguments& arguments) {
    constexpr std::string_view kOrder = "positional arguments come before named ones, * before **";
    if (skip(TokenKind::kMul)) {
        if (arguments.star || arguments.star_star) return error(kOrder);
        NOTSO_TRY(arguments.star, parse_expression());
        return {};
    }
    if (skip(TokenKind::kPow)) {
        if (arguments.star_star) return error(kOrder);
        NOTSO_TRY(arguments.star_star, parse_expression());
        return {};
    }
    if (is(TokenKind::kName) && look_ahead().kind == TokenKind::kAssign) {
        if (arguments.star_star) return error(kOrder);
        NOTSO_TRY(auto name, take_name());
        for (const auto& [other, value] : arguments.named) {
            if (other == name) return error(fmt::format("the argument '{}' is given twice", name));
        }
        advance();
        NOTSO_TRY(auto value, parse_expression());
        arguments.named.emplace_back(std::move(name), std::move(value));
        return {};
    }
    if (arguments.star || arguments.star_star || !arguments.named.empty()) return error(kOrder);
    NOTSO_TRY(auto value, parse_expression());
    arguments.positional.push_back(std::move(value));
    return {};
}

Result<std::string> Parser::parse_dotted_name() {
    NOTSO_TRY(auto name, take_name());
    while (skip(TokenKind::kDot)) {
        NOTSO_TRY(const auto part, take_name());
        name += "." + part;
    }
    return name;
}

// At the pipe, or at the name itself in a filter block.
Result<ExprPtr> Parser::parse_filter(ExprPtr base) {
    skip(TokenKind::kPipe);
    const auto at = current().at;
    NOTSO_TRY(auto name, parse_dotted_name());
    if (!known_.filter(name)) note_unknown(at, fmt::format("there is no filter named '{}'", name));
    Arguments arguments;
    if (is(TokenKind::kLeftParen)) {
        NOTSO_TRY(arguments, parse_arguments());
    }
    return make(at, FilterExpr{std::move(base), std::move(name), std::move(arguments)});
}

// name|name(…)|…, applied to captured text.
Result<ExprPtr> Parser::parse_filter_chain() {
    ExprPtr node;
    int links = 0;
    do {
        NOTSO_CHECK(check_depth(++links));
        NOTSO_TRY(node, parse_filter(std::move(node)));
    } while (is(TokenKind::kPipe));
    return node;
}

Result<ExprPtr> Parser::parse_test(ExprPtr base) {
    advance();
    const bool negated = skip_name("not");
    const auto at = current().at;
    NOTSO_TRY(auto name, parse_dotted_name());
    if (!known_.test(name)) note_unknown(at, fmt::format("there is no test named '{}'", name));
    Arguments arguments;
    if (is(TokenKind::kLeftParen)) {
        NOTSO_TRY(arguments, parse_arguments());
    } else if (is(TokenKind::kName) || is(TokenKind::kString) || is(TokenKind::kInteger) ||
               is(TokenKind::kFloat) || is(TokenKind::kLeftBracket) || is(TokenKind::kLeftBrace)) {
        const bool keyword = is_name("else") || is_name("or") || is_name("and");
        if (is_name("is")) return error("tests can't be chained with 'is'");
        if (!keyword) {
            NOTSO_TRY(auto value, parse_primary());
            NOTSO_TRY(value, parse_postfix(std::move(value), false));
            arguments.positional.push_back(std::move(value));
        }
    }
    auto node = make(at, TestExpr{std::move(base), std::move(name), std::move(arguments)});
    return negated ? make(at, NotExpr{std::move(node)}) : std::move(node);
}

}  // namespace notso::services::jinja
