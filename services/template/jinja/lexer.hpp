// Turns template source into tokens, with Jinja's white space rules (-, +, trim_blocks,
// lstrip_blocks, raw blocks).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace notso::services::jinja {

enum class TokenKind : std::uint8_t {
    kData,
    kVariableBegin,
    kVariableEnd,
    kBlockBegin,
    kBlockEnd,
    kName,
    kString,
    kInteger,
    kFloat,
    kAdd,
    kSub,
    kMul,
    kDiv,
    kFloorDiv,
    kMod,
    kPow,
    kTilde,
    kLeftBracket,
    kRightBracket,
    kLeftParen,
    kRightParen,
    kLeftBrace,
    kRightBrace,
    kEq,
    kNe,
    kGt,
    kGe,
    kLt,
    kLe,
    kAssign,
    kDot,
    kColon,
    kPipe,
    kComma,
    kSemicolon,
    kEnd,
};

/// A token. `at` is the byte offset in the normalized source (SourceText turns it into line and
/// column).
struct Token {
    TokenKind kind = TokenKind::kEnd;
    std::uint32_t at = 0;
    std::string text = {};  ///< Names, decoded strings, data.
    std::int64_t integer = 0;
    double real = 0;
};

/// The source with \r\n and \r turned into \n and one closing newline removed.
struct SourceText {
    explicit SourceText(std::string_view source, std::string template_name = {});
    /// "line L, column C" (in "NAME" when the template has a name).
    std::string describe(std::size_t at) const;
    /// A syntax error at this place.
    Error error(std::size_t at,
                std::string_view message,
                ErrorCode code = ErrorCode::kInvalidArgument) const;

    std::string text;
    std::string name;
};

struct LexerOptions {
    bool trim_blocks = true;
    bool lstrip_blocks = true;
};

/// How a token is called in messages: "end of print statement", "'('"…
std::string_view token_name(TokenKind kind);

/// @errors kInvalidArgument with line and column.
Result<std::vector<Token>> tokenize(const SourceText& source, const LexerOptions& options);

/// Decodes the escapes of a string literal (without its quotes) as Python does.
Result<std::string> decode_string_literal(std::string_view body);

}  // namespace notso::services::jinja
