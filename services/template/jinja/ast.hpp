// The syntax tree of a template. Built by the parser, then only read. Chains of operators are flat
// lists, so that the depth of the tree follows the nesting that the author wrote.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "services/template/jinja/value.hpp"

namespace notso::services::jinja {

struct Expr;
struct Stmt;
using ExprPtr = std::unique_ptr<Expr>;
using Body = std::vector<Stmt>;

struct Arguments {
    std::vector<ExprPtr> positional = {};
    std::vector<std::pair<std::string, ExprPtr>> named = {};
    ExprPtr star = {};       ///< *items
    ExprPtr star_star = {};  ///< **mapping
};

enum class Operator : std::uint8_t { kAdd, kSub, kMul, kDiv, kFloorDiv, kMod, kPow };
enum class Comparison : std::uint8_t { kEq, kNe, kLt, kLe, kGt, kGe, kIn, kNotIn };

struct LiteralExpr {
    Value value;
};
struct NameExpr {
    std::string name;
};
struct ListExpr {
    std::vector<ExprPtr> items;
    bool is_list;
};
struct DictExpr {
    std::vector<std::pair<ExprPtr, ExprPtr>> items;
};
struct SignExpr {
    ExprPtr operand;
    bool negative;
};
/// first op operand op operand…, from left to right, all of one precedence.
struct ArithmeticExpr {
    ExprPtr first;
    std::vector<std::pair<Operator, ExprPtr>> rest;
};
/// a ~ b ~ c
struct ConcatExpr {
    std::vector<ExprPtr> parts;
};
/// a < b < c
struct CompareExpr {
    ExprPtr first;
    std::vector<std::pair<Comparison, ExprPtr>> rest;
};
/// a and b and c, or a or b or c
struct LogicExpr {
    std::vector<ExprPtr> operands;
    bool is_and;
};
struct NotExpr {
    ExprPtr operand;
};
struct TernaryExpr {
    ExprPtr condition;
    ExprPtr then;
    ExprPtr otherwise;  ///< May be absent.
};
struct AttributeExpr {
    ExprPtr base;
    std::string name;
};
struct ItemExpr {
    ExprPtr base;
    ExprPtr key;
};
struct SliceExpr {
    ExprPtr base;
    ExprPtr start;  ///< Each may be absent.
    ExprPtr stop;
    ExprPtr step;
};
struct CallExpr {
    ExprPtr callee;
    Arguments arguments;
};
struct FilterExpr {
    ExprPtr base;  ///< Absent in filter and set blocks: the captured text.
    std::string name;
    Arguments arguments;
};
struct TestExpr {
    ExprPtr base;
    std::string name;
    Arguments arguments;
};

struct Expr {
    std::uint32_t at;  ///< Byte offset in the source.
    std::variant<LiteralExpr,
                 NameExpr,
                 ListExpr,
                 DictExpr,
                 SignExpr,
                 ArithmeticExpr,
                 ConcatExpr,
                 CompareExpr,
                 LogicExpr,
                 NotExpr,
                 TernaryExpr,
                 AttributeExpr,
                 ItemExpr,
                 SliceExpr,
                 CallExpr,
                 FilterExpr,
                 TestExpr>
        node;
};

/// What an assignment assigns to: a name, an attribute of a namespace, or a tuple of targets.
struct Target {
    std::uint32_t at = 0;
    std::string name = {};
    std::string attribute = {};
    std::vector<Target> items = {};
    bool is_tuple = false;
};

struct TextStmt {
    std::string text;
};
struct PrintStmt {
    std::vector<ExprPtr> values;
};
struct IfStmt {
    std::vector<std::pair<ExprPtr, Body>> branches;
    Body otherwise;
};
struct ForStmt {
    Target target;
    ExprPtr iterable;
    ExprPtr condition;  ///< May be absent.
    Body body;
    Body otherwise;
    bool recursive;
    bool uses_loop;  ///< The body names `loop`, so there is one.
};
struct SetStmt {
    Target target;
    ExprPtr value;
};
struct SetBlockStmt {
    Target target;
    ExprPtr filter;  ///< May be absent.
    Body body;
};
/// A macro, or the body of a call block (then without a name).
struct MacroStmt {
    std::string name;
    std::vector<std::string> parameters;
    std::vector<ExprPtr> defaults;  ///< Of the last parameters.
    Body body;
    bool uses_caller;
    bool uses_varargs;
    bool uses_kwargs;
};
struct CallBlockStmt {
    std::unique_ptr<MacroStmt> caller;
    ExprPtr call;
};
struct FilterBlockStmt {
    ExprPtr filter;
    Body body;
};
struct WithStmt {
    std::vector<std::pair<Target, ExprPtr>> values;
    Body body;
};
struct AutoEscapeStmt {
    ExprPtr enabled;
    Body body;
};
/// A scope of its own without other effect ({% generation %}).
struct ScopeStmt {
    Body body;
};
struct BlockStmt {
    std::string name;
    Body body;
    bool scoped;
    bool required;
};
struct ExtendsStmt {
    ExprPtr parent;
};
struct IncludeStmt {
    ExprPtr source;
    bool ignore_missing;
    bool with_context;
};
struct ImportStmt {
    ExprPtr source;
    std::string target;  ///< import … as target; empty for from … import
    std::vector<std::pair<std::string, std::string>> names;  ///< from … import name as alias
    bool with_context;
};
struct BreakStmt {};
struct ContinueStmt {};

struct Stmt {
    std::uint32_t at;
    std::variant<TextStmt,
                 PrintStmt,
                 IfStmt,
                 ForStmt,
                 SetStmt,
                 SetBlockStmt,
                 MacroStmt,
                 CallBlockStmt,
                 FilterBlockStmt,
                 WithStmt,
                 AutoEscapeStmt,
                 ScopeStmt,
                 BlockStmt,
                 ExtendsStmt,
                 IncludeStmt,
                 ImportStmt,
                 BreakStmt,
                 ContinueStmt>
        node;
};

}  // namespace notso::services::jinja
